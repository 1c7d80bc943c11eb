//! May this import that? Which rule says so, and does it already?

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::graph::Seen;
use crate::boundary::{Edge, Target, judge};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::gate::scope::{Domain, Domains, Owner};
use crate::ops::error::Error;
use crate::syntax::{Import, Kind};
use crate::text::{escape, similar};

/// One end of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// A domain of `comm.toml`.
    Domain(String),
    /// A file.
    File(String),
    /// The files below a folder.
    Folder(String),
    /// A package from elsewhere.
    Package(String),
}

impl Side {
    /// What kind of thing it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Domain(_) => "domain",
            Self::File(_) => "file",
            Self::Folder(_) => "folder",
            Self::Package(_) => "package",
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Domain(name) | Self::File(name) | Self::Folder(name) | Self::Package(name) => name,
        }
    }
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Who would import.
    pub from: Side,
    /// What would be imported.
    pub to: Side,
    /// Whether it may.
    pub allowed: bool,
    /// Why, with the line of `comm.toml` that says so.
    pub why: String,
    /// What is found in such an import, if it may not be.
    pub finding: Option<Finding>,
    /// Those files that may be imported, where others of them may not.
    pub only: Vec<String>,
    /// The imports that there are.
    pub imports: Vec<Edge>,
    /// Where there are none: the shortest way from one to the other.
    pub chain: Vec<Edge>,
}

/// Answers for what two names stand for in a tree.
pub fn explain(seen: &Seen, rules: &Config, from: &str, to: &str) -> Result<Explained, Error> {
    let domains = &rules.domains;
    let (from, to) = (side(seen, domains, from)?, side(seen, domains, to)?);
    if let Side::Package(name) = &from {
        let what = format!("what the package `{}` imports is not known here", escape::clipped(name, 80));
        return Err(Error::usage(
            what,
            "name a file, a folder or a domain first: git comm boundary explain FROM TO",
        ));
    }
    let sources = files_of(seen, domains, &from, true);
    let targets: Vec<Target> = match &to {
        Side::Package(name) => vec![Target::Package(name.clone())],
        _ => {
            files_of(seen, domains, &to, true).into_iter().map(|path| Target::File(path.to_owned())).collect()
        }
    };
    if sources.is_empty() || targets.is_empty() {
        let empty = if sources.is_empty() { &from } else { &to };
        let what = format!("the {} `{}` has no files", empty.kind(), escape::clipped(empty.name(), 80));
        return Err(Error::No {
            kind: "empty",
            what,
            reasons: Vec::new(),
            hint: "see what there is: git comm boundary graph".into(),
        });
    }
    let verdict = verdict(rules, &sources, &targets);
    let within = |path: &str| sources.binary_search(&path).is_ok();
    let reaches = |target: &Target| targets.binary_search(target).is_ok();
    let imports: Vec<Edge> = seen
        .edges
        .iter()
        .filter(|edge| edge.import.kind != Kind::Part && within(&edge.from) && reaches(&edge.target))
        .cloned()
        .collect();
    let chain = if imports.is_empty() { shortest(seen, &sources, &reaches) } else { Vec::new() };
    let (why, only) = match &verdict.finding {
        Some(finding) => (finding.what.clone(), Vec::new()),
        None => (reason(domains, verdict.source, &verdict.open[0]), verdict.only()),
    };
    Ok(Explained {
        from,
        to,
        allowed: verdict.finding.is_none(),
        why,
        finding: verdict.finding,
        only,
        imports,
        chain,
    })
}

/// What a name stands for: a domain, a file, a folder, or a package.
fn side(seen: &Seen, domains: &Domains, text: &str) -> Result<Side, Error> {
    let is_domain = |name: &str| domains.all().iter().any(|domain| domain.shown() == name);
    let is_file = |path: &str| seen.paths.binary_search_by(|known| known.as_str().cmp(path)).is_ok();
    let is_folder = |path: &str| {
        let start = format!("{path}/");
        let at = seen.paths.partition_point(|known| *known < start);
        seen.paths.get(at).is_some_and(|known| known.starts_with(&start))
    };
    let is_package =
        |name: &str| seen.edges.iter().any(|edge| edge.target == Target::Package(name.to_owned()));
    if let Some(name) = text.strip_prefix("pkg:").filter(|name| !name.is_empty()) {
        // One that nobody imports yet is a fair question.
        return Ok(Side::Package(name.to_owned()));
    }
    if let Some(name) = text.strip_prefix("domain:") {
        let names = domains.all().iter().map(Domain::shown);
        return match is_domain(name) {
            true => Ok(Side::Domain(name.to_owned())),
            false => Err(unknown("domain", name, similar::nearest(name, names))),
        };
    }
    let path = text.trim_start_matches("./").trim_end_matches('/');
    match () {
        () if is_domain(text) => Ok(Side::Domain(text.to_owned())),
        () if is_file(path) => Ok(Side::File(path.to_owned())),
        () if is_folder(path) => Ok(Side::Folder(path.to_owned())),
        () if is_package(text) => Ok(Side::Package(text.to_owned())),
        () => {
            let names = domains.all().iter().map(Domain::shown);
            let names = names.chain(seen.paths.iter().map(String::as_str));
            Err(unknown("file, folder, domain or imported package", text, similar::nearest(text, names)))
        }
    }
}

fn unknown(what: &'static str, name: &str, meant: Option<&str>) -> Error {
    Error::Unknown { what, name: escape::clipped(name, 80), meant: meant.map(str::to_owned) }
}

