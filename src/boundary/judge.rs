//! May this file import that one?
//!
//! `forbidden_imports` always wins. A domain without `allowed_imports` may
//! import anything, one with it nothing else but itself. `public` binds
//! everybody outside: only those files of a domain may be imported. Layers,
//! independent parts and cycles are judged beside that.

use std::cell::RefCell;

use super::excuses::{self, Excuse, Excuses};
use super::files::Files;
use super::graph::Graph;
use super::groups::Groups;
use super::instead::Instead;
use super::owners::Owners;
use super::rules::{Rules, Weight};
use super::{Edge, Target, chains, cycles};
use crate::gate::baseline::{Baseline, Key};
use crate::gate::code;
use crate::gate::finding::{Crossing, Finding, Severity};
use crate::gate::scope::{Domain, Domains, Owner};
use crate::syntax::Kind;
use crate::text::escape;

/// What is judged.
#[derive(Clone, Copy)]
pub struct Input<'e> {
    /// The sources that are judged: all of a tree, or those of a change.
    pub sources: &'e [&'e str],
    /// What they import.
    pub edges: &'e [Edge],
    /// All files of the tree.
    pub files: &'e Files<'e>,
    /// What imports of other files lead to.
    pub edges_of: &'e dyn Fn(&str) -> Vec<Edge>,
    /// Whether the sources are all of the tree, so that rules over the whole
    /// graph can be judged.
    pub is_whole: bool,
}

/// A violation that passes.
#[derive(Clone, Debug)]
pub struct Excused {
    /// What it is.
    pub finding: Finding,
    /// Why it passes.
    pub excuse: Excuse,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// What breaks the rules.
    pub findings: Vec<Finding>,
    /// What would, but passes.
    pub excused: Vec<Excused>,
    /// What makes each of either the same in another tree; for a baseline.
    pub keys: Vec<Key>,
}

/// Judges imports by these rules.
pub fn judge(domains: &Domains, rules: &Rules, input: Input<'_>, excuses: &Excuses<'_>) -> Judged {
    let court = Court {
        domains,
        rules,
        owners: Owners::new(domains),
        excuses,
        instead: Some(Instead::new(input.files, input.edges_of)),
        judged: RefCell::default(),
    };
    for source in input.sources {
        court.judge_source(source);
    }
    let mut live = Vec::new();
    for edge in input.edges {
        if matches!(edge.target, Target::Missing) {
            court.judge_missing(edge);
        } else if court.is_judged(edge) {
            court.judge_listed(edge);
            live.push(edge);
        }
    }
    let groups = groups(rules);
    for group in &groups {
        for edge in &live {
            court.judge_grouped(group, edge);
        }
    }
    if input.is_whole && rules.need_whole_graph(domains) {
        let graph = Graph::new(live);
        chains::judge(&court, &graph, &groups);
        cycles::judge(&court, &graph);
    }
    court.judged.into_inner()
}

/// What one import breaks by itself, whatever excuses it.
pub fn judge_one(domains: &Domains, rules: &Rules, edge: &Edge) -> Vec<Finding> {
    let nothing = Baseline::default();
    let excuses = Excuses::new([], &nothing);
    let owners = Owners::new(domains);
    let court =
        Court { domains, rules, owners, excuses: &excuses, instead: None, judged: RefCell::default() };
    if matches!(edge.target, Target::Missing) {
        court.judge_missing(edge);
    } else if court.is_judged(edge) {
        court.judge_listed(edge);
        for group in groups(rules) {
            court.judge_grouped(&group, edge);
        }
    }
    court.judged.into_inner().findings
}

fn groups(rules: &Rules) -> Vec<Groups<'_>> {
    let layers = rules.layers.iter().map(Groups::layers);
    layers.chain(rules.independent.iter().map(Groups::independent)).collect()
}

/// An import that breaks a rule, and what is known of it.
pub(super) struct Wrong<'e> {
    pub(super) edge: &'e Edge,
    pub(super) code: &'static str,
    /// What the rule says, in a few words.
    pub(super) verdict: String,
    /// The rule as it is written.
    pub(super) rule: String,
    pub(super) line: usize,
    pub(super) reason: String,
    pub(super) chain: Vec<String>,
}

/// The rules, and what was found by them so far.
pub(super) struct Court<'j> {
    pub(super) domains: &'j Domains,
    pub(super) rules: &'j Rules,
    pub(super) owners: Owners<'j, 'j>,
    pub(super) excuses: &'j Excuses<'j>,
    instead: Option<Instead<'j>>,
    judged: RefCell<Judged>,
}

impl<'j> Court<'j> {
    /// Whether anybody minds what this import leads to.
    fn is_judged(&self, edge: &'j Edge) -> bool {
        let is_minded = self.rules.weight_of(edge.import.kind) != Weight::Nothing
            && !matches!(edge.target, Target::Builtin | Target::Missing);
        is_minded && !self.is_excepted(edge)
    }

