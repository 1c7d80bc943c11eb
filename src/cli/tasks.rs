//! Tasks: add, list, ready, show, search, edit, comment, defer.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use super::input::{self, Body};
use crate::model::event::Edit;
use crate::model::names::{AgentName, DomainName, Label, TaskId, TaskType};
use crate::model::ready::Taker;
use crate::model::task::{DepType, State};
use crate::ops::board::Board;
use crate::ops::deps::Wanted;
use crate::ops::error::{Error, Exit};
use crate::ops::tasks::{self, Changes, Filter, New};
use crate::ops::{Context, given, known, next, resolve};
use crate::render::answer::line;
use crate::render::tasks as view;
use crate::text::glob::Pattern;
use crate::text::time::{Span, Timestamp};

/// Add a task
#[derive(Args)]
pub(super) struct AddArgs {
    /// What is to be done, in one line
    #[arg(value_name = "TITLE")]
    words: Vec<String>,
    /// Title, in place of the words
    #[arg(long = "title", conflicts_with = "words", hide = true)]
    title: Option<String>,
    /// Priority: 0 (most urgent) to 4
    #[arg(short, long, value_parser = priority, default_value = "2")]
    priority: u8,
    /// Sort of work: task, bug, feature, epic, or your own
    #[arg(short = 't', long = "type", value_name = "TYPE", default_value = "task")]
    kind: TaskType,
    /// Label; may be repeated or separated by commas
    #[arg(short, long = "label", alias = "labels", value_delimiter = ',')]
    label: Vec<Label>,
    /// Domain that it belongs to
    #[arg(long)]
    domain: Option<DomainName>,
    /// The only agent that may claim it
    #[arg(short, long, value_name = "AGENT")]
    assignee: Option<AgentName>,
    /// Task that it is part of
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Task that it waits for; TYPE is blocks, related or discovered-from
    #[arg(long = "dep", alias = "deps", value_name = "[TYPE:]ID", value_delimiter = ',')]
    dep: Vec<Wanted>,
    /// Id, in place of the next number
    #[arg(long)]
    id: Option<String>,
    /// Description
    #[arg(short, long = "desc", alias = "description", value_name = "TEXT")]
    description: Option<String>,
    /// Take the description from FILE, or from standard input with -; without TITLE its first line is the title
    #[arg(
        short = 'F',
        long = "file",
        alias = "body-file",
        value_name = "FILE",
        conflicts_with = "description"
    )]
    file: Option<PathBuf>,
    /// Word that makes a retry of this call harmless for a day
    #[arg(long)]
    key: Option<String>,
}

pub(super) fn add(args: AddArgs, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    let mut title = args.title.unwrap_or_else(|| args.words.join(" "));
    let mut description = args.description.unwrap_or_default();
    if let Some(file) = &args.file {
        description = input::read(&dir, file)?;
        if title.is_empty() {
            let (first, rest) = description.trim_start().split_once('\n').unwrap_or((description.trim(), ""));
            let parts = (first.trim().to_owned(), rest.trim().to_owned());
            (title, description) = parts;
        }
    }
    let mut deps = args.dep;
    deps.extend(args.parent.map(|id| Wanted { kind: DepType::Parent, id }));
    let new = New {
        id: args.id,
        title,
        description,
        kind: args.kind,
        priority: args.priority,
        labels: args.label.into_iter().collect(),
        domain: args.domain,
        assignee: args.assignee,
        deps,
        key: args.key,
    };
    let context = app.context()?;
    let added = tasks::add(context, &new)?;
    doubt(context, new.domain.as_ref(), new.assignee.as_ref());
    if !added.created {
        let id = &added.id;
        context.notice(match (&new.key, added.version.state.title == new.title.trim()) {
            (Some(key), false) => {
                format!("`{id}`, another task, was added under the key `{key}` before; nothing was added now")
            }
            _ => format!("`{id}` was added by the same call before; for another, say --key WORD"),
        });
    }
    let json = json!({ "task": view::json_of(&added.id, &added.version.state, added.version.head.at, None, None), "created": added.created });
    app.show(&line(added.id.to_string(), json))?;
    Ok(Exit::Done)
}

