//! Records as versions of refs under `refs/comm-node/`.
//!
//! A record is one ref; each version is one commit on it. A writer names the
//! version that it read and loses if it has moved; it never overwrites. This
//! layer does not know commands, output or the network.

mod ancestry;
mod blob_cache;
mod cell;
mod chain;
mod clock;
mod clone;
mod codec;
mod create;
mod error;
mod kinds;
pub mod presence;
mod remembered;
mod renaming;
pub mod sharing;
pub mod sight;
mod unknown;

pub use blob_cache::BlobCache;
pub use cell::{Decision, Updated};
pub use chain::{Link, Unread, chain_ref_prefix};
pub use codec::{Current, Head, Version};
pub use create::{Created, Key, Made};
pub use error::StoreError;
pub use kinds::{Cell, PREFIX, agent_ref, control_ref, meta_ref, task_id_of, task_ref, tasks_prefix};
pub use presence::{Held, Presence};
pub use remembered::Remembered;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::str::FromStr;

use codec::Source;

use crate::env::Env;
use crate::git::{Durability, GitError, GitErrorClass, Oid, RefName, Repo};
use crate::model::board::{Control, FORMAT, Meta};
use crate::model::lease::Observer;
use crate::model::names::{AgentName, InvalidName};
use crate::model::stamp::BootStamp;

/// Who writes, as every version records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Name of the agent or person.
    pub agent: AgentName,
    /// Session of it.
    pub session: String,
}

/// A ref and what it must still point at.
pub type Watched = (RefName, Option<Oid>);

/// What binds every verb, as last read: format and the person's acts. Each
/// write names both as guards, so that neither can change unseen between the
/// read and the write.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The board, if there is one.
    pub meta: Option<Version<Meta>>,
    /// The person's acts in force.
    pub control: Control,
    control_oid: Option<Oid>,
    /// Which of the two cannot be read, and why. Nothing may be written then:
    /// it is unknown what binds. Other records can still be read.
    damaged: Option<(RefName, String)>,
}

/// The records of one repository.
pub struct Store<'e> {
    repo: Repo,
    env: &'e Env,
    clone: String,
    durability: Durability,
    snapshot: RefCell<Snapshot>,
}

impl<'e> Store<'e> {
    /// Opens the records of `repo`; refuses a board of a newer format.
    pub fn open(repo: Repo, env: &'e Env) -> Result<Self, StoreError> {
        let clone = clone::id(&repo, env)?;
        let durability = match repo.config("comm.durability").as_deref() {
            None | Some("power") => Durability::Power,
            Some("process") => Durability::Process,
            Some(other) => {
                return Err(StoreError::Config {
                    key: "comm.durability",
                    value: other.to_owned(),
                    allowed: "power or process",
                });
            }
        };
        let snapshot = RefCell::new(snapshot(&repo)?);
        Ok(Self { repo, env, clone, durability, snapshot })
    }

