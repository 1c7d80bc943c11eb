//! Parses the slices of a file that hold imports, all in one text.

use std::borrow::Cow;
use std::collections::HashMap;

use tree_sitter::Node;

use super::super::tree::{children, parse, text_of};
use super::super::{Import, Unreadable};
use super::assemble::{Draft, assemble};
use super::found::{Found, Role, Slice, What, is_shadowing};
use super::full;
use super::lexer::{Kind, Lexer, Tokens};
use super::node::{self, Read};
use super::scan::Scanner;

/// How many bytes that are no Rust the parser is given at once: the time that
/// it takes to go on behind errors grows with the square of their number.
const ERRONEOUS: usize = 1 << 16;
/// How many slices that macros were given may be no Rust.
const FAILURES: usize = 4096;
/// How many slices are parsed at once where one of them is no Rust.
const CHUNK: usize = 32;

/// The imports of a file; none if it was not understood.
pub(super) fn imports(text: &str) -> Option<Result<Vec<Import>, Unreadable>> {
    read_by(text, true).or_else(|| read_by(text, false))?
}

/// The inner none is for what was not understood; the outer for a text in
/// which macros have been trusted that are not to be.
fn read_by(text: &str, trusts: bool) -> Option<Option<Result<Vec<Import>, Unreadable>>> {
    let mut found = Found::new(trusts);
    let lexer = Scanner::new(text, Lexer::new(text), &mut found, 0, Role::default()).run();
    if let Some(start) = lexer.endless {
        // The grammar would look for the end again from every quote on.
        return Some(Some(Err(no_rust(text, start))));
    }
    if trusts && found.is_shadowed {
        return None;
    }
    if found.is_unsure || lexer.is_unterminated {
        let at = found.unsure_at.unwrap_or(text.len());
        return Some((text.len() > ERRONEOUS).then(|| Err(no_rust(text, at))));
    }
    if found.is_doubtful
        && text.len() <= ERRONEOUS
        && let Ok(imports) = full::imports(text)
    {
        return Some(Some(Ok(imports)));
    }
    let mut budget = super::budget(text);
    let Some(drafts) = read(text, &found.slices, &mut budget) else {
        return Some((text.len() > ERRONEOUS).then(|| Err(no_rust(text, 0))));
    };
    if trusts && drafts.iter().any(|draft| is_shadowing(&draft.read)) {
        return None;
    }
    Some(Some(assemble(text, &found, drafts, budget)))
}

fn no_rust(text: &str, at: usize) -> Unreadable {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    Unreadable::Syntax { line: 1 + memchr::memchr_iter(b'\n', before).count() }
}

/// Reads slices. None if one that a macro cannot make something else of is
/// not as the grammar has it.
pub(super) fn read(text: &str, slices: &[Slice], budget: &mut usize) -> Option<Vec<Draft>> {
    let mut drafts = Vec::new();
    let (mut rest, mut failures) = (slices, 0);
    while !rest.is_empty() {
        let mut size = 0usize;
        let fits = rest.iter().take_while(|slice| {
            size += slice.end - slice.start;
            size <= ERRONEOUS
        });
        let (some, others) = rest.split_at(fits.count().max(1));
        read_some(text, some, budget, &mut drafts, &mut failures)?;
        rest = others;
    }
    Some(drafts)
}

fn read_some(
    text: &str,
    slices: &[Slice],
    budget: &mut usize,
    drafts: &mut Vec<Draft>,
    failures: &mut usize,
) -> Option<()> {
    if let Some(read) = read_all(text, slices, budget) {
        drafts.extend(read);
        return Some(());
    }
    // One of them is no Rust: each for itself.
    for some in slices.chunks(CHUNK) {
        if let Some(read) = read_all(text, some, budget) {
            drafts.extend(read);
            continue;
        }
        for slice in some {
            match read_all(text, std::slice::from_ref(slice), budget) {
                Some(read) => drafts.extend(read),
                None if slice.in_macro && *failures < FAILURES => *failures += 1,
                None => return None,
            }
        }
    }
    Some(())
}