/// The files that a side stands for, sorted. Of several, only sources if there
/// are any.
fn files_of<'s>(seen: &'s Seen, domains: &Domains, side: &Side, prefer_sources: bool) -> Vec<&'s str> {
    let start = format!("{}/", side.name());
    let is_in = |path: &str| match side {
        Side::File(name) => path == name,
        Side::Folder(_) => path.starts_with(&start),
        Side::Domain(name) => {
            matches!(domains.owner(path.as_bytes()), Owner::Domain(domain) if domain.shown() == name)
        }
        Side::Package(_) => false,
    };
    let sources: Vec<&str> = seen.sources.iter().map(String::as_str).filter(|path| is_in(path)).collect();
    if prefer_sources && !sources.is_empty() {
        return sources;
    }
    seen.paths.iter().map(String::as_str).filter(|path| is_in(path)).collect()
}

struct Verdict<'s> {
    finding: Option<Finding>,
    /// The file that was asked for.
    source: &'s str,
    /// What may be imported, of so many.
    open: Vec<Target>,
    all: usize,
}

impl Verdict<'_> {
    fn only(&self) -> Vec<String> {
        if self.open.len() == self.all {
            return Vec::new();
        }
        self.open.iter().map(|target| target.name().to_owned()).collect()
    }
}

/// Judges such an import as one that is there is judged. Of several files that
/// could be imported one is enough; of several that import, one of each domain
/// is asked for.
fn verdict<'s>(rules: &Config, sources: &[&'s str], targets: &[Target]) -> Verdict<'s> {
    let domains = &rules.domains;
    let mut asked = BTreeSet::new();
    let all = targets.len();
    let mut last = Verdict { finding: None, source: "", open: Vec::new(), all };
    for source in sources {
        let domain = match domains.owner(source.as_bytes()) {
            Owner::Domain(domain) => domain.shown(),
            _ => "",
        };
        if !asked.insert(domain) {
            continue;
        }
        let (mut open, mut first) = (Vec::new(), None);
        for target in targets {
            let edge =
                Edge { from: (*source).into(), import: imagined(target).into(), target: target.clone() };
            match judge::judge_one(domains, &rules.boundary, &edge).into_iter().next() {
                None => open.push(target.clone()),
                Some(finding) => {
                    first.get_or_insert(finding);
                }
            }
        }
        let finding = if open.is_empty() { first } else { None };
        let is_shut = finding.is_some();
        last = Verdict { finding, source, open, all };
        if is_shut {
            break;
        }
    }
    last
}

/// An import that need not be there.
fn imagined(target: &Target) -> Import {
    Import {
        line: 0,
        specifier: target.name().to_owned(),
        names: Vec::new(),
        kind: Kind::Static,
        exported: false,
        within: Vec::new(),
    }
}

/// Why an import is allowed.
fn reason(domains: &Domains, source: &str, target: &Target) -> String {
    let Owner::Domain(from) = domains.owner(source.as_bytes()) else {
        return format!("{source} is of no domain, so that no rule is about what it imports");
    };
    let (name, to) = match target {
        Target::File(path) => match domains.owner(path.as_bytes()) {
            Owner::Domain(to) => (path.clone(), Some(to)),
            _ => (path.clone(), None),
        },
        other => (format!("pkg:{}", other.name()), None),
    };
    if to.is_some_and(|to| to.name == from.name) {
        return format!("both are of domain {}, and nothing forbids it", from.shown());
    }
    let to_name = to.and_then(|to| to.name.as_ref());
    let public = to.and_then(|to| to.public.iter().find(|rule| rule.covers(&name, to_name)));
    let public = public.map_or_else(String::new, |rule| {
        format!("; `{}` makes it public (comm.toml:{})", rule.text, rule.line)
    });
    match &from.allowed_imports {
        None => format!("domain {} has no `allowed_imports`, and nothing forbids it{public}", from.shown()),
        Some(allowed) => match allowed.rules.iter().find(|rule| rule.covers(&name, to_name)) {
            Some(rule) => {
                format!("`{}` allows it to {} (comm.toml:{}){public}", rule.text, from.shown(), rule.line)
            }
            None => format!("nothing forbids it to {}{public}", from.shown()),
        },
    }
}

/// The shortest way along imports, breadth first, in the order of the files.
fn shortest(seen: &Seen, sources: &[&str], reaches: &dyn Fn(&Target) -> bool) -> Vec<Edge> {
    let mut out_of: HashMap<&str, Vec<&Edge>> = HashMap::new();
    for edge in seen.edges.iter().filter(|edge| edge.import.kind != Kind::Part) {
        out_of.entry(&*edge.from).or_default().push(edge);
    }
    let mut came: HashMap<&str, Option<&Edge>> = sources.iter().map(|path| (*path, None)).collect();
    let mut queue: VecDeque<&str> = sources.iter().copied().collect();
    while let Some(path) = queue.pop_front() {
        for edge in out_of.get(path).into_iter().flatten() {
            if reaches(&edge.target) {
                let mut chain = vec![(*edge).clone()];
                let mut at = path;
                while let Some(Some(edge)) = came.get(at) {
                    chain.push((*edge).clone());
                    at = &*edge.from;
                }
                chain.reverse();
                return chain;
            }
            if let Target::File(next) = &edge.target
                && !came.contains_key(next.as_str())
            {
                came.insert(next, Some(edge));
                queue.push_back(next);
            }
        }
    }
    Vec::new()
}
