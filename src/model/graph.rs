//! The graph of tasks and what waits for what.
//!
//! Local edits never close a cycle, but histories that meet may; so nothing
//! here assumes that there is none. Tasks on a cycle are blocked, and walks
//! visit each task once.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::names::TaskId;
use super::task::{DepType, State, Task};
use crate::text::time::Timestamp;

/// What the graph needs to know of a task.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its id.
    pub id: TaskId,
    /// Its stored state.
    pub state: State,
    /// 0 (most urgent) to 4.
    pub priority: u8,
    /// When it was made.
    pub created_at: Timestamp,
    /// The tasks that it waits for.
    pub blockers: Vec<TaskId>,
    /// The task that it is part of.
    pub parent: Option<TaskId>,
}

impl Node {
    /// The node of `task`.
    pub fn of(id: TaskId, task: &Task) -> Self {
        Self {
            id,
            state: task.phase.state,
            priority: task.priority,
            created_at: task.created_at,
            blockers: task.blockers().map(|d| d.id.clone()).collect(),
            parent: task.parent().map(|d| d.id.clone()),
        }
    }
}

/// Something that a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// Its id.
    pub id: TaskId,
    /// Its state; none if no such task is known here.
    pub state: Option<State>,
}

/// Tasks with their edges resolved.
#[derive(Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    index: HashMap<TaskId, usize>,
    /// For each task, those that wait for it.
    dependents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
}

impl Graph {
    /// Links `nodes`. Of two nodes with one id the later counts.
    pub fn new(nodes: Vec<Node>) -> Self {
        let index: HashMap<_, _> = nodes.iter().enumerate().map(|(i, n)| (n.id.clone(), i)).collect();
        let mut dependents = vec![Vec::new(); nodes.len()];
        let mut children = vec![Vec::new(); nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            for blocker in node.blockers.iter().filter_map(|id| index.get(id)) {
                dependents[*blocker].push(i);
            }
            if let Some(parent) = node.parent.as_ref().and_then(|id| index.get(id)) {
                children[*parent].push(i);
            }
        }
        Self { nodes, index, dependents, children }
    }

    /// The node with this id.
    pub fn get(&self, id: &TaskId) -> Option<&Node> {
        self.index.get(id).map(|&i| &self.nodes[i])
    }

    /// All nodes, in the order given.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What keeps `id` from starting: tasks that are neither done nor
    /// cancelled, and tasks that nobody here knows.
    pub fn blocked_by(&self, id: &TaskId) -> Vec<Blocker> {
        let Some(node) = self.get(id) else { return Vec::new() };
        node.blockers
            .iter()
            .map(|id| Blocker { id: id.clone(), state: self.get(id).map(|n| n.state) })
            .filter(|b| !b.state.is_some_and(State::unblocks))
            .collect()
    }

    /// The tasks that wait for `id` directly and are not closed.
    pub fn blocks(&self, id: &TaskId) -> Vec<&Node> {
        let Some(&i) = self.index.get(id) else { return Vec::new() };
        self.dependents[i].iter().map(|&d| &self.nodes[d]).filter(|n| !n.state.is_closed()).collect()
    }

    /// The parts of `id`.
    pub fn children(&self, id: &TaskId) -> Vec<&Node> {
        let Some(&i) = self.index.get(id) else { return Vec::new() };
        self.children[i].iter().map(|&c| &self.nodes[c]).collect()
    }

    /// How many tasks that are not closed wait for `id`, through any number
    /// of others.
    pub fn unblocks(&self, id: &TaskId) -> usize {
        let Some(&start) = self.index.get(id) else { return 0 };
        if self.dependents[start].is_empty() {
            return 0;
        }
        let mut seen = vec![false; self.nodes.len()];
        let mut queue = vec![start];
        seen[start] = true;
        let mut count = 0;
        while let Some(i) = queue.pop() {
            for &d in &self.dependents[i] {
                if !seen[d] && !self.nodes[d].state.is_closed() {
                    seen[d] = true;
                    count += 1;
                    queue.push(d);
                }
            }
        }
        count
    }

    /// The longest chain of open work, first task first. Tasks on a cycle,
    /// and what hangs on them, are left out: they have no length.
    pub fn critical_path(&self) -> Vec<&Node> {
        let order = self.order();
        let mut length = vec![0usize; self.nodes.len()];
        let mut before = vec![None; self.nodes.len()];
        for &i in &order {
            length[i] = length[i].max(1);
            for &d in self.dependents[i].iter().filter(|&&d| !self.nodes[d].state.is_closed()) {
                if length[i] + 1 > length[d] {
                    length[d] = length[i] + 1;
                    before[d] = Some(i);
                }
            }
        }
        // The first of equally long chains, so that the answer is stable.
        let end = order.iter().copied().max_by_key(|&i| (length[i], std::cmp::Reverse(i)));
        let mut path: Vec<&Node> =
            std::iter::successors(end, |&i| before[i]).map(|i| &self.nodes[i]).collect();
        path.reverse();
        path
    }

