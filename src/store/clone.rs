//! The identity of a clone.
//!
//! Minted once per common directory, and again when that directory is a copy
//! (another device or inode): two directories must never append to one chain.

use std::fs;
use std::path::Path;

use super::StoreError;
use super::clock::hex;
use crate::env::Env;
use crate::git::Repo;

/// Tries before an id is only this process's. Each lost one means that
/// another process was minting too.
const TRIES: usize = 16;

/// This clone's id. Where nothing can be written, an id that is only this
/// process's: it can still read.
pub(super) fn id(repo: &Repo, env: &Env) -> Result<String, StoreError> {
    let dir = repo.state_dir();
    let path = dir.join("clone");
    let place = place(repo.common_dir());
    let mut bytes = [0u8; 6];
    for _ in 0..TRIES {
        if let Some(id) = stored(&path, &place) {
            return Ok(id);
        }
        env.random(&mut bytes)
            .map_err(|source| StoreError::Local { path: "the system's random numbers".into(), source })?;
        match mint(repo, &dir, &path, &format!("{} {place}\n", hex(&bytes))) {
            // Whoever came first counts: read what is there now.
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::debug!(%error, "clone id not kept");
                break;
            }
        }
    }
    Ok(stored(&path, &place).unwrap_or_else(|| hex(&bytes)))
}

fn stored(path: &Path, place: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (id, stored_place) = text.trim_end().split_once(' ')?;
    let plausible = id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
    (plausible && stored_place == place).then(|| id.to_owned())
}

/// Puts the file in place whole, and only if nobody else did meanwhile: a
/// stale one is renamed away first, which only one process can do.
fn mint(repo: &Repo, dir: &Path, path: &Path, content: &str) -> std::io::Result<()> {
    if path.exists() {
        let aside = tempfile::TempDir::new_in(dir)?;
        let old = fs::read(path)?;
        fs::rename(path, aside.path().join("clone"))?;
        let moved = fs::read(aside.path().join("clone"))?;
        if moved != old {
            // Another process had just minted anew: that one counts.
            let _ = fs::hard_link(aside.path().join("clone"), path);
            return Ok(());
        }
    }
    match repo.create_state_file(path, content.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn place(common: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(common).map_or_else(|_| "unknown".into(), |m| format!("{} {}", m.dev(), m.ino()))
}

// Without inodes the path has to do; it also changes with a copy.
#[cfg(not(unix))]
fn place(common: &Path) -> String {
    common.display().to_string()
}
