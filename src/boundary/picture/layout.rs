//! Where the nodes of a graph stand in a picture, and how its edges run.
//!
//! In layers, as Sugiyama, Tagawa and Toda (1981) have it: edges that close a
//! cycle are turned round, each node gets a layer below those that lead to it,
//! crossings are reduced by barycentres, and coordinates pull neighbours
//! together. Long edges keep a place of their own in every layer that they
//! pass. The same graph gives the same picture.

mod order;
mod place;

use super::cycles;

/// The most places that long edges may take; a picture with more shows
/// nothing.
const PLACES: usize = 20_000;
/// Height between two layers, at least, and at most.
const GAPS: (f64, f64) = (48.0, 130.0);
/// Space between two nodes of a layer.
const SPACE: f64 = 22.0;
/// Width that the end of an edge takes on the border of a node.
const END: f64 = 12.0;
/// Space beside the number of an edge.
const BESIDE: f64 = 6.0;

/// A graph to be drawn.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The width of each node.
    pub widths: Vec<f64>,
    /// The height of every node.
    pub height: f64,
    /// From, to, weight. An edge of a node to itself is not drawn.
    pub edges: Vec<cycles::Edge>,
    /// The width of what is written beside each edge; 0 for nothing.
    pub labels: Vec<f64>,
}

/// A point, in the units of the widths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A node's place: its middle, and how wide it became for its edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// The middle.
    pub at: Point,
    /// The width.
    pub width: f64,
}

/// How an edge runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// From its beginning to its end: a curve with upright ends between the
    /// first and the second of each pair, a straight line between pairs.
    pub points: Vec<Point>,
    /// The middle of what is written beside it.
    pub label: Point,
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// Each node.
    pub nodes: Vec<Placed>,
    /// Each edge; none for one of a node to itself.
    pub lines: Vec<Option<Line>>,
}

/// An edge from one layer to the next, both as numbers of places.
type Step = (usize, usize);

/// What stands in the layers: first the nodes, then the places of long edges.
pub(super) struct Places {
    /// For each place its layer, from the top.
    layer: Vec<usize>,
    /// For each place its width.
    width: Vec<f64>,
    /// How many of them are nodes.
    nodes: usize,
    /// All edges, in steps of one layer.
    steps: Vec<Step>,
    /// For each edge the places that it runs through, from the top.
    ways: Vec<Vec<usize>>,
}

/// Draws a graph; none if it is too large to be seen.
pub fn layout(graph: &Graph) -> Option<Layout> {
    let nodes = graph.widths.len();
    let closing = cycles::closing(nodes, &graph.edges);
    // Downwards only, from here on.
    let down: Vec<Option<Step>> = graph
        .edges
        .iter()
        .zip(&closing)
        .map(|(&(from, to, _), &closes)| (from != to).then_some(if closes { (to, from) } else { (from, to) }))
        .collect();
    let places = places(graph, &down)?;
    let order = order::order(&places);
    let x = place::columns(&places, &order);
    Some(drawn(graph, &places, &closing, &x))
}

/// Gives each node a layer, and long edges their places.
fn places(graph: &Graph, down: &[Option<Step>]) -> Option<Places> {
    let nodes = graph.widths.len();
    let mut layer = layers(nodes, down);
    let mut width = widths(graph, down);
    let long: usize = down.iter().flatten().map(|&(a, b)| layer[b].saturating_sub(layer[a] + 1)).sum();
    if long > PLACES {
        return None;
    }
    let (mut steps, mut ways) = (Vec::new(), Vec::new());
    for edge in down {
        let Some((from, to)) = *edge else {
            ways.push(Vec::new());
            continue;
        };
        let mut way = vec![from];
        for between in layer[from] + 1..layer[to] {
            way.push(layer.len());
            layer.push(between);
            width.push(END / 2.0);
        }
        way.push(to);
        steps.extend(way.windows(2).map(|pair| (pair[0], pair[1])));
        ways.push(way);
    }
    Some(Places { layer, width, nodes, steps, ways })
}

