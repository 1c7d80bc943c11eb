//! Cycles between domains, or between files.
//!
//! Told is a set of imports without which there is no cycle, each with one
//! that it closes. What is suppressed or in the baseline is taken out before:
//! a cycle through none of these is always told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::graph::Graph;
use super::judge::{Court, Wrong};
use super::rules::{Acyclic, named};
use crate::gate::code;
use crate::text::escape;

/// Parts up to which the shortest cycles are looked for.
const FEW: usize = 128;
/// Cycles among files that are told by their shortest way.
const SHORT: usize = 200;

/// Judges every `[[acyclic]]`.
pub(super) fn judge<'j>(court: &Court<'j>, graph: &Graph<'j>) {
    for rule in &court.rules.acyclic {
        let parts = parts(court, graph, rule);
        let found = Cycles::new(court, graph, rule, &parts);
        let broken = if parts.names.len() <= FEW { found.by_fewest() } else { found.by_depth() };
        for (step, way) in broken {
            found.tell(court, graph, rule, &parts, step, &way);
        }
    }
}

/// The parts that cycles are looked for between, and which one each node of
/// the graph belongs to.
struct Parts {
    names: Vec<String>,
    of: Vec<Option<usize>>,
}

fn parts<'j>(court: &Court<'j>, graph: &Graph<'j>, rule: &Acyclic) -> Parts {
    let mut names = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let Some(path) = node.path else {
            of.push(None);
            continue;
        };
        let domain = court.owners.domain(path);
        let member = rule.members.iter().find(|member| member.has(path, domain));
        let name = match (rule.is_of_files, member) {
            (true, None) if !rule.members.is_empty() => None,
            (true, _) => Some(path),
            (false, Some(member)) => Some(member.text.as_str()),
            (false, None) if rule.members.is_empty() => domain.map(|domain| domain.shown()),
            (false, None) => None,
        };
        of.push(name.map(|name| {
            *known.entry(name).or_insert_with(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        }));
    }
    Parts { names, of }
}

/// From one part to another.
type Step = (usize, usize);

/// What leads from part to part.
struct Cycles {
    /// The edges of the graph behind each step.
    steps: BTreeMap<Step, Vec<usize>>,
    /// Steps that go on from each part, in the order of their names.
    out: Vec<Vec<usize>>,
}

