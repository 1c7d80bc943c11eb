//! The graph of imports: as text, for programs, for those that draw, and
//! drawn.

mod dot;
pub mod explain;
mod mermaid;
mod svg;

use serde_json::{Value, json};

use super::Answer;
use super::columns::aligned;
use crate::boundary::Edge;
use crate::boundary::picture::group::Link;
use crate::ops::boundary::graph::{Graph, Level};
use crate::ops::error::plural;
use crate::text::escape;

/// A language that graphs are drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
    /// A picture.
    Svg,
}

/// The graph in a language; none if it is too large for a picture. Without
/// `counts` it changes only when a link comes or goes.
pub fn draw(graph: &Graph, format: Format, counts: bool) -> Option<String> {
    match format {
        Format::Dot => Some(dot::graph(graph, counts)),
        Format::Mermaid => Some(mermaid::graph(graph, counts)),
        Format::Svg => svg::picture(graph, counts),
    }
}

/// What a link is marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Plain,
    /// It closes a cycle.
    Cycle,
    /// Some imports break a rule.
    Violation,
}

fn mark(link: &Link) -> Mark {
    match link {
        Link { violations: 1.., .. } => Mark::Violation,
        Link { closes: true, .. } => Mark::Cycle,
        _ => Mark::Plain,
    }
}

/// Who imports whom, a line for each.
pub fn table(graph: &Graph) -> Answer {
    let parts = &graph.parts;
    let name = |part: usize| escape::line(&parts.parts[part].name).into_owned();
    let rows: Vec<Vec<String>> = parts
        .links
        .iter()
        .map(|link| {
            let broken =
                if link.violations > 0 { plural(link.violations, "violation") } else { String::new() };
            let cycle = if link.closes { "closes a cycle" } else { "" };
            vec![
                name(link.from),
                format!("-> {}", name(link.to)),
                plural(link.imports, "import"),
                broken,
                cycle.to_owned(),
            ]
        })
        .collect();
    let mut text = aligned(&rows);
    for cycle in &parts.cycles {
        let names: Vec<String> = cycle.iter().take(12).map(|&part| name(part)).collect();
        let more = if cycle.len() > 12 { format!(" and {} more", cycle.len() - 12) } else { String::new() };
        text.push_str(&format!("cycle among {}{more}\n", names.join(", ")));
    }
    text.push_str(&format!(
        "{}, {}",
        plural(parts.parts.len(), graph.level.unit()),
        plural(parts.links.len(), "link")
    ));
    if graph.left_out > 0 {
        text.push_str(&format!("; {} in none", plural(graph.left_out, "source")));
    }
    text.push('\n');
    Answer { text, json: json(graph) }
}

/// The graph for programs.
fn json(graph: &Graph) -> Value {
    let parts = &graph.parts;
    let name = |part: usize| parts.parts[part].name.as_str();
    let nodes = parts.parts.iter();
    let nodes: Vec<Value> =
        nodes.map(|p| json!({ "name": p.name, "files": p.files, "in_cycle": p.in_cycle })).collect();
    let edges: Vec<Value> = parts
        .links
        .iter()
        .map(|link| {
            json!({
                "from": name(link.from), "to": name(link.to), "imports": link.imports,
                "violations": link.violations, "in_cycle": link.in_cycle, "closes_cycle": link.closes,
            })
        })
        .collect();
    let cycles: Vec<Vec<&str>> =
        parts.cycles.iter().map(|cycle| cycle.iter().map(|&part| name(part)).collect()).collect();
    json!({
        "level": graph.level.unit(), "nodes": nodes, "edges": edges, "cycles": cycles,
        "left_out": graph.left_out,
    })
}

/// Every import, for programs.
pub fn edges_json(edges: &[Edge]) -> Value {
    let edges: Vec<Value> = edges
        .iter()
        .map(|edge| {
            json!({
                "from": &*edge.from, "line": edge.import.line, "import": edge.import.specifier,
                "kind": edge.import.kind.as_str(), "names": edge.import.names,
                "target": edge.target.kind(), "to": edge.target.name(),
            })
        })
        .collect();
    json!({ "edges": edges })
}

/// A part's second line.
fn files(graph: &Graph, part: usize, counts: bool) -> Option<String> {
    let files = graph.parts.parts[part].files;
    (counts && graph.level != Level::Files && files > 0).then(|| plural(files, "file"))
}

#[cfg(test)]
mod tests;
