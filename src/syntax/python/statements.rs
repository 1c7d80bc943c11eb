//! Slices as tree-sitter reads them.
//!
//! Sources say the same over and over: half of all import statements of a
//! large package stand in another file of it too. What a statement means does
//! not depend on where it stands, so each is parsed once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tree_sitter::{Node, Parser, Tree};

use super::super::tree::line_of;
use super::super::{Import, Kind};
use super::calls::{self, Importers};
use super::grammar::{self, Named};
use super::scan::{Slice, Slices};
use super::{call, record};

/// How many statements are remembered before that starts anew.
const REMEMBERED: usize = 50_000;
/// The longest that is remembered, in bytes.
const LONG: usize = 1_000;

#[derive(Default)]
struct Memory {
    parser: Option<Parser>,
    known: HashMap<Box<str>, Rc<[Named]>>,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// What the slices import; none if one of them is something else.
pub(super) fn read(slices: &Slices) -> Option<Vec<Import>> {
    MEMORY.with_borrow_mut(|memory| memory.read(slices))
}

impl Memory {
    fn read(&mut self, slices: &Slices) -> Option<Vec<Import>> {
        let mut found = Vec::with_capacity(slices.parts.len());
        let mut fresh = String::new();
        let mut unread: Vec<Slice> = Vec::new();
        for (slice, text) in slices.iter() {
            match self.known.get(text).filter(|_| !slice.is_call) {
                Some(named) => found.extend(named.iter().cloned().map(|named| statement(slice, named))),
                None => {
                    unread.push(Slice { start: fresh.len(), ..*slice });
                    fresh.push_str(text);
                    fresh.push('\n');
                }
            }
        }
        if !unread.is_empty() {
            self.parse(&fresh, &unread, &mut found)?;
        }
        Some(found)
    }

    /// Reads statements that are not known yet, one after the other.
    fn parse(&mut self, text: &str, slices: &[Slice], found: &mut Vec<Import>) -> Option<()> {
        let tree = self.tree(text)?;
        let root = tree.root_node();
        if root.has_error() {
            return None;
        }
        let mut called = Vec::new();
        let mut importers = Importers::default();
        let mut cursor = root.walk();
        let mut is_there = cursor.goto_first_child();
        for slice in slices {
            let node = cursor.node();
            if !is_there || node.start_byte() != slice.start {
                return None;
            }
            if slice.is_call {
                called.push((slice, node));
            } else {
                let known = importers.count();
                let named = grammar::imported(node, text, &mut importers)?;
                // What names the functions that import says more than its imports.
                if importers.count() == known {
                    self.learn(text.get(node.byte_range()), &named);
                }
                found.extend(named.into_iter().map(|named| statement(slice, named)));
            }
            is_there = cursor.goto_next_sibling();
        }
        // Where a function has a name of the file's own, its calls were not cut.
        if is_there || importers.have_own_functions() {
            return None;
        }
        for (slice, node) in called {
            below(node, |inner| {
                if inner.kind() == "call" {
                    let line = slice.line + line_of(inner) - line_of(node);
                    calls::read(inner, text, &importers, |called| {
                        found.push(call(line, called, slice.is_optional));
                    });
                }
            });
        }
        Some(())
    }

    fn tree(&mut self, text: &str) -> Option<Tree> {
        if self.parser.is_none() {
            let mut parser = Parser::new();
            parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
            self.parser = Some(parser);
        }
        self.parser.as_mut()?.parse(text, None)
    }

    fn learn(&mut self, text: Option<&str>, named: &[Named]) {
        let Some(text) = text.filter(|text| text.len() <= LONG) else { return };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(text.into(), named.into());
    }
}

fn statement(slice: &Slice, named: Named) -> Import {
    let kind = if slice.is_for_types { Kind::Type } else { Kind::Static };
    record(slice.line, named, kind, slice.is_optional)
}

/// Visits a node and every one below it.
fn below(node: Node<'_>, mut visit: impl FnMut(Node<'_>)) {
    let mut cursor = node.walk();
    loop {
        visit(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}
