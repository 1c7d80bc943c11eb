use super::*;

fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
    Graph {
        widths: vec![80.0; nodes],
        height: 30.0,
        edges: edges.iter().map(|&(a, b)| (a, b, 1)).collect(),
        labels: vec![14.0; edges.len()],
    }
}

/// What every picture keeps to.
#[track_caller]
fn check(graph: &Graph) -> Layout {
    let picture = layout(graph).unwrap();
    assert_eq!(Some(&picture), layout(graph).as_ref(), "the same graph, another picture");
    let half = |n: &Placed| n.width / 2.0;
    for (i, a) in picture.nodes.iter().enumerate() {
        assert!(a.at.x - half(a) > -0.01 && a.at.x + half(a) < picture.width + 0.01, "{i} stands outside");
        assert!(a.at.y > 0.0 && a.at.y < picture.height, "{i} stands outside");
        for b in &picture.nodes[i + 1..] {
            let is_apart = (a.at.x - b.at.x).abs() >= half(a) + half(b) || (a.at.y - b.at.y).abs() >= 30.0;
            assert!(is_apart, "{i} is covered: {a:?} {b:?}");
        }
    }
    let closing = cycles::closing(graph.widths.len(), &graph.edges);
    for (i, line) in picture.lines.iter().enumerate() {
        let (from, to, _) = graph.edges[i];
        let Some(line) = line else {
            assert_eq!(from, to);
            continue;
        };
        let (first, last) = (line.points[0], line.points[line.points.len() - 1]);
        let (from, to) = (picture.nodes[from], picture.nodes[to]);
        assert!((first.x - from.at.x).abs() <= half(&from) && (last.x - to.at.x).abs() <= half(&to));
        let way = if closing[i] { -1.0 } else { 1.0 };
        assert_eq!((first.y, last.y), (from.at.y + way * 15.0, to.at.y - way * 15.0), "edge {i}");
        assert!(line.points.windows(2).all(|pair| (pair[1].y - pair[0].y) * way > 0.0), "edge {i} turns");
    }
    picture
}

#[test]
fn what_is_imported_stands_below() {
    let picture = check(&graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 3)]));
    let y = |n: usize| picture.nodes[n].at.y;
    assert!(y(0) < y(1) && y(1) == y(2) && y(2) < y(3));
}

#[test]
fn a_cycle_has_one_edge_upwards() {
    let picture = check(&graph(3, &[(0, 1), (1, 2), (2, 0)]));
    let up = picture.lines.iter().flatten().filter(|l| l.points[0].y > l.points[l.points.len() - 1].y);
    assert_eq!(up.count(), 1);
}

#[test]
fn two_trees_do_not_cross() {
    // Given in the worst order: each second leaf is the other's.
    let edges: Vec<_> = (2..10).map(|leaf| (leaf % 2, leaf)).collect();
    let picture = check(&graph(10, &edges));
    let x = |n: usize| picture.nodes[n].at.x;
    let (evens, odds): (Vec<_>, Vec<_>) = (2..10).partition(|leaf| leaf % 2 == 0);
    let rows = |leaves: &[usize]| leaves.iter().map(|&n| (picture.nodes[n].at.y, x(n))).collect::<Vec<_>>();
    for (y, left) in rows(&evens) {
        for (_, right) in rows(&odds).iter().filter(|other| other.0 == y) {
            assert_eq!(left < *right, x(0) < x(1));
        }
    }
}

#[test]
fn what_no_edge_joins_stands_close() {
    // A wide tree, a small one and five nodes without edges.
    let edges: Vec<_> = (1..9).map(|n| (0, n)).chain((1..9).map(|n| (n, 9))).chain([(10, 11)]).collect();
    let picture = check(&graph(17, &edges));
    let tree = check(&graph(10, &edges[..16]));
    assert!(picture.width < tree.width + 250.0, "{} beside {}", picture.width, tree.width);
    let alone: Vec<f64> = (12..17).map(|n| picture.nodes[n].at.x).collect();
    assert!(alone.iter().all(|x| (x - picture.width / 2.0).abs() < 260.0), "{alone:?} {}", picture.width);
}

#[test]
fn graphs_of_every_shape_are_drawn() {
    check(&graph(0, &[]));
    check(&graph(1, &[(0, 0)]));
    check(&graph(17, &[]));
    let everyone: Vec<_> = (0..12).flat_map(|a| (0..12).map(move |b| (a, b))).collect();
    check(&graph(12, &everyone));
    // A pseudo-random one of the size that should still be read.
    let mut seed = 7usize;
    let mut next = || {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        seed / 65_536
    };
    let mut edges: Vec<_> = (0..180).map(|_| (next() % 60, next() % 60)).collect();
    edges.sort_unstable();
    edges.dedup();
    check(&graph(60, &edges));
}

#[test]
fn what_nobody_could_see_is_not_drawn() {
    let chain: Vec<_> = (1..1_000).map(|n| (n - 1, n)).chain((500..1_000).map(|n| (0, n))).collect();
    assert!(layout(&graph(1_000, &chain)).is_none());
}
