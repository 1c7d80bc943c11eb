//! Rules that nothing needs: patterns that match no file, allowances that no
//! import makes use of.

use std::borrow::Cow;

use super::files::Files;
use super::owners::Owners;
use super::rules::{Member, Rules};
use super::{Edge, Target};
use crate::gate::code;
use crate::gate::finding::Finding;
use crate::gate::pattern::{Rule, glob};
use crate::gate::scope::{Domain, Domains, RULES};

/// Looks at the files of a whole tree, and at all its imports if
/// [`Rules::need_all_imports`].
pub fn unused(domains: &Domains, rules: &Rules, files: &Files<'_>, edges: &[Edge]) -> Vec<Finding> {
    let owners = Owners::new(domains);
    let mut findings = Vec::new();
    let mut say = |line: usize, what: String| {
        let how = "mend it, or take it out".to_owned();
        findings.push(Finding::new(code::UNUSED, RULES, what, how).at(line));
    };
    let paths = files.paths();
    for domain in domains.all() {
        for (text, line) in domain.scope.iter().map(|text| (text, domain.scope_line)) {
            let Ok(glob) = glob(text) else { continue };
            let glob = glob.compile_matcher();
            if !paths.iter().any(|path| glob.is_match(&**path)) {
                say(line, format!("no file is in the scope `{text}` of {}", domain.shown()));
            }
        }
        for rule in unmatched_by_imports(domain, &owners, edges) {
            say(
                rule.line,
                format!("nothing in {} imports `{}`, which is allowed", domain.shown(), rule.text),
            );
        }
        for rule in domain.forbidden_imports.iter().filter(|rule| !rule.is_package()) {
            if !has_file(rule, paths, &owners) {
                say(rule.line, format!("`{}`, forbidden to {}, matches no file", rule.text, domain.shown()));
            }
        }
        for rule in &domain.public {
            let mut covered = paths.iter().filter(|path| rule.covers(path, None));
            if !covered.any(|path| owners.domain(path).is_some_and(|owner| owner.name == domain.name)) {
                say(
                    rule.line,
                    format!("`{}`, public in {}, matches no file of it", rule.text, domain.shown()),
                );
            }
        }
    }
    let layers = rules.layers.iter().flat_map(|layers| layers.order.iter().flatten());
    let independent = rules.independent.iter().flat_map(|group| &group.members);
    let acyclic = rules.acyclic.iter().flat_map(|group| &group.members);
    let members: Vec<&Member> = layers.chain(independent).chain(acyclic).collect();
    for member in members {
        if !paths.iter().any(|path| member.has(path, owners.domain(path))) {
            say(member.line, format!("`{}` has no file", member.text));
        }
    }
    for exception in &rules.exceptions {
        let is_needed = |edge: &Edge| {
            let name =
                |path: &str| owners.domain(path_of(files, path)).and_then(|domain| domain.name.as_ref());
            let to = match &edge.target {
                Target::File(path) => name(path),
                _ => None,
            };
            exception.from.covers(&edge.from, name(&edge.from))
                && exception.to.covers(&edge.destination(), to)
        };
        if !edges.iter().any(is_needed) {
            let (from, to) = (&exception.from.text, &exception.to.text);
            say(exception.line, format!("no import is from `{from}` to `{to}`, which is an exception"));
        }
    }
    findings
}

/// The path as the tree has it, which lives as long as the tree.
fn path_of<'e>(files: &'e Files<'_>, path: &str) -> &'e str {
    let paths = files.paths();
    paths.binary_search_by(|known| (**known).cmp(path)).map_or("", |at| &*paths[at])
}

fn has_file<'e>(rule: &Rule, paths: &'e [Cow<'_, str>], owners: &Owners<'_, 'e>) -> bool {
    match rule.named_domain() {
        Some(name) => {
            paths.iter().any(|path| owners.domain(path).is_some_and(|d| d.name.as_ref() == Some(name)))
        }
        None => paths.iter().any(|path| rule.covers(path, None)),
    }
}

/// The entries of `allowed_imports` that no import to elsewhere needs.
fn unmatched_by_imports<'r, 'e>(
    domain: &'r Domain,
    owners: &Owners<'r, 'e>,
    edges: &'e [Edge],
) -> Vec<&'r Rule> {
    let Some(allowed) = &domain.allowed_imports else { return Vec::new() };
    let mut left: Vec<&Rule> = allowed.rules.iter().collect();
    for edge in edges {
        if left.is_empty() {
            break;
        }
        let is_own = |path: &'e str| owners.domain(path).is_some_and(|owner| owner.name == domain.name);
        let to = match &edge.target {
            Target::Builtin | Target::Missing => continue,
            Target::File(path) => owners.domain(path),
            Target::Package(_) => None,
        };
        if !is_own(&edge.from) || to.is_some_and(|to| to.name == domain.name) {
            continue;
        }
        let (name, kind) = (edge.destination(), edge.import.kind.as_str());
        left.retain(|rule| !(rule.kinds.has(kind) && rule.covers(&name, to.and_then(|to| to.name.as_ref()))));
    }
    left
}
