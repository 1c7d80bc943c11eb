//! What an agent should hear after a shell command, or at a new turn. Advice:
//! it stops nothing.

use super::edit::pause_of;
use super::told;
use crate::git::Change;
use crate::model::entry::Entry;
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::model::task::Task;
use crate::ops::error::{Error, plural};
use crate::ops::identity::Who;
use crate::ops::{Context, agents, commit, given, messages, rules};
use crate::store::{Author, tasks_prefix};
use crate::text::escape;

/// Files named before the rest is only counted.
const SHOWN: usize = 5;

/// After a shell command: files changed outside the scope, claims lost,
/// messages to the agent by name. Each thing is said once.
pub fn shell(context: &Context<'_>) -> Result<String, Error> {
    let Some(author) = agent(context)? else { return Ok(String::new()) };
    let mut things = Vec::new();
    let rules = rules::current(context)?;
    let bound = rules::domains_of(&context.store, &rules, &author.agent)?;
    for path in context.store.repo().changed_files()? {
        let change = Change { path, ..Change::default() };
        let findings = commit::out_of_scope(&rules, &bound, std::slice::from_ref(&change));
        things.extend(findings.into_iter().map(|f| format!("file {f}")));
    }
    let lost = agents::lost(context, &author, true)?;
    things.extend(lost.iter().map(|lost| format!("lost {lost}")));
    let direct = direct_messages(context, &author.agent)?;
    if direct > 0 {
        things.push(format!("messages {direct}"));
    }
    Ok(shell_text(&told::new_ones(context, &things), &bound))
}

fn shell_text(new: &[String], bound: &[DomainName]) -> String {
    let of = |kind: &str| new.iter().filter_map(|t| t.strip_prefix(kind)).collect::<Vec<_>>();
    let (files, lost, messages) = (of("file "), of("lost "), of("messages "));
    let mut lines = Vec::new();
    if !files.is_empty() {
        let domains: Vec<&str> = bound.iter().map(DomainName::as_str).collect();
        let domains =
            if domains.is_empty() { String::new() } else { format!(" (domain {})", domains.join(", ")) };
        lines.push(format!(
            "{} changed outside your scope{domains}; a commit with them is refused:",
            plural(files.len(), "file")
        ));
        lines.extend(files.iter().take(SHOWN).map(|f| format!("  {}", escape::clipped(f, 160))));
        if files.len() > SHOWN {
            lines.push(format!("  and {} more: git status", files.len() - SHOWN));
        }
        lines.push("undo what you changed there, and ask the owner for it: git comm msg send".into());
    }
    lines.extend(lost.iter().map(|lost| lost_line(lost)));
    if let Some(count) = messages.first().and_then(|n| n.parse::<usize>().ok()) {
        lines.push(unread_line(count));
    }
    joined(lines)
}

/// At a new turn: pause, claims lost, tasks handed over, unread messages.
pub fn turn(context: &Context<'_>) -> Result<String, Error> {
    let Some(author) = agent(context)? else { return Ok(String::new()) };
    let mut lines = Vec::new();
    let rules = rules::current(context).unwrap_or_default();
    let bound = rules::domains_of(&context.store, &rules, &author.agent)?;
    if let Some(refusal) = pause_of(context, &author, &bound) {
        lines.push(format!("{}; stop: {}", escape::clipped(&refusal.to_string(), 300), refusal.hint()));
    }
    lines.extend(agents::lost(context, &author, true)?.iter().map(|lost| lost_line(&lost.to_string())));
    let tasks = context.store.read_all::<TaskId, Task>(tasks_prefix())?.records;
    let handed = given::waiting(context, &tasks, &author.agent);
    lines.extend(handed.iter().take(SHOWN).map(ToString::to_string));
    let unread = messages::unread_count(context)?;
    if unread > 0 {
        lines.push(unread_line(unread));
    }
    Ok(joined(lines))
}

fn lost_line(lost: &str) -> String {
    format!("{}; stop working on it, and take another: git comm next", escape::clipped(lost, 200))
}

fn unread_line(count: usize) -> String {
    format!("{}: git comm inbox", plural(count, "unread message"))
}

fn joined(lines: Vec<String>) -> String {
    if lines.is_empty() { String::new() } else { format!("git comm: {}", lines.join("\n")) }
}

/// The agent that asks, on a board; people and scripts are told nothing.
fn agent(context: &Context<'_>) -> Result<Option<Author>, Error> {
    if !context.store.has_board() || !matches!(context.identity.who, Who::Agent(_)) {
        return Ok(None);
    }
    context.identity.author(&context.store).map(Some)
}

/// Unread messages to the agent by its own name.
fn direct_messages(context: &Context<'_>, name: &AgentName) -> Result<usize, Error> {
    let inbox = messages::inbox(context, false, usize::MAX)?;
    let direct = |entry: Entry| matches!(entry, Entry::Send { to, .. } if to == name.as_str());
    Ok(inbox.messages.iter().filter(|link| direct(link.entry())).count())
}
