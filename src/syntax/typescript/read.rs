//! From the tree to imports.

use tree_sitter::{Node, Tree};

use super::super::tree::{children, line_of, text_of};
use super::super::{Import, Kind};
use super::blind::Plain;
use super::cut::{is_mock, is_mock_of};
use super::{GLOB, READY, URL};

/// Every import of a tree, with the place that tells its line.
pub(super) fn all(tree: &Tree, plain: &Plain<'_>) -> Vec<(usize, Import)> {
    let text: &str = &plain.text;
    let mut found = Vec::new();
    let mut has_begun = false;
    let mut push = |node: Node<'_>, specifier: String, names: Vec<String>, kind: Kind, exported: bool| {
        if !specifier.is_empty() {
            let import = Import { line: line_of(node), specifier, names, kind, exported, within: Vec::new() };
            found.push((node.start_byte(), import));
        }
    };
    let (mut names, mut globs) = (Vec::new(), Vec::new());
    // Where the last block of `try` ends, that is not within another.
    let mut tried = 0;
    let mut tries = Vec::new();
    walk(tree, |node, above| {
        let kind = node.kind();
        if node.child_count() == 0 {
            plain.imports_at(node, above, &mut names);
        }
        if kind == "comment" {
            // Behind the first token it is a comment as any other.
            if !has_begun && let Some(module) = reference(text_of(node, text)) {
                push(node, module, Vec::new(), Kind::Type, false);
            }
            return false;
        }
        has_begun |= !matches!(kind, "program" | "hash_bang_line");
        match kind {
            "import_statement" => {
                statement(node, text, plain, &mut push);
                false
            }
            "export_statement" => {
                let has_source = node.child_by_field_name("source").is_some();
                if has_source {
                    statement(node, text, plain, &mut push);
                }
                !has_source
            }
            "statement_block" => {
                let body = above.last().filter(|above| above.kind() == "try_statement");
                if body.and_then(|above| above.child_by_field_name("body")) == Some(node) {
                    tried = node.end_byte().max(tried);
                }
                true
            }
            "call_expression" => {
                if node.start_byte() < tried {
                    tries.push(node.start_byte());
                }
                globbed(node, text, &mut globs);
                if let Some((place, module, kind)) = called(node, above, text) {
                    push(place, module, Vec::new(), kind, false);
                }
                true
            }
            "new_expression" => {
                if let Some(module) = asset(node, text) {
                    push(node, module, vec![URL.to_owned()], Kind::Dynamic, false);
                }
                true
            }
            _ => true,
        }
    });
    for (at, import) in &mut found {
        if is_call(import) && tries.binary_search(at).is_ok() {
            import.within = vec![READY.to_owned()];
        }
    }
    found.append(&mut names);
    found.append(&mut globs);
    found
}

/// Whether an import is a call that loads one module.
pub(super) fn is_call(import: &Import) -> bool {
    matches!(import.kind, Kind::Static | Kind::Dynamic) && import.names.is_empty()
}

/// The files that `import.meta.glob(..)` or `require.context(..)` loads.
fn globbed(call: Node<'_>, text: &str, found: &mut Vec<(usize, Import)>) {
    let Some(function) = call.child_by_field_name("function") else { return };
    let function: String = text_of(function, text).split_whitespace().collect();
    let is_context = function == "require.context";
    if !is_context && function != "import.meta.glob" {
        return;
    }
    let arguments = call.child_by_field_name("arguments").map(children).unwrap_or_default();
    let mut arguments = arguments.into_iter().filter(|argument| argument.kind() != "comment");
    let Some(first) = arguments.next() else { return };
    let rest: String = arguments.map(|argument| text_of(argument, text)).collect::<Vec<_>>().join(",");
    let mut patterns = match first.kind() {
        "array" => children(first).into_iter().filter_map(|pattern| string(pattern, text)).collect(),
        _ => Vec::from_iter(string(first, text)),
    };
    if is_context {
        let depth = if rest.trim_start().starts_with("false") { "*" } else { "**" };
        let ending = ending_of(&rest).unwrap_or_default();
        let all = |folder: &String| match (depth, ending.as_str()) {
            ("**", "") => format!("{folder}/**"),
            ("**", ending) => format!("{folder}/**/*{ending}"),
            (_, ending) => format!("{folder}/*{ending}"),
        };
        patterns = patterns.iter().map(all).collect();
    }
    let is_eager = is_context || rest.contains("eager") && rest.contains("true");
    let (left_out, wanted): (Vec<String>, Vec<String>) =
        patterns.into_iter().partition(|p| p.starts_with('!'));
    for specifier in wanted {
        let import = Import {
            line: line_of(call),
            specifier,
            names: vec!["*".to_owned()],
            kind: if is_eager { Kind::Static } else { Kind::Dynamic },
            exported: false,
            within: [vec![GLOB.to_owned()], left_out.clone()].concat(),
        };
        found.push((call.start_byte(), import));
    }
}

