//! Who asks, and what that allows.
//!
//! An agent says its name; a person is at a terminal; a script is neither.
//! Verbs that hold or overrule need more than a guess: acting for an agent
//! needs its name, acting as the person needs a terminal, or the secret that
//! `init` left outside the worktrees.

use std::path::PathBuf;

use super::error::Error;
use crate::config::Config;
use crate::env::Env;
use crate::model::agent::Agent;
use crate::model::names::AgentName;
use crate::store::{Author, Store};
use crate::text::{digest, escape, name};

/// Variables that agent harnesses set for the commands they run.
const HARNESS: &[&str] = &[
    "CLAUDECODE",
    "CLAUDE_CODE_ENTRYPOINT",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "GEMINI_CLI",
    "CURSOR_AGENT",
    "OPENCODE",
    "GOOSE_TERMINAL",
    "AUGMENT_AGENT",
    "CLINE_ACTIVE",
    "ROO_ACTIVE",
    "AMP_CURRENT_THREAD_ID",
    "COPILOT_AGENT",
    "AI_AGENT",
];

/// What the command line says about who asks.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// `--agent`.
    pub agent: Option<String>,
    /// `--as-person`.
    pub as_person: bool,
}

/// What kind of caller it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// An agent, by name.
    Agent(AgentName),
    /// A person, at a terminal or with the secret.
    Person(AgentName),
    /// Neither: a script under a person's git identity.
    Script(AgentName),
    /// It may read; the text says why it may not write.
    Nobody(&'static str),
}

impl Who {
    /// Whether the rules in force judge its commits beside those that they
    /// bring: an agent, also one without a name.
    pub fn is_judged_by_both(&self) -> bool {
        match self {
            Self::Agent(_) => true,
            Self::Person(_) | Self::Script(_) => false,
            Self::Nobody(why) => *why != UNNAMED,
        }
    }
}

/// Why a person without a usable name is nobody.
const UNNAMED: &str = "nobody is named: no agent, and no `user.name` in git's configuration";

/// Who asks.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What kind of caller it is.
    pub who: Who,
    /// Its session; empty for nobody.
    pub session: String,
    /// Name of the worktree.
    pub worktree: String,
    /// Where its name was found.
    pub source: &'static str,
}

const NAME_YOURSELF: &str = "git comm --agent NAME ..., or GIT_COMM_AGENT";
const HOW_TO_REGISTER: &str = "say which agent you are: git comm --agent NAME ..., or set GIT_COMM_AGENT; join with: git comm agent register NAME";

impl Identity {
    /// Finds out who asks: `--agent`, `GIT_COMM_AGENT`, `comm.agent` of the
    /// worktree's configuration, else git's own identity.
    pub fn determine(store: &Store<'_>, claimed: &Claimed) -> Result<Self, Error> {
        let env = store.env();
        let repo = store.repo();
        let worktree = repo
            .work_tree()
            .and_then(|w| w.file_name())
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let named = [
            (claimed.agent.clone(), "--agent"),
            (env.var("GIT_COMM_AGENT").map(str::to_owned), "GIT_COMM_AGENT"),
            (repo.config("comm.agent").filter(|v| !v.is_empty()), "comm.agent"),
        ];
        let named = named.into_iter().find_map(|(name, source)| Some((name?, source)));
        let (who, source) = match named {
            Some((text, source)) => (Who::Agent(agent_name(&text)?), source),
            None => (unnamed(store, claimed)?, "git identity"),
        };
        let session = match &who {
            Who::Agent(name) | Who::Person(name) | Who::Script(name) => session(store, name),
            Who::Nobody(_) => String::new(),
        };
        Ok(Self { who, session, worktree, source })
    }

    /// The caller's name, if it has one.
    pub fn name(&self) -> Option<&AgentName> {
        match &self.who {
            Who::Agent(name) | Who::Person(name) | Who::Script(name) => Some(name),
            Who::Nobody(_) => None,
        }
    }

    /// Whether the caller is a person.
    pub fn is_person(&self) -> bool {
        matches!(self.who, Who::Person(_))
    }

