//! The use cases: the only place that joins rules, records and git.
//!
//! Every way in (command line, later the board and the MCP server) calls the
//! same functions; nothing here prints or parses arguments.

pub mod agents;
pub mod board;
pub mod boundary;
pub mod ci;
pub mod claims;
pub mod commit;
pub mod control;
pub mod demo;
pub mod deps;
pub mod doctor;
pub mod error;
pub mod given;
pub mod harness;
pub mod history;
pub mod hooks;
pub mod identity;
pub mod init;
pub mod join;
pub mod known;
mod losses;
pub mod messages;
pub mod next;
pub mod prime;
mod refusing;
pub mod remains;
mod renaming;
pub mod resolve;
pub mod rules;
pub mod status;
pub mod sync;
pub mod tasks;
pub mod worktree;

use std::path::Path;

use crate::env::Env;
use crate::git::Repo;
use crate::store::Store;
use error::Error;
use identity::{Claimed, Identity};

/// One command's view of the world: the records and who asks.
pub struct Context<'e> {
    /// The records.
    pub store: Store<'e>,
    /// Who asks.
    pub identity: Identity,
    /// What the caller should be told beside the answer, such as claims that
    /// were lost.
    pub notices: std::cell::RefCell<Vec<String>>,
}

impl<'e> Context<'e> {
    /// Opens the repository around `dir` for whoever `claimed` to be.
    pub fn open(dir: &Path, env: &'e Env, claimed: &Claimed) -> Result<Self, Error> {
        let _span = tracing::info_span!("open").entered();
        Self::of(Repo::open(dir, env)?, env, claimed)
    }

    /// As [`Context::open`], of exactly the repository or worktree at `dir`,
    /// whatever the environment says.
    pub fn open_at(dir: &Path, env: &'e Env, claimed: &Claimed) -> Result<Self, Error> {
        Self::of(Repo::open_at(dir, env)?, env, claimed)
    }

    fn of(repo: Repo, env: &'e Env, claimed: &Claimed) -> Result<Self, Error> {
        let store = Store::open(repo, env)?;
        let identity = Identity::determine(&store, claimed)?;
        Ok(Self { store, identity, notices: std::cell::RefCell::default() })
    }

    /// Adds something that the caller should be told beside the answer.
    pub fn notice(&self, text: String) {
        self.notices.borrow_mut().push(text);
    }

    /// Makes sure that there is a board to write on.
    pub fn require_board(&self) -> Result<(), Error> {
        self.store.require_intact()?;
        if self.store.has_board() {
            return Ok(());
        }
        init::ensure(self)
    }
}