/// Reads slices in one parse; none if that has any error.
fn read_all(text: &str, slices: &[Slice], budget: &mut usize) -> Option<Vec<Draft>> {
    let mut items: Vec<&Slice> = Vec::new();
    let mut paths: Vec<Cow<'_, str>> = Vec::new();
    let mut numbers: HashMap<Cow<'_, str>, usize> = HashMap::new();
    let mut places: Vec<(&Slice, usize)> = Vec::new();
    let mut source = String::new();
    for slice in slices {
        let part = text.get(slice.start..slice.end)?;
        if slice.what == What::Path {
            let part = without_arguments(part);
            let number = *numbers.entry(part).or_insert_with_key(|part| {
                paths.push(part.clone());
                paths.len() - 1
            });
            places.push((slice, number));
            continue;
        }
        items.push(slice);
        source.push_str(part);
        source.push_str(match slice.what {
            What::Inline { .. } => "}\n",
            What::Include => ";\n",
            _ => "\n",
        });
    }
    // A list of names is the shortest text that holds paths.
    source.push_str("use{");
    for path in &paths {
        source.push_str(path);
        // A comment may be at the end of it.
        source.push_str("\n,");
    }
    source.push_str("};");
    let tree = parse(&tree_sitter_rust::LANGUAGE.into(), &source).ok()?;
    let root = tree.root_node();
    if root.has_error() {
        return None;
    }
    let mut drafts = Vec::with_capacity(slices.len());
    let mut attributes: Vec<Node<'_>> = Vec::new();
    let mut left = items.into_iter();
    let mut list = None;
    for child in children(root) {
        match child.kind() {
            "attribute_item" => attributes.push(child),
            "line_comment" | "block_comment" | "empty_statement" => {}
            _ => {
                if let Some(slice) = left.next() {
                    drafts.extend(item(child, slice, &attributes, &source, budget)?);
                } else if list.replace(child).is_some() {
                    return None;
                }
                attributes.clear();
            }
        }
    }
    let list = list.filter(|_| left.next().is_none())?.child_by_field_name("argument")?;
    let spelled: Vec<Option<String>> = children(list)
        .into_iter()
        .filter(|child| !matches!(child.kind(), "line_comment" | "block_comment"))
        .map(|child| node::spelled(child, &source))
        .collect();
    if list.kind() != "use_list" || spelled.len() != paths.len() {
        return None;
    }
    for (slice, number) in places {
        let path = spelled.get(number)?.clone()?;
        drafts.push(draft(slice, Read::Path(path)));
    }
    Some(drafts)
}

/// A path without the `<>` in it, which say nothing.
fn without_arguments(path: &str) -> Cow<'_, str> {
    if !path.contains('<') {
        return Cow::Borrowed(path);
    }
    let mut parts = Vec::new();
    let mut lexer = Lexer::of_part(path, 0, path.len());
    loop {
        let token = lexer.next();
        match token.kind {
            Kind::End => return Cow::Owned(parts.concat()),
            Kind::Sep if parts.last() == Some(&"::") => {}
            Kind::Sep | Kind::Word | Kind::Other(b'$') => {
                parts.push(path.get(token.start..token.end).unwrap_or_default());
            }
            _ => {}
        }
    }
}

fn draft(slice: &Slice, read: Read) -> Draft {
    let optional = matches!(slice.what, What::Module { optional: true });
    Draft { start: slice.at, brace: slice.brace, optional, read }
}

/// Reads one item. The outer none is for what is not what the slice should
/// be; the inner for what is no import.
fn item(
    node: Node<'_>,
    slice: &Slice,
    attributes: &[Node<'_>],
    text: &str,
    budget: &mut usize,
) -> Option<Option<Draft>> {
    let call = match node.kind() {
        "expression_statement" => node.named_child(0)?,
        _ => node,
    };
    let read = match (slice.what, call.kind()) {
        (What::Use { exported }, "use_declaration") => {
            let leaves = node::use_tree(node.child_by_field_name("argument")?, text, budget)?;
            Some(Read::Use { leaves, exported })
        }
        (What::Crate, "extern_crate_declaration") => Some(node::extern_crate(node, text)?),
        (What::Module { .. }, "mod_item") => Some(Read::Module(node::module(node, attributes, text)?)),
        (What::Inline { brace }, "mod_item") => {
            Some(Read::Inline { brace, module: node::module(node, attributes, text)? })
        }
        (What::Include, "macro_invocation") => node::include(call, text),
        _ => return None,
    };
    debug_assert!(!text_of(node, text).is_empty());
    Some(read.map(|read| draft(slice, read)))
}
