//! Code that is loaded without being a source: files with any name, and
//! `data:` addresses.
//!
//! `require` takes a file whose ending it does not know for JavaScript, and so
//! does `import` one without an ending. What such code imports is imported by
//! whoever loads it.

use std::collections::BTreeSet;

use super::super::super::files::folder_of;
use super::super::super::{Note, Target};
use super::probe::Rules;
use super::readings::decoded;
use super::{Asker, Modules};
use crate::syntax::{self, Import, Kind, Language};

/// The most files that one import leads through.
const MOST: usize = 100;
/// How deep addresses lie within each other.
const DEPTH: usize = 8;
/// Endings of texts that tools make something of, and that have words which
/// look like imports. They are read, but need not be JavaScript.
const TEXTS: [&str; 32] = [
    "css", "scss", "sass", "less", "styl", "pcss", "html", "htm", "vue", "svelte", "astro", "md", "mdx",
    "markdown", "hbs", "ejs", "pug", "graphql", "gql", "glsl", "wgsl", "vert", "frag", "svg", "xml", "yaml",
    "yml", "toml", "csv", "coffee", "wasm", "map",
];

impl Modules<'_> {
    /// Adds what is loaded by way of files that are no sources.
    pub(super) fn relay(&self, import: &Import, found: &mut Vec<Target>) {
        if !matches!(import.kind, Kind::Static | Kind::Dynamic) {
            return;
        }
        let mut more: Vec<Target> = Vec::new();
        for target in found.iter() {
            let Target::File(path) = target else { continue };
            // A query is for bundlers, which make something of the file.
            let is_made = import.specifier.contains('?') && ending_of(path).is_some();
            if is_script(path) && !is_made {
                more.extend(self.relayed_by(path, import));
            }
        }
        for target in more {
            if !found.contains(&target) {
                found.push(target);
            }
        }
    }

    fn relayed_by(&self, path: &str, import: &Import) -> Vec<Target> {
        if let Some(known) = self.relayed.borrow().get(path) {
            return known.clone();
        }
        let (mut found, mut queue) = (Vec::new(), vec![path.to_owned()]);
        let mut seen: BTreeSet<String> = queue.iter().cloned().collect();
        while let Some(path) = queue.pop() {
            let Some(imports) = self.files.script(&path) else {
                // Nobody gets a text by a name without asking for one.
                let is_run = import.kind == Kind::Static && import.names.is_empty();
                let is_text = ending_of(&path).is_some_and(|ending| TEXTS.contains(&ending));
                if is_run && !is_text {
                    let what = "`require` runs it as JavaScript, and it cannot be read as such".to_owned();
                    self.relay_notes.borrow_mut().insert(Note { path, line: 0, what, stops: true });
                }
                continue;
            };
            let asker = Asker { from: &path, folder: folder_of(&path), rules: Rules::JavaScript };
            let imports = imports.iter().filter(|import| import.kind != Kind::Type);
            for target in imports.flat_map(|import| self.as_written(&asker, import)) {
                match &target {
                    Target::File(file) if is_script(file) => {
                        if seen.len() < MOST && seen.insert(file.clone()) {
                            queue.push(file.clone());
                        }
                        found.push(target);
                    }
                    Target::File(_) | Target::Package(_) => found.push(target),
                    // Texts have examples.
                    Target::Builtin | Target::Missing => {}
                }
            }
        }
        found.sort();
        found.dedup();
        self.relayed.borrow_mut().insert(path.to_owned(), found.clone());
        found
    }

    /// What code in an address imports; it is missing if nobody can tell.
    pub(super) fn run(&self, asker: &Asker<'_>, data: Data) -> Vec<Target> {
        let mut found = Vec::new();
        let mut queue = vec![(data, 0)];
        while let Some((data, depth)) = queue.pop() {
            let code = match data {
                Data::Script(code) if depth < DEPTH && queue.len() < MOST => code,
                Data::Other => continue,
                Data::Script(_) | Data::Unknown => return vec![Target::Missing],
            };
            let Ok(imports) = syntax::of_script(&code) else { return vec![Target::Missing] };
            for import in imports {
                match Data::of(&import.specifier) {
                    Some(inner) => queue.push((inner, depth + 1)),
                    None => found.extend(self.as_written(asker, &import)),
                }
            }
        }
        if found.is_empty() {
            found.push(Target::Builtin);
        }
        found
    }
}

/// What stands in a `data:` address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// JavaScript.
    Script(Vec<u8>),
    /// Something that imports nothing.
    Other,
    /// Nobody can tell.
    Unknown,
}

impl Data {
    /// The content of an address, if it has some.
    pub(super) fn of(specifier: &str) -> Option<Self> {
        let start = specifier.trim_start().get(..5)?;
        if !start.eq_ignore_ascii_case("data:") {
            return None;
        }
        let rest = specifier.trim_start().get(5..)?;
        let Some((kind, body)) = rest.split_once(',') else { return Some(Self::Unknown) };
        let mut kind = kind.split(';').map(|part| part.trim().to_ascii_lowercase());
        let is_script = kind.next().is_some_and(|mime| mime.ends_with("script"));
        if !is_script {
            return Some(Self::Other);
        }
        let Some(body) = decoded(body) else { return Some(Self::Unknown) };
        let code = if kind.any(|part| part == "base64") { base64(&body) } else { Some(body.into_bytes()) };
        Some(code.map_or(Self::Unknown, Self::Script))
    }
}

/// What text in base 64 stands for, in the alphabet of addresses as well.
fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut found, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            found.push((bits >> count & 0xff) as u8);
        }
    }
    Some(found)
}

/// What stands behind the last dot of a file's name.
fn ending_of(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ending)| ending)
}

/// Whether a file is run as JavaScript though it is no such source.
fn is_script(path: &str) -> bool {
    let is_source = matches!(Language::of(path.as_bytes()), Some(Language::TypeScript | Language::Tsx));
    !is_source && !ending_of(path).is_some_and(|ending| matches!(ending, "json" | "node" | "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_code() {
        let check = |specifier: &str, expected: Option<&str>| {
            let told = Data::of(specifier).map(|data| match data {
                Data::Script(code) => String::from_utf8(code).unwrap(),
                other => format!("{other:?}"),
            });
            assert_eq!(told.as_deref(), expected, "{specifier}");
        };
        check("data:text/javascript,import%20'./a'", Some("import './a'"));
        check("DATA:application/javascript;charset=utf-8;base64,aW1wb3J0ICcuL2En", Some("import './a'"));
        check("data:text/javascript;base64,YQ==", Some("a"));
        check("data:text/javascript;base64,?", Some("Unknown"));
        check("data:text/javascript", Some("Unknown"));
        check("data:application/json,{}", Some("Other"));
        check("./data:", None);
        check("dat\u{e9}:", None);
    }
}
