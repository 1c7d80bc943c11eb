//! Every verb: one line each. Help, the reference, the man page and the
//! completions are made from this table.

use clap::{ArgMatches, Args as _, Command, FromArgMatches};

use super::app::{App, Outcome};
use super::global::Global;
use super::{agents, board, claims, demo, deps, log, messages, setup, tasks};

/// One verb.
pub(super) struct Verb {
    /// What is typed, such as `claim` or `dep add`.
    pub(super) name: &'static str,
    /// Other words for it, such as those of other tools.
    pub(super) aliases: &'static [&'static str],
    /// What it does, in one line.
    pub(super) about: &'static str,
    /// Adds its arguments.
    pub(super) augment: fn(Command) -> Command,
    /// Carries it out.
    pub(super) run: fn(&ArgMatches, &mut App<'_>) -> Outcome,
}

impl Verb {
    /// Its argument tree, called as a user calls it.
    pub(super) fn command(&self) -> Command {
        self.tree().bin_name(format!("git comm {}", self.name))
    }

    /// Its argument tree, with the options that every verb takes. In a larger
    /// tree clap derives how it is called, and generators rely on that.
    fn tree(&self) -> Command {
        let command = Command::new(self.name);
        // Arguments bring the description of their struct with them.
        let command = Global::augment_args((self.augment)(command));
        command.about(self.about).long_about(None).disable_version_flag(true)
    }
}

macro_rules! verbs {
    ($($name:literal [$($alias:literal)*] $about:literal => $module:ident::$args:ident, $run:ident;)*) => {
        /// All verbs, in the order in which help lists them.
        pub(super) const VERBS: &[Verb] = &[$(Verb {
            name: $name,
            aliases: &[$($alias),*],
            about: $about,
            augment: $module::$args::augment_args,
            run: |matches, app| {
                let args = $module::$args::from_arg_matches(matches).map_err(|error| {
                    crate::ops::error::Error::usage(error.to_string(), concat!("git comm ", $name, " -h"))
                })?;
                $module::$run(args, app)
            },
        }),*];
    };
}

verbs! {
    "init" [] "Make the board of this repository" => board::InitArgs, init;
    "demo" [] "See it all happen, in a temporary repository" => demo::DemoArgs, demo;
    "status" [] "The board at a glance" => board::StatusArgs, status;
    "whoami" [] "Who you are to the board, and what you hold" => board::WhoamiArgs, whoami;

    "add" ["create" "new"] "Add a task; prints its id" => tasks::AddArgs, add;
    "list" ["ls"] "List tasks" => tasks::ListArgs, list;
    "ready" [] "List what can be started now, best first" => tasks::ReadyArgs, ready;
    "show" ["view"] "Show a task" => tasks::ShowArgs, show;
    "search" [] "Find tasks by words" => tasks::SearchArgs, search;
    "edit" ["update"] "Change a task" => tasks::EditArgs, edit;
    "comment" ["comments add"] "Say something on a task" => tasks::CommentArgs, comment;
    "defer" [] "Do not offer a task for a while" => tasks::DeferArgs, defer;
    "dep add" [] "Let a task wait for another" => deps::AddArgs, add;
    "dep remove" ["dep rm"] "Let it wait no more" => deps::RemoveArgs, remove;
    "dep tree" [] "What a task waits for, or what waits for it" => deps::TreeArgs, tree;
    "dep shape" [] "Critical path, width, what unblocks most" => deps::ShapeArgs, shape;

    "claim" [] "Claim a task so that no other agent works on it" => claims::ClaimArgs, claim;
    "next" [] "Claim the best task that you can start" => claims::NextArgs, next;
    "renew" ["heartbeat"] "Hold your task for longer" => claims::RenewArgs, renew;
    "release" [] "Give a task back" => claims::ReleaseArgs, release;
    "handover" [] "Give your task to another agent" => claims::HandoverArgs, handover;
    "steal" [] "Take a task from its holder (the person)" => claims::StealArgs, steal;
    "close" ["done"] "Finish tasks" => claims::CloseArgs, close;
    "fail" [] "Say that tasks were not achieved" => claims::CloseArgs, fail;
    "cancel" [] "Say that tasks are no longer wanted" => claims::CancelArgs, cancel;
    "reopen" [] "Open ended tasks again" => claims::CancelArgs, reopen;

    "agent register" [] "Announce yourself" => agents::RegisterArgs, register;
    "agent heartbeat" [] "Say that you are alive; hear what you lost" => agents::HeartbeatArgs, heartbeat;
    "agent list" ["agents"] "Who is there, and what they hold" => agents::ListArgs, list;
    "agent retire" [] "Leave for good" => agents::RetireArgs, retire;

    "msg send" [] "Send a message" => messages::SendArgs, send;
    "inbox" [] "Read what was sent to you" => messages::InboxArgs, inbox;
    "log" [] "What happened, in causal order" => log::LogArgs, log;
    "log note" [] "Write a note into the log" => log::NoteArgs, note;

    "pause" [] "Let agents claim nothing (the person)" => board::PauseArgs, pause;
    "resume" [] "Let them go on (the person)" => board::ResumeArgs, resume;

    "setup completions" [] "Print completions for a shell" => setup::CompletionsArgs, completions;
    "setup man" [] "Install the man page for git help comm" => setup::ManArgs, man;
}

