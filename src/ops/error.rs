//! Every way in which a request can end without success, and what it means
//! for the caller: one place maps kinds to exit codes.

use crate::config::Fault;
use crate::gate::finding::Finding;
use crate::git::{GitError, GitErrorClass};
use crate::model::names::{InvalidName, TaskId};
use crate::model::refusal::{Class, Refusal};
use crate::store::StoreError;
use crate::text::escape;

/// What the process tells its caller. The codes are a contract; 2 is never
/// used, because agent harnesses read it as "block this tool".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or a repeated no-op: go on.
    Done = 0,
    /// The answer is no: choose something else, or fix.
    No = 1,
    /// Locked, offline, lost and nobody known to hold it: try again.
    Retry = 3,
    /// No such thing, or ambiguous: check the name.
    Unknown = 4,
    /// Not yours: stop, ask.
    NotYours = 5,
    /// Damaged, unwritable or incomplete: stop, report.
    Damaged = 6,
    /// Fatal, as git does: fix the call.
    Fatal = 128,
    /// Wrong usage, as git does: fix the call.
    Usage = 129,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::No,
        Self::Retry,
        Self::Unknown,
        Self::NotYours,
        Self::Damaged,
        Self::Fatal,
        Self::Usage,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// A request ended without success.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Records or git failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name that breaks the grammar.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// No such thing.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// What sort of thing.
        what: &'static str,
        /// Its name, escaped.
        name: String,
        /// A name that was perhaps meant.
        meant: Option<String>,
    },
    /// Several things go by this name.
    #[error("`{name}` could be {}", candidates(among))]
    Ambiguous {
        /// What was given, escaped.
        name: String,
        /// What it could be.
        among: Vec<TaskId>,
    },
    /// "My task", but there is not exactly one.
    #[error("{}", if held.is_empty() { "you hold no task".to_owned() } else { format!("you hold {} tasks: {}", held.len(), candidates(held)) })]
    NoSingleTask {
        /// What the caller holds.
        held: Vec<TaskId>,
    },
    /// The caller's identity does not allow this.
    #[error("{what}")]
    Identity {
        /// What is missing.
        what: String,
        /// What to type.
        hint: String,
    },
    /// There is no board yet, and making one could split a shared one.
    #[error("this repository has no board yet")]
    NoBoard,
    /// A remote cannot be reached now.
    #[error("{what}")]
    Offline {
        /// Which, and why.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Something that the answer needs is not in this clone.
    #[error("{what}")]
    Absent {
        /// What.
        what: String,
        /// How to get it.
        hint: String,
    },
    /// This clone and a remote have different boards.
    #[error("this clone has board {ours}, and `{remote}` has board {theirs}")]
    TwoBoards {
        /// Ours.
        ours: String,
        /// Theirs.
        theirs: String,
        /// Who has theirs.
        remote: String,
    },
    /// The call is wrong.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What to type.
        hint: String,
    },
    /// Some records could not be read, so that the answer is incomplete.
    #[error("{} could not be read: {}", plural(reasons.len(), "record"), reasons.join("; "))]
    Incomplete {
        /// Why, for each.
        reasons: Vec<String>,
    },
    /// A gate stopped what was tried.
    #[error("{what}")]
    Gate {
        /// What was tried and why it was stopped.
        what: String,
        /// What was found.
        findings: Vec<Finding>,
        /// How to get it done.
        hint: String,
    },
    /// What is true now says no.
    #[error("{what}")]
    No {
        /// A word for programs.
        kind: &'static str,
        /// What was asked, and why not.
        what: String,
        /// What stands in the way, a line each.
        reasons: Vec<String>,
        /// What to do.
        hint: String,
    },
    /// The rules cannot be read.
    #[error("{}", plural(faults.len(), "error") + " in comm.toml")]
    Rules {
        /// All of them.
        faults: Vec<Fault>,
    },
    /// This program was put to the test, and did not do what it promises.
    #[error("{what}")]
    Misbehaved {
        /// What was seen, and what should have been.
        what: String,
    },
    /// What was asked is done, but the answer could not be written.
    #[error("the answer could not be written")]
    Unanswered {
        /// Why.
        source: std::io::Error,
    },
    /// Something in the surroundings failed.
    #[error("{what}")]
    Fatal {
        /// What.
        what: String,
        /// What to do.
        hint: String,
    },
}

