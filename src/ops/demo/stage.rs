//! Where the story plays: the repository, the processes, and the checks.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::error::{Error, Exit};
use super::{Beat, cannot, sample};
use crate::env::Env;
use crate::exec::own::{Ended, Own, Running};
use crate::git::{GitError, plain_git};
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
        let stage =
            Self { env, checks: 0, processes: 0, own, repo, vars, tell, acts: 0, act: "a repository" };
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

    /// Starts a process of `who`: of an agent, or of the person.
    pub(super) fn start(&mut self, who: &str, args: &[&str]) -> Result<Running, Error> {
        self.processes += 1;
        let agent = [("GIT_COMM_AGENT", who)];
        let more: &[(&str, &str)] = if who == PERSON { &[] } else { &agent };
        self.own.start(&self.repo, more, args).map_err(|source| self.failed(args, &source))
    }

    /// Runs a command of `who`, tells it, and checks its exit code.
    pub(super) fn run(&mut self, who: &str, args: &[&str], code: i32) -> Result<Ended, Error> {
        let running = self.start(who, args)?;
        let ended = running.finish().map_err(|source| self.failed(args, &source))?;
        let line = typed(args);
        self.tell(Beat::Ran { who, line: &line, ended: &ended });
        self.check_code(who, &line, &ended, code)?;
        Ok(ended)
    }

    /// Lets several run the same command at the same time, tells each, and
    /// gives back how they ended, in the same order.
    pub(super) fn race(&mut self, who: &[&str], args: &[&str]) -> Result<Vec<Ended>, Error> {
        let all = self.quiet_race(who, args)?;
        let line = typed(args);
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
        let line = typed(&all);
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

    /// Runs git without telling it.
    pub(super) fn git(&self, args: &[&str]) -> Result<String, Error> {
        plain_git(self.env, &self.repo, &self.vars, args).map_err(|error| match error {
            // What git says to a sound repository is part of the story; that
            // there is no git is not.
            error @ GitError::Command { .. } => self.misbehaved(error),
            error => error.into(),
        })
    }

    /// Runs git and tells it.
    pub(super) fn show_git(&mut self, args: &[&str]) -> Result<String, Error> {
        let stdout = self.git(args)?;
        let line = format!("git {}", args.join(" "));
        let ended = Ended { code: Some(0), stdout: stdout.clone(), stderr: String::new() };
        self.tell(Beat::Ran { who: PERSON, line: &line, ended: &ended });
        Ok(stdout)
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
        self.misbehaved(format!("`{}`: {source}", typed(args)))
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

/// A command of this program as a person would type it.
pub(super) fn typed(args: &[&str]) -> String {
    let quoted = args.iter().map(|arg| match arg.contains(char::is_whitespace) {
        true => format!("'{arg}'"),
        false => (*arg).to_owned(),
    });
    std::iter::once("git comm".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}