/// The verb that `words` start with, and how many of them it takes.
pub(super) fn find(words: &[&str]) -> Option<(&'static Verb, usize)> {
    for taken in (1..=words.len().min(2)).rev() {
        let text = words[..taken].join(" ");
        let named = |v: &&Verb| v.name == text || v.aliases.contains(&text.as_str());
        if let Some(verb) = VERBS.iter().find(named) {
            return Some((verb, taken));
        }
    }
    None
}

/// The verb whose name is closest to a mistyped one.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    let word: Vec<char> = word.chars().take(20).collect();
    let near = VERBS.iter().map(|v| (distance(&word, &v.name.chars().collect::<Vec<_>>()), v.name));
    near.min().filter(|(d, _)| *d <= 2).map(|(_, name)| name)
}

/// Levenshtein distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

/// All verbs with a line each.
pub(super) fn overview() -> String {
    let mut text = String::from(
        "Coordinates many coding agents through the git repository they already share.\n\nUsage: git comm [-C DIR] [--agent NAME] [--json] COMMAND [ARGS]\n\n",
    );
    let width = VERBS.iter().map(|v| v.name.len()).max().unwrap_or(0);
    for verb in VERBS {
        text.push_str(&format!("  {:width$}  {}\n", verb.name, verb.about));
    }
    text.push_str("\ngit comm COMMAND -h shows a command's options.\n");
    text
}

/// The whole argument tree, for the reference, the man page and completions.
pub fn command() -> Command {
    let mut root = Command::new("git-comm")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Coordinates many coding agents through the git repository they already share")
        .disable_help_subcommand(true);
    let mut groups: Vec<(&str, Command)> = Vec::new();
    for verb in VERBS {
        match verb.name.split_once(' ') {
            None => groups.push((verb.name, verb.tree())),
            Some((group, name)) => {
                let about = match group {
                    "dep" => "What waits for what",
                    "agent" => "Agents",
                    "msg" => "Messages",
                    "setup" => "Completions and the man page",
                    _ => "",
                };
                let sub = verb.tree().name(name);
                match groups.iter_mut().find(|g| g.0 == group) {
                    Some(entry) => entry.1 = std::mem::take(&mut entry.1).subcommand(sub),
                    None => groups.push((group, Command::new(group).about(about).subcommand(sub))),
                }
            }
        }
    }
    for (_, command) in groups {
        root = root.subcommand(command);
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_verb_has_two_arguments_of_one_name() {
        // clap notices only when a tree is used, and only in debug builds.
        for verb in VERBS {
            verb.command().debug_assert();
        }
        command().debug_assert();
    }
}