    /// The repository.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// The surroundings of this process.
    pub fn env(&self) -> &'e Env {
        self.env
    }

    /// Id of this clone: minted once per common directory.
    pub fn clone_id(&self) -> &str {
        &self.clone
    }

    /// What binds every verb, as last read.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.borrow().clone()
    }

    /// The person's acts in force, as last read.
    pub fn control(&self) -> std::cell::Ref<'_, Control> {
        std::cell::Ref::map(self.snapshot.borrow(), |s| &s.control)
    }

    /// The board, if there is one.
    pub fn meta(&self) -> Option<Meta> {
        self.snapshot.borrow().meta.as_ref().map(|m| m.state.clone())
    }

    /// Whether there is a board, be it one whose record is damaged.
    pub fn has_board(&self) -> bool {
        let snapshot = self.snapshot.borrow();
        snapshot.meta.is_some() || snapshot.damaged.is_some()
    }

    /// Whether there is no board here, although a remote may have one.
    pub fn is_unadopted(&self) -> bool {
        !self.has_board() && self.repo.has_remotes()
    }

    /// Refuses to go on where what binds every verb cannot be read. Every
    /// write asks, and whoever judges by the person's acts.
    pub fn require_intact(&self) -> Result<(), StoreError> {
        match &self.snapshot.borrow().damaged {
            None => Ok(()),
            Some((name, reason)) => {
                Err(StoreError::Damaged { name: name.to_string(), reason: reason.clone() })
            }
        }
    }

    /// Reads format and the person's acts again.
    pub fn refresh(&self) -> Result<(), StoreError> {
        *self.snapshot.borrow_mut() = snapshot(&self.repo)?;
        Ok(())
    }

    /// This clone's view of the clocks.
    pub fn observer(&self) -> Observer {
        Observer { now: self.env.now(), boot: self.boot_stamp(), clone: self.clone.clone() }
    }

    /// The boot clock as records carry it.
    pub fn boot_stamp(&self) -> Option<BootStamp> {
        self.env.boot_time().map(|b| BootStamp { id: b.id, ms: b.ms })
    }

    /// The newest version of a record; none if there is no such ref.
    pub fn read<S: Cell>(&self, id: &str) -> Result<Option<Version<S>>, StoreError> {
        let name = S::ref_name(id)?;
        let _span = tracing::info_span!("read", %name).entered();
        match self.repo.read_ref(&name)? {
            None => Ok(None),
            Some(oid) => self.version(&name, id, oid).map(Some),
        }
    }

    /// One version of a record.
    pub fn version<S: Cell>(&self, name: &RefName, id: &str, oid: Oid) -> Result<Version<S>, StoreError> {
        self.version_of(name, S::KIND, id, oid)
    }

    /// One version of a record whose state has another type than its kind's.
    pub fn version_of<S: serde::de::DeserializeOwned>(
        &self,
        name: &RefName,
        kind: &str,
        id: &str,
        oid: Oid,
    ) -> Result<Version<S>, StoreError> {
        Source { repo: &self.repo, name, kind, id }.read(oid)
    }

    /// Where the newest version of a record is, without reading it.
    pub fn tip(&self, name: &RefName) -> Result<Option<Oid>, StoreError> {
        Ok(self.repo.read_ref(name)?)
    }

    /// All records of a kind under `prefix`, in the order of their names, and
    /// what could not be read. One damaged record never hides the others.
    pub fn read_all<K, S: Cell>(&self, prefix: &str) -> Result<All<K, S>, StoreError>
    where
        K: FromStr<Err = InvalidName> + Ord,
    {
        let _span = tracing::info_span!("read", prefix).entered();
        let refs = self.repo.list_refs(prefix)?;
        let (mut records, mut damaged) = (Vec::with_capacity(refs.len()), Vec::new());
        for (name, oid) in refs {
            let id = name.as_str().get(prefix.len()..).unwrap_or_default();
            let source = Source { repo: &self.repo, name: &name, kind: S::KIND, id };
            let read = oid.map_err(StoreError::from).and_then(|oid| source.read_current(oid));
            match read.and_then(|record| Ok((id.parse::<K>()?, record))) {
                Ok(record) => records.push(record),
                Err(error) => damaged.push(error),
            }
        }
        Ok(All { records: records.into_iter().collect(), damaged })
    }
}

/// Records by id, and what could not be read.
#[derive(Debug)]
pub struct All<K, S> {
    /// The records that could be read.
    pub records: BTreeMap<K, Current<S>>,
    /// Why each of the others could not.
    pub damaged: Vec<StoreError>,
}

fn snapshot(repo: &Repo) -> Result<Snapshot, StoreError> {
    let mut damaged = None;
    let meta: Option<Version<Meta>> = read_binding(repo, meta_ref()?, "meta", &mut damaged)?;
    if let Some(meta) = &meta
        && meta.state.format > FORMAT
    {
        return Err(StoreError::Newer { name: meta_ref()?.to_string(), format: meta.state.format });
    }
    let control: Option<Version<Control>> = read_binding(repo, control_ref()?, "control", &mut damaged)?;
    Ok(Snapshot {
        meta,
        control_oid: control.as_ref().map(|c| c.oid),
        control: control.map(|c| c.state).unwrap_or_default(),
        damaged,
    })
}

/// Reads a record that binds every verb. One that is damaged is noted: what
/// it binds must stop, and nothing else.
fn read_binding<S: Cell>(
    repo: &Repo,
    name: RefName,
    id: &str,
    damaged: &mut Option<(RefName, String)>,
) -> Result<Option<Version<S>>, StoreError> {
    let read = repo
        .read_ref(&name)
        .map_err(StoreError::from)
        .and_then(|oid| oid.map(|oid| Source { repo, name: &name, kind: S::KIND, id }.read(oid)).transpose());
    let reason = match read {
        Err(StoreError::Damaged { reason, .. }) => reason,
        Err(StoreError::Git(error)) if error.class() == GitErrorClass::Damaged => error.to_string(),
        other => return other,
    };
    damaged.get_or_insert((name, reason));
    Ok(None)
}

/// Whether an error means that the store cannot be written here, which a
/// verb that only wanted to leave a sign of life may ignore.
pub fn is_unwritable(error: &StoreError) -> bool {
    matches!(error, StoreError::Git(GitError::Unwritable { .. }))
}
