//! What git's hooks run. People do not type these.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use crate::ops::ci::{FENCE, TASK};
use crate::ops::commit;
use crate::ops::error::Exit;
use crate::ops::identity::Who;
use crate::render::answer;
use crate::store::Author;

/// Judge what is staged
#[derive(Args)]
pub(super) struct PreCommitArgs {}

pub(super) fn pre_commit(_: PreCommitArgs, app: &mut App<'_>) -> Outcome {
    let passed = commit::judge_staged(app.context()?)?;
    // A hook that lets a commit through says nothing.
    let json = json!({ "files": passed.files, "task": passed.grant.map(|g| g.0) });
    app.show(&answer::line("", json))?;
    Ok(Exit::Done)
}

/// Add the trailers that name the claim
#[derive(Args)]
pub(super) struct CommitMsgArgs {
    /// The file that holds the message
    file: PathBuf,
}

pub(super) fn commit_msg(args: CommitMsgArgs, app: &mut App<'_>) -> Outcome {
    let file = app.dir()?.join(args.file);
    let context = app.context()?;
    let Who::Agent(name) = &context.identity.who else { return Ok(Exit::Done) };
    let author = Author { agent: name.clone(), session: context.identity.session.clone() };
    if let Some((task, fence)) = commit::current_grant(context, &author)? {
        let fence = format!("{}:{}", fence.token, fence.nonce);
        context.store.repo().set_trailers(&file, &[(TASK, task.as_str()), (FENCE, &fence)])?;
    }
    Ok(Exit::Done)
}
