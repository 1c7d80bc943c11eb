//! Messages and notes, on chains that only this clone writes.

use std::collections::BTreeMap;

use super::Context;
use super::error::Error;
use super::known::{self, Use};
use super::tasks::{check_body, first_line, retry_key, to_value};
use crate::git::{Oid, RefName};
use crate::model::agent::{Agent, AgentEvent};
use crate::model::entry::{Entry, Reader, Recipient};
use crate::model::names::TaskId;
use crate::store::{Decision, Link, StoreError, Unread, Version, is_unwritable};
use crate::text::escape;

/// Sends a message. Says whether it is a new one rather than a retry.
pub fn send(
    context: &Context<'_>,
    to: &Recipient,
    body: &str,
    key: Option<&str>,
) -> Result<(Link, bool), Error> {
    let author = context.identity.author(&context.store)?;
    check_body("message", body)?;
    context.require_board()?;
    let target = to.to_string();
    let (key, lasts) = retry_key("send", &author.agent, &target, body, key)?;
    let summary = format!("message to {target}: {}", escape::clipped(first_line(body), 100));
    let entry = Entry::Send { to: target, body: body.to_owned(), key: key.clone() };
    let since = context.store.env().now().minus(lasts);
    let sent = context.store.append("messages", &author, &entry, &summary, since, |e| e.key() == key)?;
    match to {
        Recipient::Agent(name) => known::doubt_agent(context, name, Use::Addressed),
        Recipient::Domain(name) => known::doubt_domain(context, name),
        Recipient::All | Recipient::Person => {}
    }
    Ok(sent)
}

/// Writes a note into the log. Says whether it is a new one.
pub fn note(
    context: &Context<'_>,
    task: Option<&TaskId>,
    body: &str,
    key: Option<&str>,
) -> Result<(Link, bool), Error> {
    let author = context.identity.author(&context.store)?;
    check_body("note", body)?;
    context.require_board()?;
    let target = task.map(ToString::to_string).unwrap_or_default();
    let (key, lasts) = retry_key("note", &author.agent, &target, body, key)?;
    let summary = format!("note: {}", escape::clipped(first_line(body), 100));
    let entry = Entry::Note { body: body.to_owned(), task: task.cloned(), key: key.clone() };
    let since = context.store.env().now().minus(lasts);
    Ok(context.store.append("log", &author, &entry, &summary, since, |e| e.key() == key)?)
}

/// What an inbox shows.
#[derive(Debug)]
pub struct Inbox {
    /// Messages for the reader, oldest first.
    pub messages: Vec<Link>,
    /// How many more are unread beyond those.
    pub more: usize,
    /// Chains that could not be read.
    pub damaged: Vec<StoreError>,
    cursors: BTreeMap<String, String>,
}

/// The messages for the caller that it was not shown yet, or all of them,
/// at most `limit` of them, oldest first.
pub fn inbox(context: &Context<'_>, all: bool, limit: usize) -> Result<Inbox, Error> {
    let store = &context.store;
    let author = context.identity.author(store)?;
    let record = store.read::<Agent>(author.agent.as_str())?.map(|v| v.state).unwrap_or_default();
    let mut reader = Reader {
        name: author.agent.clone(),
        domains: record.domain.iter().cloned().collect(),
        is_person: context.identity.is_person() || super::identity::is_person_record(&record),
    };
    let cursor = |name: &RefName| -> Option<Oid> {
        let short = name.as_str().strip_prefix(crate::store::PREFIX)?;
        if all { None } else { store.repo().parse_oid(record.cursors.get(short)?).ok() }
    };
    let Unread { links, tips, damaged } = store.unread("messages", cursor)?;
    let is_to_domain =
        |link: &Link| matches!(link.entry(), Entry::Send { to, .. } if to.starts_with("domain:"));
    if links.iter().any(is_to_domain) {
        reader.domains.extend(super::rules::works_in(context, &author.agent)?);
    }
    let is_for_reader = |link: &Link| match link.entry() {
        Entry::Send { to, .. } => to.parse::<Recipient>().is_ok_and(|to| to.includes(&reader)),
        _ => false,
    };
    let mut messages: Vec<Link> = links.iter().filter(|l| is_for_reader(l)).cloned().collect();
    sort(&mut messages);
    let more = messages.len().saturating_sub(limit);
    messages.truncate(limit);
    let cursors =
        if more == 0 { tips.into_iter().collect() } else { cut(&links, &tips, &messages, is_for_reader) };
    let cursors = cursors
        .into_iter()
        .filter_map(|(name, oid)| {
            Some((name.as_str().strip_prefix(crate::store::PREFIX)?.to_owned(), oid.to_string()))
        })
        .filter(|(name, oid)| record.cursors.get(name) != Some(oid))
        .collect();
    Ok(Inbox { messages, more, damaged, cursors })
}

/// Where each chain was read up to when only `shown` was shown: before its
/// first message for the reader that was not.
fn cut(
    links: &[Link],
    tips: &[(RefName, Oid)],
    shown: &[Link],
    is_for_reader: impl Fn(&Link) -> bool,
) -> BTreeMap<RefName, Oid> {
    let mut cursors = BTreeMap::new();
    for (name, tip) in tips {
        let mut chain = links.iter().filter(|l| l.chain == *name).peekable();
        if chain.peek().is_none() {
            cursors.insert(name.clone(), *tip);
        }
        for link in chain {
            let was_shown = shown.iter().any(|s| s.version.oid == link.version.oid);
            if is_for_reader(link) && !was_shown {
                break;
            }
            cursors.insert(name.clone(), link.version.oid);
        }
    }
    cursors
}

/// Remembers that the inbox was shown. Called after the output was flushed,
/// so that a message is shown at least once.
pub fn mark_read(context: &Context<'_>, inbox: &Inbox) -> Result<(), Error> {
    if inbox.cursors.is_empty() {
        return Ok(());
    }
    let store = &context.store;
    let author = context.identity.author(store)?;
    let is_person = context.identity.is_person();
    let event = AgentEvent::Read { cursors: inbox.cursors.clone() };
    let written = store.update(
        author.agent.as_str(),
        &author,
        crate::git::Durability::Process,
        |before: Option<&Version<Agent>>, stamp| {
            let mut state = before.map(|v| v.state.clone()).unwrap_or_default();
            state.apply(&event, stamp);
            if is_person {
                state.extra.insert("person".into(), true.into());
            }
            let summary = format!("read {}", author.agent);
            Ok::<_, Error>(Decision::Write {
                event: to_value(&event),
                state,
                summary,
                guards: Vec::new(),
                result: (),
            })
        },
    );
    match written {
        // The messages were shown; they will be shown again.
        Err(Error::Store(error)) if is_unwritable(&error) => {
            context.notice("these messages stay unread: the store cannot be written".into());
            Ok(())
        }
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// How many messages wait for the caller.
pub fn unread_count(context: &Context<'_>) -> Result<usize, Error> {
    Ok(inbox(context, false, 0)?.more)
}

/// Causal order: the hybrid clock, then the writer's clone and nonce.
pub(super) fn sort(links: &mut [Link]) {
    links.sort_by(|a, b| {
        let key = |l: &Link| (l.version.head.at, l.version.head.clone.clone(), l.version.head.nonce.clone());
        key(a).cmp(&key(b))
    });
}
