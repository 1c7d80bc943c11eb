//! The graph of parts: domains, folders or single files, and how much each
//! imports of the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::cycles;
use crate::boundary::files::folder_of;
use crate::boundary::{Edge, Target};
use crate::syntax::Kind;

/// Some files that are looked at as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is called.
    pub name: String,
    /// How many sources it has.
    pub files: usize,
    /// Whether it is on a cycle.
    pub in_cycle: bool,
}

/// What one part imports of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The part that imports, by its number.
    pub from: usize,
    /// The part that is imported.
    pub to: usize,
    /// How many imports there are.
    pub imports: usize,
    /// How many of them break a rule.
    pub violations: usize,
    /// Whether it is on a cycle.
    pub in_cycle: bool,
    /// Whether it is one of the fewest without which there is no cycle.
    pub closes: bool,
}

/// Parts and their links, both sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The parts.
    pub parts: Vec<Part>,
    /// The links between different parts.
    pub links: Vec<Link>,
    /// The groups of parts that all reach each other.
    pub cycles: Vec<Vec<usize>>,
}

/// Joins the sources by the name of the part that each is in; those without
/// one are left out. A module of a file's own is no import of it.
pub fn group<'a>(
    sources: impl IntoIterator<Item = &'a str>,
    edges: &[Edge],
    part_of: impl Fn(&str) -> Option<String>,
    breaks: impl Fn(&Edge) -> bool,
) -> Parts {
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    let mut names: HashMap<&str, String> = HashMap::new();
    for source in sources {
        if let Some(name) = part_of(source) {
            *files.entry(name.clone()).or_default() += 1;
            names.insert(source, name);
        }
    }
    let mut counted: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.import.kind != Kind::Part) {
        let Target::File(to) = &edge.target else { continue };
        let Some(from) = names.get(&*edge.from) else { continue };
        // What is imported need not be a source.
        let Some(to) = names.get(to.as_str()).cloned().or_else(|| part_of(to)) else { continue };
        if *from == to {
            continue;
        }
        files.entry(to.clone()).or_default();
        let (imports, violations) = counted.entry((from.clone(), to)).or_default();
        *imports += 1;
        *violations += usize::from(breaks(edge));
    }
    let number: HashMap<&str, usize> = files.keys().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
    let at = |name: &str| number.get(name).copied().unwrap_or(0);
    let weighed: Vec<cycles::Edge> =
        counted.iter().map(|((from, to), (imports, _))| (at(from), at(to), *imports)).collect();
    let found = cycles::components(files.len(), &weighed);
    let closing = cycles::closing(files.len(), &weighed);
    let mut component = vec![None; files.len()];
    for (i, nodes) in found.iter().enumerate() {
        nodes.iter().for_each(|&node| component[node] = Some(i));
    }
    let links = counted.values().zip(&weighed).zip(closing);
    let links = links
        .map(|((&(imports, violations), &(from, to, _)), closes)| Link {
            from,
            to,
            imports,
            violations,
            in_cycle: component[from].is_some() && component[from] == component[to],
            closes,
        })
        .collect();
    let parts = files
        .iter()
        .enumerate()
        .map(|(i, (name, &files))| Part { name: name.clone(), files, in_cycle: component[i].is_some() })
        .collect();
    Parts { parts, links, cycles: found }
}

/// The folder that a file is shown in, so many levels below the one that all
/// sources have in common. `.` stands for the root.
#[derive(Clone, Debug)]
pub struct Folders {
    common: String,
    depth: usize,
}

/// More folders than this are not shown where nobody asks for a depth.
const FOLDERS: usize = 40;

