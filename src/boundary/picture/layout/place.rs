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
    let left = (0..x.len()).map(|p| x[p] - places.width[p] / 2.0).fold(f64::INFINITY, f64::min);
    if left.is_finite() {
        x.iter_mut().for_each(|x| *x -= left);
    }
    x
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