/// What a regex says that a name ends with, if it says so in plain letters.
fn ending_of(arguments: &str) -> Option<String> {
    let regex = arguments.get(arguments.find('/')?..)?;
    let end = regex.rfind("$/")?;
    let body = regex.get(1..end)?;
    let mut depth = 0usize;
    let has_choice = body.chars().any(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '|' && depth == 0
    });
    if has_choice || regex.get(end + 2..)?.starts_with('i') {
        return None;
    }
    let mut ending = String::new();
    let mut chars = body.chars().rev().peekable();
    while let Some(c) = chars.next() {
        match c {
            '.' if chars.next_if_eq(&'\\').is_some() => ending.push('.'),
            c if c.is_ascii_alphanumeric() && !matches!(chars.peek(), Some('\\')) => ending.push(c),
            '*' | '+' | ')' | ']' | '}' | '?' if ending.is_empty() => return None,
            _ => break,
        }
    }
    Some(ending.chars().rev().collect())
}

/// Visits every node, parents first, with the nodes above it: to ask a node
/// for its parent costs as much as it lies deep. `enter` says whether to go
/// below.
fn walk<'t>(tree: &'t Tree, mut enter: impl FnMut(Node<'t>, &[Node<'t>]) -> bool) {
    let mut cursor = tree.walk();
    let mut above = Vec::new();
    loop {
        let node = cursor.node();
        if enter(node, &above) && cursor.goto_first_child() {
            above.push(node);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            above.pop();
        }
    }
}

/// An `import` or `export` with a source.
fn statement(
    node: Node<'_>,
    text: &str,
    plain: &Plain<'_>,
    push: &mut impl FnMut(Node<'_>, String, Vec<String>, Kind, bool),
) {
    let place = node.start_byte();
    let exported = node.kind() == "export_statement" || plain.exports.contains(&place);
    let parts = children(node);
    if let Some(required) = parts.iter().find(|part| part.kind() == "import_require_clause") {
        if let Some(module) = required.child_by_field_name("source").and_then(|s| string(s, text)) {
            let kind = if is_type(node) { Kind::Type } else { Kind::Static };
            push(node, module, vec!["*".to_owned()], kind, exported);
        }
        return;
    }
    let Some(module) = node.child_by_field_name("source").and_then(|s| string(s, text)) else { return };
    let (mut runtime, mut types) = (Vec::new(), Vec::new());
    let whole = is_type(node) || plain.types.contains(&place);
    for part in &parts {
        match part.kind() {
            "import_clause" => {
                for clause in children(*part) {
                    match clause.kind() {
                        "identifier" => runtime.push("default".to_owned()),
                        "namespace_import" => runtime.push("*".to_owned()),
                        "named_imports" => specifiers(clause, text, &mut runtime, &mut types),
                        _ => {}
                    }
                }
            }
            "export_clause" => specifiers(*part, text, &mut runtime, &mut types),
            "namespace_export" => runtime.push("*".to_owned()),
            _ => {}
        }
    }
    let mut cursor = node.walk();
    if node.kind() == "export_statement" && node.children(&mut cursor).any(|child| child.kind() == "*") {
        runtime.push("*".to_owned());
    }
    if whole {
        runtime.append(&mut types);
        return push(node, module, runtime, Kind::Type, exported);
    }
    // With `type` on every name nothing is left at run time.
    let only_types = !types.is_empty() && runtime.is_empty();
    if !types.is_empty() {
        push(node, module.clone(), types, Kind::Type, exported);
    }
    if !only_types {
        push(node, module, runtime, Kind::Static, exported);
    }
}

/// Whether the statement as a whole is `import type` or `export type`.
fn is_type(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| matches!(child.kind(), "type" | "typeof"))
}

