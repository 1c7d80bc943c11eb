//! Where a text can be read in two ways, one of which hides what the other
//! runs.
//!
//! A slash at the beginning of a line divides, or it begins a regex because
//! the statement before had ended: only a whole grammar knows. `<!--` is a
//! comment in a script and compares in a module. A parser that takes the wrong
//! way goes on with strings and comments where there are none. So what follows
//! such a place must not look like an import within a string or comment.

use tree_sitter::{Node, Tree};

use super::super::tree::{line_of, text_of, walk};
use super::lex;

/// How far a regex is followed.
const AHEAD: usize = 4_000;

/// The line of something that one reading runs and the parsed one hides, if
/// there is any.
pub(super) fn hidden(tree: &Tree, text: &str) -> Option<usize> {
    let from = doubtful(tree, text)?;
    let mut found = None;
    walk(tree, |node| {
        if found.is_some() || node.end_byte() <= from {
            return false;
        }
        let hides = matches!(
            node.kind(),
            "comment"
                | "html_comment"
                | "string"
                | "string_fragment"
                | "escape_sequence"
                | "regex"
                | "jsx_text"
        );
        if !hides {
            return true;
        }
        let content = text_of(node, text);
        let next = text.as_bytes().get(node.end_byte()).copied().unwrap_or_default();
        // Escapes may spell a name.
        if lex::may_import(content.as_bytes(), next) || content.contains("\\u") {
            found = Some(line_of(node));
        }
        false
    });
    found
}

/// The first place that can be read in two ways.
pub(super) fn doubtful(tree: &Tree, text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut found = None;
    // Where the last token ends, and what it is.
    let (mut end, mut last) = (0, "");
    walk(tree, |node| {
        if found.is_some() {
            return false;
        }
        let start = node.start_byte();
        if node.is_error() && memchr::memchr(b'/', text_of(node, text).as_bytes()).is_some() {
            found = Some(start);
            return false;
        }
        if node.child_count() > 0 {
            return true;
        }
        if matches!(node.kind(), "comment" | "html_comment" | "hash_bang_line") {
            if !bytes[start..].starts_with(b"/") && !bytes[start..].starts_with(b"#") {
                found = Some(start);
            }
            return false;
        }
        let is_first = lex::breaks_line(bytes.get(end..start).unwrap_or_default()) || last.is_empty();
        let is_doubtful = match node.kind() {
            "/" | "/=" => {
                let is_regex = is_part_of_regex(node);
                let is_end = is_regex && last == "regex_pattern";
                !is_end
                    && (is_first && !is_operator(last)
                        || follows_either(last)
                        || is_regex && is_operand(last))
                    && may_hide(bytes, start)
            }
            "<" => bytes[start..].starts_with(b"<!--"),
            "--" => is_first && bytes[start..].starts_with(b"-->"),
            _ => false,
        };
        if is_doubtful {
            found = Some(start);
        }
        (end, last) = (node.end_byte(), node.kind());
        false
    });
    found
}

/// Whether it matters what the slash here is.
fn may_hide(bytes: &[u8], at: usize) -> bool {
    let near = bytes.get(..bytes.len().min(at + AHEAD)).unwrap_or_default();
    match lex::regex(near, at) {
        Some(end) => lex::hides(near, at, end),
        None => near.len() < bytes.len() && !lex::breaks_line(near.get(at..).unwrap_or_default()),
    }
}

fn is_part_of_regex(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| parent.kind() == "regex")
}

/// Whether a token takes an operand, whatever line that is on.
fn is_operator(token: &str) -> bool {
    matches!(
        token,
        "(" | "["
            | "{"
            | ","
            | ";"
            | ":"
            | "="
            | "?"
            | "&&"
            | "||"
            | "??"
            | "!"
            | "=>"
            | "return"
            | "+"
            | "-"
            | "*"
            | "=="
            | "==="
            | "!="
            | "!=="
            | "${"
    )
}

/// Whether what follows a token may be an operand or an operator.
fn follows_either(token: &str) -> bool {
    matches!(token, "}" | ">" | "yield" | "await" | "of" | "async" | "let" | "get" | "set" | "static")
}

/// Whether a token ends an operand, so that a regex behind it is a guess.
fn is_operand(token: &str) -> bool {
    token.ends_with("identifier") || matches!(token, "]" | "number" | "`" | "'" | "\"" | "this" | "null")
}
