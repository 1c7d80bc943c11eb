//! Rules from the code as it is, as a person would have written them: a domain
//! for each part that the folders show, which may import what it imports now.

mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use self::parts::Part;
use super::files::folder_of;
use super::picture::cycles;
use super::{Edge, Target};
use crate::gate::pattern::DOMAIN;
use crate::gate::scope::below;
use crate::syntax::Kind;

/// More single files of a folder than this are allowed as the folder.
const SINGLE: usize = 3;

/// So many imports that close a circle are told.
const TOLD: usize = 12;

/// What one domain imports of the others.
#[derive(Clone, Debug, Default)]
struct Uses {
    /// Of other domains, by their number: how many imports.
    domains: BTreeMap<usize, usize>,
    /// Files of no domain.
    files: BTreeSet<String>,
    /// Whether packages, and whether such with a scope (`@acme/ui`).
    packages: bool,
    scoped: bool,
}

/// A `comm.toml` that allows just what is there; none if there are no sources.
pub fn derive(paths: &[String], sources: &[String], edges: &[Edge]) -> Option<String> {
    let mut parts = parts::find(paths, sources);
    if parts.is_empty() {
        return None;
    }
    let mut uses = uses_of(&parts, edges);
    let mut links = links_of(&parts, &uses);
    let mut circles = cycles::components(parts.len(), &links);
    // A few files that only lie in one folder may make a circle together that
    // none of them is on.
    if parts::split(&mut parts, &circles.concat(), sources) {
        uses = uses_of(&parts, edges);
        links = links_of(&parts, &uses);
        circles = cycles::components(parts.len(), &links);
    }
    let closing = cycles::closing(parts.len(), &links);
    let order = from_low_to_high(&parts, &links, &closing);
    let mut out = String::from(
        "# Derived from the code as it is: what a domain imports now it may import, and\n# nothing else. Tighten it from here. `pkg:*` stands for every package: list\n# `pkg:NAME` in its place to allow some.\n",
    );
    match circles.is_empty() {
        true if links.is_empty() => {}
        true => out.push_str("# From low to high: a domain imports only from those above it in this file.\n"),
        false => tell_circles(&mut out, &parts, &circles, &links, &closing),
    }
    for &index in &order {
        add_domain(&mut out, &parts, index, &uses[index]);
    }
    if circles.is_empty() {
        add_layers(&mut out, &parts, &order, &links);
    }
    Some(out)
}

/// Who imports whom, but for those that may import anything.
fn links_of(parts: &[Part], uses: &[Uses]) -> Vec<cycles::Edge> {
    uses.iter()
        .enumerate()
        .filter(|(from, _)| !parts[*from].is_free)
        .flat_map(|(from, uses)| uses.domains.iter().map(move |(&to, &count)| (from, to, count)))
        .collect()
}

/// What each part imports of the others.
fn uses_of(parts: &[Part], edges: &[Edge]) -> Vec<Uses> {
    let mut uses = vec![Uses::default(); parts.len()];
    for edge in edges.iter().filter(|edge| edge.import.kind != Kind::Part) {
        let Some(from) = parts::owner(parts, &edge.from) else { continue };
        match &edge.target {
            Target::Package(name) => {
                uses[from].packages |= !name.contains('/');
                uses[from].scoped |= name.contains('/');
            }
            Target::File(path) => match parts::owner(parts, path) {
                Some(to) if to == from => {}
                Some(to) => *uses[from].domains.entry(to).or_default() += 1,
                None => {
                    uses[from].files.insert(path.clone());
                }
            },
            Target::Builtin | Target::Missing => {}
        }
    }
    uses
}

/// Who imports least of the others first, but for the edges that close cycles;
/// those that may import anything last.
fn from_low_to_high(parts: &[Part], links: &[cycles::Edge], closing: &[bool]) -> Vec<usize> {
    let mut waits = vec![0; parts.len()];
    let mut above = vec![Vec::new(); parts.len()];
    for (&(from, to, _), _) in links.iter().zip(closing).filter(|(_, closes)| !**closes) {
        waits[from] += 1;
        above[to].push(from);
    }
    let mut ready: BTreeSet<(bool, usize)> =
        (0..parts.len()).filter(|&i| waits[i] == 0).map(|i| (parts[i].is_free, i)).collect();
    let mut order = Vec::new();
    while let Some((_, index)) = ready.pop_first() {
        order.push(index);
        for &next in &above[index] {
            waits[next] -= 1;
            if waits[next] == 0 {
                ready.insert((parts[next].is_free, next));
            }
        }
    }
    order
}