fn specifiers(clause: Node<'_>, text: &str, runtime: &mut Vec<String>, types: &mut Vec<String>) {
    for specifier in children(clause) {
        if let Some(name) = specifier.child_by_field_name("name") {
            let name = string(name, text).unwrap_or_else(|| text_of(name, text).to_owned());
            if is_type(specifier) { types.push(name) } else { runtime.push(name) }
        }
    }
}

/// The module that a call loads, and the place that tells its line.
fn called<'t>(call: Node<'t>, above: &[Node<'t>], text: &str) -> Option<(Node<'t>, String, Kind)> {
    let function = bare(call.child_by_field_name("function")?);
    let (place, kind) = match function.kind() {
        "import" => (call, in_type(call, above).unwrap_or(Kind::Dynamic)),
        "identifier" if name_of(function, text) == "require" => (call, Kind::Static),
        "member_expression" => {
            let object = function.child_by_field_name("object")?;
            let member = function.child_by_field_name("property")?;
            let property = name_of(member, text);
            match (text_of(object, text), property.as_str()) {
                ("module", "require") => (call, Kind::Static),
                ("require", "resolve") | ("import.meta", "resolve") => (call, Kind::Dynamic),
                // Proposed, and read as members of the call.
                ("import", "defer" | "source") => (call, Kind::Dynamic),
                (object, property) if is_mock_of(object.as_bytes(), property.as_bytes()) => {
                    (member, Kind::Mock)
                }
                (_, property) if is_mock(property.as_bytes()) && is_chained(object, text) => {
                    (member, Kind::Mock)
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    let arguments =
        call.child_by_field_name("arguments").filter(|arguments| arguments.kind() == "arguments")?;
    let first = bare(children(arguments).into_iter().find(|argument| argument.kind() != "comment")?);
    // `vi.mock(import("./x"))` names it by the call within.
    Some((place, string(first, text)?, kind))
}

/// What is left of an expression without parentheses, what TypeScript alone
/// reads and what goes before a comma: none of it changes the value.
fn bare(mut node: Node<'_>) -> Node<'_> {
    loop {
        let mut inner = children(node).into_iter().filter(|inner| inner.kind() != "comment");
        let inner = match node.kind() {
            "parenthesized_expression" | "non_null_expression" | "as_expression" | "satisfies_expression" => {
                inner.next()
            }
            "sequence_expression" => inner.next_back(),
            _ => return node,
        };
        let Some(inner) = inner else { return node };
        node = inner;
    }
}

/// Whether this is a call that replaces a module, or one on the result of such
/// a call.
fn is_chained(mut node: Node<'_>, text: &str) -> bool {
    while node.kind() == "call_expression" {
        let Some(function) = node.child_by_field_name("function") else { return false };
        let (Some(object), Some(member)) =
            (function.child_by_field_name("object"), function.child_by_field_name("property"))
        else {
            return false;
        };
        let member = text_of(member, text).as_bytes();
        if is_mock_of(text_of(object, text).as_bytes(), member) {
            return true;
        }
        if !is_mock(member) {
            return false;
        }
        node = object;
    }
    false
}

/// The kind of an `import("x")` that stands where a type does.
fn in_type(call: Node<'_>, above: &[Node<'_>]) -> Option<Kind> {
    for node in above.iter().rev() {
        match node.kind() {
            "type_annotation"
            | "type_alias_declaration"
            | "type_arguments"
            | "type_query"
            | "union_type"
            | "intersection_type"
            | "array_type"
            | "generic_type"
            | "nested_type_identifier"
            | "interface_body"
            | "extends_type_clause" => return Some(Kind::Type),
            "as_expression" | "satisfies_expression" => {
                // What comes before the word is a value.
                let is_value = node.named_child(0).is_some_and(|first| first.end_byte() >= call.end_byte());
                return (!is_value).then_some(Kind::Type);
            }
            kind if kind.ends_with("_statement") || kind.ends_with("_declaration") => return None,
            "arrow_function" | "arguments" | "await_expression" | "variable_declarator" => return None,
            _ => {}
        }
    }
    None
}

/// The file of `new URL("./w.js", import.meta.url)`, relative to this one.
fn asset(node: Node<'_>, text: &str) -> Option<String> {
    if text_of(node.child_by_field_name("constructor")?, text) != "URL" {
        return None;
    }
    let arguments = children(node.child_by_field_name("arguments")?);
    let mut arguments = arguments.into_iter().filter(|argument| argument.kind() != "comment");
    let (mut file, base) = (arguments.next()?, arguments.next()?);
    while file.kind() == "parenthesized_expression" {
        file = children(file).into_iter().find(|inner| inner.kind() != "comment")?;
    }
    let base: String = text_of(base, text).split_whitespace().collect();
    if base != "import.meta.url" || arguments.next().is_some() {
        return None;
    }
    let file = string(file, text)?;
    // Folders and what has a scheme are no modules.
    let is_folder =
        file.ends_with('/') || file == "." || file == ".." || file.ends_with("/..") || file.ends_with("/.");
    if is_folder || file.is_empty() || file.starts_with(['/', '?', '#']) || file.contains(':') {
        return None;
    }
    Some(if file.starts_with('.') { file } else { format!("./{file}") })
}

/// `/// <reference path="./x.d.ts" />` and its like.
fn reference(comment: &str) -> Option<String> {
    let rest = comment.strip_prefix("///")?.trim_start();
    let tag = rest.strip_prefix("<reference").or_else(|| rest.strip_prefix("<amd-dependency"))?;
    let tag = tag.starts_with(char::is_whitespace).then(|| tag.split("/>").next())??;
    let mut rest = tag;
    while let Some((key, value)) = rest.split_once('=') {
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = value.get(1..)?.split_once(quote)?;
        match key.trim() {
            // A path is relative, whether or not it begins with a dot.
            "path" if value.starts_with('.') || value.starts_with('/') => return Some(value.to_owned()),
            "path" if comment.contains("<reference") => return Some(format!("./{value}")),
            "path" | "types" => return Some(value.to_owned()),
            _ => rest = after,
        }
    }
    None
}

/// A name as the program sees it.
fn name_of(node: Node<'_>, text: &str) -> String {
    let text = text_of(node, text);
    if text.contains('\\') { unescaped(text).unwrap_or_else(|| text.to_owned()) } else { text.to_owned() }
}

/// The content of a string, or of a template without substitutions.
fn string(node: Node<'_>, text: &str) -> Option<String> {
    match node.kind() {
        "string" => unquoted(text_of(node, text)),
        "template_string" if !children(node).iter().any(|c| c.kind() == "template_substitution") => {
            unquoted(text_of(node, text))
        }
        _ => None,
    }
}

/// The content of a literal, between its quotes.
pub(super) fn unquoted(literal: &str) -> Option<String> {
    let content = literal.get(1..literal.len().checked_sub(1)?)?;
    if content.contains('\\') { unescaped(content) } else { Some(content.to_owned()) }
}

/// What escapes stand for; none if one is not well formed.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let code = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next()? {
            'n' => plain.push('\n'),
            't' => plain.push('\t'),
            'r' => plain.push('\r'),
            'b' => plain.push('\u{8}'),
            'v' => plain.push('\u{b}'),
            'f' => plain.push('\u{c}'),
            'x' => plain.push(code(&chars.by_ref().take(2).collect::<String>())?),
            'u' if chars.next_if_eq(&'{').is_some() => {
                let digits: String = chars.by_ref().take_while(|&c| c != '}').collect();
                plain.push(code(&digits)?);
            }
            'u' => plain.push(code(&chars.by_ref().take(4).collect::<String>())?),
            '\r' => {
                chars.next_if_eq(&'\n');
            }
            '\n' | '\u{2028}' | '\u{2029}' => {}
            digit @ '0'..='7' => {
                let mut value = digit.to_digit(8)?;
                while let Some(digit) =
                    chars.peek().and_then(|c| c.to_digit(8)).filter(|d| value * 8 + d < 256)
                {
                    value = value * 8 + digit;
                    chars.next();
                }
                plain.push(char::from_u32(value)?);
            }
            other => plain.push(other),
        }
    }
    Some(plain)
}
