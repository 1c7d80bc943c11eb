//! The reference of the program: the verb table with its surroundings.
//! `docs/cli.md` and the man page are this document in two formats.

use clap::{Arg, ArgAction, Command};

use super::global::Global;
use super::table::{VERBS, Verb};
use crate::ops::error::Exit;
use crate::render::document::{Block, Document, Piece};

/// The reference.
pub fn manual() -> Document {
    let mut blocks = vec![Block::Section("Synopsis")];
    blocks.push(Block::Usage(usage_pieces(
        "git comm [-C <DIR>] [--agent <NAME> | --as-person] [--json] <COMMAND> [<ARGS>]",
    )));
    blocks.push(Block::Section("Description"));
    blocks.extend(DESCRIPTION.iter().map(|text| Block::Text((*text).to_owned())));
    blocks.push(Block::Section("Global options"));
    blocks.push(Block::Text("They stand before or after the command.".to_owned()));
    blocks.extend(global().get_arguments().filter(|a| !a.is_hide_set()).map(option));
    blocks.push(term("-h", "What the command does and its options."));
    blocks.push(Block::Section("Commands"));
    VERBS.iter().for_each(|verb| add_verb(&mut blocks, verb));
    blocks.push(Block::Section("Identity"));
    blocks.extend(IDENTITY.iter().map(|text| Block::Text((*text).to_owned())));
    blocks.push(Block::Section("JSON output"));
    blocks.extend(JSON.iter().map(|text| Block::Text((*text).to_owned())));
    blocks.extend(JSON_FIELDS.iter().map(|(name, text)| term(name, text)));
    blocks.push(Block::Section("Exit status"));
    blocks.extend(Exit::ALL.iter().map(|exit| term(&exit.code().to_string(), meaning(*exit))));
    blocks.push(Block::Text("2 is never used: agent harnesses read it as \"block this tool\".".to_owned()));
    blocks.push(Block::Section("Environment"));
    blocks.extend(ENVIRONMENT.iter().map(|(name, text)| term(name, text)));
    blocks.push(Block::Section("Configuration"));
    blocks.push(Block::Text("Read with the rest of git's configuration; see `git config`.".to_owned()));
    blocks.extend(CONFIGURATION.iter().map(|(name, text)| term(name, text)));
    blocks.push(Block::Section("Files"));
    blocks.extend(FILES.iter().map(|(name, text)| term(name, text)));
    blocks.push(Block::Section("Examples"));
    blocks.push(Block::Literal(EXAMPLES.to_owned()));
    blocks.push(Block::Section("See also"));
    blocks.push(Block::Text("`git-update-ref`(1), `git-for-each-ref`(1), `git-worktree`(1)".to_owned()));
    Document {
        name: "git-comm".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        about: "coordinate coding agents through the git repository they share".to_owned(),
        blocks,
    }
}

const DESCRIPTION: &[&str] = &[
    "Coordinates many coding agents through the git repository they already share. Tasks, claims, agents and messages are commits on refs under `refs/comm-node/`; there is no server and no daemon. A task is claimed by one atomic compare-and-swap of its ref: however many agents race, one is granted it.",
    "A claim is a lease. It ends at its time unless it is renewed, or kept alive by the heartbeats that every command of its holder gives. Each grant has a token that grows; a holder whose task was granted to another since is refused, whatever the clocks say.",
    "Coordination writes into the git directory only: no file of the work tree, no index, no branch. Verbs whose job it is write elsewhere: `init` and `hook` git's hooks, `worktree` its folders and branches, `setup` the files that it names, `demo` what it is told to keep, and on a terminal `init` the person's secret. Plain git reads all records: `git log refs/comm-node/tasks/bd-1` is a task's history.",
    "Verbs need a repository, except `demo`, `setup completions` and `setup man`; without one `prime` and the hooks of harnesses are silent, and `doctor` says so. Without a board reading finds nothing, and the first record makes one, unless the repository has remotes, which may have one already: then `init` comes first. `ci` without a board is exit 6.",
    "An id may be given as the number alone, or as a beginning that only one task has. Lengths of time are written as `90s`, `30m`, `2h`, `1h30m` or `7d`.",
];