impl Cycles {
    fn new<'j>(court: &Court<'j>, graph: &Graph<'j>, rule: &Acyclic, parts: &Parts) -> Self {
        let mut steps: BTreeMap<Step, Vec<usize>> = BTreeMap::new();
        for (edge, &(from, to)) in graph.ends.iter().enumerate() {
            let (Some(one), Some(other)) = (parts.of[from], parts.of[to]) else { continue };
            // A file that imports itself is a slip, and no cycle of parts.
            if one != other && rule.kinds.has(graph.edges[edge].import.kind.as_str()) {
                steps.entry((one, other)).or_default().push(edge);
            }
        }
        let mut cycles = Self { steps, out: Vec::new() };
        cycles.spread(parts);
        // An excuse counts where there is a cycle to excuse.
        let components = components(&cycles.out);
        for (&(one, other), edges) in &mut cycles.steps {
            if components[one] == components[other] {
                edges.retain(|edge| {
                    let is_excused = court.excuses.of(code::CYCLE, graph.edges[*edge]).is_some();
                    if is_excused {
                        court.report(wrong(graph, rule, *edge, Vec::new()), None);
                    }
                    !is_excused
                });
            }
        }
        cycles.steps.retain(|_, edges| !edges.is_empty());
        cycles.spread(parts);
        cycles
    }

    fn spread(&mut self, parts: &Parts) {
        self.out = vec![Vec::new(); parts.names.len()];
        for &(one, other) in self.steps.keys() {
            self.out[one].push(other);
        }
        for next in &mut self.out {
            next.sort_by(|a, b| parts.names[*a].cmp(&parts.names[*b]));
        }
    }

    /// Steps to take out, each with the cycle that it closes: again and again
    /// that step of the shortest cycle which has the fewest imports.
    fn by_fewest(&self) -> Vec<(Step, Vec<usize>)> {
        let mut out = self.out.clone();
        let mut broken = Vec::new();
        loop {
            let components = components(&out);
            let starts = (0..out.len())
                .filter(|part| out[*part].iter().any(|next| components[*next] == components[*part]));
            let cycles = starts.filter_map(|part| shortest(&out, part, part));
            let Some(way) = cycles.min_by_key(Vec::len) else { return broken };
            let steps = way.windows(2).map(|pair| (pair[0], pair[1]));
            let imports = |step: &Step| (self.steps.get(step).map_or(0, Vec::len), *step);
            let Some(step) = steps.min_by_key(imports) else { return broken };
            out[step.0].retain(|next| *next != step.1);
            let at = way.iter().position(|part| *part == step.0).unwrap_or(0);
            broken.push((step, turned(&way, at)));
        }
    }

    /// The same in one pass: steps that lead back on the way of a search in
    /// depth.
    fn by_depth(&self) -> Vec<(Step, Vec<usize>)> {
        let mut broken: Vec<(Step, Vec<usize>)> = Vec::new();
        let mut state = vec![State::New; self.out.len()];
        for start in 0..self.out.len() {
            if state[start] != State::New {
                continue;
            }
            state[start] = State::Open;
            let mut way = vec![(start, 0)];
            while let Some((part, next)) = way.last_mut() {
                let part = *part;
                let Some(&to) = self.out[part].get(*next) else {
                    state[part] = State::Done;
                    way.pop();
                    continue;
                };
                *next += 1;
                match state[to] {
                    State::New => {
                        state[to] = State::Open;
                        way.push((to, 0));
                    }
                    State::Open => {
                        let around = if broken.len() < SHORT {
                            shortest(&self.out, to, part).unwrap_or_default()
                        } else {
                            let at = way.iter().position(|(p, _)| *p == to).unwrap_or(0);
                            way[at..].iter().map(|(p, _)| *p).collect()
                        };
                        let cycle = std::iter::once(part).chain(around).collect();
                        broken.push(((part, to), cycle));
                    }
                    State::Done => {}
                }
            }
        }
        broken
    }

    /// Reports every import of a step.
    fn tell<'j>(
        &self,
        court: &Court<'j>,
        graph: &Graph<'j>,
        rule: &Acyclic,
        parts: &Parts,
        step: Step,
        way: &[usize],
    ) {
        let Some(edges) = self.steps.get(&step) else { return };
        let mut chain: Vec<String> = Vec::new();
        for pair in way.windows(2) {
            if chain.is_empty() {
                chain.push(escape::line(&parts.names[pair[0]]).into_owned());
            }
            let mut name = escape::line(&parts.names[pair[1]]).into_owned();
            let example = self.steps.get(&(pair[0], pair[1])).and_then(|edges| edges.first());
            if let Some(&edge) = example {
                let edge = graph.edges[edge];
                name = match rule.is_of_files {
                    true => name,
                    false => format!("{name} ({}:{})", escape::line(&edge.from), edge.import.line),
                };
            }
            chain.push(name);
        }
        let told: BTreeSet<usize> = edges.iter().copied().collect();
        for edge in told {
            court.report(wrong(graph, rule, edge, chain.clone()), None);
        }
    }
}

