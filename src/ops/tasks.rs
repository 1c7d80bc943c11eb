//! Making and changing tasks, and reading them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::board::Board;
use super::deps::{self, Wanted};
use super::error::Error;
use super::{Context, resolve};
use crate::model::event::{Create, Edit, TaskEvent};
use crate::model::limits;
use crate::model::names::{AgentName, DomainName, Label, TaskId, TaskType};
use crate::model::refusal::Refusal;
use crate::model::stamp::Stamp;
use crate::model::task::Task;
use crate::store::{Created, Decision, Head, Key, Made, Version};
use crate::text::digest;
use crate::text::glob::Pattern;
use crate::text::time::Timestamp;

/// How long an identical request without a key of its own is a retry.
const RETRY: Duration = Duration::from_secs(600);
/// How long a request with a key of its own is a retry.
const KEYED: Duration = Duration::from_secs(86_400);

/// A task to be made.
#[derive(Clone, Debug)]
pub struct New {
    /// Its id, if it is not to be numbered.
    pub id: Option<String>,
    /// One line.
    pub title: String,
    /// The rest.
    pub description: String,
    /// What sort of work it is.
    pub kind: TaskType,
    /// 0 (most urgent) to 4.
    pub priority: u8,
    /// Its labels.
    pub labels: BTreeSet<Label>,
    /// Its domain.
    pub domain: Option<DomainName>,
    /// The only agent that may claim it.
    pub assignee: Option<AgentName>,
    /// Its edges.
    pub deps: Vec<Wanted>,
    /// What makes a retry recognisable.
    pub key: Option<String>,
}

/// A task as it was made, or as an identical request had made it before.
#[derive(Debug)]
pub struct Added {
    /// Its id.
    pub id: TaskId,
    /// Its newest version.
    pub version: Version<Task>,
    /// Whether this request made it.
    pub created: bool,
}

/// Makes a task.
pub fn add(context: &Context<'_>, new: &New) -> Result<Added, Error> {
    let author = context.identity.author(&context.store)?;
    check_title(&new.title)?;
    check_size("description", &new.description, limits::DESCRIPTION)?;
    check_priority(new.priority)?;
    check_count("labels", new.labels.len(), limits::LABELS)?;
    check_count("dependencies", new.deps.len(), limits::DEPS)?;
    let wanted_id = new.id.as_deref().map(str::parse::<TaskId>).transpose()?;
    // A number alone is how people say the last part of an id.
    if new.id.as_deref().is_some_and(|id| id.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Error::usage(
            "an id of digits alone is short for another",
            "git comm add --id NAME TITLE",
        ));
    }
    context.require_board()?;
    let key = key_of(&author.agent, new)?;
    for lost in 0u32.. {
        let id = match &wanted_id {
            Some(id) => id.clone(),
            None => next_id(context, lost)?,
        };
        let created = context.store.create_task(&id, &author, &key, &summary(&id, &new.title), |stamp| {
            first_version(context, &id, new, &key, stamp)
        })?;
        match created {
            Created::New(version) => return Ok(Added { id, version: *version, created: true }),
            Created::Before(id) => {
                let version = read(context, &id)?;
                return Ok(Added { id, version, created: false });
            }
            Created::Taken if wanted_id.is_some() => {
                return Err(Error::Refused(Refusal::Taken { task: id }));
            }
            Created::Taken => {}
        }
    }
    Err(Error::usage("no id is left", "git comm add --id ID TITLE"))
}

fn first_version(
    context: &Context<'_>,
    id: &TaskId,
    new: &New,
    key: &Key,
    stamp: &Stamp,
) -> Result<Made, Error> {
    let (deps, guards) = deps::resolve(context, id, &new.deps)?;
    let create = Create {
        title: new.title.trim().to_owned(),
        description: new.description.clone(),
        kind: new.kind.clone(),
        priority: new.priority,
        labels: new.labels.clone(),
        domain: new.domain.clone(),
        assignee: new.assignee.clone(),
        deps,
        key: key.digest.clone(),
    };
    let task = Task::create(&create, stamp);
    Ok(Made { event: to_value(&TaskEvent::Create(create)), task, guards })
}