const IDENTITY: &[&str] = &[
    "Who asks is `--agent`, else `GIT_COMM_AGENT`, else `comm.agent`, else the git identity: the author's name in lower case, with dashes for other characters. On a terminal the git identity is the person; elsewhere it is a script.",
    "A script may read and write, but hold nothing: `claim`, `next`, `renew`, `release`, `handover`, `agent register`, `agent heartbeat` and ending a claimed task need an agent's name or a terminal.",
    "`steal`, `pause`, `resume` and `init --remove --refs` are the person's: they need a terminal, or `--as-person` with the secret that `init` left when it was run on a terminal.",
    "`setup agents-md`, `setup harness`, `hook remove`, `init --remove` and `worktree add --domain` are refused to agents. Under a known agent harness a caller without a name may only read: an agent never passes for the person by accident.",
    "One name is either an agent's or a person's, never both. A session is one agent in one clone and worktree, and with one `GIT_COMM_SESSION` where that is set.",
];

const JSON: &[&str] = &[
    "With `--json` standard output is one object on one line: `v` (1) and what is listed here. Names are only ever added. Times are RFC 3339 in UTC with six decimals; a field without a value is null or left out.",
];

const JSON_FIELDS: &[(&str, &str)] = &[
    (
        "task, tasks",
        "`id`, `title`, `state` (open, claimed, review, done, failed, cancelled), `priority`, `type`, `domain`, `assignee`, `labels`, `claim` (`agent`, `token`, `nonce`, `granted_at`, `expires_at` as heartbeats have moved it, null once the lease is over, `provisional`), `ready` and `blocked_by` (null where the board was not read), `updated_at`. From `show` also `description`, `deps` (`type`, `id`), `blocks`, `children`, `created_by`, `created_at`, `defer_until`, `outcome` (`by`, `at`, `reason`, `late`), `given` (how it came to its holder, if by `handover` or `steal`: `type`, `by`, `from`, `reason`), `comment_count`, `comments` (`by`, `at`, `body`).",
    ),
    ("total, more", "How many there are in all; how many were not shown."),
    ("next", "The suggested command."),
    ("created, changed, granted, written, sent", "Whether this call did it, rather than finding it done."),
    ("taken_from", "The holder that the task was taken from."),
    (
        "agents",
        "`name`, `state` (idle, busy, lost, retired), `person`, `domain`, `role`, `model`, `holds` (`id`, `expires_at`), `last_seen`, `sessions`.",
    ),
    ("message, messages", "`id`, `from`, `to`, `at`, `kind`, `body`."),
    (
        "events",
        "`kind`, `id`, `at`, `agent`, `session`, `clone`, `seq`, `commit`, `event`; see `docs/format.md`.",
    ),
    ("counts, waiting, now", "From `status`: tasks by state, what waits for a person, the time."),
    (
        "hooks, changes, refused, dry_run, removed",
        "From `init` and `hook install|remove|status`: each hook with what was or would be changed, and what could not be. From `hook status` each has `name`, `path`, `installed` (`how`, `path`, `fires`, `why_not`), `manager`, `fires`, `why_not`, `fired_at`.",
    ),
    (
        "git, folder, hooks_path, all_fire",
        "From `hook status`: the version of git, where it looks for hooks, the setting that says so, whether every hook fires.",
    ),
    (
        "refs, secret, remains",
        "From `init --remove --refs`: how many were deleted, where the person's secret was, `what` is left and `how` to take it away.",
    ),
    (
        "checks, red, notes",
        "From `doctor`: `name`, `status` (ok, note, red), `what`, `remedy`, `fixed`; how many are red, how many are notes.",
    ),
    (
        "gates, note",
        "From `ci`: `name`, `status`, `checked`, `findings` (`code`, `severity`, `commit`, `file`, `line`, `what`, `how`); why nothing was judged.",
    ),
    (
        "violations, warnings, suppressed",
        "From `boundary check`: `code`, `severity`, `file`, `line`, `commit` (of a range), `import`, `kind`, `target`, `domain`, `owner`, `rule`, `rule_line`, `reason`, `instead`, `chain`, `what`, `how`; of what a comment suppresses its reason as `suppressed`.",
    ),
    (
        "files_checked, imports, known, commits",
        "From `boundary check`, beside `files` by language: how many files and imports were looked at, violations that the baseline names, commits of the range.",
    ),
    (
        "path, created, kept, removed, left",
        "From `boundary baseline`: the file, and how many violations it names, no longer names, does not name.",
    ),
    ("schema", "From `boundary schema`: the JSON schema of `comm.toml`."),
    (
        "level, nodes, edges, cycles, left_out",
        "From `boundary graph`: without a level and with `--files` every import as `from`, `line`, `import`, `kind`, `names`, `target` (file, package, builtin, missing), `to`. Between domains or folders `name`, `files`, `in_cycle` of each node, `from`, `to`, `imports`, `violations`, `in_cycle`, `closes_cycle` of each edge, the names on each cycle, how many sources are in no node.",
    ),
    (
        "allowed, from, to, why, code, how, only, chain",
        "From `boundary explain`: the verdict, both ends (`kind`, `name`), the rule in words, what is found and the way to have it, files that alone may be imported, and, beside `imports` as `boundary graph` has them, the shortest chain where there are none.",
    ),
    (
        "text, left",
        "From `boundary init`, beside `domains` (how many) and `written`: the content of comm.toml, how many findings no rule can allow.",
    ),
    (
        "worktree, worktrees",
        "`path`, `name`, `branch`, `agent`, `domain`, `task`, `expires_at`, `dirty`, `ahead`, `behind`, `head`, `locked`, `missing`, `main`; from `worktree add` also `base`, `token`, `session`, `hook`; from `worktree remove` and `prune` also `branch_deleted`, `kept`, `commit`, `copied`, `saved`, `saved_commits`, `released`.",
    ),
    (
        "trunk, left",
        "From `worktree list`: what they are compared with. From `prune`: `path`, `name` and `reasons` of those that stay.",
    ),
    (
        "role, domains, require_claim, paused, unread, held, handed_over, ready, ready_total, budget, tokens",
        "From `prime`: what binds the agent, what waits for it, and how long the text may be and is.",
    ),
    (
        "files",
        "From `setup agents-md` and `setup harness`: `path` and `change` of each file. From `boundary check`: how many of each language.",
    ),
    (
        "board, prefix, adopted",
        "From `init`: id of the board, what task ids start with, whether it came from a remote.",
    ),
    (
        "kind, name, source, session, clone, worktree, holds, handed_over",
        "From `whoami`; `handed_over`, what waits to be taken up, is `id`, `by` and `reason` of each.",
    ),
    (
        "remote, received, merged, sent, healed, renamed, refused, dry_run",
        "From `sync`: the remote; how many records came from it, were brought together, went to it, are there again; tasks that had another one's id, `from` and `to`; `ref` and `reason` of those that were left as they are.",
    ),
    ("lost", "From `agent heartbeat`: `id`, `holder`, `token` of each claim that is no longer yours."),
    ("root, edges", "From `dep tree`: `from`, `to`."),
    (
        "critical_path, width, unblock_most, cycles",
        "From `dep shape`: ids, a number, `id` with `count`, ids.",
    ),
    ("scope, path", "What was paused or resumed; where the man page was put."),
    (
        "checks, processes, ms, kept",
        "From `demo`: how many things were checked and processes run, how long it took, the repository that was kept.",
    ),
    ("incomplete", "Why some records could not be read; the answer is then not whole."),
    ("error", "In place of all others: `kind` (stable), `message`, `hint`, `exit`."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("GIT_COMM_AGENT", "Name of the agent that calls."),
    ("GIT_COMM_SESSION", "Tells apart several sessions of one agent in one worktree."),
    ("GIT_COMM_PERSON_SECRET", "The person's secret, for `--as-person` under an agent harness."),
    (
        "GIT_COMM_LOG",
        "Shows on standard error what the program does: `error`, `warn`, `info`, `debug` or `trace`.",
    ),
    (
        "GIT_DIR, GIT_WORK_TREE, GIT_COMMON_DIR, GIT_CEILING_DIRECTORIES, GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "Where the repository is, as for git.",
    ),
    ("GIT_AUTHOR_NAME", "The git identity, before `author.name` and `user.name`."),
    ("GIT_INDEX_FILE", "The index that git hands to a hook."),
    ("GIT_CONFIG_COUNT", "With its pairs: further configuration, as for git."),
    (
        "GIT_CONFIG_PARAMETERS",
        "Set by git for what `git -c KEY=VALUE` gives; wins over all other configuration.",
    ),
    ("XDG_STATE_HOME, LOCALAPPDATA, HOME", "Where the person's secret is: the first that is set."),
    ("XDG_DATA_HOME, HOME", "Where `setup man` puts the man page: the first that is set."),
    ("MANPATH", "Where man pages are looked for, so that `setup man` can tell."),
    ("NO_COLOR, TERM", "No colours if the first is set or the second is `dumb`."),
    ("PATH", "Where git is found, and where man pages are looked for."),
];

const CONFIGURATION: &[(&str, &str)] = &[
    (
        "comm.agent",
        "Name of the agent that works here. Set it for one worktree: `git config --worktree comm.agent NAME`.",
    ),
    (
        "comm.durability",
        "What a record survives once its command has ended: `power` (a power cut; the default) or `process` (the end of the process only; faster). Heartbeats and cursors always have the second.",
    ),
    ("comm.domain", "Domain that this worktree is bound to; `worktree add --domain` sets it."),
    ("comm.branch", "Branch that `worktree add` made with this worktree, and that goes with it."),
    ("comm.task", "Task that this worktree is bound to; `worktree add --task` sets it."),
    (
        "comm.disposable",
        "Names and patterns, with blanks between, of ignored files and folders that tools make again: they go with a worktree, as `target`, `node_modules`, `*.o` and such do.",
    ),
    (
        "comm.worktrees",
        "Folder that `worktree add` puts worktrees into, in place of one beside the repository.",
    ),
    (
        "comm.hooks.onFailure",
        "What a harness's hook does that cannot judge: `allow` the edit (the default) or `block` it.",
    ),
    (
        "alias.comm, core.hooksPath, core.logAllRefUpdates, core.sshCommand, extensions.worktreeConfig",
        "As for git.",
    ),
    ("comm.hub", "Remote that `sync` shares records with when none is named; by default that of the branch."),
    ("comm.ttl", "Length of a lease unless `--ttl` says otherwise: 1s to 30d, by default `30m`."),
];

const FILES: &[(&str, &str)] = &[
    ("refs/comm-node/", "The records. `docs/format.md` describes every byte."),
    ("refs/comm-node-remote/", "Where `sync` last saw the records of each remote; never the truth."),
    (
        "refs/comm-kept/",
        "For each name of a removed worktree: commits that only its reflog and its own refs led to. `git log REF`; `git update-ref -d REF` lets them go.",
    ),
    (
        "comm-node/ in the common git directory",
        "The lock, this clone's id, kept objects and notes between commands. None of it is a record; without it this is a new clone, whose sessions hold nothing.",
    ),
    ("~/.local/state/git-comm/person/", "The person's secrets, one for each board."),
];

const EXAMPLES: &str = "\
git comm init
git comm add 'Write the parser' -p 1
git comm add 'Test the parser' --dep bd-1
export GIT_COMM_AGENT=ada
git comm next
git comm close --reason 'parses everything in the corpus'
git log refs/comm-node/tasks/bd-1";

/// What the caller is told by a code, and should do.
fn meaning(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "Done, or done before. Go on.",
        Exit::No => {
            "The answer is no: held by another, refused, nothing ready, nothing found. Choose something else, or fix."
        }
        Exit::Retry => "Locked, or moved by others each time. Try again.",
        Exit::Unknown => "No such thing, or ambiguous. Check the name.",
        Exit::NotYours => {
            "Not yours: the lease was lost, you are paused, or it needs the person. Stop and ask."
        }
        Exit::Damaged => "Damaged, unwritable or incomplete. Stop and report.",
        Exit::Fatal => "Fatal, as git does: no repository, no board, a newer format. Fix the call.",
        Exit::Usage => "Wrong usage or configuration, as git does. Fix the call.",
    }
}

