//! Where the story plays: the repository, its worktrees, the processes, and
//! the checks.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::error::{Error, Exit};
use super::{Beat, cannot, sample};
use crate::env::Env;
use crate::exec::own::{Ended, Own, Running};
use crate::git::{PlainEnd, plain_git};
use crate::text::escape;

/// Who plans and watches; also git's identity in the repository.
pub(super) const PERSON: &str = "kim";

/// The repository, who tells about it, and what was counted.
pub(super) struct Stage<'a> {
    pub(super) env: &'a Env,
    pub(super) checks: usize,
    pub(super) processes: usize,
    own: Own,
    repo: PathBuf,
    /// Where each agent works.
    worktrees: BTreeMap<&'static str, PathBuf>,
    vars: BTreeMap<OsString, OsString>,
    tell: &'a mut dyn FnMut(Beat<'_>),
    acts: usize,
    act: &'static str,
}

impl<'a> Stage<'a> {
    /// Makes the sample project a repository in `repo`.
    pub(super) fn new(
        env: &'a Env,
        repo: PathBuf,
        home: &Path,
        tell: &'a mut dyn FnMut(Beat<'_>),
    ) -> Result<Self, Error> {
        let vars = env.clean_vars(home);
        let own = Own::with_vars(env, vars.clone())
            .map_err(|source| cannot("start", Path::new("git-comm"), &source))?;
        let mut stage = Self {
            env,
            checks: 0,
            processes: 0,
            own,
            repo,
            worktrees: BTreeMap::new(),
            vars,
            tell,
            acts: 0,
            act: "a repository",
        };
        stage.git(&["init", "--quiet", "--initial-branch=main"])?;
        stage.git(&["config", "user.name", PERSON])?;
        stage.git(&["config", "user.email", "kim@example.com"])?;
        sample::write(&stage.repo)
            .map_err(|source| cannot("write the sample project to", &stage.repo, &source))?;
        stage.git(&["add", "."])?;
        stage.git(&["commit", "--quiet", "--message=Open the tea shop"])?;
        Ok(stage)
    }

    /// Begins the next act.
    pub(super) fn act(&mut self, title: &'static str) {
        self.acts += 1;
        self.act = title;
        (self.tell)(Beat::Act { number: self.acts, title });
    }

    /// Says a sentence.
    pub(super) fn say(&mut self, text: &str) {
        (self.tell)(Beat::Say(text));
    }

    /// Tells anything.
    pub(super) fn tell(&mut self, beat: Beat<'_>) {
        (self.tell)(beat);
    }

    /// Lets `who` work in the worktree `dir` from now on.
    pub(super) fn settle(&mut self, who: &'static str, dir: PathBuf) {
        self.worktrees.insert(who, dir);
    }

    /// Where `who` works: an agent in its worktree, the person in the
    /// repository itself.
    pub(super) fn dir_of(&self, who: &str) -> &Path {
        self.worktrees.get(who).unwrap_or(&self.repo)
    }

    /// Starts a process of `who`. Nothing but the place says who that is.
    pub(super) fn start(&mut self, who: &str, args: &[&str]) -> Result<Running, Error> {
        self.processes += 1;
        self.own.start(self.dir_of(who), &[], args).map_err(|source| self.failed(args, &source))
    }

    /// Runs a command of `who`, tells it, and checks its exit code.
    pub(super) fn run(&mut self, who: &str, args: &[&str], code: i32) -> Result<Ended, Error> {
        let running = self.start(who, args)?;
        let ended = running.finish().map_err(|source| self.failed(args, &source))?;
        let line = typed("git comm", args);
        self.tell(Beat::Ran { who, line: &line, ended: &ended });
        self.check_code(who, &line, &ended, code)?;
        Ok(ended)
    }

    /// Lets several run the same command at the same time, tells each, and
    /// gives back how they ended, in the same order.
    pub(super) fn race(&mut self, who: &[&str], args: &[&str]) -> Result<Vec<Ended>, Error> {
        let all = self.quiet_race(who, args)?;
        let line = typed("git comm", args);
        for (who, ended) in who.iter().zip(&all) {
            self.tell(Beat::Ran { who, line: &line, ended });
        }
        Ok(all)
    }

    /// As [`Stage::race`], without telling it.
    pub(super) fn quiet_race(&mut self, who: &[&str], args: &[&str]) -> Result<Vec<Ended>, Error> {
        let mut running = Vec::new();
        for who in who {
            running.push(self.start(who, args)?);
        }
        let finish = |running: Running| running.finish().map_err(|source| self.failed(args, &source));
        running.into_iter().map(finish).collect()
    }

    /// What a reading command of the person answers in JSON. Not told.
    pub(super) fn json(&mut self, args: &[&str]) -> Result<Value, Error> {
        self.json_as(PERSON, args)
    }

    /// As [`Stage::json`], asked by `who`.
    pub(super) fn json_as(&mut self, who: &str, args: &[&str]) -> Result<Value, Error> {
        let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let line = typed("git comm", &all);
        let ended = self.start(who, &all)?.finish().map_err(|source| self.failed(args, &source))?;
        // A list with nothing in it may answer with "no"; it is JSON as well.
        if ![Some(Exit::Done as i32), Some(Exit::No as i32)].contains(&ended.code) {
            return Err(self.misbehaved(format!("`{line}` of {who} failed: {}", ended.stderr.trim())));
        }
        serde_json::from_str(&ended.stdout).map_err(|source| self.failed(args, &source))
    }

    /// One task as JSON.
    pub(super) fn task(&mut self, id: &str) -> Result<Value, Error> {
        Ok(self.json(&["show", id])?["task"].take())
    }

    /// Runs git in the repository, without telling it.
    pub(super) fn git(&mut self, args: &[&str]) -> Result<String, Error> {
        self.git_as(PERSON, args)
    }

    /// As [`Stage::git`], where `who` works.
    pub(super) fn git_as(&mut self, who: &str, args: &[&str]) -> Result<String, Error> {
        let PlainEnd { code, stdout, stderr } = plain_git(self.env, self.dir_of(who), &self.vars, args)?;
        if code == Some(0) {
            return Ok(stdout);
        }
        let verb = args.first().copied().unwrap_or_default();
        let ended = code.map_or_else(|| "was killed".to_owned(), |code| format!("ended with {code}"));
        Err(self.misbehaved(format!("`git {verb}` {ended}: {}", escape::clipped(stderr.trim(), 200))))
    }

    /// Runs git as `who` types it, tells it, and checks its exit code.
    pub(super) fn run_git(&mut self, who: &str, args: &[&str], code: i32) -> Result<Ended, Error> {
        let PlainEnd { code: actual, stdout, stderr } =
            plain_git(self.env, self.dir_of(who), &self.vars, args)?;
        let ended = Ended { code: actual, stdout, stderr };
        let line = typed("git", args);
        self.tell(Beat::Ran { who, line: &line, ended: &ended });
        self.check_code(who, &line, &ended, code)?;
        Ok(ended)
    }

    /// Lets `who` write `text` at the end of a file of its own copy.
    pub(super) fn append(&mut self, who: &str, path: &str, text: &str) -> Result<(), Error> {
        let path = self.dir_of(who).join(path);
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|source| cannot("write to", &path, &source))
    }

    /// Counts a check that holds; one that does not ends the story.
    pub(super) fn check(&mut self, holds: bool, what: impl FnOnce() -> String) -> Result<(), Error> {
        if holds {
            self.checks += 1;
            return Ok(());
        }
        Err(self.misbehaved(what()))
    }

    /// What was seen and should not have been, and in which act.
    pub(super) fn misbehaved(&self, what: impl std::fmt::Display) -> Error {
        Error::Misbehaved { what: format!("the demo stopped in `{}`: {what}", self.act) }
    }

    fn failed(&self, args: &[&str], source: &dyn std::fmt::Display) -> Error {
        self.misbehaved(format!("`{}`: {source}", typed("git comm", args)))
    }

    /// Checks how a command ended.
    pub(super) fn check_code(
        &mut self,
        who: &str,
        line: &str,
        ended: &Ended,
        code: i32,
    ) -> Result<(), Error> {
        self.check(ended.code == Some(code), || {
            let actual = ended.code.map_or_else(|| "by a signal".to_owned(), |code| format!("with {code}"));
            let said = escape::clipped(ended.stderr.trim(), 200);
            format!("`{line}` of {who} ended {actual}, not with {code}: {said}")
        })
    }
}

/// A command as a person would type it.
pub(super) fn typed(program: &str, args: &[&str]) -> String {
    let needs_quotes = |text: &str| text.contains(char::is_whitespace);
    let quoted = args.iter().map(|arg| match arg.split_once('=') {
        Some((option, value)) if needs_quotes(value) => format!("{option}='{value}'"),
        _ if needs_quotes(arg) => format!("'{arg}'"),
        _ => (*arg).to_owned(),
    });
    std::iter::once(program.to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}
