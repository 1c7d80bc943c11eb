//! Parsing with tree-sitter, and walking what comes of it.

use tree_sitter::{Language, Node, Parser, Tree, TreeCursor};

use super::Unreadable;

/// The tree of a text. The grammar must be one of this build.
pub(super) fn parse(language: &Language, text: &str) -> Result<Tree, Unreadable> {
    let mut parser = Parser::new();
    let damaged = Unreadable::Syntax { line: 1 };
    parser.set_language(language).map_err(|_| damaged.clone())?;
    parser.parse(text, None).ok_or(damaged)
}

/// The first line, from 1, that did not parse and may hide an import: one of
/// `words` stands in what could not be understood. Grammars lag behind their
/// languages, and what they miss elsewhere is none of our business.
pub(super) fn first_error(tree: &Tree, source: &str, words: &[&str]) -> Option<usize> {
    if !tree.root_node().has_error() {
        return None;
    }
    let mut found = None;
    walk(tree, |node| {
        // What is missing has no text; what it is missing from has.
        let place = if node.is_missing() { node.parent().unwrap_or(node) } else { node };
        if found.is_none() && (node.is_error() || node.is_missing()) {
            let text = text_of(place, source);
            if words.iter().any(|word| text.contains(word)) {
                found = Some(line_of(node));
            }
        }
        found.is_none() && node.has_error()
    });
    found
}

/// Visits every node, parents first, without recursion: a hostile file may
/// nest as deep as it likes. `enter` says whether to go below.
pub(super) fn walk<'t>(tree: &'t Tree, mut enter: impl FnMut(Node<'t>) -> bool) {
    let mut cursor: TreeCursor<'t> = tree.walk();
    loop {
        if enter(cursor.node()) && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// The text of a node.
pub(super) fn text_of<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or_default()
}

/// The line that a node starts on, from 1.
pub(super) fn line_of(node: Node<'_>) -> usize {
    node.start_position().row + 1
}

/// The named children of a node.
pub(super) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}