/// What a verb's line in the table leaves open.
fn note(verb: &str) -> Option<&'static str> {
    Some(match verb {
        "init" => {
            "The first record of a repository without remotes makes the board too. On a terminal it also makes the person's secret."
        }
        "demo" => {
            "Six tasks and four agents, each in its worktree, as processes of their own; one is killed and its lease taken over, one is kept to its own files. Every step is checked. Exit 1 if one does not behave."
        }
        "add" => {
            "Making the same task again within ten minutes, or with one `--key` within a day, makes no second one."
        }
        "list" => "By priority, then age.",
        "ready" => {
            "By priority, then what unblocks most, then age. An agent is offered what is assigned to it or nobody, and is of its domain or none. Exit 1 if there is nothing."
        }
        "dep add" => "An edge that would close a cycle is refused, and the cycle is printed.",
        "claim" => {
            "Exit 0 if it was granted or is this session's already, 1 if somebody else holds it. A task whose lease has run out is taken over."
        }
        "next" => {
            "What the session holds already, unless `--another` is given; else the best ready task. Exit 1 if there is none."
        }
        "close" => {
            "What waits for the task may start. Exit 5 if it was granted to another since; a lease that ran out but was not taken is closed as late."
        }
        "fail" => "What waits for the task stays blocked.",
        "cancel" => "What waits for the task may start.",
        "handover" => {
            "It is theirs at once; any of their sessions takes it up with `next`, `claim` or `renew`."
        }
        "inbox" => {
            "What was shown is marked as read after it was printed, so that nothing is lost; `--peek` leaves it unread."
        }
        "agent heartbeat" => {
            "Exit 5 if a claim was lost. Every command of a holder gives the heartbeat that is due anyway."
        }
        "pause" => "They may neither claim nor take over until `resume`.",
        "log" => {
            "`--kind violation` lists what gates refused: edits and commits outside a domain, imports across a border."
        }
        "boundary check" => {
            "Exit 1 if a finding stops a commit, or nothing was looked at. SARIF, JUnit XML and the workflow commands of GitHub Actions are for other programs."
        }
        "boundary explain" => {
            "A name is a domain, else a file, a folder or a package that is imported somewhere; `domain:NAME` and `pkg:NAME` say which. Exit 0 if it may, 1 if not, 4 if there is no such thing. Of a domain or a folder one file that may be imported is enough."
        }
        "boundary graph" => {
            "Red and dashed is what breaks a rule, dotted what closes a cycle: the fewest and lightest such links. Sources of no domain are left out between domains. With `--json` every single import, unless `--domains` or `--folders` is given."
        }
        "boundary init" => {
            "A domain for each part that the folders show, allowed to import what it imports now, so that the first check finds nothing that rules are about. What the folders `tests`, `docs`, `scripts` and such import is left free."
        }
        "setup completions" => {
            "For bash: `git comm setup completions bash > ~/.local/share/bash-completion/completions/git-comm`."
        }
        "setup man" => {
            "Then `git help comm` and `git comm --help` open this page. It goes where `man` looks already: into the user's data directory, or beside a folder of programs in the home directory that is on `PATH`. Where there is no such place it says what to add to `MANPATH`."
        }
        _ => return None,
    })
}

