//! Cycles in a graph of numbered nodes, and the edges that close them.

/// An edge with its weight: from, to, how many imports.
pub type Edge = (usize, usize, usize);

/// Components larger than this are cut by one walk instead of by weight,
/// which would take the square of their size.
const BY_WEIGHT: usize = 512;

/// The strongly connected components of more than one node, each sorted, in
/// the order of their first nodes (Tarjan 1972, without recursion).
pub fn components(nodes: usize, edges: &[Edge]) -> Vec<Vec<usize>> {
    let next = successors(nodes, edges);
    let (mut index, mut low) = (vec![usize::MAX; nodes], vec![0; nodes]);
    let (mut stack, mut is_on, mut count) = (Vec::new(), vec![false; nodes], 0);
    let mut found = Vec::new();
    for root in 0..nodes {
        if index[root] != usize::MAX {
            continue;
        }
        // A node, and how many of its successors were walked.
        let mut walk = vec![(root, 0)];
        while let Some(&mut (node, ref mut at)) = walk.last_mut() {
            if *at == 0 {
                (index[node], low[node]) = (count, count);
                count += 1;
                stack.push(node);
                is_on[node] = true;
            }
            if let Some(&to) = next[node].get(*at) {
                *at += 1;
                if index[to] == usize::MAX {
                    walk.push((to, 0));
                } else if is_on[to] {
                    low[node] = low[node].min(index[to]);
                }
                continue;
            }
            // A node without successors must not be entered again.
            walk.pop();
            if let Some(&(above, _)) = walk.last() {
                low[above] = low[above].min(low[node]);
            }
            if low[node] == index[node] {
                let start = stack.iter().rposition(|&n| n == node).unwrap_or(0);
                let mut component = stack.split_off(start);
                component.iter().for_each(|&n| is_on[n] = false);
                if component.len() > 1 {
                    component.sort_unstable();
                    found.push(component);
                }
            }
        }
    }
    found.sort_unstable();
    found
}

/// For each edge, whether it closes a cycle: without these there is none. The
/// greedy order of Eades, Lin and Smyth (1993), by weight, so that they are
/// few and light; then each that need not be among them is let go.
pub fn closing(nodes: usize, edges: &[Edge]) -> Vec<bool> {
    let mut closes = vec![false; edges.len()];
    let mut component_of = vec![usize::MAX; nodes];
    let components = components(nodes, edges);
    for (number, component) in components.iter().enumerate() {
        component.iter().for_each(|&node| component_of[node] = number);
    }
    let mut within: Vec<Vec<usize>> = vec![Vec::new(); components.len()];
    for (i, &(from, to, _)) in edges.iter().enumerate() {
        let number = component_of[from];
        if from != to && number != usize::MAX && number == component_of[to] {
            within[number].push(i);
        }
    }
    for (component, mut own) in components.iter().zip(within) {
        let own_edges: Vec<Edge> = own.iter().map(|&i| edges[i]).collect();
        let is_small = component.len() <= BY_WEIGHT;
        let place = if is_small { greedy(component, &own_edges) } else { walked(component, &own_edges) };
        own.retain(|&i| place[&edges[i].0] > place[&edges[i].1]);
        own.iter().for_each(|&i| closes[i] = true);
        if is_small {
            spare(nodes, edges, own, &component_of, &mut closes);
        }
    }
    closes
}

type Places = std::collections::HashMap<usize, usize>;

fn greedy(component: &[usize], edges: &[Edge]) -> Places {
    let mut left: Vec<usize> = component.to_vec();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let (mut out, mut into) = (Places::new(), Places::new());
    for &(from, to, weight) in edges {
        *out.entry(from).or_default() += weight;
        *into.entry(to).or_default() += weight;
    }
    let weight = |of: &Places, node: usize| of.get(&node).copied().unwrap_or(0);
    let (mut out_of, mut into_of) = (Ends::new(), Ends::new());
    for &(from, to, weight) in edges {
        out_of.entry(from).or_default().push((to, weight));
        into_of.entry(to).or_default().push((from, weight));
    }
    while !left.is_empty() {
        let ends = left.iter().position(|&node| weight(&out, node) == 0);
        let begins = left.iter().position(|&node| weight(&into, node) == 0);
        let best = (0..left.len()).max_by_key(|&i| {
            let (o, n) = (weight(&out, left[i]), weight(&into, left[i]));
            // Of equals the first.
            (o as i128 - n as i128, std::cmp::Reverse(i))
        });
        let at = ends.or(begins).or(best).unwrap_or(0);
        let node = left.remove(at);
        if ends.is_some() {
            last.push(node)
        } else {
            first.push(node)
        }
        for &(to, weight) in out_of.get(&node).into_iter().flatten() {
            into.entry(to).and_modify(|sum| *sum -= weight.min(*sum));
        }
        for &(from, weight) in into_of.get(&node).into_iter().flatten() {
            out.entry(from).and_modify(|sum| *sum -= weight.min(*sum));
        }
    }
    let mut order: Vec<usize> = first.into_iter().chain(last.into_iter().rev()).collect();
    sift(&mut order, &out_of, &into_of);
    order.into_iter().enumerate().map(|(i, node)| (node, i)).collect()
}

type Ends = std::collections::HashMap<usize, Vec<(usize, usize)>>;

/// Passes over the order in which nodes look for a better place.
const PASSES: usize = 12;