/// The layer of each node: as low as what it leads to allows, and no layer
/// wider than what is good to look at. Nodes without edges stand below.
fn layers(nodes: usize, down: &[Option<Step>]) -> Vec<usize> {
    let edges: Vec<cycles::Edge> = down.iter().flatten().map(|&(a, b)| (a, b, 1)).collect();
    let next = cycles::successors(nodes, &edges);
    let before = cycles::successors(nodes, &edges.iter().map(|&(a, b, _)| (b, a, 1)).collect::<Vec<_>>());
    let is_alone = |node: usize| next[node].is_empty() && before[node].is_empty();
    let joined = (0..nodes).filter(|&node| !is_alone(node)).count();
    let most = (1..=nodes).find(|w| w * w >= 2 * joined).unwrap_or(1).max(4);
    // Heights from the bottom; a node is placed when all that it leads to are.
    let (mut waits, mut height): (Vec<usize>, Vec<usize>) =
        ((0..nodes).map(|n| next[n].len()).collect(), vec![0; nodes]);
    let mut used: Vec<usize> = Vec::new();
    let mut ready: std::collections::VecDeque<usize> =
        (0..nodes).filter(|&n| waits[n] == 0 && !is_alone(n)).collect();
    while let Some(node) = ready.pop_front() {
        let mut at = next[node].iter().map(|&below| height[below] + 1).max().unwrap_or(0);
        while used.get(at).is_some_and(|&count| count >= most) {
            at += 1;
        }
        used.resize(used.len().max(at + 1), 0);
        used[at] += 1;
        height[node] = at;
        for &above in &before[node] {
            waits[above] -= 1;
            if waits[above] == 0 {
                ready.push_back(above);
            }
        }
    }
    // What is imported by more than it imports rather stands up among those.
    for _ in 0..nodes.min(16) {
        let mut moved = false;
        for node in 0..nodes {
            let Some(top) = before[node].iter().map(|&above| height[above]).min() else { continue };
            let room = (height[node] + 1..top).rev().find(|&at| used[at] < most);
            if let (true, Some(at)) = (before[node].len() > next[node].len(), room) {
                used[height[node]] -= 1;
                used[at] += 1;
                height[node] = at;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    // Counted from the top, without layers that became empty.
    let mut number = vec![0; used.len()];
    let mut count = 0;
    for at in (0..used.len()).rev() {
        number[at] = count;
        count += usize::from(used[at] > 0);
    }
    let mut alone = 0;
    (0..nodes)
        .map(|node| {
            if !is_alone(node) {
                return number[height[node]];
            }
            alone += 1;
            count + (alone - 1) / most
        })
        .collect()
}

/// Nodes wide enough for the ends of their edges and the numbers there.
fn widths(graph: &Graph, down: &[Option<Step>]) -> Vec<f64> {
    let nodes = graph.widths.len();
    let (mut above, mut below) = (vec![0.0; nodes], vec![0.0; nodes]);
    for (i, edge) in down.iter().enumerate() {
        let Some((from, to)) = *edge else { continue };
        below[from] += end_width(graph, i, graph.edges[i].0 == from);
        above[to] += end_width(graph, i, graph.edges[i].0 == to);
    }
    let with_ends = |(i, own): (usize, &f64)| own.max(above[i] + END).max(below[i] + END);
    graph.widths.iter().enumerate().map(with_ends).collect()
}

/// What one end of an edge takes: its number is written at its beginning.
fn end_width(graph: &Graph, edge: usize, is_beginning: bool) -> f64 {
    let label = graph.labels.get(edge).copied().unwrap_or(0.0);
    if is_beginning && label > 0.0 { END.max(label + BESIDE) } else { END }
}

/// The picture, from the columns of all places.
fn drawn(graph: &Graph, places: &Places, closing: &[bool], x: &[f64]) -> Layout {
    let count = places.layer.iter().max().map_or(0, |last| last + 1);
    // The further an edge goes sideways, the more height it needs.
    let mut sideways = vec![0.0f64; count];
    for &(above, below) in &places.steps {
        let gap = &mut sideways[places.layer[above]];
        *gap = gap.max((x[above] - x[below]).abs());
    }
    let mut top = vec![0.0; count];
    for layer in 1..count {
        top[layer] = top[layer - 1] + graph.height + (sideways[layer - 1] * 0.15).clamp(GAPS.0, GAPS.1);
    }
    let bottom = |layer: usize| top[layer] + graph.height;
    let nodes: Vec<Placed> = (0..places.nodes)
        .map(|n| Placed {
            at: Point { x: x[n], y: top[places.layer[n]] + graph.height / 2.0 },
            width: places.width[n],
        })
        .collect();
    let (starts, ends) = ends(graph, places, x);
    let mut lines = Vec::new();
    for (i, way) in places.ways.iter().enumerate() {
        if way.is_empty() {
            lines.push(None);
            continue;
        }
        let mut points = Vec::new();
        for (at, &place) in way.iter().enumerate() {
            let layer = places.layer[place];
            let (is_first, is_last) = (at == 0, at + 1 == way.len());
            let column = if is_first {
                starts[i]
            } else if is_last {
                ends[i]
            } else {
                x[place]
            };
            if !is_first {
                points.push(Point { x: column, y: top[layer] });
            }
            if !is_last {
                points.push(Point { x: column, y: bottom(layer) });
            }
        }
        if closing[i] {
            points.reverse();
        }
        let away = if closing[i] { -13.0 } else { 13.0 };
        let first = points.first().copied().unwrap_or(Point { x: 0.0, y: 0.0 });
        lines.push(Some(Line { points, label: Point { x: first.x, y: first.y + away } }));
    }
    let right = |p: usize| x[p] + places.width[p] / 2.0;
    let width = (0..x.len()).map(right).fold(0.0, f64::max);
    let height = if count == 0 { 0.0 } else { bottom(count - 1) };
    Layout { width, height, nodes, lines }
}

/// Where each edge leaves its upper and meets its lower node: side by side, in
/// the order of where they go.
fn ends(graph: &Graph, places: &Places, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut at_node: Vec<[Vec<(usize, f64)>; 2]> = vec![Default::default(); places.nodes];
    for (i, way) in places.ways.iter().enumerate() {
        if let [first, second, ..] = way[..]
            && let [.., before, last] = way[..]
        {
            at_node[first][0].push((i, x[second]));
            at_node[last][1].push((i, x[before]));
        }
    }
    let mut columns = [vec![0.0; places.ways.len()], vec![0.0; places.ways.len()]];
    for (node, sides) in at_node.iter_mut().enumerate() {
        for (side, list) in sides.iter_mut().enumerate() {
            list.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            let width = |edge: usize| end_width(graph, edge, graph.edges[edge].0 == node);
            let all: f64 = list.iter().map(|&(edge, _)| width(edge)).sum();
            // What is left over stands between them.
            let spare = (places.width[node] - END - all).max(0.0) / (list.len() + 1) as f64;
            let mut at = x[node] - places.width[node] / 2.0 + END / 2.0 + spare;
            for &(edge, _) in list.iter() {
                columns[side][edge] = at + width(edge) / 2.0;
                at += width(edge) + spare;
            }
        }
    }
    let [starts, ends] = columns;
    (starts, ends)
}

#[cfg(test)]
mod tests;
