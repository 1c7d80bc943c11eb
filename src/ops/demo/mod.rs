//! The whole story for real: a temporary repository, several agents as
//! processes of their own, and a check after every step.
//!
//! Nothing is staged: what is told is what the program's own processes and
//! git printed. The caller's repository, configuration and identity are
//! neither read nor written.

mod sample;
mod stage;
mod story;
mod worker;

use std::path::{Path, PathBuf};

use super::error::Error;
use crate::env::Env;
use crate::exec::own::Ended;
use crate::text::escape;
use stage::Stage;

pub use worker::work;

/// Something that happens in the story, to be told at once.
#[derive(Clone, Copy, Debug)]
pub enum Beat<'a> {
    /// An act begins.
    Act {
        /// Its number, from 1.
        number: usize,
        /// What it is about.
        title: &'a str,
    },
    /// A sentence of the narrator.
    Say(&'a str),
    /// A command that somebody ran.
    Ran {
        /// Who.
        who: &'a str,
        /// What was typed.
        line: &'a str,
        /// How it ended.
        ended: &'a Ended,
    },
    /// All acts were played.
    End(&'a Played),
}

/// The story was played to its end, and everything behaved.
#[derive(Clone, Debug)]
pub struct Played {
    /// Checks that held.
    pub checks: usize,
    /// Processes of this program that took part.
    pub processes: usize,
    /// Length of the story, in milliseconds.
    pub ms: u128,
    /// Where the repository is, if it was kept.
    pub kept: Option<PathBuf>,
}

/// Plays the story and tells it. With `keep`, an absent or empty directory,
/// repository and worktrees are left there; else nothing is left, whatever
/// happens.
///
/// Errors with [`Error::Misbehaved`] at the first step that does not behave.
pub fn play(env: &Env, keep: Option<&Path>, tell: &mut dyn FnMut(Beat<'_>)) -> Result<Played, Error> {
    let started = env.instant();
    let place = env.temp_dir();
    // Removed when dropped, so on every way out of here.
    let temp = tempfile::Builder::new()
        .prefix("git-comm-demo-")
        .tempdir_in(&place)
        .map_err(|source| cannot("make a directory in", &place, &source))?;
    let home = temp.path().join("home");
    std::fs::create_dir(&home).map_err(|source| cannot("make", &home, &source))?;
    if let Some(dir) = keep {
        refuse_used(dir)?;
    }
    // The worktrees come to lie beside the repository.
    let repo = keep.unwrap_or(temp.path()).join("shop");
    std::fs::create_dir_all(&repo).map_err(|source| cannot("make", &repo, &source))?;
    let mut stage = Stage::new(env, repo.clone(), &home, tell)?;
    story::play(&mut stage)?;
    let played = Played {
        checks: stage.checks,
        processes: stage.processes,
        ms: env.instant().duration_since(started).as_millis(),
        kept: keep.map(|_| repo),
    };
    stage.tell(Beat::End(&played));
    Ok(played)
}

/// Refuses a directory that holds something already.
fn refuse_used(dir: &Path) -> Result<(), Error> {
    let shown = escape::bytes(dir.as_os_str().as_encoded_bytes());
    let hint = "name a directory that is absent or empty: git comm demo --keep DIR";
    match std::fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Error::usage(format!("`{shown}` is not empty"), hint)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::usage(format!("`{shown}` cannot be used: {error}"), hint)),
    }
}

fn cannot(act: &str, path: &Path, source: &std::io::Error) -> Error {
    Error::Fatal {
        what: format!("cannot {act} `{}`: {source}", escape::bytes(path.as_os_str().as_encoded_bytes())),
        hint: "see that files can be written there, or set TMPDIR to another directory".into(),
    }
}
