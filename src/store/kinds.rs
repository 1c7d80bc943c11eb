//! The kinds of records and where each lives. One line per kind.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::git::{GitError, RefName};
use crate::model::agent::Agent;
use crate::model::board::{Control, Meta};
use crate::model::entry::Chain;
use crate::model::names::{AgentName, TaskId};
use crate::model::task::Task;

/// All records are under this.
pub const PREFIX: &str = "refs/comm-node/";

/// A kind of record that is changed by swapping its ref.
pub trait Cell: Serialize + DeserializeOwned + Clone {
    /// The word for it in a stored version.
    const KIND: &'static str;
    /// Where the record with this id lives. `id` was checked by its type, or
    /// is a constant.
    fn ref_name(id: &str) -> Result<RefName, GitError>;
}

macro_rules! cells {
    ($($type:ty, $kind:literal, $format:literal;)*) => {
        $(impl Cell for $type {
            const KIND: &'static str = $kind;
            fn ref_name(id: &str) -> Result<RefName, GitError> {
                RefName::new(&format!($format, id))
            }
        })*
    };
}

cells! {
    Meta, "meta", "refs/comm-node/{}";
    Control, "control", "refs/comm-node/{}";
    Task, "task", "refs/comm-node/tasks/{}";
    Agent, "agent", "refs/comm-node/agents/{}";
    Chain, "chain", "refs/comm-node/{}";
}

/// The board's ref.
pub fn meta_ref() -> Result<RefName, StoreError> {
    Ok(Meta::ref_name("meta")?)
}

/// The ref of the person's acts.
pub fn control_ref() -> Result<RefName, StoreError> {
    Ok(Control::ref_name("control")?)
}

/// The ref of a task.
pub fn task_ref(id: &TaskId) -> Result<RefName, StoreError> {
    Ok(Task::ref_name(id.as_str())?)
}

/// The ref of an agent.
pub fn agent_ref(name: &AgentName) -> Result<RefName, StoreError> {
    Ok(Agent::ref_name(name.as_str())?)
}

/// What the refs of tasks start with.
pub fn tasks_prefix() -> &'static str {
    "refs/comm-node/tasks/"
}

/// The task whose ref this is.
pub fn task_id_of(name: &RefName) -> Option<TaskId> {
    name.as_str().strip_prefix(tasks_prefix())?.parse().ok()
}
