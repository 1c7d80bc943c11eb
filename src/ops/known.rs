//! Names that nobody bears: perhaps slips of the finger. They are taken all
//! the same, because an agent or a domain may come later; the caller is told.

use super::{Context, rules};
use crate::config::Config;
use crate::model::agent::Agent;
use crate::model::names::{AgentName, DomainName};
use crate::store::agent_ref;
use crate::text::similar;

/// Where an unknown name stands, which decides how much it is worth saying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is spoken to: it should be there.
    Addressed,
    /// Work is laid aside for it: often before it comes.
    Planned,
}

/// Says so if no agent goes by this name.
pub fn doubt_agent(context: &Context<'_>, name: &AgentName, used: Use) {
    let store = &context.store;
    let is_registered = agent_ref(name).and_then(|name| store.tip(&name)).is_ok_and(|tip| tip.is_some());
    if is_registered {
        return;
    }
    let rules = current(context);
    let mut names: Vec<String> =
        rules.domains.all().iter().filter_map(|d| d.agent.as_ref()).map(ToString::to_string).collect();
    let registered = store.read_all::<AgentName, Agent>("refs/comm-node/agents/");
    names.extend(registered.into_iter().flat_map(|all| all.records.into_keys()).map(|n| n.to_string()));
    if names.iter().any(|n| n == name.as_str()) {
        return;
    }
    match similar::nearest(name.as_str(), names.iter().map(String::as_str)) {
        Some(meant) => context.notice(format!("nobody is known as `{name}`; did you mean `{meant}`?")),
        None if used == Use::Addressed => context.notice(format!("nobody is known as `{name}` yet")),
        None => {}
    }
}

/// Says so if the rules draw borders, and none around a domain of this name.
pub fn doubt_domain(context: &Context<'_>, name: &DomainName) {
    let rules = current(context);
    if rules.domains.all().is_empty() || rules.domains.get(name).is_some() {
        return;
    }
    let names = rules.domains.all().iter().filter_map(|d| d.name.as_ref()).map(DomainName::as_str);
    let meant = similar::nearest(name.as_str(), names).map(|meant| format!("; did you mean `{meant}`?"));
    context.notice(format!("comm.toml has no domain `{name}`{}", meant.unwrap_or_default()));
}

/// Whoever judges by rules that cannot be read says so.
fn current(context: &Context<'_>) -> Config {
    rules::current(context).unwrap_or_default()
}
