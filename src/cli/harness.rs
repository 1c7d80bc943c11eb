//! What agent harnesses run, and how it gets into their settings.
//!
//! A hook answers in the harness's own JSON and ends with 0 whatever happens:
//! other codes mean something else to each harness.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::app::{App, Outcome, write_out};
use super::prime::is_no_repository;
use crate::ops::Context;
use crate::ops::error::{Error, Exit};
use crate::ops::harness::edit::{self, Verdict};
use crate::ops::harness::setup::{self, Asked};
use crate::ops::harness::{self, Call, Change, Format, Moment, Planned, after};
use crate::ops::prime as gathering;
use crate::render::{Answer, prime as view};
use crate::text::escape;

/// The largest call that is read, in bytes: a file's whole new content may be
/// in it.
const MOST: u64 = 64 * 1024 * 1024;
/// Lines of a plan before the rest is only counted.
const LINES: usize = 60;

/// A hook of a harness; its call comes on standard input
#[derive(Args)]
pub(super) struct HookArgs {
    /// The harness that it was installed for
    #[arg(long, value_name = "NAME", default_value = "claude", value_parser = ["claude", "codex", "gemini", "cursor"])]
    harness: String,
    /// At most N tokens, estimated
    #[arg(long, value_name = "N", default_value_t = view::BUDGET, hide = true)]
    budget: usize,
}

pub(super) fn pre_edit(args: HookArgs, app: &mut App<'_>) -> Outcome {
    let call = read(&args, app)?;
    let dir = dir(app, &call)?;
    let (verdict, blocks) = match app.context_at(&dir) {
        // There is nothing to keep without a repository.
        Err(error) if is_no_repository(&error) => (Verdict::Allowed, false),
        Err(error) => (Verdict::Unjudged(error.to_string()), edit::blocks_at(&dir, app.env)),
        Ok(context) => (edit::judge(context, &call, &dir), edit::blocks_on_failure(context.store.repo())),
    };
    let (verdict, blocks) = match verdict {
        Verdict::Allowed => judge_elsewhere(app, &call, &dir),
        other => (other, blocks),
    };
    let text = match verdict {
        Verdict::Allowed => call.format.silence().to_owned(),
        Verdict::Denied(why) => call.format.deny(&why),
        Verdict::Unjudged(why) => {
            let why = format!("git comm: this edit could not be judged: {}", escape::clipped(&why, 400));
            if blocks {
                call.format.deny(&format!("{why}\nhint: report this: git comm doctor"))
            } else {
                super::eprint(&format!("{why}; allowed\n"));
                call.format.silence().to_owned()
            }
        }
    };
    answer(&text)
}

/// Judges what nothing is wrong with where the harness works by the worktrees
/// that its files are in.
fn judge_elsewhere(app: &App<'_>, call: &Call, dir: &Path) -> (Verdict, bool) {
    let judged = app.opened().map(|context| context.store.repo());
    for top in edit::elsewhere(call, dir, judged) {
        let (verdict, blocks) = match Context::open_at(&top, app.env, &app.claimed()) {
            Ok(context) => (edit::judge(&context, call, dir), edit::blocks_on_failure(context.store.repo())),
            Err(error) => (Verdict::Unjudged(error.to_string()), edit::blocks_at(&top, app.env)),
        };
        if verdict != Verdict::Allowed {
            return (verdict, blocks);
        }
    }
    (Verdict::Allowed, false)
}

pub(super) fn post_bash(args: HookArgs, app: &mut App<'_>) -> Outcome {
    tell(&args, app, Moment::PostShell, |app, dir| after::shell(app.context_at(dir)?))
}

pub(super) fn turn(args: HookArgs, app: &mut App<'_>) -> Outcome {
    tell(&args, app, Moment::Turn, |app, dir| after::turn(app.context_at(dir)?))
}

pub(super) fn session_start(args: HookArgs, app: &mut App<'_>) -> Outcome {
    let budget = args.budget;
    tell(&args, app, Moment::SessionStart, |app, dir| {
        let found = gathering::prime(app.context_at(dir)?)?;
        Ok(found.map(|found| view::prime(&found, budget).text.trim_end().to_owned()).unwrap_or_default())
    })
}

