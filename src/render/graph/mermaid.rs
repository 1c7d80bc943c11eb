//! The language of Mermaid, which markdown pages of code hosts draw.

use super::{Mark, files, mark};
use crate::ops::boundary::graph::Graph;
use crate::text::escape;

pub(super) fn graph(graph: &Graph, counts: bool) -> String {
    let mut out = String::from("flowchart TD\n");
    for (i, part) in graph.parts.parts.iter().enumerate() {
        let mut label = quoted(&part.name);
        if let Some(files) = files(graph, i, counts) {
            label.push_str(&format!("<br/>{files}"));
        }
        out.push_str(&format!("  n{i}[\"{label}\"]\n"));
    }
    for link in &graph.parts.links {
        let arrow = if mark(link) == Mark::Plain { "-->" } else { "-.->" };
        let label = if counts { format!("|{}|", link.imports) } else { String::new() };
        out.push_str(&format!("  n{} {arrow}{label} n{}\n", link.from, link.to));
    }
    for (i, link) in graph.parts.links.iter().enumerate() {
        match mark(link) {
            Mark::Plain => {}
            Mark::Cycle => out.push_str(&format!("  linkStyle {i} stroke:#bf8700,stroke-width:2px\n")),
            Mark::Violation => out.push_str(&format!("  linkStyle {i} stroke:#cf222e,stroke-width:2px\n")),
        }
    }
    let cyclic: Vec<String> = graph
        .parts
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.in_cycle)
        .map(|(i, _)| format!("n{i}"))
        .collect();
    if !cyclic.is_empty() {
        out.push_str(&format!(
            "  classDef cycle stroke:#bf8700,stroke-width:2px\n  class {} cycle\n",
            cyclic.join(",")
        ));
    }
    out
}

/// Within double quotes: whatever means something to Mermaid, to markdown or
/// to HTML is written by its number.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for c in escape::line(text).chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '`' | '*' | '_' | '\\' | ';' | '[' | ']' | '{' | '}' | '|'
            | '~' => {
                out.push_str(&format!("#{};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}
