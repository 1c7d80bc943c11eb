//! A first `comm.toml`, from the code as it is.

use std::path::{Path, PathBuf};

use super::Reader;
use super::book::Book;
use super::check::Unneeded;
use super::graph::Seen;
use super::scope::Scope;
use crate::boundary::derive::derive;
use crate::gate::code;
use crate::gate::finding::Finding;
use crate::gate::scope::RULES;
use crate::ops::error::Error;
use crate::ops::{Context, rules};

/// Derived rules.
#[derive(Clone, Debug)]
pub struct Derived {
    /// The content of `comm.toml`.
    pub text: String,
    /// How many domains it has.
    pub domains: usize,
    /// What a check under these rules finds all the same: what no rule can
    /// allow, such as files that cannot be read.
    pub left: Vec<Finding>,
}

/// Derives rules and checks the code with them.
pub fn of(context: &Context<'_>, seen: &Seen) -> Result<Derived, Error> {
    let Some(text) = derive(&seen.paths, &seen.sources, &seen.edges) else {
        return Err(Error::No {
            kind: "no_sources",
            what: "there is no file in a language that imports are read in".into(),
            reasons: Vec::new(),
            hint: "stage some first: git add .".into(),
        });
    };
    let repo = context.store.repo();
    let entries = repo.files_staged()?;
    let check = |text: &str| -> Result<(usize, Vec<Finding>), Error> {
        let book = Book::new(rules::parse(text.as_bytes())?);
        let checked = Reader::new(repo).check(&entries, &[&book], &Scope::All, Unneeded::IfForbidden)?;
        let left = checked.findings.into_iter().filter(Finding::is_error).collect();
        Ok((book.config.domains.all().len(), left))
    };
    let (domains, left) = check(&text)?;
    if !left.iter().any(|finding| finding.code == code::UNRESOLVED) {
        return Ok(Derived { text, domains, left });
    }
    // What was there before is no reason to stop everybody.
    let text = format!("{text}{UNRESOLVED}");
    let (domains, left) = check(&text)?;
    Ok(Derived { text, domains, left })
}

/// Some imports that look local lead nowhere now.
const UNRESOLVED: &str = "
# Some imports look like files of this repository and are none: see them with
# git comm boundary check, mend them, and take this out.
[boundary]
unresolved = \"warn\"
";

/// Writes the rules where they belong, but never over others.
pub fn write(context: &Context<'_>, text: &str) -> Result<PathBuf, Error> {
    let root = context.store.repo().work_tree().ok_or_else(|| Error::Usage {
        what: "a bare repository has no place for comm.toml".into(),
        hint: "print it instead: git comm boundary init".into(),
    })?;
    let path = root.join(RULES);
    create(&path, text)?;
    Ok(path)
}

fn create(path: &Path, text: &str) -> Result<(), Error> {
    use std::io::{ErrorKind, Write};
    // Fails also where a dangling link is.
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Error::No {
            kind: "exists",
            what: "there is a comm.toml already, and it stays as it is".into(),
            reasons: Vec::new(),
            hint: "print the derived one and compare: git comm boundary init".into(),
        }),
        Err(error) => Err(Error::Fatal {
            what: format!("comm.toml cannot be written: {error}"),
            hint: "see that files can be written there".into(),
        }),
    }
}
