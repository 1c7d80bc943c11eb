//! One command's run: what it was asked, what it answers, how it ends.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::global::Global;
use crate::env::Env;
use crate::ops::Context;
use crate::ops::agents;
use crate::ops::board::incomplete;
use crate::ops::error::{Error, Exit};
use crate::ops::identity::Claimed;
use crate::render::{self, Answer, findings};
use crate::store::StoreError;
use crate::text::escape;

/// What a verb works with.
pub(super) struct App<'e> {
    pub(super) env: &'e Env,
    pub(super) global: Global,
    context: Option<Context<'e>>,
    /// Whether standard output holds its one JSON document already.
    answered: Cell<bool>,
    /// Whether an answer found no reader.
    is_unread: Cell<bool>,
}

/// How a verb ended: with a code of its own, or an error.
pub(super) type Outcome = Result<Exit, Error>;

impl<'e> App<'e> {
    pub(super) fn new(env: &'e Env, global: Global) -> Self {
        Self { env, global, context: None, answered: Cell::new(false), is_unread: Cell::new(false) }
    }

    /// Whether the answer is to be JSON.
    pub(super) fn json(&self) -> bool {
        self.global.json
    }

    /// The directory that the command is about.
    pub(super) fn dir(&self) -> Result<PathBuf, Error> {
        let cwd = self.env.cwd().ok_or_else(|| Error::Fatal {
            what: "the current directory is gone".into(),
            hint: "go somewhere else, or name a repository: git comm -C DIR".into(),
        })?;
        Ok(self.global.dir.iter().fold(cwd.to_path_buf(), |dir, next| dir.join(next)))
    }

    /// Opens the repository and finds out who asks.
    pub(super) fn context(&mut self) -> Result<&Context<'e>, Error> {
        let dir = self.dir()?;
        self.context_at(&dir)
    }

    /// What the command line says about who asks.
    pub(super) fn claimed(&self) -> Claimed {
        Claimed { agent: self.global.agent.clone(), as_person: self.global.as_person }
    }

    /// The repository that was opened, if one was.
    pub(super) fn opened(&self) -> Option<&Context<'e>> {
        self.context.as_ref()
    }

    /// As [`App::context`], for a caller that works in `dir`.
    pub(super) fn context_at(&mut self, dir: &Path) -> Result<&Context<'e>, Error> {
        if self.context.is_none() {
            self.context = Some(Context::open(dir, self.env, &self.claimed())?);
        }
        self.context.as_ref().ok_or(Error::NoBoard)
    }

    /// Prints an answer, whole.
    pub(super) fn show(&self, answer: &Answer) -> Result<(), Error> {
        let text = if self.json() { render::envelope(&answer.json) } else { answer.text.clone() };
        if !write_out(&text).map_err(|source| Error::Unanswered { source })? {
            self.is_unread.set(true);
        }
        Ok(())
    }

    /// Prints what gates found: as the answer has it, or in the format for
    /// other programs that was asked for.
    pub(super) fn report(&self, answer: &Answer, reports: &[findings::Report<'_>]) -> Result<(), Error> {
        self.refuse_two_formats()?;
        let format = match self.global.format.as_deref() {
            Some("sarif") => findings::Format::Sarif,
            Some("junit") => findings::Format::Junit,
            Some("github") => findings::Format::Github,
            _ => return self.show(answer),
        };
        self.show(&Answer { text: findings::print(format, reports), ..Answer::default() })
    }

    /// Refuses a call that asks for JSON and for something else.
    pub(super) fn refuse_two_formats(&self) -> Result<(), Error> {
        match self.global.format.as_deref() {
            Some(format) if self.json() && format != "json" => {
                let what = format!("`--json` and `--format {format}` ask for two answers");
                Err(Error::usage(what, "give one of them"))
            }
            _ => Ok(()),
        }
    }

    /// Whether all answers so far went to somebody.
    pub(super) fn is_read(&self) -> bool {
        !self.is_unread.get() && !self.env.stdout_is_discarded()
    }

    /// Prints an answer that damaged records were left out of, and says so:
    /// it is never silently whole.
    pub(super) fn show_all_but(&self, answer: &Answer, damaged: &[StoreError]) -> Outcome {
        let Some(error) = incomplete(damaged) else {
            self.show(answer)?;
            return Ok(Exit::Done);
        };
        let mut answer = answer.clone();
        if let Value::Object(fields) = &mut answer.json {
            let reasons: Vec<Value> =
                damaged.iter().map(|d| escape::line(&d.to_string()).into_owned().into()).collect();
            fields.insert("incomplete".into(), reasons.into());
        }
        self.show(&answer)?;
        self.answered.set(true);
        Err(error)
    }

    /// Gives the heartbeat that is due, says what else there is to say, and
    /// turns the result into an exit code.
    pub(super) fn finish(self, result: Outcome) -> u8 {
        let exit = match result {
            Ok(exit) => exit,
            Err(error) => {
                let is_told =
                    self.json() && !self.answered.get() && write_out(&render::error::json(&error)).is_ok();
                if !is_told {
                    super::eprint(&render::error::text(&error));
                }
                error.exit()
            }
        };
        if let Some(context) = &self.context {
            agents::beat_in_passing(context);
            for notice in context.notices.borrow().iter() {
                super::eprint(&format!("warning: {}\n", escape::line(notice)));
            }
        }
        exit.code()
    }
}

/// Writes to standard output and flushes. A closed one is no error, its
/// reader has seen enough; the answer is then false.
pub(super) fn write_out(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true),
    }
}