    /// The writer of a record that anybody with a name may write.
    pub fn author(&self, store: &Store<'_>) -> Result<Author, Error> {
        let refuse = |what: String| Err(Error::Identity { what, hint: HOW_TO_REGISTER.into() });
        match &self.who {
            Who::Nobody(why) if why.contains("user.name") => Err(Error::Identity {
                what: (*why).to_owned(),
                hint: format!(
                    "a person sets git config user.name NAME; an agent says who it is: {NAME_YOURSELF}"
                ),
            }),
            Who::Nobody(why) => refuse((*why).to_owned()),
            Who::Agent(name) => match store.read::<Agent>(name.as_str())? {
                Some(agent) if is_person_record(&agent.state) => {
                    refuse(format!("`{name}` is the name of a person here"))
                }
                _ => Ok(Author { agent: name.clone(), session: self.session.clone() }),
            },
            Who::Person(name) | Who::Script(name) => match store.read::<Agent>(name.as_str())? {
                // Who left for good no longer stands in a person's way.
                Some(agent) if !is_person_record(&agent.state) && agent.state.retired_at.is_none() => {
                    Err(Error::Identity {
                        what: format!("the git identity `{name}` is also the name of an agent"),
                        hint: format!(
                            "on a terminal: git comm agent retire {name}; the agent takes another name"
                        ),
                    })
                }
                _ => Ok(Author { agent: name.clone(), session: self.session.clone() }),
            },
        }
    }

    /// The writer of a record that says who holds something: an agent by
    /// name, or a person.
    pub fn holder(&self, store: &Store<'_>) -> Result<Author, Error> {
        match &self.who {
            Who::Script(_) => Err(Error::Identity {
                what: "no agent is named, and this is not a terminal".into(),
                hint: HOW_TO_REGISTER.into(),
            }),
            _ => self.author(store),
        }
    }

    /// Who changes files and commits here. An agent's worktree is its own: a
    /// caller without a name is that agent, whoever that is, and another agent
    /// does not work there.
    pub fn committer(&self, store: &Store<'_>, rules: &Config) -> Result<Who, Error> {
        let repo = store.repo();
        let refuse = |what: String, hint: &str| Err(Error::Identity { what, hint: hint.to_owned() });
        let own: Option<AgentName> = repo.own_bound("agent").map(|name| name.parse()).transpose()?;
        match (&self.who, own) {
            (Who::Person(_), None) => Ok(self.who.clone()),
            (Who::Agent(name), Some(own)) if *name != own => refuse(
                format!("this worktree is `{own}`'s, and you are `{name}`"),
                "work in your own: git comm worktree list, or git comm worktree add",
            ),
            (Who::Agent(_), _) => Ok(self.who.clone()),
            (_, Some(own)) => Ok(Who::Agent(own)),
            (Who::Script(name), None) if is_agent(store, rules, name)? => Ok(Who::Agent(name.clone())),
            (Who::Script(_), None)
                if ["domain", "task", "branch"].iter().any(|key| repo.own_bound(key).is_some()) =>
            {
                refuse(
                    "this worktree is bound to an agent's work, and no agent is named".into(),
                    HOW_TO_REGISTER,
                )
            }
            (Who::Script(_) | Who::Nobody(_), None) => Ok(self.who.clone()),
        }
    }

    /// Whether the caller is one that commits anywhere, under rules that may
    /// not be readable.
    pub fn is_no_agent(&self, store: &Store<'_>) -> Result<bool, Error> {
        let rules = match super::rules::in_force(store.repo()) {
            Err(Error::Rules { .. }) => Config::default(),
            other => other?.unwrap_or_default(),
        };
        Ok(matches!(self.committer(store, &rules), Ok(Who::Person(_) | Who::Script(_))))
    }

    /// The caller as the agent that [`Identity::committer`] says it is.
    pub fn as_agent(&self, store: &Store<'_>, agent: AgentName) -> Author {
        let session = match self.name() {
            Some(name) if *name == agent => self.session.clone(),
            _ => session(store, &agent),
        };
        Author { agent, session }
    }

    /// The writer of an act that only the person may do.
    pub fn person(&self, act: &str) -> Result<Author, Error> {
        match &self.who {
            // Whoever shows that it is the person is, whatever an agent calls
            // itself: a name must not take these acts from it.
            Who::Person(name) => Ok(Author { agent: name.clone(), session: self.session.clone() }),
            who => Err(Error::Identity {
                what: match who {
                    Who::Agent(name) => {
                        format!("only the person may {act}, and you are `{name}` ({})", self.source)
                    }
                    _ => format!("only the person may {act}"),
                },
                hint: "ask the person: git comm msg send --to person TEXT".into(),
            }),
        }
    }
}

