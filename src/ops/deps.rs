//! Edges between tasks: what was asked for, what it closes, what it shows.

use std::collections::BTreeSet;
use std::fmt;

use super::error::Error;
use super::tasks::Changes;
use super::{Context, resolve};
use crate::model::event::Edit;
use crate::model::graph;
use crate::model::limits;
use crate::model::names::TaskId;
use crate::model::refusal::Refusal;
use crate::model::task::{Dep, DepType, Task};
use crate::store::{Version, Watched, task_ref};

/// An edge as typed: `[TYPE:]ID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What the edge means.
    pub kind: DepType,
    /// The other task, as typed.
    pub id: String,
}

impl std::str::FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((kind, id)) => Ok(Self { kind: kind.parse()?, id: id.to_owned() }),
            None => Ok(Self { kind: DepType::Blocks, id: text.to_owned() }),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

type Guards = Vec<Watched>;

/// Finds the tasks that edges from `from` lead to and refuses the edge that
/// would close a cycle. Every task that was looked at is a guard of the
/// write, so that two edits that cross cannot close a cycle between them.
pub fn resolve(
    context: &Context<'_>,
    from: &TaskId,
    wanted: &[Wanted],
) -> Result<(BTreeSet<Dep>, Guards), Error> {
    let mut deps = BTreeSet::new();
    let mut guards = Guards::new();
    for wanted in wanted {
        let id = match wanted.id.parse::<TaskId>() {
            Ok(id) if id == *from => id,
            _ => resolve::task(context, &wanted.id)?,
        };
        if matches!(wanted.kind, DepType::Blocks | DepType::Parent) {
            refuse_cycle(context, from, &id, wanted.kind, &mut guards)?;
        } else if id == *from {
            return Err(Refusal::Cycle { task: from.clone(), path: vec![id.clone(), id] }.into());
        }
        let root = root_of(context, &id)?;
        deps.insert(Dep { kind: wanted.kind, id, root });
    }
    if deps.iter().filter(|d| d.kind == DepType::Parent).count() > 1 {
        return Err(Error::usage("a task has one parent", "name one: --parent ID"));
    }
    guards.sort();
    guards.dedup();
    Ok((deps, guards))
}

fn refuse_cycle(
    context: &Context<'_>,
    from: &TaskId,
    to: &TaskId,
    kind: DepType,
    guards: &mut Guards,
) -> Result<(), Error> {
    let mut looked_at = 0usize;
    let found = graph::cycle_through(from, to, |id| {
        looked_at += 1;
        if looked_at > limits::CYCLE_WALK {
            return Err(Error::Refused(Refusal::TooLarge {
                what: "the chain of dependencies",
                len: looked_at,
                limit: limits::CYCLE_WALK,
                unit: "tasks",
            }));
        }
        // A task that cannot be read has no edges that could be followed.
        let version = context.store.read::<Task>(id.as_str())?;
        guards.push((task_ref(id)?, version.as_ref().map(|v| v.oid)));
        Ok(version.map(|v| graph::edges_of(&v.state, kind)).unwrap_or_default())
    })?;
    match found {
        Some(path) => Err(Refusal::Cycle { task: from.clone(), path }.into()),
        None => Ok(()),
    }
}

/// The first commit of a task.
fn root_of(context: &Context<'_>, id: &TaskId) -> Result<String, Error> {
    let name = task_ref(id)?;
    let mut version: Version<Task> = super::tasks::read(context, id)?;
    while let Some(&parent) = version.parents.first() {
        version = context.store.version(&name, id.as_str(), parent)?;
    }
    Ok(version.oid.to_string())
}

/// The whole edit that `changes` asks of a task, its edges resolved.
pub fn complete(
    context: &Context<'_>,
    id: &TaskId,
    task: &Task,
    changes: &Changes,
) -> Result<(Edit, Guards), Error> {
    let mut edit = changes.edit.clone();
    let mut wanted = changes.add_deps.clone();
    let remove_parent = |edit: &mut Edit| edit.remove_deps.extend(task.parent().cloned());
    match &changes.parent {
        None => {}
        Some(None) => remove_parent(&mut edit),
        Some(Some(parent)) => wanted.push(Wanted { kind: DepType::Parent, id: parent.clone() }),
    }
    let (add, guards) = resolve(context, id, &wanted)?;
    if add.iter().any(|d| d.kind == DepType::Parent && !task.deps.contains(d)) {
        remove_parent(&mut edit);
    }
    edit.add_deps = add;
    for wanted in &changes.remove_deps {
        let target = resolve::task(context, &wanted.id)?;
        let mut matching =
            task.deps.iter().filter(|d| d.kind == wanted.kind && d.id == target).cloned().peekable();
        if matching.peek().is_none() {
            return Err(Error::unknown("dependency", &format!("{} {}", wanted.kind.as_str(), target)));
        }
        edit.remove_deps.extend(matching);
    }
    Ok((edit, guards))
}
