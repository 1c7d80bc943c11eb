//! Imports by a parse of the whole file.

use std::collections::HashSet;

use tree_sitter::{Node, TreeCursor};

use super::super::tree::{children, first_error, line_of, parse};
use super::super::{Import, Kind, Unreadable};
use super::calls::{self, Importers};
use super::checking::{self, Words};
use super::grammar::{self, Named};
use super::{call, record};

pub(super) fn imports(text: &str) -> Result<Vec<Import>, Unreadable> {
    let tree = parse(&tree_sitter_python::LANGUAGE.into(), text)?;
    if let Some(line) = first_error(&tree, text, &["import"]) {
        return Err(Unreadable::Syntax { line });
    }
    let mut reading = Reading {
        text,
        words: Words::of(tree.root_node(), text),
        importers: Importers::default(),
        for_types: HashSet::new(),
        optional: HashSet::new(),
        found: Vec::new(),
        called: Vec::new(),
        broken: None,
    };
    reading.walk(tree.walk());
    if let Some(line) = reading.broken {
        return Err(Unreadable::Syntax { line });
    }
    let Reading { importers, mut found, called, .. } = reading;
    for (node, here) in called {
        calls::read(node, text, &importers, |called| {
            found.push(call(line_of(node), called, here.is_optional))
        });
    }
    Ok(found)
}

/// What stands around a node.
#[derive(Clone, Copy, Default)]
struct Around {
    /// It is there for type checkers alone.
    is_for_types: bool,
    /// Whoever wrote it is ready for a missing module.
    is_optional: bool,
}

struct Reading<'t, 's> {
    text: &'s str,
    words: Words,
    importers: Importers,
    /// Blocks that are there for type checkers alone, by their node.
    for_types: HashSet<usize>,
    /// Blocks in which a module may be missing.
    optional: HashSet<usize>,
    found: Vec<Import>,
    /// Calls that may import.
    called: Vec<(Node<'t>, Around)>,
    /// The first import statement that did not parse.
    broken: Option<usize>,
}

impl<'t> Reading<'t, '_> {
    /// Visits every node, parents first, without recursion.
    fn walk(&mut self, mut cursor: TreeCursor<'t>) {
        let mut around = vec![Around::default()];
        loop {
            let mut here = around.last().copied().unwrap_or_default();
            let node = cursor.node();
            here.is_for_types |= self.for_types.contains(&node.id());
            here.is_optional |= self.optional.contains(&node.id());
            if self.enter(node, here) && cursor.goto_first_child() {
                around.push(here);
                continue;
            }
            while !cursor.goto_next_sibling() {
                around.pop();
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Reads a node, and says whether to go below.
    fn enter(&mut self, node: Node<'t>, here: Around) -> bool {
        if let Some(named) = grammar::imported(node, self.text, &mut self.importers) {
            if node.has_error() {
                self.broken.get_or_insert(line_of(node));
            }
            let kind = if here.is_for_types { Kind::Type } else { Kind::Static };
            for named in named {
                self.found.push(import(node, named, kind, here));
            }
            return false;
        }
        match node.kind() {
            "call" if calls::may_import(node) => self.called.push((node, here)),
            "assignment" | "named_expression" | "default_parameter" => {
                let is_name = |node: &Node<'_>| matches!(node.kind(), "identifier" | "attribute");
                let of = |field: &str| node.child_by_field_name(field).filter(is_name);
                if let (Some(name), Some(value)) =
                    (of("left").or_else(|| of("name")), of("right").or_else(|| of("value")))
                {
                    self.importers
                        .learn_value(&grammar::dotted(name, self.text), &grammar::dotted(value, self.text));
                }
            }
            "if_statement" if !self.words.is_empty() => self.branches(node),
            "try_statement" => self.handlers(node),
            "with_statement" => {
                if let Some(body) = node.child_by_field_name("body")
                    && grammar::suppresses(header(node, self.text))
                {
                    self.optional.insert(body.id());
                }
            }
            _ => {}
        }
        true
    }

    /// Which branches of `if` are for type checkers.
    fn branches(&mut self, node: Node<'_>) {
        let mut is_exhausted = false;
        let mut cursor = node.walk();
        let alternatives: Vec<Node<'_>> = node.children_by_field_name("alternative", &mut cursor).collect();
        for branch in std::iter::once(node).chain(alternatives) {
            let value = match branch.child_by_field_name("condition") {
                Some(condition) => checking::at_run_time(condition, self.text, &self.words),
                None => Some(true),
            };
            let body =
                branch.child_by_field_name("consequence").or_else(|| branch.child_by_field_name("body"));
            if let Some(body) = body.filter(|_| is_exhausted || value == Some(false)) {
                self.for_types.insert(body.id());
            }
            is_exhausted |= value == Some(true);
        }
    }

    /// Whether the body of `try` may miss a module.
    fn handlers(&mut self, node: Node<'_>) {
        let Some(body) = node.child_by_field_name("body") else { return };
        for clause in children(node) {
            if !matches!(clause.kind(), "except_clause" | "except_group_clause") {
                continue;
            }
            let block = children(clause).into_iter().find(|child| child.kind() == "block");
            let Some(block) = block else { continue };
            if grammar::catches(header(clause, self.text)) && !raises(block) {
                self.optional.insert(body.id());
            }
        }
    }
}

/// Whether a line of the block itself raises.
fn raises(block: Node<'_>) -> bool {
    let mut row = None;
    for statement in children(block) {
        if statement.kind() == "comment" {
            continue;
        }
        if statement.kind() == "raise_statement" && row != Some(statement.start_position().row) {
            return true;
        }
        row = Some(statement.end_position().row);
    }
    false
}

/// What a clause says up to its colon.
fn header<'s>(node: Node<'_>, text: &'s str) -> &'s str {
    let mut cursor = node.walk();
    let end =
        node.children(&mut cursor).find(|child| child.kind() == ":").map_or(0, |colon| colon.start_byte());
    text.get(node.start_byte()..end).unwrap_or_default()
}

fn import(node: Node<'_>, named: Named, kind: Kind, here: Around) -> Import {
    record(line_of(node), named, kind, here.is_optional)
}