fn tell(
    args: &HookArgs,
    app: &mut App<'_>,
    moment: Moment,
    text: impl FnOnce(&mut App<'_>, &Path) -> Result<String, Error>,
) -> Outcome {
    let call = read(args, app)?;
    let dir = dir(app, &call)?;
    let text = text(app, &dir).unwrap_or_else(|error| {
        if !is_no_repository(&error) {
            super::eprint(&format!("git comm: {}\n", escape::line(&error.to_string())));
        }
        String::new()
    });
    answer(&call.format.tell(moment, &text))
}

/// The harness's call. On a terminal nobody calls.
fn read(args: &HookArgs, app: &App<'_>) -> Result<Call, Error> {
    let format: &'static Format = harness::named(&args.harness)
        .ok_or_else(|| Error::usage("no such harness", "git comm setup harness -h"))?;
    let mut input = Vec::new();
    if app.env.is_interactive() {
        input.extend(b"{}");
    } else if let Err(error) = std::io::stdin().lock().take(MOST).read_to_end(&mut input) {
        tracing::warn!(%error, "no call");
    }
    Ok(Call::read(&input, format))
}

/// Where the harness works: what was asked for, what the call says, or here.
fn dir(app: &App<'_>, call: &Call) -> Result<PathBuf, Error> {
    match &call.dir {
        Some(dir) if app.global.dir.is_empty() && dir.is_dir() => Ok(dir.clone()),
        _ => app.dir(),
    }
}

fn answer(text: &str) -> Outcome {
    if let Err(error) = write_out(text) {
        tracing::warn!(%error, "no answer");
    }
    Ok(Exit::Done)
}

/// Put the hooks into a harness's settings
#[derive(Args)]
pub(super) struct SetupArgs {
    /// The harness
    #[arg(value_name = "NAME", value_parser = ["claude", "codex", "gemini", "cursor"])]
    name: String,
    /// Into the settings that are not shared with others
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    how: How,
}

/// Write the block for agents into AGENTS.md
#[derive(Args)]
pub(super) struct AgentsMdArgs {
    #[command(flatten)]
    how: How,
}

#[derive(Args)]
struct How {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Take it out again
    #[arg(long)]
    remove: bool,
}

impl How {
    fn asked(&self) -> Asked {
        Asked { remove: self.remove, dry_run: self.dry_run }
    }
}

pub(super) fn setup(args: SetupArgs, app: &mut App<'_>) -> Outcome {
    let format = harness::named(&args.name)
        .ok_or_else(|| Error::usage("no such harness", "git comm setup harness -h"))?;
    let plan = setup::hooks(app.context()?, format, args.local, args.how.asked())?;
    app.show(&planned(&plan, args.how.dry_run))?;
    Ok(Exit::Done)
}

pub(super) fn agents_md(args: AgentsMdArgs, app: &mut App<'_>) -> Outcome {
    let plan = setup::agents_md(app.context()?, args.how.asked())?;
    app.show(&planned(&plan, args.how.dry_run))?;
    Ok(Exit::Done)
}

/// What became of the files, or would.
fn planned(plan: &[Planned], dry_run: bool) -> Answer {
    let mut text = String::new();
    let mut files: Vec<Value> = Vec::new();
    for file in plan {
        let change = file.change();
        let would = if dry_run && change != Change::None { "would be " } else { "" };
        text.push_str(&format!("{} {would}{}\n", file.name, change.as_str()));
        if dry_run {
            let lines = file.lines();
            for line in lines.iter().take(LINES) {
                text.push_str(&format!("{line}\n"));
            }
            if lines.len() > LINES {
                text.push_str(&format!("and {} more lines\n", lines.len() - LINES));
            }
        }
        files.push(json!({ "path": file.name, "change": change.as_str() }));
    }
    Answer { text, json: json!({ "files": files, "dry_run": dry_run }) }
}
