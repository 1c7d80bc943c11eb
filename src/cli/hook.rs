//! What git's hooks run. People do not type these.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use crate::ops::error::Exit;
use crate::ops::hooks::run;
use crate::render::answer;

/// Judge what is staged
#[derive(Args)]
pub(super) struct StagedArgs {}

pub(super) fn pre_commit(_: StagedArgs, app: &mut App<'_>) -> Outcome {
    if let Some(file) = app.env.path_var(crate::ops::worktree::PROBE) {
        // Somebody asks whether this hook runs at all. That is no commit, and
        // must not become a way to make one.
        let answered = crate::ops::worktree::answer_probe(&app.dir()?.join(file));
        return answered.map(|()| Exit::No);
    }
    before_commit("pre-commit", app)
}

pub(super) fn pre_applypatch(_: StagedArgs, app: &mut App<'_>) -> Outcome {
    before_commit("pre-applypatch", app)
}

fn before_commit(hook: &str, app: &mut App<'_>) -> Outcome {
    let passed = run::before_commit(app.context()?, hook)?;
    // A hook that lets a commit through says nothing.
    let json = json!({ "files": passed.files, "task": passed.grant.map(|g| g.0) });
    app.show(&answer::line("", json))?;
    Ok(Exit::Done)
}

/// Add the trailers that name the claim
#[derive(Args)]
pub(super) struct MessageArgs {
    /// The file that holds the message
    file: PathBuf,
    /// Where git has the message from
    #[arg(hide = true)]
    rest: Vec<OsString>,
}

pub(super) fn commit_msg(args: MessageArgs, app: &mut App<'_>) -> Outcome {
    let file = app.dir()?.join(args.file);
    run::with_message(app.context()?, "commit-msg", &file)?;
    Ok(Exit::Done)
}

pub(super) fn applypatch_msg(args: MessageArgs, app: &mut App<'_>) -> Outcome {
    let file = app.dir()?.join(args.file);
    run::with_message(app.context()?, "applypatch-msg", &file)?;
    Ok(Exit::Done)
}

pub(super) fn prepare_commit_msg(args: MessageArgs, app: &mut App<'_>) -> Outcome {
    let file = app.dir()?.join(args.file);
    // git says so for `commit -C HEAD` too, which takes HEAD's author along;
    // and not where a message was given: commit-msg looks further then.
    let amends = args.rest == ["commit", "HEAD"];
    run::prepare_message(app.context()?, &file, amends)?;
    Ok(Exit::Done)
}
