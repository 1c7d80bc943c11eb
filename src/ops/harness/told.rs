//! What a session was told already, so that it pays for each thing once.
//! Local, and never the truth: when it is lost, something is said twice.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use crate::ops::Context;
use crate::text::digest;

/// More than that is forgotten, all of it.
const MOST: usize = 10_000;

/// The things that are new to the caller's session, which count as told from
/// now on. What is no longer the case is forgotten: should it come back, it
/// is new.
pub(super) fn new_ones(context: &Context<'_>, now: &[String]) -> Vec<String> {
    let path = path(context);
    let before: BTreeSet<String> = path
        .as_ref()
        .and_then(|path| std::fs::read_to_string(path).ok())
        .map(|text| text.lines().map(str::to_owned).collect())
        .unwrap_or_default();
    let after: BTreeSet<String> = now.iter().take(MOST).map(|thing| key(thing)).collect();
    if before != after
        && let Some(path) = &path
        && let Err(error) = keep(path, &after)
    {
        tracing::debug!(%error, "not remembered");
    }
    now.iter().filter(|thing| !before.contains(&key(thing))).cloned().collect()
}

fn key(thing: &str) -> String {
    let mut key = digest::digest(&[thing]);
    key.truncate(16);
    key
}

fn path(context: &Context<'_>) -> Option<PathBuf> {
    let session = &context.identity.session;
    (!session.is_empty()).then(|| context.store.repo().state_dir().join("told").join(session))
}

fn keep(path: &std::path::Path, things: &BTreeSet<String>) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(path);
    std::fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    for thing in things {
        writeln!(file, "{thing}")?;
    }
    file.persist(path)?;
    Ok(())
}