    fn is_excepted(&self, edge: &'j Edge) -> bool {
        if self.rules.exceptions.is_empty() {
            return false;
        }
        let from = self.owners.domain(&edge.from).and_then(|domain| domain.name.as_ref());
        let to = self.target_domain(edge).and_then(|domain| domain.name.as_ref());
        let destination = edge.destination();
        self.rules
            .exceptions
            .iter()
            .any(|exception| exception.from.covers(&edge.from, from) && exception.to.covers(&destination, to))
    }

    fn target_domain(&self, edge: &'j Edge) -> Option<&'j Domain> {
        match &edge.target {
            Target::File(path) => self.owners.domain(path),
            _ => None,
        }
    }

    fn judge_source(&self, path: &'j str) {
        let (code, severity, what, how) = match self.owners.of(path) {
            Owner::Domain(_) => return,
            Owner::Tie(one, two) => (
                code::CONTESTED,
                Some(Severity::Error),
                format!("claimed by both {} and {}", one.shown(), two.shown()),
                "make one of their scopes narrower".to_owned(),
            ),
            Owner::Nobody => (
                code::UNOWNED,
                self.rules.unowned.severity(),
                "belongs to no domain".to_owned(),
                "give it to one: widen the scope of a domain, or make another".to_owned(),
            ),
        };
        let Some(severity) = severity else { return };
        let finding = Finding::new(code, path, what, how).weighing(severity);
        let excuse = self.excuses.of_file(code, path);
        let key = code::can_be_excepted(code).then(|| excuses::file_key(path));
        self.settle(finding, excuse, key);
    }

    fn judge_missing(&self, edge: &'j Edge) {
        let is_somebodys = match self.owners.of(&edge.from) {
            Owner::Domain(_) | Owner::Tie(..) => true,
            Owner::Nobody => {
                let layers = self.rules.layers.iter().flat_map(|layers| layers.order.iter().flatten());
                let independent = self.rules.independent.iter().flat_map(|group| &group.members);
                let mut members = layers.chain(independent);
                members.any(|member| member.has(&edge.from, None))
            }
        };
        let weight = if is_somebodys { self.rules.unresolved } else { self.rules.unresolved_elsewhere };
        let Some(severity) = weight.severity().filter(|_| !self.is_excepted(edge)) else { return };
        let wrong = Wrong {
            edge,
            code: code::UNRESOLVED,
            verdict: "there is no such file here".to_owned(),
            rule: String::new(),
            line: 0,
            reason: String::new(),
            chain: Vec::new(),
        };
        self.report(wrong, Some(severity));
    }

    /// By the lists of the two domains.
    fn judge_listed(&self, edge: &'j Edge) {
        let Some(from) = self.owners.domain(&edge.from) else { return };
        let to = self.target_domain(edge);
        if let Some(wrong) = wrong_by_lists(from, to, edge) {
            self.report(wrong, None);
        }
    }

    fn judge_grouped(&self, group: &Groups<'_>, edge: &'j Edge) {
        let Target::File(path) = &edge.target else { return };
        if !group.kinds.has(edge.import.kind.as_str()) {
            return;
        }
        let Some(from) = group.of(&edge.from, self.owners.domain(&edge.from)) else { return };
        let Some(to) = group.of(path, self.owners.domain(path)) else { return };
        if let Some(verdict) = group.forbids(from, to) {
            self.report(group_wrong(group, edge, verdict, Vec::new()), None);
        }
    }

    /// Notes a violation. Its weight is that of its kind of import unless it
    /// is given.
    pub(super) fn report(&self, wrong: Wrong<'j>, severity: Option<Severity>) {
        let edge = wrong.edge;
        let kind = edge.import.kind;
        let Some(severity) = severity.or_else(|| self.rules.weight_of(kind).severity()) else { return };
        let excuse = self.excuses.of(wrong.code, edge);
        let (from, to) = (self.owners.domain(&edge.from), self.target_domain(edge));
        let instead = match (&excuse, wrong.code, from, to, &edge.target) {
            (
                None,
                code::FORBIDDEN | code::NOT_ALLOWED | code::NOT_PUBLIC,
                Some(from),
                Some(to),
                Target::File(path),
            ) => {
                let may = |other: &str| lists_allow(from, to, other, kind);
                self.instead.as_ref().map(|instead| instead.of(edge, path, may)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let crossing = Crossing {
            import: edge.import.specifier.clone(),
            kind: kind.as_str(),
            target: edge.destination(),
            domain: to.map(|to| to.shown().to_owned()).unwrap_or_default(),
            owner: to.map(|to| to.owner.clone()).unwrap_or_default(),
            rule: wrong.rule,
            rule_line: wrong.line,
            reason: wrong.reason,
            instead,
            chain: wrong.chain,
        };
        let place = match wrong.line {
            0 => String::new(),
            line => format!(" (comm.toml:{line})"),
        };
        let what = format!("imports {}: {}{place}", leading(edge, to), wrong.verdict);
        let how = match wrong.code {
            code::UNRESOLVED => "stage the file too, or mend the import".to_owned(),
            code::CYCLE => {
                "take one of these imports out, or move what both need to a third place".to_owned()
            }
            _ => how(from, to),
        };
        let mut finding =
            Finding::new(wrong.code, &*edge.from, what, how).at(edge.import.line).weighing(severity);
        finding.crossing = Some(Box::new(crossing));
        self.settle(finding, excuse, Some(excuses::key(edge)));
    }

    fn settle(&self, finding: Finding, excuse: Option<Excuse>, key: Option<Key>) {
        let mut judged = self.judged.borrow_mut();
        // A suppression is where it belongs, beside the code.
        if !matches!(excuse, Some(Excuse::Allowed(_))) && finding.is_error() {
            judged.keys.extend(key);
        }
        match excuse {
            Some(excuse) => judged.excused.push(Excused { finding, excuse }),
            None => judged.findings.push(finding),
        }
    }
}

/// A violation of a rule over several parts.
pub(super) fn group_wrong<'e>(
    group: &Groups<'_>,
    edge: &'e Edge,
    verdict: String,
    chain: Vec<String>,
) -> Wrong<'e> {
    Wrong {
        edge,
        code: group.code,
        verdict,
        rule: group.text.clone(),
        line: group.line,
        reason: group.reason.to_owned(),
        chain,
    }
}

/// What the lists of two domains say against an import.
fn wrong_by_lists<'e>(from: &Domain, to: Option<&Domain>, edge: &'e Edge) -> Option<Wrong<'e>> {
    let name = edge.destination();
    let kind = edge.import.kind;
    let wrong = |code, verdict, rule: String, line, reason: &str| {
        Some(Wrong { edge, code, verdict, rule, line, reason: reason.to_owned(), chain: Vec::new() })
    };
    let to_name = to.and_then(|to| to.name.as_ref());
    let whose = from.shown();
    let forbidden = from.forbidden_imports.iter();
    let mut forbidden = forbidden.filter(|rule| rule.kinds.has(kind.as_str()) && rule.covers(&name, to_name));
    if let Some(rule) = forbidden.next() {
        let verdict = format!("`{}` is forbidden to {whose}", rule.text);
        return wrong(code::FORBIDDEN, verdict, rule.text.clone(), rule.line, &rule.reason);
    }
    if to.is_some_and(|to| to.name == from.name) {
        return None;
    }
    if let Some(allowed) = &from.allowed_imports {
        let mut listed = allowed.rules.iter().filter(|rule| rule.covers(&name, to_name)).peekable();
        let other_kinds = listed.peek().map(|rule| (rule.text.clone(), rule.line));
        if !listed.any(|rule| rule.kinds.has(kind.as_str())) {
            let (verdict, line) = match other_kinds {
                Some((text, line)) => {
                    (format!("`{text}` is allowed to {whose}, but not as {} import", article(kind)), line)
                }
                None => (format!("not among what {whose} may import"), allowed.line),
            };
            return wrong(code::NOT_ALLOWED, verdict, "allowed_imports".to_owned(), line, "");
        }
    }
    let to = to?;
    let first = to.public.first()?;
    if !to.public.iter().any(|rule| rule.covers(&name, to_name)) {
        let verdict = "not public".to_owned();
        return wrong(code::NOT_PUBLIC, verdict, "public".to_owned(), first.line, "");
    }
    None
}

