//! Parsing with tree-sitter, and walking what comes of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use memchr::memmem;
use tree_sitter::{Language, LogType, Node, ParseOptions, ParseState, Parser, Tree, TreeCursor};

use super::Unreadable;

/// The parser says every so often that it goes on; in one of so many stretches
/// between it is asked what it does.
const STRETCHES: usize = 128;
/// How often it may be seen to recover from an error. What recovers more often
/// takes time with the square of its length, and is no source: sources that
/// the grammar lags behind are seen to do so a few times at most.
const RECOVERIES: usize = 60;

/// The tree of a text. The grammar must be one of this build.
pub(super) fn parse(language: &Language, text: &str) -> Result<Tree, Unreadable> {
    let mut parser = Parser::new();
    parser.set_language(language).map_err(|_| Unreadable::Syntax { line: 1 })?;
    let (recoveries, at) = (Rc::new(Cell::new(0usize)), RefCell::new(0));
    let mut is_asked = false;
    loop {
        let (mut told, until) = (0usize, if is_asked { 1 } else { STRETCHES });
        let mut pauses = |state: &ParseState| {
            told += 1;
            at.replace(state.current_byte_offset());
            told >= until
        };
        let options = ParseOptions::new().progress_callback(&mut pauses);
        let mut read = |at: usize, _| text.as_bytes().get(at..).unwrap_or_default();
        // Without a tree it was paused, and goes on where it was.
        if let Some(tree) = parser.parse_with_options(&mut read, None, Some(options)) {
            return Ok(tree);
        }
        let at = *at.borrow();
        if recoveries.get() > RECOVERIES || told == 0 {
            let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
            return Err(Unreadable::Syntax { line: 1 + memchr::memchr_iter(b'\n', before).count() });
        }
        is_asked = !is_asked;
        parser.set_logger(is_asked.then(|| {
            let recoveries = recoveries.clone();
            let hears = move |kind: LogType, what: &str| {
                if kind == LogType::Parse && (what.starts_with("recover") || what.starts_with("skip_token")) {
                    recoveries.set(recoveries.get() + 1);
                }
            };
            Box::new(hears) as Box<dyn FnMut(LogType, &str)>
        }));
    }
}

/// The first line, from 1, that did not parse and may hide an import: one of
/// `words` stands in what could not be understood. Grammars lag behind their
/// languages, and what they miss elsewhere is none of our business.
pub(super) fn first_error(tree: &Tree, source: &str, words: &[&str]) -> Option<usize> {
    if !tree.root_node().has_error() {
        return None;
    }
    // Errors lie within each other: none of their texts is searched.
    let places = |word: &&str| (word.len(), memmem::find_iter(source.as_bytes(), *word).collect());
    let places: Vec<(usize, Vec<usize>)> = words.iter().map(places).collect();
    let has_word = |node: Node<'_>| {
        places.iter().any(|(len, places)| {
            let first = places.partition_point(|place| *place < node.start_byte());
            places.get(first).is_some_and(|place| place + len <= node.end_byte())
        })
    };
    let mut cursor = tree.walk();
    let mut above = Vec::new();
    loop {
        let node = cursor.node();
        // What is missing has no text; what it is missing from has.
        let place = if node.is_missing() { above.last().copied().unwrap_or(node) } else { node };
        if (node.is_error() || node.is_missing()) && has_word(place) {
            return Some(line_of(node));
        }
        if node.has_error() && cursor.goto_first_child() {
            above.push(node);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
            above.pop();
        }
    }
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