    /// The most tasks that could be worked on at once: the largest set of
    /// open tasks of which none waits for another (Dilworth: tasks less a
    /// maximum matching of the order's closure, here by Hopcroft and Karp).
    pub fn width(&self) -> usize {
        let order = self.order();
        let rank: HashMap<usize, usize> = order.iter().enumerate().map(|(r, &i)| (i, r)).collect();
        let words = order.len().div_ceil(64);
        let mut after = vec![vec![0u64; words]; order.len()];
        for (r, &i) in order.iter().enumerate().rev() {
            for d in self.dependents[i].iter().filter_map(|d| rank.get(d)) {
                let (head, tail) = after.split_at_mut(*d);
                for (mine, theirs) in head[r].iter_mut().zip(&tail[0]) {
                    *mine |= theirs;
                }
                after[r][d / 64] |= 1 << (d % 64);
            }
        }
        order.len() - matching(&after)
    }

    /// Open tasks in an order in which each comes after what it waits for,
    /// without those that a cycle keeps from ever starting.
    fn order(&self) -> Vec<usize> {
        let open = |i: usize| !self.nodes[i].state.is_closed();
        let mut waits: Vec<usize> = self
            .nodes
            .iter()
            .map(|n| n.blockers.iter().filter_map(|b| self.index.get(b)).filter(|&&b| open(b)).count())
            .collect();
        let mut queue: VecDeque<usize> =
            (0..self.nodes.len()).filter(|&i| open(i) && waits[i] == 0).collect();
        let mut order = Vec::new();
        while let Some(i) = queue.pop_front() {
            order.push(i);
            for &d in &self.dependents[i] {
                waits[d] = waits[d].saturating_sub(1);
                if waits[d] == 0 && open(d) {
                    queue.push_back(d);
                }
            }
        }
        order
    }

    /// The open tasks that can never start, because they wait, directly or
    /// through others, for themselves.
    pub fn on_cycles(&self) -> Vec<&Node> {
        let ordered: BTreeSet<usize> = self.order().into_iter().collect();
        let open = |i: usize| !self.nodes[i].state.is_closed() && !ordered.contains(&i);
        (0..self.nodes.len()).filter(|&i| open(i)).map(|i| &self.nodes[i]).collect()
    }
}

/// Size of a maximum matching of the bipartite graph whose left node `i` is
/// joined to the right nodes set in `adjacent[i]` (Hopcroft and Karp, 1973).
fn matching(adjacent: &[Vec<u64>]) -> usize {
    const FREE: usize = usize::MAX;
    let n = adjacent.len();
    let (mut left, mut right) = (vec![FREE; n], vec![FREE; n]);
    let mut size = 0;
    loop {
        // Layers of alternating paths from free left nodes.
        let mut level = vec![FREE; n];
        let mut queue: VecDeque<usize> = (0..n).filter(|&l| left[l] == FREE).collect();
        queue.iter().for_each(|&l| level[l] = 0);
        let mut reached = false;
        while let Some(l) = queue.pop_front() {
            for r in bits(&adjacent[l], 0) {
                match right[r] {
                    FREE => reached = true,
                    next if level[next] == FREE => {
                        level[next] = level[l] + 1;
                        queue.push_back(next);
                    }
                    _ => {}
                }
            }
        }
        if !reached {
            return size;
        }
        let mut tried = vec![0usize; n];
        for start in 0..n {
            if left[start] != FREE {
                continue;
            }
            // Depth first along the layers, with a stack of our own: a chain
            // of a hundred thousand tasks must not exhaust the thread's.
            let mut path = vec![start];
            while let Some(&l) = path.last() {
                let Some(r) = bits(&adjacent[l], tried[l]).next() else {
                    level[l] = FREE;
                    path.pop();
                    continue;
                };
                tried[l] = r + 1;
                match right[r] {
                    FREE => {
                        let mut free = r;
                        while let Some(l) = path.pop() {
                            right[free] = l;
                            free = std::mem::replace(&mut left[l], free);
                        }
                        size += 1;
                    }
                    next if level[next] == level[l] + 1 => path.push(next),
                    _ => {}
                }
            }
        }
    }
}

/// Positions of the set bits from `from` on.
fn bits(words: &[u64], from: usize) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().skip(from / 64).flat_map(move |(w, &word)| {
        let mut word = if w == from / 64 { word & (u64::MAX << (from % 64)) } else { word };
        std::iter::from_fn(move || {
            let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
            word &= word - 1;
            Some(w * 64 + bit)
        })
    })
}