/// The key of a request: the caller's own, or a digest of all it asks for.
fn key_of(agent: &AgentName, new: &New) -> Result<Key, Error> {
    if let Some(key) = &new.key {
        check_size("key", key, limits::KEY)?;
        return Ok(Key { digest: digest::digest(&["add", agent.as_str(), key]), lasts: KEYED });
    }
    let deps: Vec<String> = new.deps.iter().map(ToString::to_string).collect();
    let labels: Vec<&str> = new.labels.iter().map(Label::as_str).collect();
    let parts = [
        "add-same",
        agent.as_str(),
        new.id.as_deref().unwrap_or_default(),
        &new.title,
        &new.description,
        new.kind.as_str(),
        &new.priority.to_string(),
        &labels.join(","),
        new.domain.as_ref().map_or("", DomainName::as_str),
        new.assignee.as_ref().map_or("", AgentName::as_str),
        &deps.join(","),
    ];
    Ok(Key { digest: digest::digest(&parts), lasts: RETRY })
}

/// A number above every id that there is and every id that ever was. Another
/// may take it first; the swap decides, and `lost` says how often it did.
fn next_id(context: &Context<'_>, lost: u32) -> Result<TaskId, Error> {
    let meta = context.store.meta().ok_or(Error::NoBoard)?;
    let highest = resolve::all_ids(context)?
        .iter()
        .filter_map(|id| id.as_str().strip_prefix(&meta.prefix)?.strip_prefix('-')?.parse::<u64>().ok())
        .max()
        .unwrap_or(0);
    // Writers that met once spread out instead of meeting again.
    if lost > 0 {
        context.store.env().sleep_jittered(Duration::from_micros(u64::from(lost.min(40)) * 500));
    }
    let next = highest.saturating_add(1).max(meta.next);
    Ok(format!("{}-{next}", meta.prefix).parse()?)
}

fn summary(id: &TaskId, title: &str) -> String {
    format!("create {id}: {}", crate::text::escape::clipped(title, 100))
}

/// Changes to a task.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Fields and labels; its edges are made from the two lists below.
    pub edit: Edit,
    /// Edges to add.
    pub add_deps: Vec<Wanted>,
    /// Edges to remove.
    pub remove_deps: Vec<Wanted>,
    /// A new parent, or none.
    pub parent: Option<Option<String>>,
}

/// Changes fields, labels and edges of a task. Says whether anything changed.
pub fn edit(context: &Context<'_>, id: &TaskId, changes: &Changes) -> Result<(Version<Task>, bool), Error> {
    let author = context.identity.author(&context.store)?;
    if let Some(title) = &changes.edit.title {
        check_title(title)?;
    }
    if let Some(description) = &changes.edit.description {
        check_size("description", description, limits::DESCRIPTION)?;
    }
    if let Some(priority) = changes.edit.priority {
        check_priority(priority)?;
    }
    let updated =
        context.store.update(id.as_str(), &author, context.store.durability(), |before, stamp| {
            let before = before.ok_or_else(|| Error::unknown("task", id.as_str()))?;
            let (edit, guards) = deps::complete(context, id, &before.state, changes)?;
            let mut task = before.state.clone();
            let event = TaskEvent::Edit(edit);
            task.apply(&event, stamp);
            check_count("labels", task.labels.len(), limits::LABELS)?;
            check_count("dependencies", task.deps.len(), limits::DEPS)?;
            if task == before.state {
                return Ok::<_, Error>(Decision::Keep(()));
            }
            let summary = format!("edit {id}: {}", changed(&before.state, &task));
            Ok(Decision::Write { event: to_value(&event), state: task, summary, guards, result: () })
        })?;
    let version = updated.version.ok_or_else(|| Error::unknown("task", id.as_str()))?;
    Ok((version, updated.written))
}

/// What an edit changed, in a few words.
fn changed(before: &Task, after: &Task) -> String {
    let fields = [
        (before.title != after.title, "title"),
        (before.description != after.description, "description"),
        (before.kind != after.kind, "type"),
        (before.priority != after.priority, "priority"),
        (before.labels != after.labels, "labels"),
        (before.domain != after.domain, "domain"),
        (before.assignee != after.assignee, "assignee"),
        (before.deps != after.deps, "dependencies"),
        (before.defer_until != after.defer_until, "deferral"),
    ];
    let names: Vec<&str> = fields.iter().filter(|f| f.0).map(|f| f.1).collect();
    names.join(", ")
}

