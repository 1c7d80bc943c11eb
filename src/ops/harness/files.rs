//! Files of the worktree that `setup` changes: found through links, read
//! whole, replaced whole.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::place::real;
use crate::ops::error::Error;
use crate::text::escape;

/// The largest file that is edited, in bytes.
const MOST: u64 = 4 * 1024 * 1024;

/// A file and what is to become of it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name, relative to the top of the worktree.
    pub name: String,
    /// Where it really is.
    path: PathBuf,
    /// What it holds; none if there is no such file.
    pub before: Option<Vec<u8>>,
    /// What it is to hold; none if there is to be no such file.
    pub after: Option<Vec<u8>>,
}

/// What became of a file, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// It was made.
    Created,
    /// It was edited.
    Edited,
    /// It was removed.
    Removed,
}

impl Change {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "unchanged",
            Self::Created => "created",
            Self::Edited => "edited",
            Self::Removed => "removed",
        }
    }
}

impl Planned {
    /// The file `name` below `root`, to stay as it is. A link is followed
    /// within the worktree, never out of it.
    pub(super) fn read(root: &Path, name: &str) -> Result<Self, Error> {
        let path = real(&root.join(name));
        let below = path.strip_prefix(root).ok().filter(|below| !below.starts_with(".git"));
        if below.is_none() {
            return Err(refuse(name, "leads out of the worktree", "make it a file of the repository"));
        }
        let before =
            read(&path).map_err(|error| refuse(name, &error.to_string(), "make it a readable file"))?;
        Ok(Self { name: name.to_owned(), path, after: before.clone(), before })
    }

    /// Where it really is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds, as text; none if there is no such file.
    pub(super) fn text(&self) -> Result<Option<&str>, Error> {
        let text = self.before.as_deref().map(std::str::from_utf8).transpose();
        text.map_err(|_| refuse(&self.name, "is not UTF-8", "mend it, then try again"))
    }

    /// What becomes of it.
    pub fn change(&self) -> Change {
        match (&self.before, &self.after) {
            (before, after) if before == after => Change::None,
            (None, _) => Change::Created,
            (_, None) => Change::Removed,
            _ => Change::Edited,
        }
    }

    /// Does it. A folder that it was the only file of goes with it.
    pub(super) fn carry_out(&self) -> Result<(), Error> {
        let done = match (self.change(), &self.after) {
            (Change::None, _) => Ok(()),
            (_, Some(after)) => replace(&self.path, after, self.before.is_none()),
            (_, None) => fs::remove_file(&self.path).map(|()| {
                if let Some(dir) = self.path.parent().filter(|_| self.name.contains('/')) {
                    // It is kept when something else is in it.
                    let _ = fs::remove_dir(dir);
                }
            }),
        };
        done.map_err(|error| {
            refuse(&self.name, &format!("cannot be written: {error}"), "let this process write to it")
        })
    }

    /// The lines that go and come, marked `-` and `+`.
    pub fn lines(&self) -> Vec<String> {
        let of = |bytes: &Option<Vec<u8>>| -> Vec<String> {
            let text = bytes.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            text.lines().map(|line| escape::line(line).into_owned()).collect()
        };
        let (before, after) = (of(&self.before), of(&self.after));
        let same = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        let rest = before.len().min(after.len()) - same;
        let ends = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
        let gone = before[same..before.len() - ends].iter().map(|line| format!("-{line}"));
        let come = after[same..after.len() - ends].iter().map(|line| format!("+{line}"));
        gone.chain(come).collect()
    }
}

pub(super) fn refuse(name: &str, what: &str, hint: &str) -> Error {
    Error::Fatal { what: format!("`{}` {what}", escape::clipped(name, 120)), hint: hint.to_owned() }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !meta.is_file() {
        return Err(io::Error::other("is no file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::other("is too large"));
    }
    Ok(Some(bytes))
}

fn replace(path: &Path, bytes: &[u8], is_new: bool) -> io::Result<()> {
    let dir = path.parent().unwrap_or(path);
    if is_new {
        fs::create_dir_all(dir)?;
        // Made as any program makes a file, with the user's own mask.
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        return file.write_all(bytes).and_then(|()| file.sync_all());
    }
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(fs::metadata(path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