impl Folders {
    /// With the depth that was asked for, else the largest that keeps the
    /// picture small.
    pub fn new(sources: &[&str], depth: Option<usize>) -> Self {
        let common = common_folder(sources);
        let mut folders = Self { common, depth: depth.unwrap_or(1).max(1) };
        if depth.is_none() {
            let count = |folders: &Self| sources.iter().map(|s| folders.of(s)).collect::<BTreeSet<_>>().len();
            let mut before = count(&folders);
            loop {
                let deeper = Self { depth: folders.depth + 1, ..folders.clone() };
                let now = count(&deeper);
                // The same number means that there is nothing below.
                if now > FOLDERS || now == before {
                    break;
                }
                (folders, before) = (deeper, now);
            }
        }
        folders
    }

    /// The folder that this file is shown in.
    pub fn of(&self, path: &str) -> String {
        let folder = folder_of(path);
        let rest = match folder.strip_prefix(self.common.as_str()) {
            Some(rest) => rest.trim_start_matches('/'),
            None => return folder.split('/').next().filter(|f| !f.is_empty()).unwrap_or(".").to_owned(),
        };
        let below: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).take(self.depth).collect();
        let parts: Vec<&str> =
            std::iter::once(self.common.as_str()).filter(|c| !c.is_empty()).chain(below).collect();
        if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
    }
}

fn common_folder(sources: &[&str]) -> String {
    let mut sources = sources.iter();
    let Some(first) = sources.next() else { return String::new() };
    let mut common: Vec<&str> = folder_of(first).split('/').collect();
    for source in sources {
        let shared = folder_of(source).split('/').zip(&common).take_while(|(a, b)| a == *b).count();
        common.truncate(shared);
    }
    common.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Import;

    fn edge(from: &str, to: &str, kind: Kind) -> Edge {
        let import = Import {
            line: 1,
            specifier: to.to_owned(),
            names: Vec::new(),
            kind,
            exported: false,
            within: Vec::new(),
        };
        Edge { from: from.into(), import: import.into(), target: Target::File(to.to_owned()) }
    }

    #[test]
    fn imports_between_parts_are_counted() {
        let sources = ["a/1.ts", "a/2.ts", "b/1.ts", "c.ts"];
        let edges = [
            edge("a/1.ts", "b/1.ts", Kind::Static),
            edge("a/2.ts", "b/1.ts", Kind::Type),
            edge("a/1.ts", "a/2.ts", Kind::Static),
            edge("b/1.ts", "a/1.ts", Kind::Static),
            edge("b/1.ts", "a/2.ts", Kind::Part),
            edge("c.ts", "a/1.ts", Kind::Static),
        ];
        let first = |path: &str| path.split_once('/').map(|(folder, _)| folder.to_owned());
        let graph = group(sources, &edges, first, |edge| *edge.from == *"a/2.ts");
        let told: Vec<_> = graph
            .links
            .iter()
            .map(|l| {
                (
                    graph.parts[l.from].name.as_str(),
                    graph.parts[l.to].name.as_str(),
                    l.imports,
                    l.violations,
                    l.closes,
                )
            })
            .collect();
        assert_eq!(told, [("a", "b", 2, 1, false), ("b", "a", 1, 0, true)]);
        assert_eq!(graph.cycles, [[0, 1]]);
        assert_eq!(
            graph.parts.iter().map(|p| (p.name.as_str(), p.files)).collect::<Vec<_>>(),
            [("a", 2), ("b", 1)]
        );
    }

    #[test]
    fn folders_are_as_deep_as_can_be_seen() {
        let sources = ["p/src/a/x/1.ts", "p/src/a/y/2.ts", "p/src/b/3.ts", "p/src/4.ts"];
        let told = |depth: Option<usize>| -> Vec<String> {
            let folders = Folders::new(&sources, depth);
            sources.iter().map(|source| folders.of(source)).collect()
        };
        assert_eq!(told(Some(1)), ["p/src/a", "p/src/a", "p/src/b", "p/src"]);
        assert_eq!(told(None), ["p/src/a/x", "p/src/a/y", "p/src/b", "p/src"]);
        assert_eq!(Folders::new(&["a.ts"], None).of("a.ts"), ".");
        assert_eq!(Folders::new(&["x/a.ts"], None).of("y/b.css"), "y");
    }
}
