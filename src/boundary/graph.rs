//! Imports as a graph: files and packages, and what leads from one to another.

use crate::boundary::HashMap;
use std::borrow::Cow;
use std::collections::VecDeque;

use super::{Edge, Target};
use crate::gate::pattern::PACKAGE;

/// A file or a package.
pub(super) struct Node<'e> {
    /// The path, or `pkg:NAME`.
    pub(super) name: Cow<'e, str>,
    /// The path of a file.
    pub(super) path: Option<&'e str>,
}

/// The imports that lead somewhere, by their ends.
pub(super) struct Graph<'e> {
    pub(super) nodes: Vec<Node<'e>>,
    pub(super) edges: Vec<&'e Edge>,
    /// The nodes that each edge joins.
    pub(super) ends: Vec<(usize, usize)>,
    /// For each node the edges that lead to it.
    into: Vec<Vec<usize>>,
}

impl<'e> Graph<'e> {
    pub(super) fn new(edges: impl IntoIterator<Item = &'e Edge>) -> Self {
        let mut graph = Self { nodes: Vec::new(), edges: Vec::new(), ends: Vec::new(), into: Vec::new() };
        let mut known: HashMap<(bool, &'e str), usize> = HashMap::default();
        for edge in edges {
            let (is_package, name) = match &edge.target {
                Target::File(path) => (false, path.as_str()),
                Target::Package(name) => (true, name.as_str()),
                Target::Builtin | Target::Missing => continue,
            };
            let mut node = |is_package: bool, name: &'e str| {
                *known.entry((is_package, name)).or_insert_with(|| {
                    graph.nodes.push(match is_package {
                        true => Node { name: Cow::Owned(format!("{PACKAGE}{name}")), path: None },
                        false => Node { name: Cow::Borrowed(name), path: Some(name) },
                    });
                    graph.nodes.len() - 1
                })
            };
            let ends = (node(false, &edge.from), node(is_package, name));
            graph.ends.push(ends);
            graph.edges.push(edge);
        }
        graph.into = vec![Vec::new(); graph.nodes.len()];
        for (edge, (_, to)) in graph.ends.iter().enumerate() {
            graph.into[*to].push(edge);
        }
        graph
    }

    /// For each node the edge by which the shortest way to one of the targets
    /// begins; none for those without a way. Ways lead only through nodes
    /// that may be passed, along edges that count. A target's own entry is
    /// none as well.
    pub(super) fn ways_to(
        &self,
        is_target: impl Fn(usize) -> bool,
        may_pass: impl Fn(usize) -> bool,
        counts: impl Fn(usize) -> bool,
    ) -> Vec<Option<usize>> {
        let mut ways = vec![None; self.nodes.len()];
        let mut seen: Vec<bool> = (0..self.nodes.len()).map(&is_target).collect();
        let mut queue: VecDeque<usize> = (0..self.nodes.len()).filter(|node| seen[*node]).collect();
        while let Some(to) = queue.pop_front() {
            for &edge in &self.into[to] {
                let from = self.ends[edge].0;
                if seen[from] || !counts(edge) {
                    continue;
                }
                seen[from] = true;
                ways[from] = Some(edge);
                if may_pass(from) {
                    queue.push_back(from);
                }
            }
        }
        ways
    }

    /// The names along a way that begins with an edge, both ends included.
    pub(super) fn names_along(&self, first: usize, ways: &[Option<usize>]) -> Vec<String> {
        let (from, mut at) = self.ends[first];
        let mut names = vec![self.shown(from), self.shown(at)];
        while let Some(edge) = ways[at] {
            at = self.ends[edge].1;
            names.push(self.shown(at));
        }
        names
    }

    fn shown(&self, node: usize) -> String {
        crate::text::escape::line(&self.nodes[node].name).into_owned()
    }
}