impl From<GitError> for Error {
    fn from(error: GitError) -> Self {
        Self::Store(StoreError::Git(error))
    }
}

impl Error {
    /// No such thing, with its name escaped.
    pub fn unknown(what: &'static str, name: &str) -> Self {
        Self::Unknown { what, name: escape::clipped(name, 80), meant: None }
    }

    /// A wrong call.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: hint.into() }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(refusal) => match refusal.class() {
                Class::No => Exit::No,
                Class::NotYours => Exit::NotYours,
                Class::Usage => Exit::Usage,
            },
            Self::Store(error) => store_exit(error),
            Self::Name(_) | Self::Usage { .. } => Exit::Usage,
            Self::Unknown { .. } | Self::Ambiguous { .. } | Self::NoSingleTask { .. } => Exit::Unknown,
            Self::Identity { .. } => Exit::NotYours,
            Self::Offline { .. } => Exit::Retry,
            Self::TwoBoards { .. } => Exit::No,
            Self::NoBoard | Self::Fatal { .. } => Exit::Fatal,
            Self::Incomplete { .. } | Self::Unanswered { .. } | Self::Absent { .. } => Exit::Damaged,
            Self::Misbehaved { .. } | Self::No { .. } => Exit::No,
            Self::Gate { .. } => Exit::NotYours,
            Self::Rules { .. } => Exit::Usage,
        }
    }

    /// A word for programs, stable.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.kind(),
            Self::Store(StoreError::Git(error)) => match error.class() {
                GitErrorClass::NotFound => "not_a_repository",
                GitErrorClass::Busy => "busy",
                GitErrorClass::Damaged => "damaged",
                GitErrorClass::Unwritable => "unwritable",
                GitErrorClass::Fatal => "fatal",
            },
            Self::Store(StoreError::Damaged { .. }) => "damaged",
            Self::Store(StoreError::Newer { .. }) => "newer_format",
            Self::Store(StoreError::Contended { .. }) => "busy",
            Self::Store(StoreError::TooLarge { .. }) => "too_large",
            Self::Store(StoreError::Config { .. }) => "config",
            Self::Store(StoreError::Local { .. }) | Self::Unanswered { .. } => "unwritable",
            Self::Store(StoreError::Name(_)) | Self::Name(_) => "invalid_name",
            Self::Unknown { .. } => "unknown",
            Self::Ambiguous { .. } => "ambiguous",
            Self::NoSingleTask { .. } => "no_single_task",
            Self::Identity { .. } => "identity",
            Self::Offline { .. } => "offline",
            Self::Absent { .. } => "absent",
            Self::TwoBoards { .. } => "two_boards",
            Self::NoBoard => "no_board",
            Self::Usage { .. } => "usage",
            Self::Incomplete { .. } => "incomplete",
            Self::Misbehaved { .. } => "misbehaved",
            Self::Fatal { .. } => "fatal",
            Self::Gate { .. } => "gate",
            Self::No { kind, .. } => kind,
            Self::Rules { .. } => "rules",
        }
    }

    /// What to type next.
    pub fn hint(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.hint(),
            Self::Store(error) => store_hint(error),
            Self::Name(_) => "names are 1 to 64 of a-z 0-9 . _ - and start with a letter or digit".into(),
            Self::Unknown { meant: Some(meant), .. } => format!("did you mean `{meant}`?"),
            Self::Unknown { what: "task", .. } => "see what there is: git comm list".into(),
            Self::Unknown { what: "worktree", .. } => "see which there are: git comm worktree list".into(),
            Self::Unknown { what: "revision", .. } => "see what there is: git log --oneline --all".into(),
            Self::Unknown { what: "agent", .. } => "see who is there: git comm agent list".into(),
            Self::Unknown { what: "domain", .. } => "see which there are: git show HEAD:comm.toml".into(),
            Self::Unknown { what: "file, folder, domain or imported package", .. } => {
                "see what imports what: git comm boundary graph --files".into()
            }
            Self::Unknown { .. } => "see what there is: git comm -h".into(),
            Self::Ambiguous { .. } => "give more of the name".into(),
            Self::NoSingleTask { held } if held.is_empty() => {
                "take one: git comm next; or name the task".into()
            }
            Self::NoSingleTask { .. } => "name the task".into(),
            Self::TwoBoards { .. } => {
                "take theirs: git comm init --remove --refs, then git comm init; keep both: use another clone for theirs".into()
            }
            Self::Identity { hint, .. }
            | Self::Offline { hint, .. }
            | Self::Absent { hint, .. }
            | Self::Usage { hint, .. }
            | Self::Fatal { hint, .. }
            | Self::No { hint, .. }
            | Self::Gate { hint, .. } => hint.clone(),
            Self::Rules { .. } => "mend it, or take the last one: git checkout HEAD -- comm.toml".into(),
            Self::NoBoard => "adopt the one that your remote has, or make one: git comm init".into(),
            Self::Unanswered { .. } => "what was asked is done; see it: git comm status".into(),
            Self::Incomplete { .. } => "the rest is listed above; report this".into(),
            Self::Misbehaved { .. } => "report this, with all that was printed".into(),
        }
    }
}