/// Says who imports whom in a circle, and the least that would open it.
fn tell_circles(
    out: &mut String,
    parts: &[Part],
    circles: &[Vec<usize>],
    links: &[cycles::Edge],
    closing: &[bool],
) {
    out.push_str("#\n# There is no order from low to high: some import each other in a circle.\n");
    let name = |index: usize| parts[index].name.as_str();
    for circle in circles {
        let names: Vec<&str> = circle.iter().map(|&index| name(index)).collect();
        wrapped(out, &format!("{}.", names.join(", ")), "");
        let cut = links.iter().zip(closing).filter(|((from, ..), closes)| **closes && circle.contains(from));
        let least: Vec<String> =
            cut.map(|(&(from, to, count), _)| format!("{} -> {} ({count})", name(from), name(to))).collect();
        // Where it takes more, nobody opens it in one go.
        if least.len() <= TOLD {
            wrapped(out, &format!("{}.", least.join(", ")), "It would be open without ");
        }
    }
}

/// A comment of as many lines as it takes.
fn wrapped(out: &mut String, text: &str, start: &str) {
    let mut line = format!("# {start}");
    for word in text.split(' ') {
        if line.len() + word.len() > 78 && line.len() > 2 {
            out.push_str(line.trim_end());
            out.push('\n');
            line = "#   ".to_owned();
        }
        line.push_str(word);
        line.push(' ');
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn add_domain(out: &mut String, parts: &[Part], index: usize, uses: &Uses) {
    let part = &parts[index];
    let _ = write!(out, "\n[domains.{}]\n", key(&part.name));
    match &part.scope[..] {
        [one] if *one == below(&part.path, "**") && !part.path.is_empty() => {
            let _ = writeln!(out, "path = {}", quoted(&part.path));
        }
        scope => add_list(out, "scope", scope.to_vec()),
    }
    // What tests and scripts import is their own business.
    if part.is_free {
        return;
    }
    let mut allowed: Vec<String> =
        uses.domains.keys().map(|&to| format!("{DOMAIN}{}", parts[to].name)).collect();
    allowed.extend(singles(&uses.files));
    allowed.extend(uses.packages.then(|| "pkg:*".to_owned()));
    allowed.extend(uses.scoped.then(|| "pkg:@*/*".to_owned()));
    add_list(out, "allowed_imports", allowed);
}

/// Files of no domain, as globs: many of one folder as the folder.
fn singles(files: &BTreeSet<String>) -> Vec<String> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        folders.entry(folder_of(file)).or_default().push(file);
    }
    let mut globs = Vec::new();
    for (folder, files) in folders {
        match files.len() {
            0..=SINGLE => globs.extend(files.iter().map(|file| {
                let name = file.rsplit('/').next().unwrap_or(file);
                below(folder, below(name, "").trim_end_matches('/'))
            })),
            _ => globs.push(below(folder, "*")),
        }
    }
    globs
}

/// The order that there is, from high to low: what is allowed later keeps to
/// it too. What imports none of each other stands side by side.
fn add_layers(out: &mut String, parts: &[Part], order: &[usize], links: &[cycles::Edge]) {
    let mut height = vec![0; parts.len()];
    for &index in order {
        let below = links.iter().filter(|link| link.0 == index).map(|link| height[link.1] + 1);
        height[index] = below.max().unwrap_or(0);
    }
    let is_linked = |index: usize| links.iter().any(|link| link.0 == index || link.1 == index);
    let mut layers: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for &index in order.iter().filter(|&&index| !parts[index].is_free && is_linked(index)) {
        layers.entry(height[index]).or_default().push(quoted(&parts[index].name));
    }
    if layers.len() < 2 {
        return;
    }
    let _ = write!(out, "\n# From high to low; side by side in one list.\n[[layers]]\norder = [\n");
    for names in layers.values().rev() {
        let _ = match &names[..] {
            [name] => writeln!(out, "    {name},"),
            names => writeln!(out, "    [{}],", names.join(", ")),
        };
    }
    out.push_str("]\n");
}

/// A list on one line, or on several where it would be too long.
fn add_list(out: &mut String, key: &str, values: Vec<String>) {
    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    let line = format!("{key} = [{}]", values.join(", "));
    if line.chars().count() <= 100 {
        out.push_str(&line);
        out.push('\n');
        return;
    }
    let _ = writeln!(out, "{key} = [");
    let mut line = String::from("   ");
    for value in values {
        if line.chars().count() + value.chars().count() > 98 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("   ");
        }
        let _ = write!(line, " {value},");
    }
    let _ = writeln!(out, "{line}\n]");
}

/// A key as TOML has it: bare where it may be.
fn key(name: &str) -> String {
    let is_bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if crate::text::escape::is_unsafe(c) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
