//! The graph as a picture. What is marked differs in colour and in its dashes,
//! and all of it in light and in dark surroundings.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::{Mark, files, mark};
use crate::boundary::picture::layout::{self, Layout, Line};
use crate::ops::boundary::graph::Graph;
use crate::ops::error::plural;
use crate::render::xml::escaped;
use crate::text::escape;

/// Width of a character of a name and of a number: every text is stretched to
/// its cells, so that the picture is the same whatever font the reader has.
const CELL: f64 = 7.3;
const SMALL: f64 = 6.2;
/// Space around the picture.
const PAD: f64 = 24.0;
/// Height of the line that explains the marks.
const LEGEND: f64 = 30.0;
/// The longest name that is shown whole.
const NAME: usize = 48;

const STYLE: &str = "
.paper{fill:#fff;stroke:#d0d7de}.node{fill:#f6f8fa;stroke:#59636e}.node.cycle{stroke:#9a6700;stroke-width:2}
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}
.name{font-size:12.2px;font-weight:600}.small{font-size:10.3px;fill:#59636e}
.edge{fill:none;stroke:#818b98;stroke-width:1.2}.edge.many{stroke-width:2}
.edge.cycle{stroke:#9a6700;stroke-width:2;stroke-dasharray:2 4;stroke-linecap:round}
.edge.violation{stroke:#cf222e;stroke-width:2;stroke-dasharray:8 4}
.head{fill:#818b98}.head.cycle{fill:#9a6700}.head.violation{fill:#cf222e}
.count{font-size:10.3px;fill:#59636e;stroke:#fff;stroke-width:3px;paint-order:stroke}.count.cycle{fill:#9a6700}.count.violation{fill:#cf222e}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117;stroke:#3d444d}.node{fill:#151b23;stroke:#9198a1}.node.cycle{stroke:#d29922}
text{fill:#f0f6fc}.small{fill:#9198a1}.edge{stroke:#656c76}.edge.cycle{stroke:#d29922}.edge.violation{stroke:#ff7b72}
.head{fill:#656c76}.head.cycle{fill:#d29922}.head.violation{fill:#ff7b72}
.count{fill:#9198a1;stroke:#0d1117}.count.cycle{fill:#d29922}.count.violation{fill:#ff7b72}}
";

/// The picture; none if it is too large to be seen.
pub(super) fn picture(graph: &Graph, counts: bool) -> Option<String> {
    let parts = &graph.parts;
    let names: Vec<String> = parts.parts.iter().map(|part| escape::clipped(&part.name, NAME)).collect();
    let seconds: Vec<Option<String>> = (0..names.len()).map(|i| files(graph, i, counts)).collect();
    let wide = |text: &str, cell: f64| text.width() as f64 * cell;
    let widths = names.iter().zip(&seconds).map(|(name, second)| {
        let second = second.as_deref().map_or(0.0, |text| wide(text, SMALL));
        wide(name, CELL).max(second) + 22.0
    });
    let label = |imports: usize| if counts { wide(&imports.to_string(), SMALL) } else { 0.0 };
    let height = if seconds.iter().any(Option::is_some) { 40.0 } else { 28.0 };
    let drawn = layout::layout(&layout::Graph {
        widths: widths.collect(),
        height,
        edges: parts.links.iter().map(|link| (link.from, link.to, link.imports)).collect(),
        labels: parts.links.iter().map(|link| label(link.imports)).collect(),
    })?;
    let legend = legend(graph, counts);
    let width = (drawn.width + 2.0 * PAD).max(wide(&legend.text, SMALL) + 2.0 * PAD);
    let height_all = drawn.height + 2.0 * PAD + LEGEND;
    let shift = (width - drawn.width) / 2.0;
    let mut out = String::new();
    let title = format!("Imports between {}", plural(names.len(), graph.level.unit()));
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\" width=\"{w:.0}\" height=\"{h:.0}\" role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}</style>\n",
        w = width.ceil(),
        h = height_all.ceil(),
    );
    out.push_str("<defs>");
    for class in ["plain", "cycle", "violation"] {
        let _ = write!(
            out,
            "<marker id=\"{class}\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head {class}\" d=\"M0 0.8L8 4L0 7.2z\"/></marker>"
        );
    }
    let _ = writeln!(
        out,
        "</defs>\n<rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"8\"/>",
        width.ceil() - 1.0,
        height_all.ceil() - 1.0
    );
    let _ = writeln!(out, "<g transform=\"translate({shift:.1} {PAD})\">");
    add_edges(&mut out, graph, &drawn, counts);
    for (i, node) in drawn.nodes.iter().enumerate() {
        let (x, y) = (node.at.x - node.width / 2.0, node.at.y - height / 2.0);
        let cycle = if parts.parts[i].in_cycle { " cycle" } else { "" };
        let _ = writeln!(
            out,
            "<g><title>{}</title><rect class=\"node{cycle}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height}\" rx=\"6\"/>",
            escaped(&parts.parts[i].name),
            node.width
        );
        let first = if seconds[i].is_some() { -2.5 } else { 4.2 };
        text(&mut out, "name", &names[i], CELL, node.at.x, node.at.y + first);
        if let Some(second) = &seconds[i] {
            text(&mut out, "small", second, SMALL, node.at.x, node.at.y + 12.5);
        }
        out.push_str("</g>\n");
    }
    out.push_str("</g>\n");
    add_legend(&mut out, &legend, width, height_all);
    out.push_str("</svg>\n");
    Some(out)
}

fn text(out: &mut String, class: &str, words: &str, cell: f64, x: f64, y: f64) {
    let length = words.width() as f64 * cell;
    let _ = write!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
        escaped(words)
    );
}

/// The edges: those that are marked above the others, numbers above all.
fn add_edges(out: &mut String, graph: &Graph, drawn: &Layout, counts: bool) {
    let parts = &graph.parts;
    let mut order: Vec<usize> = (0..parts.links.len()).collect();
    order.sort_by_key(|&i| mark(&parts.links[i]) as u8);
    for &i in &order {
        let (Some(line), link) = (&drawn.lines[i], &parts.links[i]) else { continue };
        let class = class(mark(link));
        let many = if counts && link.imports >= 10 && class == "plain" { " many" } else { "" };
        let broken = if link.violations > 0 {
            format!(", {}", plural(link.violations, "violation"))
        } else {
            String::new()
        };
        let imports = if counts { format!(": {}", plural(link.imports, "import")) } else { String::new() };
        let _ = writeln!(
            out,
            "<path class=\"edge {class}{many}\" marker-end=\"url(#{class})\" d=\"{}\"><title>{} -&gt; {}{imports}{broken}</title></path>",
            way(line),
            escaped(&parts.parts[link.from].name),
            escaped(&parts.parts[link.to].name)
        );
    }
    for &i in order.iter().filter(|_| counts) {
        let (Some(line), link) = (&drawn.lines[i], &parts.links[i]) else { continue };
        let class = format!("count {}", class(mark(link)));
        text(out, &class, &link.imports.to_string(), SMALL, line.label.x, line.label.y + 3.5);
        out.push('\n');
    }
}

fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Plain => "plain",
        Mark::Cycle => "cycle",
        Mark::Violation => "violation",
    }
}

/// A line as the commands of a path.
fn way(line: &Line) -> String {
    let mut out = String::new();
    for (i, pair) in line.points.windows(2).enumerate() {
        let (a, b) = (pair[0], pair[1]);
        if i == 0 {
            let _ = write!(out, "M{:.1} {:.1}", a.x, a.y);
        }
        // Between layers a curve, through a layer straight.
        let _ = match i % 2 {
            0 => {
                let half = (b.y - a.y) / 2.0;
                write!(
                    out,
                    "C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
                    a.x,
                    a.y + half,
                    b.x,
                    b.y - half,
                    b.x,
                    b.y
                )
            }
            _ => write!(out, "L{:.1} {:.1}", b.x, b.y),
        };
    }
    out
}

struct Legend {
    /// What a mark means, with its class.
    marks: Vec<(&'static str, &'static str)>,
    text: String,
}

/// What is marked in this picture, explained.
fn legend(graph: &Graph, counts: bool) -> Legend {
    let has = |wanted: Mark| graph.parts.links.iter().any(|link| mark(link) == wanted);
    let mut marks = Vec::new();
    if has(Mark::Violation) {
        marks.push(("violation", "breaks a rule"));
    }
    if has(Mark::Cycle) {
        marks.push(("cycle", "closes a cycle"));
    }
    let number = if counts { "; numbers count imports" } else { "" };
    let mut text = format!("an arrow leads to what is imported{number}");
    for (_, words) in &marks {
        text.push_str(&format!("         {words}"));
    }
    Legend { marks, text }
}

fn add_legend(out: &mut String, legend: &Legend, width: f64, height: f64) {
    let length = legend.text.width() as f64 * SMALL;
    let (mut x, y) = ((width - length) / 2.0, height - 18.0);
    let words = legend.text.split("         ").next().unwrap_or_default();
    let put = |out: &mut String, words: &str, x: f64| {
        let length = words.width() as f64 * SMALL;
        text(out, "small", words, SMALL, x + length / 2.0, y + 3.5);
        x + length
    };
    x = put(out, words, x);
    for (class, words) in &legend.marks {
        let _ = write!(
            out,
            "<path class=\"edge {class}\" marker-end=\"url(#{class})\" d=\"M{:.1} {y:.1}h34\"/>",
            x + 2.5 * SMALL
        );
        x = put(out, words, x + 9.0 * SMALL);
    }
    out.push('\n');
}
