//! The language of Graphviz.

use super::{Mark, files, mark};
use crate::ops::boundary::graph::Graph;
use crate::text::escape;

pub(super) fn graph(graph: &Graph, counts: bool) -> String {
    let mut out = String::from(
        "digraph imports {\n  rankdir=TB;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for (i, part) in graph.parts.parts.iter().enumerate() {
        let mut label = quoted(&part.name);
        if let Some(files) = files(graph, i, counts) {
            label.push_str(&format!("\\n{files}"));
        }
        let cycle = if part.in_cycle { ", color=darkorange" } else { "" };
        out.push_str(&format!("  n{i} [label=\"{label}\"{cycle}];\n"));
    }
    for link in &graph.parts.links {
        let mut attributes = Vec::new();
        if counts {
            attributes.push(format!("label=\"{}\"", link.imports));
        }
        attributes.push(match mark(link) {
            Mark::Plain => "color=gray40".to_owned(),
            Mark::Cycle => "color=darkorange, style=dotted, penwidth=2".to_owned(),
            Mark::Violation => "color=red, style=dashed, penwidth=2".to_owned(),
        });
        out.push_str(&format!("  n{} -> n{} [{}];\n", link.from, link.to, attributes.join(", ")));
    }
    out.push_str("}\n");
    out
}

/// Within double quotes: of those only `"` ends the string, but in a label a
/// backslash begins an escape.
fn quoted(text: &str) -> String {
    escape::line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