/// Whether the lists of two domains have nothing against an import of this
/// file.
fn lists_allow(from: &Domain, to: &Domain, path: &str, kind: Kind) -> bool {
    let (name, kind) = (to.name.as_ref(), kind.as_str());
    let covered = |rules: &[crate::gate::pattern::Rule]| {
        rules.iter().any(|rule| rule.kinds.has(kind) && rule.covers(path, name))
    };
    !covered(&from.forbidden_imports)
        && from.allowed_imports.as_ref().is_none_or(|allowed| covered(&allowed.rules))
        && (to.public.is_empty() || to.public.iter().any(|rule| rule.covers(path, name)))
}

fn article(kind: Kind) -> String {
    format!("a {}", kind.as_str())
}

/// What an import leads to, whose that is, and how it is written where that
/// says more.
fn leading(edge: &Edge, to: Option<&Domain>) -> String {
    let spelled = escape::clipped(&edge.import.specifier, 80);
    let target = match &edge.target {
        Target::Builtin | Target::Missing => return format!("`{spelled}`"),
        _ => escape::clipped(&edge.destination(), 160),
    };
    let whose = to.map_or_else(String::new, |to| {
        let owner = if to.owner.is_empty() { String::new() } else { format!(", owner {}", to.owner) };
        format!(" of domain {}{owner}", to.shown())
    });
    let spelled = if edge.target.name() == spelled { String::new() } else { format!(" (`{spelled}`)") };
    format!("{target}{whose}{spelled}")
}

/// Whom to ask.
fn how(from: Option<&Domain>, to: Option<&Domain>) -> String {
    match to {
        Some(to) if !to.hint.is_empty() => to.hint.clone(),
        Some(to) if from.is_none_or(|from| to.name != from.name) => {
            format!("ask: git comm msg send --to domain:{} TEXT", to.shown())
        }
        _ => "ask the person: git comm msg send --to person TEXT".into(),
    }
}