/// Work for somebody, or somewhere, that nobody has heard of.
fn doubt(context: &Context<'_>, domain: Option<&DomainName>, assignee: Option<&AgentName>) {
    if let Some(domain) = domain {
        known::doubt_domain(context, domain);
    }
    if let Some(assignee) = assignee {
        known::doubt_agent(context, assignee, known::Use::Planned);
    }
}

fn priority(text: &str) -> Result<u8, String> {
    let digits = text.strip_prefix(['p', 'P']).unwrap_or(text);
    match digits.parse() {
        Ok(priority @ 0..=4) => Ok(priority),
        _ => Err("priority is 0 (most urgent) to 4".into()),
    }
}

/// List tasks
#[derive(Args)]
pub(super) struct ListArgs {
    /// Only in these states; without it all but done, failed and cancelled
    #[arg(short, long = "state", alias = "status", value_delimiter = ',')]
    state: Vec<State>,
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// Only those that you hold
    #[arg(long)]
    mine: bool,
    /// Only those for this agent
    #[arg(short, long, value_name = "AGENT")]
    assignee: Option<AgentName>,
    /// Only of this domain
    #[arg(long)]
    domain: Option<DomainName>,
    /// Only with this label, or one such as ui-*; may be repeated
    #[arg(short, long = "label", value_delimiter = ',')]
    label: Vec<Pattern>,
    /// Only of this type
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    kind: Option<TaskType>,
    /// Only parts of this task
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// At most N; 0 for all
    #[arg(short = 'n', long = "limit", value_name = "N", default_value = "50")]
    limit: usize,
}

pub(super) fn list(args: ListArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let parent = args.parent.as_deref().map(|id| resolve::task(context, id)).transpose()?;
    let filter = Filter {
        states: args.state,
        all: args.all,
        mine: args.mine,
        assignee: args.assignee,
        domain: args.domain,
        labels: args.label,
        kind: args.kind,
        parent,
    };
    let board = Board::load(&context.store)?;
    let ids = tasks::list(context, &board, &filter);
    let ready = board.ready(&context.store, &Taker::default());
    let style = view::ListStyle { what: "tasks", next: None, states: true };
    let answer = view::list(&context.store, &board, &ids, &ready, limit(args.limit), style);
    app.show_all_but(&answer, &board.damaged)
}

fn limit(n: usize) -> usize {
    if n == 0 { usize::MAX } else { n }
}

/// List what can be started now
#[derive(Args)]
pub(super) struct ReadyArgs {
    /// At most N; 0 for all
    #[arg(short = 'n', long = "limit", value_name = "N", default_value = "10")]
    limit: usize,
    /// Only of this domain
    #[arg(long)]
    domain: Option<DomainName>,
    /// Only with this label, or one such as ui-*; may be repeated
    #[arg(short, long = "label", value_delimiter = ',')]
    label: Vec<Pattern>,
    /// Also what is for other agents or domains
    #[arg(long)]
    all: bool,
}

pub(super) fn ready(args: ReadyArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let board = Board::load(&context.store)?;
    let taker = if args.all { Taker::default() } else { taker(context, &board)? };
    let ready = board.ready(&context.store, &taker);
    let wanted = |id: &&TaskId| {
        board.tasks.get(*id).is_some_and(|v| {
            args.domain.as_ref().is_none_or(|d| v.state.domain.as_ref() == Some(d))
                && tasks::has_labels(&v.state, &args.label)
        })
    };
    let ids: Vec<TaskId> = ready.iter().filter(wanted).cloned().collect();
    let style = view::ListStyle { what: "ready", next: Some("git comm next"), states: false };
    let answer = view::list(&context.store, &board, &ids, &ready, limit(args.limit), style);
    app.show_all_but(&answer, &board.damaged)?;
    Ok(if ids.is_empty() { Exit::No } else { Exit::Done })
}

/// Whose work is asked for: an agent's own, anybody else's all.
fn taker(context: &Context<'_>, board: &Board) -> Result<Taker, Error> {
    match &context.identity.who {
        crate::ops::identity::Who::Agent(name) => next::taker(context, board, name),
        _ => Ok(Taker::default()),
    }
}

