//! May this file import that one?
//!
//! `forbidden_imports` always wins. A domain without `allowed_imports` may
//! import anything, one with it nothing else but itself. `public` binds
//! everybody outside: only those files of a domain may be imported.

use super::{Edge, Target};
use crate::gate::finding::Finding;
use crate::gate::scope::{Domain, Domains, Owner, Rule};
use crate::syntax::Kind;

/// A rule forbids the import.
pub const FORBIDDEN: &str = "B001";
/// No rule allows the import.
pub const NOT_ALLOWED: &str = "B002";
/// What is imported is not public.
pub const NOT_PUBLIC: &str = "B003";
/// What looks like a file of this repository is none.
pub const UNRESOLVED: &str = "B004";
/// A file cannot be read, so that nobody knows what it imports.
pub const UNREADABLE: &str = "B005";

/// Judges every edge whose beginning belongs to a domain.
pub fn judge(domains: &Domains, edges: &[Edge]) -> Vec<Finding> {
    edges.iter().filter_map(|edge| judge_one(domains, edge)).collect()
}

fn judge_one(domains: &Domains, edge: &Edge) -> Option<Finding> {
    let Owner::Domain(from) = domains.owner(edge.from.as_bytes()) else { return None };
    // A module of its own in another file is its author's, not an import.
    if edge.import.kind == Kind::Part && !matches!(edge.target, Target::Missing) {
        return None;
    }
    let (name, to) = match &edge.target {
        Target::Builtin => return None,
        Target::Missing => {
            let what = format!("imports `{}`, and there is no such file here", shown(edge));
            return Some(finding(edge, UNRESOLVED, what, "stage the file too, or mend the import".into()));
        }
        Target::Package(package) => (format!("pkg:{package}"), None),
        Target::File(path) => match domains.owner(path.as_bytes()) {
            Owner::Domain(to) => (path.clone(), Some(to)),
            _ => (path.clone(), None),
        },
    };
    let whose = to.map_or_else(String::new, |to| format!(" of domain {}{}", to.shown(), owner(to)));
    if let Some(rule) = from.forbidden_imports.iter().find(|rule| rule.matches(&name)) {
        let what = format!(
            "imports {name}{whose}, which `{}` forbids to {} (comm.toml:{})",
            rule.text,
            from.shown(),
            rule.line
        );
        return Some(finding(edge, FORBIDDEN, what, how(from, to)));
    }
    if to.is_some_and(|to| to.name == from.name) {
        return None;
    }
    if let Some(allowed) = &from.allowed_imports
        && !allowed.rules.iter().any(|rule| rule.matches(&name))
    {
        let what = format!(
            "imports {name}{whose}, which is not among what {} may import (comm.toml:{})",
            from.shown(),
            allowed.line
        );
        return Some(finding(edge, NOT_ALLOWED, what, how(from, to)));
    }
    if let Some(to) = to
        && let Some(first) = to.public.first()
        && !to.public.iter().any(|rule| rule.matches(&name))
    {
        let what = format!("imports {name}{whose}, which is not public (comm.toml:{})", first.line);
        return Some(finding(edge, NOT_PUBLIC, what, how(from, Some(to))));
    }
    None
}

fn finding(edge: &Edge, code: &'static str, what: String, how: String) -> Finding {
    Finding { code, path: edge.from.as_bytes().to_vec(), line: edge.import.line, commit: None, what, how }
}

fn shown(edge: &Edge) -> String {
    crate::text::escape::clipped(&edge.import.specifier, 80)
}

fn owner(domain: &Domain) -> String {
    if domain.owner.is_empty() { String::new() } else { format!(", owner {}", domain.owner) }
}

/// Whom to ask, and what to do instead.
fn how(from: &Domain, to: Option<&Domain>) -> String {
    match to {
        Some(to) if !to.hint.is_empty() => to.hint.clone(),
        Some(to) if to.name != from.name => {
            let public: Vec<&str> = to.public.iter().map(|rule: &Rule| rule.text.as_str()).take(3).collect();
            let public =
                if public.is_empty() { String::new() } else { format!("use {}; or ", public.join(", ")) };
            format!("{public}ask: git comm msg send --to domain:{} TEXT", to.shown())
        }
        _ => "ask the person: git comm msg send --to person TEXT".into(),
    }
}
