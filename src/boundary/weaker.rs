//! Does a change make the rules weaker?
//!
//! By what the rules say, not by what the code does: what was forbidden and
//! no longer is, whether or not a file makes use of it. Not knowing whether a
//! glob is as wide as another counts as weaker.

use std::collections::{BTreeMap, BTreeSet};

use super::groups::Groups;
use super::rules::{Acyclic, Layers, Member, Rules, Weight};
use crate::gate::code;
use crate::gate::finding::Finding;
use crate::gate::pattern::{Kinds, Rule, is_within};
use crate::gate::scope::{Domain, Domains, RULES};
use crate::model::names::DomainName;

/// The rules of one `comm.toml`.
pub type Book<'r> = (&'r Domains, &'r Rules);

/// Everything that `after` lets pass and `before` did not.
pub fn weaker(before: Book<'_>, after: Book<'_>) -> Vec<Finding> {
    let mut said = Said::default();
    for domain in before.0.all() {
        match domain.name.as_ref().and_then(|name| after.0.get(name)) {
            Some(now) => domains(&mut said, domain, now),
            None => said.gone(domain.line, format!("domain {} is gone", domain.shown())),
        }
    }
    taken_over(&mut said, before.0, after.0);
    // Rules that said nothing had no options in force.
    if before.1.say_something(before.0) {
        options(&mut said, before.1, after.1);
    }
    pairs(&mut said, before.1, after.1);
    moved(&mut said, before, after);
    cycles(&mut said, before.1, after.1);
    for exception in &after.1.exceptions {
        let same = |old: &&super::rules::Exception| {
            is_within(&exception.from.text, &old.from.text) && is_within(&exception.to.text, &old.to.text)
        };
        if !before.1.exceptions.iter().any(|old| same(&old)) {
            let what = format!("new exception from `{}` to `{}`", exception.from.text, exception.to.text);
            said.at(exception.line, what);
        }
    }
    said.findings
}

#[derive(Default)]
struct Said {
    findings: Vec<Finding>,
}

impl Said {
    /// Something that the new rules say, at their line.
    fn at(&mut self, line: usize, what: String) {
        let how = "the person decides which rules there are: git comm msg send --to person TEXT".to_owned();
        let what = format!("weakens the rules: {what}");
        self.findings.push(Finding::new(code::WEAKENED, RULES, what, how).at(line));
    }

    /// Something that the old rules said at `line`, and nothing says now.
    fn gone(&mut self, line: usize, what: String) {
        self.at(0, format!("{what} (it was comm.toml:{line})"));
    }
}

fn domains(said: &mut Said, before: &Domain, after: &Domain) {
    let name = after.shown();
    for old in &before.forbidden_imports {
        let holds = |new: &&Rule| {
            is_within(&old.text, &new.text)
                && new.kinds.holds(old.kinds)
                && (new.is_transitive || !old.is_transitive)
        };
        if !after.forbidden_imports.iter().any(|new| holds(&new)) {
            said.gone(old.line, format!("`{}` is no longer forbidden to {name}", old.text));
        }
    }
    match (&before.allowed_imports, &after.allowed_imports) {
        (Some(old), None) => said.gone(old.line, format!("{name} may import anything")),
        (Some(old), Some(new)) => {
            wider(said, &old.rules, &new.rules, |rule| format!("{name} may import `{}`", rule.text))
        }
        (None, _) => {}
    }
    match (before.public.first(), after.public.is_empty()) {
        (Some(old), true) => said.gone(old.line, format!("all of {name} is public")),
        (Some(_), false) => {
            wider(said, &before.public, &after.public, |rule| format!("`{}` of {name} is public", rule.text))
        }
        (None, _) => {}
    }
    if is_bound(before) {
        for old in before.scope.iter().filter(|old| !after.scope.iter().any(|new| is_within(old, new))) {
            said.at(after.scope_line, format!("files of `{old}` no longer belong to {name}"));
        }
    }
}

/// Entries that none of the old ones holds.
fn wider(said: &mut Said, old: &[Rule], new: &[Rule], what: impl Fn(&Rule) -> String) {
    for rule in new {
        let holds = |old: &&Rule| is_within(&rule.text, &old.text) && old.kinds.holds(rule.kinds);
        if !old.iter().any(|old| holds(&old)) {
            said.at(rule.line, what(rule));
        }
    }
}

/// Whether rules say what files of the domain may import, or who may import
/// them.
fn is_bound(domain: &Domain) -> bool {
    domain.allowed_imports.is_some() || !domain.forbidden_imports.is_empty() || !domain.public.is_empty()
}

/// Scopes that take files out of a domain with rules.
fn taken_over(said: &mut Said, before: &Domains, after: &Domains) {
    for domain in after.all() {
        let old = domain.name.as_ref().and_then(|name| before.get(name));
        let is_new =
            |glob: &&String| old.is_none_or(|old| !old.scope.iter().any(|known| is_within(glob, known)));
        for glob in domain.scope.iter().filter(is_new) {
            let loses = |other: &&Domain| {
                other.name != domain.name
                    && is_bound(other)
                    && other.scope.iter().any(|known| is_within(glob, known))
            };
            if let Some(other) = before.all().iter().find(loses) {
                let what = format!("`{glob}` of {} takes files of {}", domain.shown(), other.shown());
                said.at(domain.scope_line, what);
            }
        }
    }
}