/// Show a task
#[derive(Args)]
pub(super) struct ShowArgs {
    /// The task; without it the one that you hold, or were handed
    id: Option<String>,
    /// How many of its newest comments; 0 for all
    #[arg(long, value_name = "N", default_value = "5")]
    comments: usize,
}

pub(super) fn show(args: ShowArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let id = resolve::task_or_handed(context, args.id.as_deref())?;
    let version = tasks::read(context, &id)?;
    let board = Board::load(&context.store)?;
    let ready = board.ready(&context.store, &Taker::default()).contains(&id);
    let mut comments = Vec::new();
    for (head, body) in tasks::comments(context, &id, &version, limit(args.comments))? {
        let by = head.agent.map(|a| a.to_string()).unwrap_or_default();
        comments.push((by, head.at, body));
    }
    comments.reverse();
    let given = given::of(context, &id, &version);
    let given = given.as_ref();
    let detail =
        view::Detail { id: &id, version: &version, board: &board, ready, given, comments: &comments };
    let answer = view::detail(&context.store, &detail);
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Find tasks by words
#[derive(Args)]
pub(super) struct SearchArgs {
    /// Words that all have to occur in the id, title, labels or description
    #[arg(required = true)]
    words: Vec<String>,
    /// At most N; 0 for all
    #[arg(short = 'n', long = "limit", value_name = "N", default_value = "20")]
    limit: usize,
}

pub(super) fn search(args: SearchArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let board = Board::load(&context.store)?;
    let ids = tasks::search(&board, &args.words);
    let ready = board.ready(&context.store, &Taker::default());
    let style = view::ListStyle { what: "found", next: None, states: true };
    let answer = view::list(&context.store, &board, &ids, &ready, limit(args.limit), style);
    app.show_all_but(&answer, &board.damaged)?;
    Ok(if ids.is_empty() { Exit::No } else { Exit::Done })
}

/// Change a task
#[derive(Args)]
pub(super) struct EditArgs {
    /// The tasks
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// New title
    #[arg(long)]
    title: Option<String>,
    /// New description
    #[arg(short, long = "desc", alias = "description", value_name = "TEXT")]
    description: Option<String>,
    /// Take the description from FILE, or from standard input with -
    #[arg(
        short = 'F',
        long = "file",
        alias = "body-file",
        value_name = "FILE",
        conflicts_with = "description"
    )]
    file: Option<PathBuf>,
    /// New priority: 0 (most urgent) to 4
    #[arg(short, long, value_parser = priority)]
    priority: Option<u8>,
    /// New sort of work
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    kind: Option<TaskType>,
    /// Label to add; may be repeated
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    add_label: Vec<Label>,
    /// Label to remove; may be repeated
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    remove_label: Vec<Label>,
    /// New domain; empty for none
    #[arg(long)]
    domain: Option<String>,
    /// New assignee; empty for none
    #[arg(short, long, value_name = "AGENT")]
    assignee: Option<String>,
    /// New parent; empty for none
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Claim it too
    #[arg(long, hide = true)]
    claim: bool,
    /// New state
    #[arg(short, long, hide = true, value_name = "STATUS")]
    status: Option<String>,
}

pub(super) fn edit(args: EditArgs, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    let context = app.context()?;
    let description = match &args.file {
        Some(file) => Some(input::read(&dir, file)?),
        None => args.description.clone(),
    };
    let changes = Changes {
        edit: Edit {
            title: args.title.as_ref().map(|t| t.trim().to_owned()),
            description,
            kind: args.kind.clone(),
            priority: args.priority,
            domain: cleared(args.domain.as_deref())?,
            assignee: cleared(args.assignee.as_deref())?,
            add_labels: args.add_label.iter().cloned().collect::<BTreeSet<_>>(),
            remove_labels: args.remove_label.iter().cloned().collect(),
            ..Edit::default()
        },
        parent: args.parent.as_ref().map(|p| Some(p.clone()).filter(|p| !p.is_empty())),
        ..Changes::default()
    };
    let ids = resolve::tasks(context, &args.ids)?;
    let (domain, assignee) = (changes.edit.domain.clone(), changes.edit.assignee.clone());
    doubt(context, domain.flatten().as_ref(), assignee.flatten().as_ref());
    if args.claim || args.status.is_some() {
        return super::claims::update(app, &ids, &changes, args.claim, args.status.as_deref());
    }
    if changes.edit.is_empty() && changes.parent.is_none() {
        return Err(Error::usage("nothing is to be changed", "git comm edit -h"));
    }
    each(app, &ids, |context, id| {
        let (version, changed) = tasks::edit(context, id, &changes)?;
        let text = if changed { format!("edited {id}") } else { format!("{id} is so already") };
        Ok(view::changed(context, text, id, &version, changed))
    })
}

