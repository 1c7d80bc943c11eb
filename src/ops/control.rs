//! The person's acts.

use super::Context;
use super::error::Error;
use super::known::{self, Use};
use super::tasks::{check_size, to_value};
use crate::model::board::{Control, ControlEvent, Scope};
use crate::model::limits;
use crate::store::{Decision, Version};

/// Nobody in `scope` may claim until it is resumed. Says whether anything
/// changed.
pub fn pause(context: &Context<'_>, scope: &Scope, reason: &str) -> Result<bool, Error> {
    check_size("reason", reason, limits::REASON)?;
    let event = ControlEvent::Pause { scope: scope.to_string(), reason: reason.to_owned() };
    let done = act(context, scope, &event, "pause", |control, scope| !control.pauses.contains_key(scope))?;
    match scope {
        Scope::All => {}
        Scope::Agent(name) => known::doubt_agent(context, name, Use::Addressed),
        Scope::Domain(name) => known::doubt_domain(context, name),
    }
    Ok(done)
}

/// Ends the pause of exactly this scope. Says whether anything changed.
pub fn resume(context: &Context<'_>, scope: &Scope) -> Result<bool, Error> {
    let event = ControlEvent::Resume { scope: scope.to_string() };
    act(context, scope, &event, "resume", |control, scope| control.pauses.contains_key(scope))
}

fn act(
    context: &Context<'_>,
    scope: &Scope,
    event: &ControlEvent,
    verb: &str,
    applies: impl Fn(&Control, &str) -> bool,
) -> Result<bool, Error> {
    let store = &context.store;
    let author = context.identity.person(&format!("{verb} agents"))?;
    context.require_board()?;
    let scope = scope.to_string();
    let updated = store.update(
        "control",
        &author,
        store.durability(),
        |before: Option<&Version<Control>>, stamp| {
            let mut state = before.map(|v| v.state.clone()).unwrap_or_default();
            if !applies(&state, &scope) {
                return Ok::<_, Error>(Decision::Keep(()));
            }
            state.apply(event, stamp);
            let summary = format!("{verb} {scope} by {}", author.agent);
            Ok(Decision::Write { event: to_value(event), state, summary, guards: Vec::new(), result: () })
        },
    )?;
    Ok(updated.written)
}