/// Adds a comment. Says whether it is a new one rather than a retry.
pub fn comment(
    context: &Context<'_>,
    id: &TaskId,
    body: &str,
    key: Option<&str>,
) -> Result<(Version<Task>, bool), Error> {
    let author = context.identity.author(&context.store)?;
    check_body("comment", body)?;
    let (key, lasts) = retry_key("comment", &author.agent, id.as_str(), body, key)?;
    let since = context.store.env().now().minus(lasts);
    let updated =
        context.store.update(id.as_str(), &author, context.store.durability(), |before, stamp| {
            let before = before.ok_or_else(|| Error::unknown("task", id.as_str()))?;
            let is_retry =
                |event: &TaskEvent| matches!(event, TaskEvent::Comment { key: k, .. } if *k == key);
            if find_event(context, id, before, since, is_retry)? {
                return Ok::<_, Error>(Decision::Keep(()));
            }
            let mut task = before.state.clone();
            let event = TaskEvent::Comment { body: body.to_owned(), key: key.clone() };
            task.apply(&event, stamp);
            let summary = format!("comment {id}: {}", crate::text::escape::clipped(first_line(body), 100));
            let guards = Vec::new();
            Ok(Decision::Write { event: to_value(&event), state: task, summary, guards, result: () })
        })?;
    let version = updated.version.ok_or_else(|| Error::unknown("task", id.as_str()))?;
    Ok((version, updated.written))
}

/// Whether an event like this was written since `since`.
fn find_event(
    context: &Context<'_>,
    id: &TaskId,
    tip: &Version<Task>,
    since: Timestamp,
    is_it: impl Fn(&TaskEvent) -> bool,
) -> Result<bool, Error> {
    for version in history(context, id, tip)? {
        let version = version?;
        if version.head.at < since {
            return Ok(false);
        }
        if is_it(&event_of(&version)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The versions of a task from `tip` back to the first, the latest first.
pub(super) fn history<'c>(
    context: &'c Context<'_>,
    id: &TaskId,
    tip: &Version<Task>,
) -> Result<impl Iterator<Item = Result<Version<Task>, Error>> + use<'c>, Error> {
    let name = crate::store::task_ref(id)?;
    Ok(context.store.back(&name, id.as_str(), tip.clone()).map(|version| Ok(version?)))
}

/// What happened in a version.
pub(super) fn event_of(version: &Version<Task>) -> TaskEvent {
    serde_json::from_value(version.head.event.clone()).unwrap_or(TaskEvent::Unknown)
}

/// The newest `limit` comments of a task, newest first.
pub fn comments(
    context: &Context<'_>,
    id: &TaskId,
    tip: &Version<Task>,
    limit: usize,
) -> Result<Vec<(Head, String)>, Error> {
    let wanted = limit.min(usize::try_from(tip.state.comments.count).unwrap_or(usize::MAX));
    let mut comments = Vec::new();
    for version in history(context, id, tip)? {
        if comments.len() == wanted {
            break;
        }
        let version = version?;
        if let TaskEvent::Comment { body, .. } = event_of(&version) {
            comments.push((version.head, body));
        }
    }
    Ok(comments)
}

/// The key of a comment, message or note, and for how long it is a retry.
pub(super) fn retry_key(
    verb: &str,
    agent: &AgentName,
    target: &str,
    body: &str,
    key: Option<&str>,
) -> Result<(String, Duration), Error> {
    match key {
        Some(key) => {
            check_size("key", key, limits::KEY)?;
            Ok((digest::digest(&[verb, agent.as_str(), target, key]), KEYED))
        }
        None => Ok((digest::digest(&[verb, "same", agent.as_str(), target, body]), RETRY)),
    }
}

/// The newest version of a task that there must be.
pub fn read(context: &Context<'_>, id: &TaskId) -> Result<Version<Task>, Error> {
    context.store.read::<Task>(id.as_str())?.ok_or_else(|| Error::unknown("task", id.as_str()))
}

/// Which tasks a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states; all but the closed ones if empty.
    pub states: Vec<crate::model::task::State>,
    /// Closed ones too.
    pub all: bool,
    /// Held by the caller.
    pub mine: bool,
    /// For this agent.
    pub assignee: Option<AgentName>,
    /// Of this domain.
    pub domain: Option<DomainName>,
    /// With a label for each of these patterns.
    pub labels: Vec<Pattern>,
    /// Of this type.
    pub kind: Option<TaskType>,
    /// Parts of this task.
    pub parent: Option<TaskId>,
}

