//! Messages: send, inbox.

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use super::input::Body;
use crate::model::entry::Recipient;
use crate::ops::error::{Error, Exit};
use crate::ops::messages;
use crate::render::{answer, messages as view};

/// Send a message
#[derive(Args)]
pub(super) struct SendArgs {
    /// Whom it is for: an agent, domain:NAME, all or person
    #[arg(long, value_name = "WHOM")]
    to: Recipient,
    #[command(flatten)]
    body: Body,
    /// Word that makes a retry of this call harmless for a day
    #[arg(long)]
    key: Option<String>,
}

pub(super) fn send(args: SendArgs, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    let body = args.body.read(&dir)?;
    let (link, written) = messages::send(app.context()?, &args.to, &body, args.key.as_deref())?;
    let text = if written {
        format!("sent {} to {}", link.id(), args.to)
    } else {
        format!("{} was sent already", link.id())
    };
    let json = json!({ "message": view::json_of(&link), "sent": written });
    app.show(&answer::line(text, json))?;
    Ok(Exit::Done)
}

/// Read what was sent to you
#[derive(Args)]
pub(super) struct InboxArgs {
    /// What you have read too
    #[arg(long)]
    all: bool,
    /// Leave them unread
    #[arg(long)]
    peek: bool,
    /// At most N; 0 for all
    #[arg(short = 'n', long = "limit", value_name = "N", default_value = "20")]
    limit: usize,
}

pub(super) fn inbox(args: InboxArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let inbox = messages::inbox(context, args.all, limit)?;
    let answer = view::inbox(&inbox, context.store.env().now());
    let shown = app.show_all_but(&answer, &inbox.damaged);
    let reached = matches!(shown, Ok(_) | Err(Error::Incomplete { .. }));
    if reached && !args.peek && !args.all {
        // Each message is shown at least once, and nobody saw these.
        if app.is_read() {
            messages::mark_read(app.context()?, &inbox)?;
        } else if !inbox.messages.is_empty() {
            app.context()?.notice("these messages stay unread: nobody reads the output".into());
        }
    }
    shown
}