fn add_verb(blocks: &mut Vec<Block>, verb: &Verb) {
    let own = (verb.augment)(Command::new(verb.name).bin_name(format!("git comm {}", verb.name)));
    let mut own = own.disable_help_flag(true);
    let usage = own.render_usage().to_string();
    blocks.push(Block::Subsection(verb.name.to_owned()));
    blocks.push(Block::Usage(usage_pieces(usage.trim_start_matches("Usage: "))));
    blocks.push(Block::Text(format!("{}.", verb.about)));
    blocks.extend(note(verb.name).map(|text| Block::Text(text.to_owned())));
    blocks.extend(own.get_positionals().filter(|a| !a.is_hide_set()).map(positional));
    blocks.extend(own.get_arguments().filter(|a| !a.is_positional() && !a.is_hide_set()).map(option));
    blocks.extend(super::table::formats(verb.name).map(|formats| {
        let pieces = vec![
            Piece::Word("--format".into()),
            Piece::Plain(" ".into()),
            Piece::Placeholder("FORMAT".into()),
        ];
        Block::Term(pieces, format!("Answer in this format: {}.", formats.join(", ")))
    }));
}

fn global() -> Command {
    <Global as clap::Args>::augment_args(Command::new("git-comm").disable_help_flag(true))
}

fn term(name: &str, text: &str) -> Block {
    Block::Term(vec![Piece::Word(name.to_owned())], text.to_owned())
}