/// The tasks of `board` that pass `filter`, by priority and age.
pub fn list(context: &Context<'_>, board: &Board, filter: &Filter) -> Vec<TaskId> {
    let mine = |task: &Task| {
        let claim = task.phase.claim.as_ref();
        claim.is_some_and(|c| context.identity.name() == Some(&c.agent))
    };
    let passes = |task: &Task| {
        let state = task.phase.state;
        (if filter.states.is_empty() {
            filter.all || !state.is_closed()
        } else {
            filter.states.contains(&state)
        }) && (!filter.mine || mine(task))
            && filter.assignee.as_ref().is_none_or(|a| task.assignee.as_ref() == Some(a))
            && filter.domain.as_ref().is_none_or(|d| task.domain.as_ref() == Some(d))
            && has_labels(task, &filter.labels)
            && filter.kind.as_ref().is_none_or(|k| task.kind == *k)
            && filter.parent.as_ref().is_none_or(|p| task.parent().is_some_and(|d| d.id == *p))
    };
    let mut ids: Vec<TaskId> =
        board.tasks.iter().filter(|(_, v)| passes(&v.state)).map(|(id, _)| id.clone()).collect();
    ids.sort_by_key(|id| board.tasks.get(id).map(|v| (v.state.priority, v.state.created_at)));
    ids
}

/// Whether each of `patterns` matches a label of the task.
pub fn has_labels(task: &Task, patterns: &[Pattern]) -> bool {
    patterns.iter().all(|pattern| task.labels.iter().any(|label| pattern.matches(label.as_str())))
}

/// The tasks whose id, title, description or labels hold every word, without
/// regard to case; best first: in the title before elsewhere.
pub fn search(board: &Board, words: &[String]) -> Vec<TaskId> {
    let words: Vec<String> = words.iter().flat_map(|w| w.split_whitespace()).map(str::to_lowercase).collect();
    let score = |id: &TaskId, task: &Task| -> Option<usize> {
        let title = task.title.to_lowercase();
        let labels: Vec<&str> = task.labels.iter().map(Label::as_str).collect();
        let rest = format!("{id} {} {}", labels.join(" "), task.description.to_lowercase());
        let mut in_title = 0;
        for word in &words {
            if title.contains(word.as_str()) {
                in_title += 1;
            } else if !rest.contains(word.as_str()) {
                return None;
            }
        }
        Some(in_title)
    };
    let mut found: Vec<(usize, TaskId)> =
        board.tasks.iter().filter_map(|(id, v)| Some((score(id, &v.state)?, id.clone()))).collect();
    found.sort_by_key(|(score, id)| {
        let task = board.tasks.get(id).map(|v| (v.state.phase.state.is_closed(), v.state.priority));
        (task.map(|t| t.0), std::cmp::Reverse(*score), task.map(|t| t.1), id.clone())
    });
    found.into_iter().map(|(_, id)| id).collect()
}

/// An event as it is stored.
pub(super) fn to_value<T: serde::Serialize>(event: &T) -> serde_json::Value {
    // Our own types always have a JSON form.
    serde_json::to_value(event).unwrap_or(serde_json::Value::Null)
}

/// The first line that holds anything.
pub(super) fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim()
}

fn check_title(title: &str) -> Result<(), Refusal> {
    if title.trim().is_empty() {
        return Err(Refusal::Empty { what: "title" });
    }
    let len = title.chars().count();
    if len > limits::TITLE {
        return Err(Refusal::TooLarge { what: "title", len, limit: limits::TITLE, unit: "characters" });
    }
    if title.contains(['\n', '\r']) {
        return Err(Refusal::OutOfRange {
            what: "title",
            value: "more than one line".into(),
            range: "one line",
        });
    }
    Ok(())
}

fn check_priority(priority: u8) -> Result<(), Refusal> {
    if priority > 4 {
        return Err(Refusal::OutOfRange { what: "priority", value: priority.to_string(), range: "0 to 4" });
    }
    Ok(())
}

/// A body that must say something and fit.
pub(super) fn check_body(what: &'static str, body: &str) -> Result<(), Refusal> {
    if body.trim().is_empty() {
        return Err(Refusal::Empty { what });
    }
    check_size(what, body, limits::BODY)
}

/// A text that must fit.
pub(super) fn check_size(what: &'static str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() > limit {
        return Err(Refusal::TooLarge { what, len: text.len(), limit, unit: "bytes" });
    }
    Ok(())
}

fn check_count(what: &'static str, len: usize, limit: usize) -> Result<(), Refusal> {
    if len > limit {
        return Err(Refusal::TooLarge { what, len, limit, unit: "entries" });
    }
    Ok(())
}
