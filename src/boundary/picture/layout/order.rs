//! The order of the places in each layer, with few crossings.

use super::{Places, Step};

/// Sweeps down and up over all layers.
const SWEEPS: usize = 24;
/// With more steps than this, neighbours are not tried in the other order.
const EXCHANGED: usize = 4_000;

/// For each layer its places, from the left.
pub(super) fn order(places: &Places) -> Vec<Vec<usize>> {
    let count = places.layer.iter().max().map_or(0, |last| last + 1);
    let mut layers = vec![Vec::new(); count];
    for (place, &layer) in places.layer.iter().enumerate() {
        layers[layer].push(place);
    }
    let mut above = vec![Vec::new(); places.layer.len()];
    let mut below = above.clone();
    let mut between: Vec<Vec<Step>> = vec![Vec::new(); count];
    for &(from, to) in &places.steps {
        below[from].push(to);
        above[to].push(from);
        between[places.layer[from]].push((from, to));
    }
    let mut at = vec![0; places.layer.len()];
    number(&layers, &mut at);
    let mut best = (crossings(&between, &at), layers.clone());
    for sweep in 0..SWEEPS {
        let is_down = sweep % 2 == 0;
        for i in 0..count {
            let layer = if is_down { i } else { count - 1 - i };
            let fixed = if is_down { &above } else { &below };
            sort_by_neighbours(&mut layers[layer], fixed, &mut at);
        }
        if places.steps.len() <= EXCHANGED {
            exchange(&mut layers, &above, &below, &mut at);
        }
        let now = crossings(&between, &at);
        if now < best.0 {
            best = (now, layers.clone());
        }
        if now == 0 {
            break;
        }
    }
    best.1
}

fn number(layers: &[Vec<usize>], at: &mut [usize]) {
    for layer in layers {
        for (i, &place) in layer.iter().enumerate() {
            at[place] = i;
        }
    }
}

/// By the mean place of the neighbours in the layer that stays; what has none
/// there stays where it is.
fn sort_by_neighbours(layer: &mut [usize], neighbours: &[Vec<usize>], at: &mut [usize]) {
    let mean = |place: usize| {
        let list = &neighbours[place];
        let sum: usize = list.iter().map(|&n| at[n]).sum();
        if list.is_empty() { at[place] as f64 } else { sum as f64 / list.len() as f64 }
    };
    let mut keyed: Vec<(f64, usize, usize)> = layer.iter().map(|&p| (mean(p), at[p], p)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (i, (slot, (_, _, place))) in layer.iter_mut().zip(keyed).enumerate() {
        *slot = place;
        at[place] = i;
    }
}

/// Neighbours change places where that saves crossings.
fn exchange(layers: &mut [Vec<usize>], above: &[Vec<usize>], below: &[Vec<usize>], at: &mut [usize]) {
    for layer in layers {
        for i in 1..layer.len() {
            let (left, right) = (layer[i - 1], layer[i]);
            let count =
                |a: usize, b: usize| crossed(&above[a], &above[b], at) + crossed(&below[a], &below[b], at);
            if count(right, left) < count(left, right) {
                layer.swap(i - 1, i);
                (at[left], at[right]) = (i, i - 1);
            }
        }
    }
}

/// Crossings of the edges of two neighbours, the left one first.
fn crossed(left: &[usize], right: &[usize], at: &[usize]) -> usize {
    left.iter().map(|&l| right.iter().filter(|&&r| at[r] < at[l]).count()).sum()
}

/// All crossings, counted with a Fenwick tree (Barth, Mutzel and Jünger 2004).
fn crossings(between: &[Vec<Step>], at: &[usize]) -> usize {
    let mut sum = 0;
    for steps in between {
        let mut ends: Vec<(usize, usize)> = steps.iter().map(|&(from, to)| (at[from], at[to])).collect();
        ends.sort_unstable();
        let size = ends.iter().map(|end| end.1 + 1).max().unwrap_or(0);
        let mut tree = vec![0usize; size + 1];
        for (seen, &(_, to)) in ends.iter().enumerate() {
            // Those so far that end no further right.
            let (mut i, mut before) = (to + 1, 0);
            while i > 0 {
                before += tree[i];
                i &= i - 1;
            }
            sum += seen - before;
            let mut i = to + 1;
            while i <= size {
                tree[i] += 1;
                i += i & i.wrapping_neg();
            }
        }
    }
    sum
}