fn wrong<'e>(graph: &Graph<'e>, rule: &Acyclic, edge: usize, chain: Vec<String>) -> Wrong<'e> {
    let of = if rule.is_of_files { "files" } else { "domains" };
    Wrong {
        edge: graph.edges[edge],
        code: code::CYCLE,
        verdict: format!("it is part of a cycle of {of}"),
        rule: format!("acyclic{}", named(&rule.name)),
        line: rule.line,
        reason: rule.reason.clone(),
        chain,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

/// A cycle as a list of parts, first and last the same, that begins at `at`.
fn turned(way: &[usize], at: usize) -> Vec<usize> {
    let ring = &way[..way.len().saturating_sub(1)];
    let (end, start) = ring.split_at(at.min(ring.len()));
    let mut turned: Vec<usize> = start.iter().chain(end).copied().collect();
    turned.extend(turned.first().copied());
    turned
}

/// The shortest way of at least one step, both ends included.
fn shortest(out: &[Vec<usize>], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut before: Vec<Option<usize>> = vec![None; out.len()];
    let mut queue = VecDeque::from([from]);
    while let Some(part) = queue.pop_front() {
        for &next in &out[part] {
            if next != to && (before[next].is_some() || next == from) {
                continue;
            }
            if before[next].is_none() {
                before[next] = Some(part);
                queue.push_back(next);
            }
            if next == to {
                let mut way = vec![to, part];
                while way.last().is_some_and(|last| *last != from) {
                    let last = way.last().and_then(|last| before[*last])?;
                    way.push(last);
                }
                way.reverse();
                return Some(way);
            }
        }
    }
    None
}

/// For each part the number of its strongly connected component (Tarjan 1972,
/// without recursion).
fn components(out: &[Vec<usize>]) -> Vec<usize> {
    let count = out.len();
    let (mut index, mut low) = (vec![usize::MAX; count], vec![0; count]);
    let (mut component, mut components) = (vec![usize::MAX; count], 0);
    let (mut stack, mut next_index) = (Vec::new(), 0);
    for start in 0..count {
        if index[start] != usize::MAX {
            continue;
        }
        let mut calls = vec![(start, 0)];
        while let Some((part, at)) = calls.last_mut() {
            let (part, step) = (*part, *at);
            if step == 0 {
                index[part] = next_index;
                low[part] = next_index;
                next_index += 1;
                stack.push(part);
            }
            *at += 1;
            if let Some(&next) = out[part].get(step) {
                if index[next] == usize::MAX {
                    calls.push((next, 0));
                } else if component[next] == usize::MAX {
                    low[part] = low[part].min(index[next]);
                }
                continue;
            }
            calls.pop();
            if let Some((above, _)) = calls.last() {
                low[*above] = low[*above].min(low[part]);
            }
            if low[part] == index[part] {
                while let Some(member) = stack.pop() {
                    component[member] = components;
                    if member == part {
                        break;
                    }
                }
                components += 1;
            }
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_those_of_the_definition() {
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..300 {
            let count = 1 + random(9);
            let mut out = vec![Vec::new(); count];
            for _ in 0..random(count * 3) {
                let (one, other) = (random(count), random(count));
                out[one].push(other);
            }
            let reaches = |from: usize, to: usize| from == to || shortest(&out, from, to).is_some();
            let found = components(&out);
            for one in 0..count {
                for other in 0..count {
                    let is_same = reaches(one, other) && reaches(other, one);
                    assert_eq!(found[one] == found[other], is_same, "{out:?} {one} {other}");
                }
            }
        }
    }

    #[test]
    fn without_what_is_told_there_is_no_cycle() {
        let mut seed = 3_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..300 {
            let count = 2 + random(8);
            let mut cycles = Cycles { steps: BTreeMap::new(), out: vec![Vec::new(); count] };
            for edge in 0..random(count * 3) {
                let (one, other) = (random(count), random(count));
                if one != other {
                    cycles.steps.entry((one, other)).or_default().push(edge);
                }
            }
            for &(one, other) in cycles.steps.keys() {
                cycles.out[one].push(other);
            }
            for broken in [cycles.by_fewest(), cycles.by_depth()] {
                let mut out = cycles.out.clone();
                for ((one, other), way) in &broken {
                    assert!(cycles.steps.contains_key(&(*one, *other)));
                    assert_eq!((way.first(), way.get(1), way.last()), (Some(one), Some(other), Some(one)));
                    assert!(way.windows(2).all(|pair| cycles.out[pair[0]].contains(&pair[1])), "{way:?}");
                    out[*one].retain(|next| next != other);
                }
                let left = components(&out);
                let alone = |part: usize| left.iter().filter(|other| **other == left[part]).count() == 1;
                assert!((0..count).all(alone), "{:?} {broken:?}", cycles.out);
            }
        }
    }

    #[test]
    fn the_shortest_way_is_the_shortest() {
        let out = vec![vec![1, 3], vec![2], vec![0], vec![2]];
        assert_eq!(shortest(&out, 0, 0), Some(vec![0, 1, 2, 0]));
        assert_eq!(shortest(&out, 3, 0), Some(vec![3, 2, 0]));
        assert_eq!(shortest(&out, 2, 2).map(|way| way.len()), Some(4));
        assert_eq!(shortest(&[vec![0]], 0, 0), Some(vec![0, 0]));
        assert_eq!(shortest(&[vec![], vec![0]], 0, 1), None);
        assert_eq!(turned(&[0, 1, 2, 0], 1), [1, 2, 0, 1]);
    }

    #[test]
    fn a_long_chain_is_no_deep_recursion() {
        let count = 200_000;
        let mut out: Vec<Vec<usize>> = (0..count).map(|i| vec![i + 1]).collect();
        out.push(vec![0]);
        let found = components(&out);
        assert!(found.iter().all(|component| *component == found[0]));
    }
}
