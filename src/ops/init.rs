//! Making a board, and leaving without a trace.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Context;
use super::error::Error;
use super::remains::{self, Remnant};
use super::{hooks, identity};
use crate::model::board::{FORMAT, Meta, PREFIX};
use crate::model::names::TaskId;
use crate::store::Decision;
use crate::text::digest;

/// What `init` found or made.
#[derive(Debug)]
pub struct Initialised {
    /// Id of the board.
    pub board: String,
    /// What task ids start with.
    pub prefix: String,
    /// Whether this call made the board.
    pub created: bool,
    /// Where the person's secret was put, if this call made it.
    pub secret: Option<PathBuf>,
}

/// Makes the board if there is none, and on a terminal the person's secret.
pub fn init(context: &Context<'_>, prefix: Option<&str>) -> Result<Initialised, Error> {
    let store = &context.store;
    let author = context.identity.author(store)?;
    let prefix = match prefix {
        None => PREFIX.to_owned(),
        // An id is the prefix, a dash and a number: the longest must fit.
        Some(text) if text.len() > 40 => {
            return Err(Error::usage("the prefix is longer than 40 characters", "git comm init --prefix bd"));
        }
        Some(text) => text.parse::<TaskId>()?.as_str().to_owned(),
    };
    let updated = store.update("meta", &author, store.durability(), |before, stamp| {
        if before.is_some() {
            return Ok::<_, Error>(Decision::Keep(()));
        }
        let mut id = digest::digest(&[&stamp.nonce, &stamp.clone]);
        id.truncate(16);
        let state = Meta {
            format: FORMAT,
            boards: BTreeSet::from([id.clone()]),
            prefix: prefix.clone(),
            next: 1,
            extra: serde_json::Map::new(),
        };
        Ok(Decision::Write {
            event: json!({ "type": "init", "board": id, "prefix": prefix }),
            state,
            summary: format!("init board {id}"),
            guards: Vec::new(),
            result: (),
        })
    })?;
    store.refresh()?;
    let meta = store.meta().ok_or(Error::NoBoard)?;
    let board = meta.boards.first().cloned().unwrap_or_default();
    let secret = if context.identity.is_person() { mint_secret(context)? } else { None };
    super::agents::reserve(context)?;
    Ok(Initialised { board, prefix: meta.prefix, created: updated.written, secret })
}

/// What [`init`] would find or make. Changes nothing.
pub fn preview(context: &Context<'_>, prefix: Option<&str>) -> Initialised {
    let meta = context.store.meta();
    let created = meta.is_none();
    let (board, prefix) = match meta {
        Some(meta) => (meta.boards.first().cloned().unwrap_or_default(), meta.prefix),
        None => (String::new(), prefix.unwrap_or(PREFIX).to_owned()),
    };
    Initialised { board, prefix, created, secret: None }
}

/// What leaving took away.
#[derive(Debug)]
pub struct Left {
    /// The hooks.
    pub hooks: hooks::Done,
    /// How many refs, where they were asked for.
    pub refs: Option<usize>,
    /// The folder of local state that goes with them.
    pub state: PathBuf,
    /// Where the person's secret is, which goes with them too.
    pub secret: Option<PathBuf>,
    /// What is not taken away, where the refs are.
    pub remains: Vec<Remnant>,
}

/// Takes the hooks out, and with `refs` deletes every record of this clone
/// too, which only the person may.
pub fn leave(context: &Context<'_>, refs: bool, dry_run: bool) -> Result<Left, Error> {
    let repo = context.store.repo();
    if refs {
        context.identity.person("delete the records")?;
    }
    let hooks = hooks::remove(context, dry_run)?;
    let mut left = Left { hooks, refs: None, state: repo.state_dir(), secret: None, remains: Vec::new() };
    if refs {
        left.refs = Some(repo.own_refs()?.len());
        left.secret = identity::secret_path(&context.store).filter(|path| path.exists());
        left.remains = remains::remains(context)?;
        if !dry_run {
            repo.delete_all_records()?;
            // Last: until then it shows who may.
            if let Some(path) = &left.secret {
                delete_secret(path)?;
            }
        }
    }
    Ok(left)
}

fn delete_secret(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            let path = path.display().to_string();
            Err(Error::Store(crate::store::StoreError::Local { path, source }))
        }
        _ => Ok(()),
    }
}

/// Makes a board for a first record, unless the repository has remotes: they
/// may have a board already, and a second one would have to be merged.
pub fn ensure(context: &Context<'_>) -> Result<(), Error> {
    if context.store.is_unadopted() {
        return Err(Error::NoBoard);
    }
    init(context, None).map(|_| ())
}

/// Leaves a secret outside the worktrees that only this user can read. An
/// existing one is kept.
fn mint_secret(context: &Context<'_>) -> Result<Option<PathBuf>, Error> {
    let Some(path) = identity::secret_path(&context.store) else { return Ok(None) };
    if path.exists() {
        return Ok(None);
    }
    let failed = |source: std::io::Error| {
        let shown = path.display().to_string();
        Error::Store(crate::store::StoreError::Local { path: shown, source })
    };
    let mut bytes = [0u8; 32];
    context.store.env().random(&mut bytes).map_err(failed)?;
    let secret: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let dir = path.parent().map(PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(&dir).map_err(failed)?;
    // A temporary file is readable by its owner alone from the start.
    let mut file = tempfile::NamedTempFile::new_in(&dir).map_err(failed)?;
    writeln!(file, "{secret}").map_err(failed)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(Some(path)),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(failed(error.error)),
    }
}
