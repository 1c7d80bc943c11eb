//! All that sessions of this clone remember, for a check-up.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use super::Store;
use super::presence::Presence;
use crate::git::GitError;

/// A file in which a session remembers something.
#[derive(Debug)]
pub struct Remembered {
    /// The session.
    pub session: String,
    /// What it says; none if that cannot be read.
    pub presence: Option<Presence>,
    /// The file.
    pub path: PathBuf,
}

/// No command takes longer to write its first words into a new file.
const BEING_MADE: Duration = Duration::from_secs(10);

impl Store<'_> {
    /// What every session here remembers, in the order of their ids. One
    /// that is just beginning to is left out.
    pub fn remembered(&self) -> Vec<Remembered> {
        let settled = self.repo.state_older("sessions", BEING_MADE);
        let mut all = Vec::new();
        for path in self.repo.state_older("sessions", Duration::ZERO) {
            let Some(session) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
                continue;
            };
            let presence = self.presence(&session);
            if presence.is_some() || settled.contains(&path) {
                all.push(Remembered { session, presence, path });
            }
        }
        all
    }

    /// Deletes a file that holds no presence, unless a command has it.
    pub fn forget_broken(&self, broken: &Remembered) -> Result<(), GitError> {
        let in_use = File::open(&broken.path).is_ok_and(|file| file.try_lock().is_err());
        if in_use || self.presence(&broken.session).is_some() {
            return Ok(());
        }
        self.repo.delete_left(&broken.path)
    }
}