fn options(said: &mut Said, before: &Rules, after: &Rules) {
    let weights: [(&str, Weight, Weight); 7] = [
        ("unowned", before.unowned, after.unowned),
        ("unresolved", before.unresolved, after.unresolved),
        ("unresolved", before.unresolved_elsewhere, after.unresolved_elsewhere),
        ("unused", before.unused, after.unused),
        ("type_imports", before.type_imports, after.type_imports),
        ("dynamic_imports", before.dynamic_imports, after.dynamic_imports),
        ("mocks", before.mocks, after.mocks),
    ];
    let mut looser: Vec<&str> =
        weights.iter().filter(|(_, old, new)| new < old).map(|(key, ..)| *key).collect();
    looser.dedup();
    for key in looser {
        said.at(0, format!("`[boundary] {key}` is looser"));
    }
    for root in before.python_roots.iter().filter(|root| !after.python_roots.contains(root)) {
        said.at(0, format!("`{root}` is no longer among `[boundary] python_roots`"));
    }
}

/// From one part to another, as they are written.
type Pair = (String, String);

/// What must not import what by all layers and independent parts.
fn forbidden_pairs(rules: &Rules) -> BTreeMap<Pair, Vec<(Kinds, bool, usize)>> {
    let layers = rules.layers.iter().map(Groups::layers);
    let mut pairs: BTreeMap<Pair, Vec<(Kinds, bool, usize)>> = BTreeMap::new();
    for group in layers.chain(rules.independent.iter().map(Groups::independent)) {
        for from in 0..group.len() {
            for to in (0..group.len()).filter(|to| group.forbids(from, *to).is_some()) {
                let pair = (group.name(from).to_owned(), group.name(to).to_owned());
                pairs.entry(pair).or_default().push((group.kinds, group.is_transitive, group.line));
            }
        }
    }
    pairs
}

fn pairs(said: &mut Said, before: &Rules, after: &Rules) {
    let new = forbidden_pairs(after);
    for (pair, old) in forbidden_pairs(before) {
        let now = new.get(&pair).map(Vec::as_slice).unwrap_or_default();
        for (kinds, is_transitive, line) in old {
            let holds = |(other, reaches, _): &(Kinds, bool, usize)| {
                other.holds(kinds) && (*reaches || !is_transitive)
            };
            if !now.iter().any(holds) {
                said.gone(line, format!("`{}` may import `{}`", pair.0, pair.1));
            }
        }
    }
}

/// Every two parts of the same layers that are not side by side, in the order
/// in which they are written.
fn successive(layers: &Layers) -> impl Iterator<Item = (&Member, &Member)> {
    let parts =
        layers.order.iter().enumerate().flat_map(|(at, layer)| layer.iter().map(move |part| (part, at)));
    let parts: Vec<(&Member, usize)> = parts.collect();
    let later = |at: usize| parts.get(at + 1..).unwrap_or_default().to_vec();
    let pairs: Vec<_> = parts.iter().enumerate().map(|(at, part)| (*part, later(at))).collect();
    pairs.into_iter().flat_map(|((part, layer), later)| {
        later.into_iter().filter(move |(_, other)| *other != layer).map(move |(other, _)| (part, other))
    })
}

/// Parts of layers that stand before another one where they did not, and take
/// files of it: a file belongs to the first that has it.
fn moved(said: &mut Said, before: Book<'_>, after: Book<'_>) {
    let globs = |domains: &Domains, part: &Member| match part.text.parse::<DomainName>() {
        Ok(name) => domains.get(&name).map(|domain| domain.scope.clone()).unwrap_or_default(),
        Err(_) => vec![part.text.clone()],
    };
    let known: BTreeSet<(&str, &str)> =
        before.1.layers.iter().flat_map(successive).map(|(one, other)| (&*one.text, &*other.text)).collect();
    let parts = before.1.layers.iter().flat_map(|layers| layers.order.iter().flatten());
    let old: BTreeMap<&str, &Member> = parts.map(|part| (part.text.as_str(), part)).collect();
    for (one, other) in after.1.layers.iter().flat_map(successive) {
        let Some(was) = old.get(other.text.as_str()) else { continue };
        let held = globs(before.0, was);
        let takes = globs(after.0, one).iter().any(|glob| held.iter().any(|held| is_within(glob, held)));
        if takes && !known.contains(&(&one.text, &other.text)) {
            said.at(one.line, format!("layer `{}` takes files of `{}`", one.text, other.text));
        }
    }
}

fn cycles(said: &mut Said, before: &Rules, after: &Rules) {
    for old in &before.acyclic {
        let holds = |new: &&Acyclic| {
            let has = |text: &str| new.members.iter().any(|member| member.text == text);
            let is_as_wide = new.members.is_empty()
                || !old.members.is_empty() && old.members.iter().all(|member| has(&member.text));
            new.is_of_files == old.is_of_files && new.kinds.holds(old.kinds) && is_as_wide
        };
        if !after.acyclic.iter().any(|new| holds(&new)) {
            said.gone(old.line, "cycles are allowed where they were not".to_owned());
        }
    }
}
