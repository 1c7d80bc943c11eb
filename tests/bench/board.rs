//! Repositories to measure in: ours, and one for git with the same refs.

use std::process::Command;

use crate::support::Sandbox;

/// A repository with a board, and another with the same records in which
/// plain git moves the refs.
pub(crate) struct Pair {
    pub(crate) ours: Sandbox,
    pub(crate) plain: Sandbox,
    /// Commits that refs of `plain` can be moved to; any two that follow each
    /// other differ.
    commits: Vec<String>,
}

impl Pair {
    /// With `tasks` tasks, `bd-1` and on, and with this `comm.durability`.
    pub(crate) fn with_tasks(tasks: usize, durability: &str) -> Self {
        let [ours, plain] = [(); 2].map(|()| {
            let sandbox = with_tasks(tasks);
            sandbox.git(&format!("config comm.durability {durability}")).succeeds();
            sandbox
        });
        let tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        let commits = (0..64)
            .map(|n| plain.git(&format!("commit-tree {tree} -m {n}")).succeeds().stdout.trim().to_owned())
            .collect();
        Self { ours, plain, commits }
    }

    /// `git update-ref` that moves the ref of a task, in run `run`, to
    /// another commit than the run before did.
    pub(crate) fn update_ref(&self, task: usize, run: usize) -> Command {
        let mut command = self.plain.bare_command("git", self.plain.repo());
        let commit = &self.commits[run % self.commits.len()];
        command.args(["update-ref", &format!("refs/comm-node/tasks/bd-{task}"), commit]);
        command
    }

    /// A verb of ours as an agent, split as a shell does.
    pub(crate) fn verb(&self, agent: &str, words: &str) -> Command {
        let mut command = self.ours.agent_command(agent);
        command.args(crate::support::split(words));
        command
    }

    /// Where git has the ref of a task in `plain` now.
    pub(crate) fn plain_ref(&self, task: usize) -> String {
        let name = format!("refs/comm-node/tasks/bd-{task}");
        self.plain.git(&format!("rev-parse {name}")).succeeds().stdout.trim().to_owned()
    }
}

/// A board with `tasks` tasks as people write them: a title, a few sentences,
/// labels, some dependencies, all priorities.
pub(crate) fn with_tasks(tasks: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    // Setting up needs no power cuts to survive.
    sandbox.git("config comm.durability process").succeeds();
    for n in 1..=tasks {
        let waits = if is_blocked(n) { format!("--dep bd-{}", n - 1) } else { String::new() };
        let id = sandbox.add(&format!(
            "'Write part {n} of the parser and its tests' -p {} -l area-{} {waits} -d 'Part {n} accepts what \
             docs/grammar.md says and refuses everything else with line and column. Cover it with table-driven \
             tests, and look at part {} first: they share the lexer.'",
            n % 5,
            n % 7,
            n / 2,
        ));
        assert_eq!(id, format!("bd-{n}"));
    }
    sandbox
}

/// Every fourth task waits for the one before it.
fn is_blocked(task: usize) -> bool {
    task.is_multiple_of(4)
}

/// The number of a task that waits for nothing, another for each `n`.
pub(crate) fn free_task(n: usize) -> usize {
    n + n / 3 + 1
}
