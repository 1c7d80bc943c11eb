//! Every verb: one line each. Help, the reference, the man page and the
//! completions are made from this table.

use clap::{ArgMatches, Args as _, Command, FromArgMatches};

use super::app::{App, Outcome};
use super::global::{self, Global};
use super::{
    agents, board, boundary, ci, claims, demo, deps, doctor, harness, hook, hooks, log, messages, prime,
    setup, sync, tasks, worktree,
};
use crate::text::similar;

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
        let own = (self.augment)(Command::new(self.name));
        let takes_agent = takes_agent(&own);
        // Arguments bring the description of their struct with them.
        let mut command = Global::augment_args(own);
        if let Some(formats) = formats(self.name) {
            let help = format!("Answer in this format: {}", formats.join(", "));
            command =
                command.mut_arg("format", |arg| arg.value_parser(formats.to_vec()).help(help).hide(false));
        }
        if takes_agent {
            command = command.mut_arg("agent", |arg| arg.long(global::CALLER).hide(true));
        }
        command.about(self.about).long_about(None).disable_version_flag(true)
    }

    /// Whether `--agent` after the verb is not the caller, but the agent that
    /// the verb is about.
    pub(super) fn names_another_agent(&self) -> bool {
        takes_agent(&(self.augment)(Command::new(self.name)))
    }
}

/// The formats of a verb that has more than text and JSON.
pub(super) fn formats(verb: &str) -> Option<&'static [&'static str]> {
    match verb {
        "boundary check" => Some(&["text", "json", "sarif", "junit", "github"]),
        "boundary graph" => Some(&["text", "json", "dot", "mermaid", "svg"]),
        _ => None,
    }
}

fn takes_agent(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some("agent"))
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
    "doctor" [] "Check the whole set-up" => doctor::DoctorArgs, doctor;
    "prime" [] "What an agent needs at its start, within a budget of tokens" => prime::PrimeArgs, prime;
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

    "worktree add" [] "Add a worktree for an agent or a task" => worktree::AddArgs, add;
    "worktree list" ["worktrees" "worktree ls"] "Whose the worktrees are, and how they stand" => worktree::ListArgs, list;
    "worktree remove" ["worktree rm"] "Remove a worktree; refuses to lose work" => worktree::RemoveArgs, remove;
    "worktree prune" [] "Remove worktrees whose task is closed and that hold nothing of their own, ignored files included" => worktree::PruneArgs, prune;

    "msg send" [] "Send a message" => messages::SendArgs, send;
    "inbox" [] "Read what was sent to you" => messages::InboxArgs, inbox;
    "log" [] "What happened, in causal order" => log::LogArgs, log;
    "log note" [] "Write a note into the log" => log::NoteArgs, note;

    "sync" [] "Share records with a remote: fetch, bring together, push" => sync::SyncArgs, sync;

    "pause" [] "Let agents claim nothing (the person)" => board::PauseArgs, pause;
    "resume" [] "Let them go on (the person)" => board::ResumeArgs, resume;

    "boundary check" [] "Check that imports keep to the rules of comm.toml" => boundary::CheckArgs, check;
    "boundary baseline" [] "Write the known violations, or make their list smaller" => boundary::BaselineArgs, baseline;
    "boundary schema" [] "Print the JSON schema of comm.toml" => boundary::SchemaArgs, schema;
    "boundary explain" [] "May this import that, by which rule, and does it" => boundary::ExplainArgs, explain;
    "boundary graph" [] "Show which part of the code imports which" => boundary::GraphArgs, graph;
    "boundary init" [] "Derive comm.toml from the code as it is" => boundary::InitArgs, init;
    "ci" [] "Verify every gate over a range of commits" => ci::CiArgs, ci;
    "hook install" [] "Install git's hooks, or repair them" => hooks::ChangeArgs, install;
    "hook remove" [] "Take them out again" => hooks::ChangeArgs, remove;
    "hook status" [] "Would they fire in this worktree" => hooks::StatusArgs, status;
    "hook pre-commit" [] "Judge what is staged (run by git)" => hook::StagedArgs, pre_commit;
    "hook pre-applypatch" [] "Judge a patch (run by git)" => hook::StagedArgs, pre_applypatch;
    "hook prepare-commit-msg" [] "Judge a pick or a revert (run by git)" => hook::MessageArgs, prepare_commit_msg;
    "hook commit-msg" [] "Judge a merge, name the claim (run by git)" => hook::MessageArgs, commit_msg;
    "hook applypatch-msg" [] "Name the claim on a patch (run by git)" => hook::MessageArgs, applypatch_msg;
    "hook pre-edit" [] "Judge an edit before it is made (run by a harness)" => harness::HookArgs, pre_edit;
    "hook post-bash" [] "Tell an agent what its command changed (run by a harness)" => harness::HookArgs, post_bash;
    "hook session-start" [] "Tell an agent what prime says (run by a harness)" => harness::HookArgs, session_start;
    "hook turn" [] "Tell an agent what waits for it (run by a harness)" => harness::HookArgs, turn;

    "setup harness" [] "Put the hooks into an agent harness's settings" => harness::SetupArgs, setup;
    "setup agents-md" [] "Write the block for agents into AGENTS.md" => harness::AgentsMdArgs, agents_md;
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

/// Verbs that nobody should come to by a slip: they end or stop work, or take
/// it from somebody.
const GRAVE: &[&str] = &["fail", "cancel", "steal", "pause"];

/// The verb whose name is closest to a mistyped one, but for the grave ones.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    similar::nearest(word, VERBS.iter().map(|v| v.name).filter(|name| !GRAVE.contains(name)))
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
                    "hook" => "Git's hooks and those of agent harnesses",
                    "worktree" => "Worktrees",
                    "setup" => "What is put beside the program",
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
    fn a_slip_leads_to_no_grave_verb() {
        for (typed, meant) in [("clam", Some("claim")), ("lits", Some("list"))] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
        for verb in GRAVE {
            assert!(find(&[verb]).is_some_and(|(_, taken)| taken == 1), "{verb}");
            for at in 0..verb.len() {
                let mut slip = (*verb).to_owned();
                slip.remove(at);
                assert!(!GRAVE.iter().any(|grave| nearest(&slip) == Some(grave)), "{slip}");
            }
        }
    }

    #[test]
    fn no_verb_has_two_arguments_of_one_name() {
        // clap notices only when a tree is used, and only in debug builds.
        for verb in VERBS {
            verb.command().debug_assert();
        }
        command().debug_assert();
    }
}
