//! When this clone first saw a claim in its present condition.
//!
//! A lease granted elsewhere can be taken over only after it was watched for
//! its whole length, and a command that runs once cannot watch: it notes what
//! it saw, and a later one goes on from there. Local, and never the truth: a
//! lost note only makes the wait start over.

use std::fs;
use std::path::PathBuf;

use super::Store;
use crate::git::Repo;
use crate::model::lease::{Heartbeat, Sight, look};
use crate::model::names::TaskId;
use crate::model::task::{Claim, Phase};

impl Store<'_> {
    fn sight_path(&self, id: &TaskId) -> PathBuf {
        self.repo.state_dir().join("sight").join(id.as_str())
    }

    /// The first sight of this claim in its present condition, which is noted
    /// if it is a new one.
    pub fn first_sight(
        &self,
        id: &TaskId,
        phase: &Phase,
        claim: &Claim,
        heartbeat: Option<&Heartbeat>,
    ) -> Sight {
        let path = self.sight_path(id);
        let before: Option<Sight> =
            fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let sight = look(phase, claim, heartbeat, before.clone(), &self.observer());
        if before.as_ref() != Some(&sight)
            && let Err(error) = replace(&self.repo, &path, &sight)
        {
            tracing::debug!(%error, "sight not kept");
        }
        sight
    }
}

/// Puts `value` at `path` whole or not at all.
pub(super) fn replace<T: serde::Serialize>(
    repo: &Repo,
    path: &std::path::Path,
    value: &T,
) -> std::io::Result<()> {
    repo.put_state_file(path, &serde_json::to_vec(value)?)
}
