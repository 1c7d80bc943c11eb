//! The column of each place: near its neighbours, in the order of its layer.

use super::{Places, SPACE};

/// Sweeps down and up over all layers.
const SWEEPS: usize = 40;

/// The middle of each place, from the left border at 0.
pub(super) fn columns(places: &Places, order: &[Vec<usize>]) -> Vec<f64> {
    let mut x = vec![0.0; places.layer.len()];
    for layer in order {
        let mut right = 0.0;
        for (i, &place) in layer.iter().enumerate() {
            right += if i == 0 { places.width[place] / 2.0 } else { apart(places, layer[i - 1], place) };
            x[place] = right;
        }
    }
    let mut above = vec![Vec::new(); places.layer.len()];
    let mut below = above.clone();
    for &(from, to) in &places.steps {
        // Long edges should be straight.
        let ends = usize::from(from < places.nodes) + usize::from(to < places.nodes);
        let weight = [8.0, 2.0, 1.0][ends];
        below[from].push((to, weight));
        above[to].push((from, weight));
    }
    let count = order.len();
    for sweep in 0..SWEEPS {
        let is_down = sweep % 2 == 0;
        // In the end both neighbours count.
        let is_late = sweep + 8 >= SWEEPS;
        for i in 0..count {
            let layer = &order[if is_down { i } else { count - 1 - i }];
            let wanted: Vec<(f64, f64)> = layer
                .iter()
                .map(|&place| {
                    let up = above[place].iter().filter(|_| is_down || is_late);
                    let all = up.chain(below[place].iter().filter(|_| !is_down || is_late));
                    let (sum, weight) =
                        all.fold((0.0, 0.0), |(s, w), &(other, weight)| (s + x[other] * weight, w + weight));
                    if weight > 0.0 { (sum / weight, weight) } else { (x[place], 0.05) }
                })
                .collect();
            settle(places, layer, &wanted, &mut x);
        }
    }
    gather(places, &mut x);
    x
}

/// Puts what hangs together side by side, with no more space between than
/// there must be: nothing pulls what no edge joins. Nodes without edges stand
/// in the middle below.
fn gather(places: &Places, x: &mut [f64]) {
    let mut boxes: Vec<Part> = parts(places)
        .into_iter()
        .map(|members| {
            let layers = || members.iter().map(|&p| places.layer[p]);
            Part {
                layers: (layers().min().unwrap_or(0), layers().max().unwrap_or(0)),
                left: members.iter().map(|&p| x[p] - places.width[p] / 2.0).fold(f64::INFINITY, f64::min),
                right: members
                    .iter()
                    .map(|&p| x[p] + places.width[p] / 2.0)
                    .fold(f64::NEG_INFINITY, f64::max),
                members,
            }
        })
        .collect();
    boxes.sort_by(|a, b| a.left.total_cmp(&b.left));
    let count = places.layer.iter().max().map_or(0, |last| last + 1);
    let mut taken = vec![0.0f64; count];
    for part in &boxes {
        let (first, last) = part.layers;
        let free = taken[first..=last].iter().copied().fold(0.0, f64::max);
        part.members.iter().for_each(|&p| x[p] += free - part.left);
        taken[first..=last].fill(free + part.right - part.left + SPACE);
    }
    let width = taken.iter().copied().fold(0.0, f64::max);
    for part in boxes.iter().filter(|part| part.members.len() == 1) {
        x[part.members[0]] += (width - taken[part.layers.0]) / 2.0;
    }
}

/// Places that edges join, with what they take.
struct Part {
    members: Vec<usize>,
    /// The first and the last.
    layers: (usize, usize),
    left: f64,
    right: f64,
}

/// The weakly connected components.
fn parts(places: &Places) -> Vec<Vec<usize>> {
    let mut next = vec![Vec::new(); places.layer.len()];
    for &(a, b) in &places.steps {
        next[a].push(b);
        next[b].push(a);
    }
    let mut is_known = vec![false; next.len()];
    let mut parts = Vec::new();
    for start in 0..next.len() {
        if std::mem::replace(&mut is_known[start], true) {
            continue;
        }
        let mut members = vec![start];
        let mut at = 0;
        while let Some(&place) = members.get(at) {
            at += 1;
            for &other in &next[place] {
                if !std::mem::replace(&mut is_known[other], true) {
                    members.push(other);
                }
            }
        }
        parts.push(members);
    }
    parts
}

/// How far the middles of two neighbours are apart, at least.
fn apart(places: &Places, left: usize, right: usize) -> f64 {
    let are_nodes = left < places.nodes && right < places.nodes;
    let space = if are_nodes { SPACE } else { SPACE / 2.0 };
    (places.width[left] + places.width[right]) / 2.0 + space
}

/// Puts a layer as near to where it is wanted as its order allows: least
/// squares under a monotone constraint, by pooling neighbours that want to
/// pass each other (Ayer and others 1955).
fn settle(places: &Places, layer: &[usize], wanted: &[(f64, f64)], x: &mut [f64]) {
    let mut offsets = Vec::with_capacity(layer.len());
    let mut offset = 0.0;
    for (i, &place) in layer.iter().enumerate() {
        if i > 0 {
            offset += apart(places, layer[i - 1], place);
        }
        offsets.push(offset);
    }
    // Mean, weight, how many.
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (&(want, weight), offset) in wanted.iter().zip(&offsets) {
        let mut pool = (want - offset, weight, 1);
        while let Some(&last) = pools.last()
            && last.0 > pool.0
        {
            pools.pop();
            let weight = last.1 + pool.1;
            pool = ((last.0 * last.1 + pool.0 * pool.1) / weight, weight, last.2 + pool.2);
        }
        pools.push(pool);
    }
    let settled = pools.iter().flat_map(|&(mean, _, count)| std::iter::repeat_n(mean, count));
    for ((&place, offset), mean) in layer.iter().zip(&offsets).zip(settled) {
        x[place] = mean + offset;
    }
}