/// Text that may be empty to mean none.
fn cleared<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<Option<T>>, Error>
where
    Error: From<T::Err>,
{
    match text {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(text) => Ok(Some(Some(text.parse()?))),
    }
}

/// Does something to each of several tasks. One refusal does not keep the
/// others from being done; the first decides the exit code.
pub(super) fn each(
    app: &mut App<'_>,
    ids: &[TaskId],
    act: impl Fn(&Context<'_>, &TaskId) -> Result<crate::render::Answer, Error>,
) -> Outcome {
    let mut first = None;
    let mut objects = Vec::new();
    for id in ids {
        match act(app.context()?, id) {
            Ok(answer) if ids.len() == 1 => app.show(&answer)?,
            Ok(answer) => {
                if app.json() {
                    objects.push(answer.json);
                } else {
                    app.show(&answer)?;
                }
            }
            Err(error) => match first {
                None => first = Some(error),
                Some(_) => super::eprint(&crate::render::error::text(&error)),
            },
        }
    }
    if app.json() && ids.len() > 1 {
        let tasks: Vec<_> = objects.iter().filter_map(|o| o.get("task").cloned()).collect();
        let total = tasks.len();
        app.show(&line("", json!({ "tasks": tasks, "total": total })))?;
    }
    match first {
        Some(error) => Err(error),
        None => Ok(Exit::Done),
    }
}

/// Say something on a task
#[derive(Args)]
pub(super) struct CommentArgs {
    /// The task
    id: String,
    #[command(flatten)]
    body: Body,
    /// Word that makes a retry of this call harmless for a day
    #[arg(long)]
    key: Option<String>,
}

pub(super) fn comment(args: CommentArgs, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    let context = app.context()?;
    let id = resolve::task(context, &args.id)?;
    let body = args.body.read(&dir)?;
    let (version, written) = tasks::comment(context, &id, &body, args.key.as_deref())?;
    let text = if written { format!("commented on {id}") } else { format!("{id} has that comment already") };
    let answer = view::changed(context, text, &id, &version, written);
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Do not offer a task for a while
#[derive(Args)]
pub(super) struct DeferArgs {
    /// The tasks
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Until this time, such as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with_all = ["span", "now"])]
    until: Option<Timestamp>,
    /// For this long, such as 2h or 3d
    #[arg(long = "for", value_name = "SPAN", conflicts_with = "now")]
    span: Option<Span>,
    /// Offer it again
    #[arg(long)]
    now: bool,
}

pub(super) fn defer(args: DeferArgs, app: &mut App<'_>) -> Outcome {
    let now = app.env.now();
    let until = match (args.until, args.span, args.now) {
        (Some(until), _, _) => Some(until),
        (_, Some(span), _) => Some(now.plus(span.0)),
        (_, _, true) => None,
        // Until somebody says otherwise.
        _ => Some(Timestamp::from_micros(i64::MAX)),
    };
    let context = app.context()?;
    let ids = resolve::tasks(context, &args.ids)?;
    let changes =
        Changes { edit: Edit { defer_until: Some(until), ..Edit::default() }, ..Changes::default() };
    each(app, &ids, |context, id| {
        let (version, changed) = tasks::edit(context, id, &changes)?;
        let text = match until {
            None => format!("{id} is offered again"),
            Some(_) if args.until.is_none() && args.span.is_none() => {
                format!("deferred {id}; offer it again: git comm defer {id} --now")
            }
            Some(until) => format!("deferred {id} until {}", until.to_second()),
        };
        Ok(view::changed(context, text, id, &version, changed))
    })
}
