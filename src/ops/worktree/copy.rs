//! Ignored files, copied out of a worktree before it goes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::place::{real, shown};
use crate::git::GitError;
use crate::ops::error::Error;

/// A folder with copies.
#[derive(Debug)]
pub(super) struct Copies {
    /// The folder.
    pub(super) to: PathBuf,
    files: Vec<PathBuf>,
}

/// Copies `files`, which are relative to `top`, into the folder `to`, which
/// must be new or empty.
pub(super) fn copy_out(top: &Path, files: &[PathBuf], to: &Path) -> Result<Copies, Error> {
    let to = real(to);
    if to.starts_with(top) {
        return Err(Error::usage(
            format!("`{}` goes with the worktree", shown(&to)),
            "name a folder elsewhere",
        ));
    }
    let is_free = match fs::read_dir(&to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(err) => err.kind() == io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(Error::No {
            kind: "taken",
            what: format!("`{}` is there already", shown(&to)),
            reasons: Vec::new(),
            hint: "name a new or an empty folder".into(),
        });
    }
    let mut copies = Copies { to, files: Vec::new() };
    for file in files {
        let path = copies.to.join(file);
        let copied = copy(&top.join(file), &path);
        copies.files.push(path.clone());
        if let Err(err) = copied {
            copies.undo();
            return Err(GitError::write(&path, err).into());
        }
    }
    Ok(copies)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to)?;
    // The original goes: a power cut must not take both.
    fs::File::open(to)?.sync_all()
}

impl Copies {
    /// Removes the copies, because the originals stay.
    pub(super) fn undo(&self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
            let above = file.ancestors().skip(1).take_while(|dir| dir.starts_with(&self.to));
            for dir in above {
                let _ = fs::remove_dir(dir);
            }
        }
    }
}
