//! TypeScript and JavaScript: `import`, `export ... from`, and the calls that
//! load a module.
//!
//! The specifier is the module as the program sees it. The names are those
//! that are imported or exported again, before they are renamed; `default`,
//! and `*` for all of them. What is called in a block of `try` has `try` in
//! `within`. `new URL("./x", import.meta.url)` takes [`URL`].

mod blind;
mod bound;
mod cut;
mod doubt;
mod lex;
mod read;
mod scan;
mod statement;
#[cfg(test)]
mod tests;

use memchr::memmem;
use tree_sitter::Tree;

use super::tree::{first_error, parse};
use super::{Import, Unreadable};

/// The name that stands for the address of a file.
pub(crate) const URL: &str = "url";

/// What `within` says of an import that may find nothing.
const READY: &str = "try";
/// What `within` says of one that names files by a pattern; then come the
/// patterns of those that it leaves out, with `!`.
pub(crate) const GLOB: &str = "glob";

/// How far it is looked ahead for a string.
const AHEAD: usize = 4_000;
/// Words without which a file imports nothing.
const WORDS: [&str; 5] = ["import", "export", "require", "mock", "new URL"];

/// The imports of a text: of its slices, or of all of it where the scanner
/// does not know.
pub(super) fn imports(text: &str, jsx: bool) -> Result<Vec<Import>, Unreadable> {
    let Ok(slices) = scan::scan(text, jsx) else { return by_full_parse(text, jsx) };
    if slices.text.is_empty() {
        return Ok(Vec::new());
    }
    // Slices have no elements.
    let grammar = grammar(false);
    let plain = blind::plain(&slices.text, blind::Calls::Types);
    let Some(tree) = parse(&grammar, &plain.text).ok().filter(|tree| !tree.root_node().has_error()) else {
        return by_full_parse(text, jsx);
    };
    let mut found = read::all(&tree, &plain);
    for (at, import) in &mut found {
        let (line, is_tried) = slices.place(*at);
        import.line = line;
        if is_tried && read::is_call(import) {
            import.within = vec![READY.to_owned()];
        }
    }
    let mut found: Vec<Import> = found.into_iter().map(|(_, import)| import).collect();
    bound::mark(text, &mut found);
    Ok(found)
}

/// Whether a file may import something if it is run as JavaScript.
pub(super) fn may_be_script(bytes: &[u8]) -> bool {
    let goes_on = |at: usize, word: &str| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let end = at + word.len();
        let ahead = bytes.get(end..bytes.len().min(end + AHEAD)).unwrap_or_default();
        // `@import` is of a style sheet.
        before.is_none_or(|byte| *byte != b'@' && !lex::is_name(*byte)) && lex::goes_on(ahead, 0)
    };
    let has = |word: &str| memmem::find_iter(bytes, word).any(|at| goes_on(at, word));
    // Escapes may spell a word.
    ["import", "export", "require"].into_iter().any(has) || memmem::find(bytes, b"\\u").is_some()
}

/// The tree of a text, and the first place that it is not sure from.
pub(super) fn parsed(text: &str, jsx: bool) -> Option<(Tree, Option<usize>)> {
    let tree = parse(&grammar(jsx), &blind::plain(text, blind::Calls::Types).text).ok()?;
    let doubt = doubt::doubtful(&tree, text);
    Some((tree, doubt))
}

fn grammar(jsx: bool) -> tree_sitter::Language {
    match jsx {
        true => tree_sitter_typescript::LANGUAGE_TSX.into(),
        false => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
    }
}

/// The imports of a text that may be no code at all.
pub(super) fn of_script(text: &str) -> Result<Vec<Import>, Unreadable> {
    let is_code = |calls| {
        let tree = parse(&grammar(true), &blind::plain(text, calls).text);
        tree.is_ok_and(|tree| !tree.root_node().has_error())
    };
    if is_code(blind::Calls::Types) || is_code(blind::Calls::All) {
        by_full_parse(text, true)
    } else {
        Err(Unreadable::Syntax { line: 1 })
    }
}

/// The imports of a text by a parse of all of it.
pub(super) fn by_full_parse(text: &str, jsx: bool) -> Result<Vec<Import>, Unreadable> {
    let grammar = grammar(jsx);
    let mut plain = blind::plain(text, blind::Calls::Types);
    let mut tree = parse(&grammar, &plain.text)?;
    if tree.root_node().has_error() {
        plain = blind::plain(text, blind::Calls::All);
        tree = parse(&grammar, &plain.text)?;
        if let Some(line) = first_error(&tree, &plain.text, &WORDS) {
            return Err(Unreadable::Syntax { line });
        }
    }
    if let Some(line) = doubt::hidden(&tree, text) {
        return Err(Unreadable::Syntax { line });
    }
    let mut found: Vec<Import> = read::all(&tree, &plain).into_iter().map(|(_, import)| import).collect();
    bound::mark(text, &mut found);
    Ok(found)
}