/// Whether the edge `from -> to` of type `kind` closes a cycle, and which:
/// the ids from `from` back to `from`.
///
/// `edges` answers the edges of that type of one task; it is asked once for
/// each task that can be reached from `to`.
pub fn cycle_through<E>(
    from: &TaskId,
    to: &TaskId,
    mut edges: impl FnMut(&TaskId) -> Result<Vec<TaskId>, E>,
) -> Result<Option<Vec<TaskId>>, E> {
    if from == to {
        return Ok(Some(vec![from.clone(), to.clone()]));
    }
    let mut came_from: HashMap<TaskId, TaskId> = HashMap::from([(to.clone(), from.clone())]);
    let mut queue = VecDeque::from([to.clone()]);
    while let Some(id) = queue.pop_front() {
        for next in edges(&id)? {
            if next == *from {
                let back =
                    std::iter::successors(
                        Some(&id),
                        |at| if *at == from { None } else { came_from.get(*at) },
                    );
                let mut path: Vec<TaskId> = back.cloned().collect();
                path.reverse();
                path.push(next);
                return Ok(Some(path));
            }
            if !came_from.contains_key(&next) {
                came_from.insert(next.clone(), id.clone());
                queue.push_back(next);
            }
        }
    }
    Ok(None)
}

/// The edges of one type, as ids.
pub fn edges_of(task: &Task, kind: DepType) -> Vec<TaskId> {
    task.deps.iter().filter(|d| d.kind == kind).map(|d| d.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: usize) -> TaskId {
        format!("t-{n}").parse().unwrap()
    }

    /// `edges`: (task, what it waits for).
    fn graph(count: usize, edges: &[(usize, usize)]) -> Graph {
        let node = |n| Node {
            id: id(n),
            state: State::Open,
            priority: 2,
            created_at: Timestamp::from_micros(n as i64),
            blockers: edges.iter().filter(|e| e.0 == n).map(|e| id(e.1)).collect(),
            parent: None,
        };
        Graph::new((0..count).map(node).collect())
    }

    fn names(nodes: &[&Node]) -> String {
        nodes.iter().map(|n| n.id.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_critical_path_is_the_longest_chain_of_open_work() {
        let g = graph(6, &[(1, 0), (2, 1), (3, 0), (5, 4)]);
        assert_eq!(names(&g.critical_path()), "t-0 t-1 t-2");
        assert_eq!(g.unblocks(&id(0)), 3);
        assert_eq!(g.width(), 3);
        assert_eq!(names(&g.blocks(&id(0))), "t-1 t-3");
    }

    #[test]
    fn a_cycle_is_blocked_and_never_followed() {
        let g = graph(4, &[(0, 1), (1, 0), (2, 1)]);
        assert_eq!(names(&g.critical_path()), "t-3");
        assert_eq!(names(&g.on_cycles()), "t-0 t-1 t-2");
        assert_eq!(g.unblocks(&id(0)), 2);
        assert_eq!(g.width(), 1);
    }

    #[test]
    fn failed_blocks_and_cancelled_does_not() {
        let mut nodes: Vec<Node> = graph(4, &[(0, 1), (0, 2), (0, 3)]).nodes;
        nodes[1].state = State::Failed;
        nodes[2].state = State::Cancelled;
        nodes[3].state = State::Done;
        nodes[0].blockers.push(id(9));
        let g = Graph::new(nodes);
        let blockers = g.blocked_by(&id(0));
        assert_eq!(
            blockers,
            [Blocker { id: id(1), state: Some(State::Failed) }, Blocker { id: id(9), state: None }]
        );
    }

    #[test]
    fn an_edge_that_closes_a_cycle_is_found_with_its_path() {
        let edges = [(1, 2), (2, 3), (1, 4)];
        let of = |n: &TaskId| -> Result<Vec<TaskId>, ()> {
            Ok(edges.iter().filter(|e| id(e.0) == *n).map(|e| id(e.1)).collect())
        };
        let path = cycle_through(&id(3), &id(1), of).unwrap().unwrap();
        assert_eq!(path, [id(3), id(1), id(2), id(3)]);
        assert_eq!(cycle_through(&id(4), &id(2), of).unwrap(), None);
        assert_eq!(cycle_through(&id(4), &id(4), of).unwrap(), Some(vec![id(4), id(4)]));
    }

    /// Largest antichain by trying every subset.
    fn width_by_enumeration(count: usize, edges: &[(usize, usize)]) -> usize {
        let mut reach = vec![vec![false; count]; count];
        for &(a, b) in edges {
            reach[a][b] = true;
        }
        for k in 0..count {
            for i in 0..count {
                for j in 0..count {
                    reach[i][j] |= reach[i][k] && reach[k][j];
                }
            }
        }
        let free = |set: u32| {
            let members: Vec<usize> = (0..count).filter(|i| set >> i & 1 == 1).collect();
            members.iter().all(|&i| members.iter().all(|&j| !reach[i][j]))
        };
        (0u32..1 << count).filter(|&s| free(s)).map(|s| s.count_ones() as usize).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn width_is_the_largest_set_without_order(
            edges in proptest::collection::vec((0usize..9, 0usize..9), 0..20)
        ) {
            let edges: Vec<_> = edges.into_iter().filter(|(a, b)| a > b).collect();
            prop_assert_eq!(graph(9, &edges).width(), width_by_enumeration(9, &edges));
        }
    }
}