fn positional(arg: &Arg) -> Block {
    let mut name = value_name(arg);
    if arg.get_num_args().is_some_and(|n| n.max_values() > 1) {
        name.push_str("...");
    }
    Block::Term(vec![Piece::Placeholder(name)], help(arg))
}

fn option(arg: &Arg) -> Block {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let mut pieces: Vec<Piece> = Vec::new();
    for word in short.into_iter().chain(long) {
        if !pieces.is_empty() {
            pieces.push(Piece::Plain(", ".to_owned()));
        }
        pieces.push(Piece::Word(word));
    }
    if takes_value(arg) {
        pieces.push(Piece::Plain(" ".to_owned()));
        pieces.push(Piece::Placeholder(value_name(arg)));
    }
    Block::Term(pieces, help(arg))
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn value_name(arg: &Arg) -> String {
    let named = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    named.unwrap_or_else(|| arg.get_id().as_str().to_uppercase())
}

/// What an argument means, with its default.
fn help(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
    if takes_value(arg) && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        text.push_str(&format!(" (default: {})", defaults.join(" ")));
    }
    text.push('.');
    text
}

/// A line of usage: what clap puts in angle brackets stands for something.
fn usage_pieces(usage: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (i, word) in usage.split_whitespace().enumerate() {
        if i > 0 {
            pieces.push(Piece::Plain(" ".to_owned()));
        }
        let stands = word.contains(['<', '[']) || word.ends_with("...");
        let is_option = word.trim_start_matches('[').starts_with('-');
        let shown = word.replace(['<', '>'], "");
        pieces.push(if stands && !is_option { Piece::Placeholder(shown) } else { Piece::Word(shown) });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_described_and_checked() {
        let described = CONFIGURATION.iter().flat_map(|(names, _)| names.split(", "));
        let mut described: Vec<&str> = described.filter(|name| name.starts_with("comm.")).collect();
        let mut checked: Vec<&str> = crate::config::keys::all().collect();
        described.sort_unstable();
        checked.sort_unstable();
        assert_eq!(described, checked);
    }
}
