//! From what a caller typed to the task that it means.

use super::board::Board;
use super::error::Error;
use super::{Context, losses};
use crate::model::names::TaskId;
use crate::model::task::Task;
use crate::store::{task_ref, tasks_prefix};
use crate::text::escape;

/// The task that `text` names: its id, its number, or a prefix of its id that
/// only one task has.
pub fn task(context: &Context<'_>, text: &str) -> Result<TaskId, Error> {
    let id = match text.parse::<TaskId>() {
        Ok(id) => id,
        Err(error) => {
            // The likeliest slip is case.
            let lower = text.to_ascii_lowercase();
            return match lower.parse::<TaskId>() {
                Ok(meant) if context.store.tip(&task_ref(&meant)?)?.is_some() => Err(Error::usage(
                    format!("`{}` is no id: ids are lower case", escape::clipped(text, 80)),
                    format!("did you mean `{meant}`?"),
                )),
                _ => Err(error.into()),
            };
        }
    };
    if is_known(context, &id)? {
        return Ok(id);
    }
    let prefix = context.store.meta().map(|m| m.prefix);
    if text.bytes().all(|b| b.is_ascii_digit())
        && let Some(id) = prefix.and_then(|p| format!("{p}-{text}").parse::<TaskId>().ok())
        && is_known(context, &id)?
    {
        return Ok(id);
    }
    let mut among: Vec<TaskId> = all_ids(context)?.into_iter().filter(|id| id.has_prefix(text)).collect();
    match (among.pop(), among.is_empty()) {
        (Some(id), true) => Ok(id),
        (Some(last), false) => {
            among.push(last);
            Err(Error::Ambiguous { name: text.to_owned(), among })
        }
        (None, _) if context.store.is_unadopted() => Err(Error::NoBoard),
        (None, _) => Err(Error::unknown("task", text)),
    }
}

/// As [`task`] for several.
pub fn tasks(context: &Context<'_>, texts: &[String]) -> Result<Vec<TaskId>, Error> {
    texts.iter().map(|text| task(context, text)).collect()
}

/// The task named, or else the one task that the caller's session holds.
pub fn task_or_mine(context: &Context<'_>, text: Option<&str>) -> Result<TaskId, Error> {
    match text {
        Some(text) => task(context, text),
        None => mine(context),
    }
}

/// As [`task_or_mine`], for what only a holder does: a session that lost what
/// it held is told so.
pub fn task_to_act_on(context: &Context<'_>, text: Option<&str>) -> Result<TaskId, Error> {
    told_of_loss(context, task_or_mine(context, text))
}

/// As [`task_to_act_on`], for a task that was handed over too.
pub fn task_to_renew(context: &Context<'_>, text: Option<&str>) -> Result<TaskId, Error> {
    told_of_loss(context, task_or_handed(context, text))
}

fn told_of_loss(context: &Context<'_>, found: Result<TaskId, Error>) -> Result<TaskId, Error> {
    if matches!(&found, Err(Error::NoSingleTask { held }) if held.is_empty()) {
        losses::refuse(context, &context.identity.author(&context.store)?)?;
    }
    found
}

/// As [`task_or_mine`]; who holds none has the one that was handed to it.
pub fn task_or_handed(context: &Context<'_>, text: Option<&str>) -> Result<TaskId, Error> {
    match task_or_mine(context, text) {
        Err(Error::NoSingleTask { held }) if held.is_empty() => {
            let author = context.identity.author(&context.store)?;
            one(context, Board::load(&context.store)?.held_by(&author.agent, ""))
        }
        other => other,
    }
}

/// The one task that the caller's session holds.
pub fn mine(context: &Context<'_>) -> Result<TaskId, Error> {
    let author = context.identity.author(&context.store)?;
    one(context, held(context, &author)?)
}

fn one(context: &Context<'_>, mut held: Vec<TaskId>) -> Result<TaskId, Error> {
    match (held.pop(), held.is_empty()) {
        (Some(id), true) => Ok(id),
        (None, _) if context.store.is_unadopted() => Err(Error::NoBoard),
        (last, _) => {
            held.extend(last);
            Err(Error::NoSingleTask { held })
        }
    }
}

/// The tasks that this session holds.
pub fn held(context: &Context<'_>, author: &crate::store::Author) -> Result<Vec<TaskId>, Error> {
    // What the session remembers is quick to check; the records decide.
    let remembered = context.store.presence(&author.session).map(|p| p.held).unwrap_or_default();
    let mut held = Vec::new();
    for id in remembered.into_keys() {
        let claim = context.store.read::<Task>(id.as_str())?.and_then(|v| v.state.phase.claim);
        if claim.is_some_and(|c| c.is_of(&author.agent, &author.session)) {
            held.push(id);
        }
    }
    if held.is_empty() {
        held = Board::load(&context.store)?.held_by(&author.agent, &author.session);
    }
    Ok(held)
}

/// Whether there is a task with exactly this id.
fn is_known(context: &Context<'_>, id: &TaskId) -> Result<bool, Error> {
    Ok(context.store.tip(&task_ref(id)?)?.is_some())
}

/// The ids of all tasks.
pub fn all_ids(context: &Context<'_>) -> Result<Vec<TaskId>, Error> {
    let refs = context.store.repo().list_refs(tasks_prefix())?;
    Ok(refs.iter().filter_map(|(name, _)| crate::store::task_id_of(name)).collect())
}
