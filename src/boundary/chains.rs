//! Rules about what is reached through other files.

use super::graph::Graph;
use super::groups::Groups;
use super::judge::{Court, Wrong, group_wrong};
use crate::gate::code;
use crate::gate::pattern::Rule;
use crate::gate::scope::Domain;

/// Judges every rule that is transitive.
pub(super) fn judge<'j>(court: &Court<'j>, graph: &Graph<'j>, groups: &[Groups<'_>]) {
    for domain in court.domains.all() {
        for rule in domain.forbidden_imports.iter().filter(|rule| rule.is_transitive) {
            judge_forbidden(court, graph, domain, rule);
        }
    }
    for group in groups.iter().filter(|group| group.is_transitive) {
        judge_groups(court, graph, group);
    }
}

/// What a domain must not reach. Told is the import by which a way leaves the
/// domain: what goes on within it has an import of its own to tell.
fn judge_forbidden<'j>(court: &Court<'j>, graph: &Graph<'j>, domain: &Domain, rule: &Rule) {
    let owner = |node: usize| graph.nodes[node].path.and_then(|path| court.owners.domain(path));
    let is_own = |node: usize| owner(node).is_some_and(|owner| owner.name == domain.name);
    let is_target: Vec<bool> = (0..graph.nodes.len())
        .map(|node| rule.covers(&graph.nodes[node].name, owner(node).and_then(|owner| owner.name.as_ref())))
        .collect();
    let counts = |edge: usize| rule.kinds.has(graph.edges[edge].import.kind.as_str());
    let ways = graph.ways_to(|node| is_target[node], |node| !is_own(node), counts);
    for (edge, &(from, to)) in graph.ends.iter().enumerate() {
        if !counts(edge) || is_target[to] || ways[to].is_none() || !is_own(from) || is_own(to) {
            continue;
        }
        let chain = graph.names_along(edge, &ways);
        let reached = chain.last().cloned().unwrap_or_default();
        let wrong = Wrong {
            edge: graph.edges[edge],
            code: code::FORBIDDEN,
            verdict: format!("it leads to {reached}, and `{}` is forbidden to {}", rule.text, domain.shown()),
            rule: rule.text.clone(),
            line: rule.line,
            reason: rule.reason.clone(),
            chain,
        };
        court.report(wrong, None);
    }
}

/// Ways from one part to another through files of no part.
fn judge_groups<'j>(court: &Court<'j>, graph: &Graph<'j>, group: &Groups<'_>) {
    let parts: Vec<Option<usize>> = graph
        .nodes
        .iter()
        .map(|node| node.path.and_then(|path| group.of(path, court.owners.domain(path))))
        .collect();
    let counts = |edge: usize| group.kinds.has(graph.edges[edge].import.kind.as_str());
    for part in 0..group.len() {
        let ways = graph.ways_to(
            |node| parts[node] == Some(part),
            |node| parts[node].is_none() && graph.nodes[node].path.is_some(),
            counts,
        );
        for (edge, &(from, to)) in graph.ends.iter().enumerate() {
            let (Some(own), None, Some(_)) = (parts[from], parts[to], ways[to]) else { continue };
            if !counts(edge) {
                continue;
            }
            if let Some(verdict) = group.forbids(own, part) {
                let verdict = format!("it leads to `{}`, and {verdict}", group.name(part));
                court.report(
                    group_wrong(group, graph.edges[edge], verdict, graph.names_along(edge, &ways)),
                    None,
                );
            }
        }
    }
}