/// Moves each node to where the least weight of its edges leads back, as long
/// as that helps (sifting, after Rudell 1993).
fn sift(order: &mut Vec<usize>, out_of: &Ends, into_of: &Ends) {
    let ends = |of: &Ends, node: usize| of.get(&node).cloned().unwrap_or_default();
    let mut nodes = order.clone();
    nodes.sort_unstable();
    for _ in 0..PASSES {
        let mut moved = false;
        for &node in &nodes {
            let Some(now) = order.iter().position(|&other| other == node) else { continue };
            // What it costs to stand behind each of the others.
            let mut cost: Places = Places::new();
            let mut gain: Places = Places::new();
            for (to, weight) in ends(out_of, node) {
                *cost.entry(to).or_default() += weight;
            }
            for (from, weight) in ends(into_of, node) {
                *gain.entry(from).or_default() += weight;
            }
            let signed = |of: &Places, other: usize| of.get(&other).copied().unwrap_or(0) as i128;
            order.remove(now);
            // Relative to standing first.
            let (mut sum, mut best) = (0, (0, 0));
            let mut here = 0;
            for (i, &other) in order.iter().enumerate() {
                sum += signed(&cost, other) - signed(&gain, other);
                if sum < best.0 {
                    best = (sum, i + 1);
                }
                if i + 1 == now {
                    here = sum;
                }
            }
            let is_better = best.0 < here;
            order.insert(if is_better { best.1 } else { now }, node);
            moved |= is_better;
        }
        if !moved {
            break;
        }
    }
}

/// The reverse of the order in which one walk leaves the nodes.
fn walked(component: &[usize], edges: &[Edge]) -> Places {
    let mut next: std::collections::HashMap<usize, Vec<usize>> = Default::default();
    for &(from, to, _) in edges {
        next.entry(from).or_default().push(to);
    }
    let (mut place, mut seen) = (Places::new(), std::collections::HashSet::new());
    let mut count = component.len();
    for &root in component {
        if !seen.insert(root) {
            continue;
        }
        let mut walk = vec![(root, 0)];
        while let Some(&mut (node, ref mut at)) = walk.last_mut() {
            match next.get(&node).and_then(|next| next.get(*at)) {
                Some(&to) => {
                    *at += 1;
                    if seen.insert(to) {
                        walk.push((to, 0));
                    }
                }
                None => {
                    count -= 1;
                    place.insert(node, count);
                    walk.pop();
                }
            }
        }
    }
    place
}

/// Takes edges back, heaviest first, that close no cycle any more.
fn spare(nodes: usize, edges: &[Edge], mut cut: Vec<usize>, component: &[usize], closes: &mut [bool]) {
    let mut next = vec![Vec::new(); nodes];
    for (i, &(from, to, _)) in edges.iter().enumerate() {
        if !closes[i] && component[from] != usize::MAX && component[from] == component[to] && from != to {
            next[from].push(to);
        }
    }
    cut.sort_by_key(|&i| (std::cmp::Reverse(edges[i].2), i));
    for i in cut {
        let (from, to, _) = edges[i];
        let (mut seen, mut queue) = (vec![false; nodes], vec![to]);
        while let Some(node) = queue.pop() {
            if !std::mem::replace(&mut seen[node], true) {
                queue.extend(&next[node]);
            }
        }
        if !seen[from] {
            closes[i] = false;
            next[from].push(to);
        }
    }
}

/// For each node, where its edges lead, each once.
pub(super) fn successors(nodes: usize, edges: &[Edge]) -> Vec<Vec<usize>> {
    let mut next = vec![Vec::new(); nodes];
    for &(from, to, _) in edges {
        next[from].push(to);
    }
    for list in &mut next {
        list.sort_unstable();
        list.dedup();
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(nodes: usize, edges: &[Edge], cycles: &[&[usize]], cut: &[(usize, usize)]) {
        assert_eq!(components(nodes, edges), cycles);
        let closes = closing(nodes, edges);
        let told: Vec<(usize, usize)> =
            edges.iter().zip(&closes).filter(|(_, c)| **c).map(|(e, _)| (e.0, e.1)).collect();
        assert_eq!(told, cut);
    }

    #[test]
    fn the_lightest_edge_closes_a_cycle() {
        check(3, &[(0, 1, 9), (1, 2, 9), (2, 0, 1)], &[&[0, 1, 2]], &[(2, 0)]);
        check(3, &[(0, 1, 1), (1, 2, 9), (2, 0, 9)], &[&[0, 1, 2]], &[(0, 1)]);
        check(4, &[(0, 1, 5), (1, 0, 2), (2, 3, 1), (3, 2, 7)], &[&[0, 1], &[2, 3]], &[(1, 0), (2, 3)]);
    }

    #[test]
    fn a_heavy_node_does_not_turn_the_heavy_edge_round() {
        // Node 0 imports so much that it would stand first.
        let edges = [(0, 1, 400), (0, 2, 1), (2, 0, 113), (1, 3, 2), (3, 2, 1)];
        check(4, &edges, &[&[0, 1, 2, 3]], &[(0, 2), (3, 2)]);
    }

    #[test]
    fn without_a_cycle_nothing_is_cut() {
        check(4, &[(0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 3, 1), (3, 3, 4)], &[], &[]);
        check(0, &[], &[], &[]);
    }

    #[test]
    fn a_long_cycle_is_found_without_recursion() {
        let nodes = 200_000;
        let edges: Vec<Edge> = (0..nodes).map(|i| (i, (i + 1) % nodes, 1)).collect();
        assert_eq!(components(nodes, &edges).len(), 1);
        assert_eq!(closing(nodes, &edges).iter().filter(|c| **c).count(), 1);
    }
}
