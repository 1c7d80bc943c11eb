//! May this import that?

use serde_json::{Value, json};

use crate::boundary::Edge;
use crate::ops::boundary::explain::{Explained, Side};
use crate::ops::error::plural;
use crate::render::Answer;
use crate::render::columns::aligned;
use crate::syntax::Kind;
use crate::text::escape;

/// Imports that are shown to people.
const SHOWN: usize = 10;

/// The verdict, the rule behind it, and the imports that there are.
pub fn answer(explained: &Explained) -> Answer {
    let Explained { from, to, allowed, why, only, imports, chain, .. } = explained;
    let verdict = if *allowed { "yes" } else { "no" };
    let may = if *allowed { "may import" } else { "may not import" };
    let mut text = format!("{verdict}: {} {may} {}\n", shown(from), shown(to));
    text.push_str(&format!("  why: {}\n", escape::line(why)));
    if !only.is_empty() {
        let names: Vec<String> = only.iter().take(5).map(|path| escape::line(path).into_owned()).collect();
        let more = only.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!("  only: {}{more}\n", names.join(", ")));
    }
    if let Some(finding) = &explained.finding {
        text.push_str(&format!("  instead: {}\n", escape::line(&finding.how)));
    }
    if !imports.is_empty() {
        text.push_str(&format!("  {}:\n", plural(imports.len(), "import")));
        let rows: Vec<Vec<String>> = imports.iter().take(SHOWN).map(row).collect();
        text.extend(aligned(&rows).lines().map(|line| format!("    {line}\n")));
        if imports.len() > SHOWN {
            text.push_str(&format!("    and {} more\n", imports.len() - SHOWN));
        }
    } else if chain.is_empty() {
        text.push_str("  no import leads there\n");
    } else {
        text.push_str("  no import leads there directly, but through others:\n");
        let rows: Vec<Vec<String>> = chain.iter().map(row).collect();
        text.extend(aligned(&rows).lines().map(|line| format!("    {line}\n")));
    }
    let json = json!({
        "allowed": allowed,
        "from": side(from), "to": side(to),
        "why": why,
        "code": explained.finding.as_ref().map(|finding| finding.code),
        "how": explained.finding.as_ref().map(|finding| &finding.how),
        "only": only,
        "imports": imports.iter().map(edge).collect::<Vec<_>>(),
        "chain": chain.iter().map(edge).collect::<Vec<_>>(),
    });
    Answer { text, json }
}

fn shown(side: &Side) -> String {
    let name = escape::line(side.name());
    match side {
        Side::Domain(_) => format!("domain {name}"),
        Side::Package(_) => format!("pkg:{name}"),
        Side::Folder(_) => format!("{name}/"),
        Side::File(_) => name.into_owned(),
    }
}

fn row(edge: &Edge) -> Vec<String> {
    let kind = match edge.import.kind {
        Kind::Static => String::new(),
        other => other.as_str().to_owned(),
    };
    let target = if edge.target.kind() == "package" { "pkg:" } else { "" };
    vec![
        format!("{}:{}", escape::line(&edge.from), edge.import.line),
        format!("`{}`", escape::clipped(&edge.import.specifier, 60)),
        format!("-> {target}{}", escape::line(edge.target.name())),
        kind,
    ]
}

fn side(side: &Side) -> Value {
    json!({ "kind": side.kind(), "name": side.name() })
}

fn edge(edge: &Edge) -> Value {
    json!({
        "from": &*edge.from, "line": edge.import.line, "import": edge.import.specifier,
        "kind": edge.import.kind.as_str(), "target": edge.target.kind(), "to": edge.target.name(),
    })
}
