//! Two tasks of one id: that of the hub keeps it.
//!
//! The other goes on under the id with the start of its first commit behind
//! it, which every clone that has it computes alike. First it is there under
//! the new name, then the old one is the other task's: whoever is stopped in
//! between does the same again.

use super::deps::Wanted;
use super::sync::Synced;
use super::tasks::{self, Changes};
use super::{Context, board};
use crate::git::{Oid, RefName, Swapped};
use crate::model::event::Edit;
use crate::model::names::TaskId;
use crate::model::task::Dep;
use crate::ops::error::Error;
use crate::store::sharing::{Kind, Standing};
use crate::store::{StoreError, task_ref};

/// Digits of the first commit that are put behind an id.
const DIGITS: usize = 8;

/// The id with the start of a first commit behind it.
fn longer(id: &TaskId, root: &str, name: &RefName) -> Result<TaskId, Error> {
    let longer = format!("{id}-{}", root.get(..DIGITS).unwrap_or(root));
    longer.parse().map_err(|_| {
        let reason = format!("it is another task than ours, and `{longer}` is too long for a name");
        StoreError::Damaged { name: name.to_string(), reason }.into()
    })
}

/// Lets our task make way for theirs. Not, if it changed meanwhile.
pub(super) fn make_way(
    context: &Context<'_>,
    name: &RefName,
    kind: &Kind,
    ours: Oid,
    theirs: Oid,
    synced: &mut Synced,
) -> Result<bool, Error> {
    let store = &context.store;
    let old: TaskId = kind.id.parse()?;
    let root = store.root(name, kind, ours)?.to_string();
    let their_root = store.root(name, kind, theirs)?.to_string();
    let (new, theirs_elsewhere) = (longer(&old, &root, name)?, longer(&old, &their_root, name)?);
    let new_name = task_ref(&new)?;
    // Each of two hubs would have the other's task make way, for ever.
    if store.tip(&task_ref(&theirs_elsewhere)?)?.is_some() {
        let reason = format!(
            "it made way for another task before, as {theirs_elsewhere}, and has its name here again"
        );
        return Err(StoreError::Damaged { name: name.to_string(), reason }.into());
    }
    let new_kind = Kind { id: new.to_string(), ..kind.clone() };
    let renamed = store.rename(name, kind, ours, &new_name, new.as_str())?;
    if store.take(&new_name, Some(&new_kind), None, renamed.tip)? != Swapped::Moved {
        // From an earlier try; it may have gone on since.
        let known = store.tip(&new_name)?.unwrap_or(renamed.tip);
        let standing = store.standing(&new_name, &new_kind, known, renamed.tip)?;
        let next = match standing {
            Standing::Same | Standing::Ahead => None,
            Standing::Behind => Some(renamed.tip),
            Standing::Apart => {
                Some(store.merge(&new_name, &new_kind, known, renamed.tip, store.durability())?)
            }
        };
        if let Some(next) = next
            && store.take(&new_name, Some(&new_kind), Some(known), next)? != Swapped::Moved
        {
            return Ok(false);
        }
    }
    // Edges know the first commit of the task that they lead to. They follow
    // it while the old name is still its own: whoever stops here goes on here.
    for (task, record) in board::Board::load(store)?.tasks {
        let is_ours = |dep: &&Dep| dep.id == old && dep.root == root;
        let edges: Vec<Dep> = record.state.deps.iter().filter(is_ours).cloned().collect();
        if !edges.is_empty() {
            let moved = edges.iter().map(|dep| Wanted { kind: dep.kind, id: new.to_string() }).collect();
            let edit = Edit { remove_deps: edges.iter().cloned().collect(), ..Edit::default() };
            let changes = Changes { edit, add_deps: moved, ..Changes::default() };
            tasks::edit(context, &task, &changes)?;
        }
    }
    if store.take(name, Some(kind), Some(ours), theirs)? != Swapped::Moved {
        return Ok(false);
    }
    synced.renamed.push((old, new));
    Ok(true)
}