fn store_exit(error: &StoreError) -> Exit {
    match error {
        StoreError::Git(error) => match error.class() {
            GitErrorClass::NotFound | GitErrorClass::Fatal => Exit::Fatal,
            GitErrorClass::Busy => Exit::Retry,
            GitErrorClass::Damaged | GitErrorClass::Unwritable => Exit::Damaged,
        },
        StoreError::Damaged { .. } | StoreError::Local { .. } => Exit::Damaged,
        StoreError::Newer { .. } => Exit::Fatal,
        StoreError::Contended { .. } => Exit::Retry,
        StoreError::TooLarge { .. } | StoreError::Name(_) | StoreError::Config { .. } => Exit::Usage,
    }
}

fn store_hint(error: &StoreError) -> String {
    match error {
        StoreError::Git(error) => match error.class() {
            GitErrorClass::NotFound => "go into a repository, or name one: git comm -C DIR".into(),
            GitErrorClass::Busy => "try again".into(),
            GitErrorClass::Damaged => "report this; the rest of the board works: git comm list".into(),
            GitErrorClass::Unwritable => match error {
                GitError::Unwritable { path, .. } | GitError::Io { path, .. } => format!(
                    "free space there, or let this process read and write it: {}",
                    escape::bytes(path.to_string_lossy().as_bytes())
                ),
                _ => "free space there, or let this process write to it".into(),
            },
            GitErrorClass::Fatal => "see that git itself works here: git status".into(),
        },
        StoreError::Damaged { name, .. } if binds(name) => format!(
            "the person restores it: git log {name}, then git update-ref {name} with the last good commit there, or with another clone's; until then nothing is written, and what is here can be read"
        ),
        StoreError::Damaged { name, .. } => {
            format!("look at it: git log {name}; the rest of the board works")
        }
        StoreError::Newer { .. } => "upgrade: cargo install --path . in newer source of git-comm".into(),
        StoreError::Contended { .. } => "try again".into(),
        StoreError::TooLarge { .. } => "shorten it, or split it".into(),
        StoreError::Name(_) => "names are 1 to 64 of a-z 0-9 . _ - and start with a letter or digit".into(),
        StoreError::Config { key, allowed, .. } => format!("git config {key} VALUE, with {allowed}"),
        StoreError::Local { .. } => "free space there, or let this process write to it".into(),
    }
}

/// Whether this record binds every verb.
fn binds(name: &str) -> bool {
    matches!(name, "refs/comm-node/meta" | "refs/comm-node/control")
}

fn candidates(ids: &[TaskId]) -> String {
    let shown: Vec<&str> = ids.iter().take(8).map(TaskId::as_str).collect();
    let more = ids.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

impl Error {
    /// What stands below the first line, each of one line or more.
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::Gate { findings, .. } => findings
                .iter()
                .map(|finding| {
                    let details = finding.details().into_iter().map(|line| format!("\n  {line}"));
                    std::iter::once(finding.to_string()).chain(details).collect()
                })
                .collect(),
            Self::No { reasons, .. } => reasons.clone(),
            Self::Rules { faults } => faults
                .iter()
                .map(|fault| match &fault.meant {
                    Some(meant) => format!("{fault}; did you mean `{meant}`?"),
                    None => fault.to_string(),
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// `1 record`, `2 records`.
pub fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
