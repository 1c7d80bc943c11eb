//! What the grammar does not know, said in words that it does.
//!
//! Every replacement is as long as what it replaces and keeps its line ends,
//! so that places stay what they are. A replacement in a string or comment
//! changes no import.

use std::borrow::Cow;
use std::collections::BTreeSet;

use memchr::memmem;
use tree_sitter::Node;

use super::super::{Import, Kind};
use super::cut::{argument, brackets_of};
use super::lex;
use super::read::unquoted;
use super::statement::{is_of_promise, names_module};

/// A text that the grammar can read.
pub(super) struct Plain<'t> {
    pub(super) text: Cow<'t, str>,
    /// `import("x")` where it became a name: its place and what it names.
    calls: Vec<(usize, String)>,
    /// Statements that are `export type *`, by their place.
    pub(super) types: BTreeSet<usize>,
    /// Statements that are `export a from`, by their place.
    pub(super) exports: BTreeSet<usize>,
}

/// Which calls of `import` become names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calls {
    /// Those that look like types.
    Types,
    /// Each with a literal.
    All,
}

/// The text as the grammar can read it.
pub(super) fn plain(text: &str, calls: Calls) -> Plain<'_> {
    let bytes = text.as_bytes();
    let mut plain = Plain {
        text: Cow::Borrowed(text),
        calls: Vec::new(),
        types: BTreeSet::new(),
        exports: BTreeSet::new(),
    };
    let mut changed: Option<Vec<u8>> = None;
    let mut replace = |start: usize, end: usize, with: &[u8]| {
        let changed = changed.get_or_insert_with(|| bytes.to_vec());
        let Some(place) = changed.get_mut(start..end) else { return };
        let fill = with.iter().copied().chain(std::iter::repeat(b' '));
        for (byte, with) in place.iter_mut().zip(fill) {
            if *byte != b'\n' {
                *byte = with;
            }
        }
    };
    for at in memmem::find_iter(bytes, b"import") {
        let is_word = at == 0 || !lex::is_name(bytes[at - 1]) || lex::word(bytes, at) == at;
        if !is_word || lex::word(bytes, at) != at + "import".len() {
            continue;
        }
        if let Some((end, specifier)) = call(bytes, at, calls) {
            replace(at, end, b"T");
            plain.calls.push((at, specifier));
        } else if let Some((start, end)) = phase(bytes, at + "import".len()) {
            replace(start, end, b"");
        }
    }
    for at in memmem::find_iter(bytes, b"export") {
        let end = at + "export".len();
        let is_word = (at == 0 || !lex::is_name(bytes[at - 1])) && lex::word(bytes, at) == end;
        let Some(next) = is_word.then(|| lex::skip(bytes, end)).flatten() else { continue };
        let word = lex::word(bytes, next);
        if bytes.get(next..word) == Some(b"import")
            && lex::skip(bytes, word).is_some_and(|at| lex::word(bytes, at) > at)
        {
            // `export import a = require("x")`
            replace(at, end, b"");
            plain.exports.insert(next);
            continue;
        }
        let then = |at: usize| lex::skip(bytes, at).and_then(|at| bytes.get(at));
        if bytes.get(next..word) == Some(b"type") && then(word) == Some(&b'*') {
            replace(next, word, b"");
            plain.types.insert(at);
        } else if word > next && names_module(bytes, word).unwrap_or(false) {
            replace(at, end, b"import");
            if bytes.get(next..word) == Some(b"default") {
                replace(next, word, b"d");
            }
            plain.exports.insert(at);
        }
    }
    if let Some(Ok(changed)) = changed.map(String::from_utf8) {
        plain.text = Cow::Owned(changed);
    }
    plain
}

/// Where the call of `import` here ends and what it names, if it is to become
/// a name.
fn call(bytes: &[u8], at: usize, calls: Calls) -> Option<(usize, String)> {
    let open = lex::skip(bytes, at + "import".len())?;
    let module = (bytes.get(open) == Some(&b'(')).then(|| argument(bytes, open))??;
    let specifier = unquoted(std::str::from_utf8(bytes.get(module.start..module.end)?).ok()?)?;
    let end =
        if bytes.get(module.after) == Some(&b')') { module.after + 1 } else { brackets_of(bytes, open)? };
    if calls == Calls::All {
        return Some((end, specifier));
    }
    let behind = lex::skip(bytes, end)?;
    let before = bytes.get(..at)?.trim_ascii_end();
    let is_query = before.ends_with(b"typeof");
    let is_member = match bytes.get(behind) {
        Some(b'.') => {
            let name = lex::skip(bytes, behind + 1)?;
            let name = bytes.get(name..lex::word(bytes, name))?;
            !name.is_empty() && !is_of_promise(name)
        }
        _ => false,
    };
    (is_query || is_member).then_some((end, specifier))
}

/// The word of `import defer * as a`, `import source a from`.
fn phase(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let start = lex::skip(bytes, at)?;
    let end = lex::word(bytes, start);
    if !matches!(bytes.get(start..end)?, b"defer" | b"source" | b"module") {
        return None;
    }
    let next = lex::skip(bytes, end)?;
    if bytes.get(next) == Some(&b'*') {
        return Some((start, end));
    }
    let name = lex::word(bytes, next);
    let from = lex::skip(bytes, name)?;
    (name > next && bytes.get(from..lex::word(bytes, from)) == Some(b"from")).then_some((start, end))
}

impl Plain<'_> {
    /// The imports among the calls that became names in this leaf: what each
    /// of them is shows by what the name is.
    pub(super) fn imports_at(&self, leaf: Node<'_>, above: &[Node<'_>], found: &mut Vec<(usize, Import)>) {
        let first = self.calls.partition_point(|(at, _)| *at < leaf.start_byte());
        for (at, specifier) in self.calls[first..].iter().take_while(|(at, _)| *at < leaf.end_byte()) {
            if let Some(kind) = kind_of(leaf, above) {
                let import = Import {
                    line: leaf.start_position().row + 1,
                    specifier: specifier.clone(),
                    names: Vec::new(),
                    kind,
                    exported: false,
                    within: Vec::new(),
                };
                found.push((*at, import));
            }
        }
    }
}

/// What a name stands for; none if it is none.
fn kind_of(name: Node<'_>, above: &[Node<'_>]) -> Option<Kind> {
    match name.kind() {
        "type_identifier" => Some(Kind::Type),
        "identifier" => {
            for node in above.iter().rev() {
                match node.kind() {
                    "type_query" | "nested_type_identifier" => return Some(Kind::Type),
                    "nested_identifier"
                    | "member_expression"
                    | "subscript_expression"
                    | "instantiation_expression" => {}
                    _ => break,
                }
            }
            Some(Kind::Dynamic)
        }
        // It is not understood what it is: the stricter of both.
        "ERROR" => Some(Kind::Dynamic),
        _ => None,
    }
}
