//! Options that every verb takes, before or after it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Args};

/// Options that every verb takes.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = false)]
    pub(super) dir: Vec<PathBuf>,
    /// Act as this agent (else GIT_COMM_AGENT, else comm.agent)
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    /// Act as the person, with the secret that init made on a terminal
    #[arg(long, conflicts_with = "agent")]
    pub(super) as_person: bool,
    /// Answer in JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Answer in this format
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], hide = true)]
    pub(super) format: Option<String>,
}

impl Global {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        Self {
            dir: matches.get_many("dir").map(|d| d.cloned().collect()).unwrap_or_default(),
            agent: matches.get_one("agent").cloned(),
            as_person: matches.get_flag("as_person"),
            json: matches.get_flag("json")
                || matches.get_one::<String>("format").is_some_and(|f| f == "json"),
            format: matches.get_one("format").cloned(),
        }
    }
}

/// Splits the options before the verb from the verb and what follows.
pub(super) fn split(args: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let mut leading = Vec::new();
    let mut args = args.into_iter().peekable();
    while let Some(word) = args.peek().and_then(|a| a.to_str()) {
        let takes_value = matches!(word, "-C" | "--agent" | "--format");
        let is_global = takes_value
            || matches!(word, "--json" | "--as-person")
            || ["-C", "--agent=", "--format="].iter().any(|p| word.starts_with(p));
        if !is_global {
            break;
        }
        leading.extend(args.next());
        if takes_value {
            leading.extend(args.next());
        }
    }
    (leading, args.collect())
}

/// What `--agent` from before the verb is called behind a verb that has an
/// `--agent` of its own.
pub(super) const CALLER: &str = "caller";

/// Puts the options from before the verb behind it. `renamed`: the verb has
/// an `--agent` of its own, which is not the caller.
pub(super) fn insert(mut argv: Vec<OsString>, mut leading: Vec<OsString>, renamed: bool) -> Vec<OsString> {
    let mut is_value = false;
    for word in leading.iter_mut().filter(|_| renamed) {
        match word.to_str() {
            _ if is_value => is_value = false,
            Some("--agent") => *word = format!("--{CALLER}").into(),
            Some(text) if text.starts_with("--agent=") => {
                *word = text.replacen("--agent", &format!("--{CALLER}"), 1).into();
            }
            Some("-C" | "--format") => is_value = true,
            _ => {}
        }
    }
    argv.splice(1..1, leading);
    argv
}