/// Whether agents go by this name: the rules give it work, or one registered
/// under it.
pub fn is_agent(store: &Store<'_>, rules: &Config, name: &AgentName) -> Result<bool, Error> {
    let record = || store.read::<Agent>(name.as_str());
    Ok(!super::rules::given_to(rules, name).is_empty()
        || record()?.is_some_and(|agent| !is_person_record(&agent.state)))
}

/// A name that an agent may go by: not one that stands for somebody else in
/// `msg send --to` and `pause`.
pub fn agent_name(text: &str) -> Result<AgentName, Error> {
    if matches!(text, "all" | "person") {
        return Err(Error::usage(
            format!("`{text}` is no agent's name: it stands for somebody else in git comm msg send --to"),
            "take another name: git comm --agent NAME ...",
        ));
    }
    Ok(text.parse()?)
}

/// Whether this record is a person's, who may come without naming an agent.
pub fn is_person_record(agent: &Agent) -> bool {
    agent.extra.get("person").and_then(serde_json::Value::as_bool) == Some(true)
}

/// The session of `name` in this clone and worktree.
pub fn session(store: &Store<'_>, name: &AgentName) -> String {
    let repo = store.repo();
    let place = repo.git_dir().strip_prefix(repo.common_dir()).unwrap_or(repo.git_dir());
    let given = store.env().var("GIT_COMM_SESSION").unwrap_or_default();
    let mut id = digest::digest(&[name.as_str(), store.clone_id(), &place.to_string_lossy(), given]);
    id.truncate(16);
    id
}

fn unnamed(store: &Store<'_>, claimed: &Claimed) -> Result<Who, Error> {
    let env = store.env();
    let name = env
        .var("GIT_AUTHOR_NAME")
        .map(str::to_owned)
        .or_else(|| store.repo().config("author.name"))
        .or_else(|| store.repo().config("user.name"))
        .map(|name| name::slug(&name))
        .unwrap_or_default();
    let Ok(name) = name.parse::<AgentName>() else {
        return Ok(Who::Nobody(UNNAMED));
    };
    let harness = HARNESS.iter().copied().find(|variable| env.var(variable).is_some());
    if claimed.as_person {
        return match proof(store, harness)? {
            Ok(()) => Ok(Who::Person(name)),
            Err(what) => {
                let hint = match harness {
                    Some(_) => {
                        "the person sets GIT_COMM_PERSON_SECRET to what init left in its state directory"
                    }
                    None => "on a terminal, make the secret: git comm init",
                };
                Err(Error::Identity { what, hint: hint.into() })
            }
        };
    }
    if harness.is_some() {
        return Ok(Who::Nobody("this runs under an agent harness, but no agent is named"));
    }
    Ok(if env.is_interactive() { Who::Person(name) } else { Who::Script(name) })
}

/// Whether the caller can show the person's secret: it can read the file that
/// `init` made, or under a harness, where reading a file proves little, gives
/// its content in `GIT_COMM_PERSON_SECRET`.
fn proof(store: &Store<'_>, harness: Option<&str>) -> Result<Result<(), String>, Error> {
    store.require_intact()?;
    let Some(path) = secret_path(store) else {
        return Ok(Err("there is no board, so nobody has made the person's secret".into()));
    };
    let shown = escape::bytes(path.to_string_lossy().as_bytes());
    let Ok(secret) = std::fs::read_to_string(&path) else {
        return Ok(Err(format!("the person's secret `{shown}` cannot be read")));
    };
    match (harness, store.env().var("GIT_COMM_PERSON_SECRET")) {
        (_, Some(given)) if given == secret.trim() && !given.is_empty() => Ok(Ok(())),
        (_, Some(_)) => Ok(Err("GIT_COMM_PERSON_SECRET is not the person's secret".into())),
        (Some(_), None) => Ok(Err("this runs under an agent harness, which is not the person".into())),
        (None, None) => Ok(Ok(())),
    }
}

/// Where the person's secret of this board is: in the user's own state
/// directory, which agents' sandboxes do not write and worktrees do not hold.
pub fn secret_path(store: &Store<'_>) -> Option<PathBuf> {
    let board = store.meta()?.boards.first()?.clone();
    Some(person_dir(store.env())?.join(board))
}

fn person_dir(env: &Env) -> Option<PathBuf> {
    Some(env.state_dir()?.join("git-comm").join("person"))
}
