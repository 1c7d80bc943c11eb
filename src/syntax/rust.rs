//! Rust: `use`, paths in code, `mod`, `extern crate`, `include!`.
//!
//! The specifier is a path, `crate::a::b`; of a module in another file its
//! name, or with `#[path]` a file name in quotes. Names that are imported by
//! one tree of `use` are imports of their own.

use tree_sitter::Node;

use super::tree::{children, first_error, line_of, parse, text_of, walk};
use super::{Import, Kind, Unreadable};

/// How deep token trees of macros are parsed within each other.
const MACROS: usize = 4;

pub(super) fn imports(text: &str) -> Result<Vec<Import>, Unreadable> {
    let mut found = Vec::new();
    let tree = parse(&tree_sitter_rust::LANGUAGE.into(), text)?;
    if let Some(line) = first_error(&tree, text, &["use", "mod", "::", "extern", "include"]) {
        return Err(Unreadable::Syntax { line });
    }
    read(&tree, text, 0, &[], MACROS, &mut found);
    Ok(found)
}

/// Reads a whole file, or the tokens of a macro call from line `first` on.
fn read(
    tree: &tree_sitter::Tree,
    text: &str,
    first: usize,
    outside: &[String],
    macros: usize,
    found: &mut Vec<Import>,
) {
    walk(tree, |node| {
        let import = |specifier: String, names: Vec<String>, kind: Kind| Import {
            line: first + line_of(node),
            specifier,
            names,
            kind,
            exported: false,
            within: outside.iter().cloned().chain(within(node, text)).collect(),
        };
        match node.kind() {
            "use_declaration" => {
                if let Some(argument) = node.child_by_field_name("argument") {
                    for (path, name) in use_tree(argument, text) {
                        found.push(import(path, name.into_iter().collect(), Kind::Static));
                    }
                }
                false
            }
            "extern_crate_declaration" => {
                if let Some(name) = node.child_by_field_name("name") {
                    found.push(import(format!("::{}", plain(text_of(name, text))), Vec::new(), Kind::Static));
                }
                false
            }
            "mod_item" => {
                let name = node.child_by_field_name("name").map(|name| plain(text_of(name, text)));
                if let (Some(name), None) = (name, node.child_by_field_name("body")) {
                    let specifier = path_attribute(node, text).map_or(name, |path| format!("\"{path}\""));
                    found.push(import(specifier, Vec::new(), Kind::Part));
                }
                true
            }
            "scoped_identifier" | "scoped_type_identifier" => {
                if let Some(path) = path_of(node, text) {
                    found.push(import(path, Vec::new(), Kind::Static));
                }
                // Generic arguments within may hold paths of their own.
                has_arguments(node)
            }
            "macro_invocation" => {
                if let Some(file) = included(node, text) {
                    found.push(import(format!("\"{file}\""), Vec::new(), Kind::Part));
                }
                if let Some(tokens) = children(node).into_iter().find(|n| n.kind() == "token_tree") {
                    let place: Vec<String> = outside.iter().cloned().chain(within(node, text)).collect();
                    read_tokens(tokens, text, first, &place, macros, found);
                }
                true
            }
            "token_tree" | "string_literal" | "raw_string_literal" | "line_comment" | "block_comment" => {
                false
            }
            _ => true,
        }
    });
}

/// What a macro is given is often items or expressions: whatever parses as
/// such, is.
fn read_tokens(
    tokens: Node<'_>,
    text: &str,
    first: usize,
    outside: &[String],
    macros: usize,
    found: &mut Vec<Import>,
) {
    let range = tokens.byte_range();
    let inner = text.get(range.start + 1..range.end.saturating_sub(1)).unwrap_or_default();
    if macros == 0 || !(inner.contains("::") || inner.contains("mod ")) {
        return;
    }
    let Ok(tree) = parse(&tree_sitter_rust::LANGUAGE.into(), inner) else { return };
    let line = first + tokens.start_position().row;
    read(&tree, inner, line, outside, macros - 1, found);
}

/// The modules of this file around a node.
fn within(node: Node<'_>, text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = node.parent();
    while let Some(node) = at {
        if node.kind() == "mod_item"
            && let Some(name) = node.child_by_field_name("name")
        {
            names.push(plain(text_of(name, text)));
        }
        at = node.parent();
    }
    names.reverse();
    names
}

/// The leaves of a tree of `use`: path, and `*` for a glob.
fn use_tree(argument: Node<'_>, text: &str) -> Vec<(String, Option<String>)> {
    let mut leaves = Vec::new();
    let mut queue = vec![(String::new(), argument)];
    while let Some((prefix, node)) = queue.pop() {
        let joined = |part: &str| match (prefix.as_str(), part) {
            ("", part) => part.to_owned(),
            (prefix, "self") => prefix.to_owned(),
            (prefix, part) => format!("{prefix}::{part}"),
        };
        match node.kind() {
            "use_list" => queue.extend(children(node).into_iter().map(|child| (prefix.clone(), child))),
            "scoped_use_list" => {
                let path = node.child_by_field_name("path").map_or(String::new(), |p| spelled(p, text));
                let absolute = node.child_by_field_name("path").is_none();
                let prefix = if absolute { format!("{prefix}::") } else { joined(&path) };
                let prefix = prefix.trim_end_matches("::").to_owned();
                let prefix = if absolute && prefix.is_empty() { "::".to_owned() } else { prefix };
                if let Some(list) = node.child_by_field_name("list") {
                    queue.push((prefix, list));
                }
            }
            "use_wildcard" => {
                let path = children(node).first().map_or(String::new(), |p| spelled(*p, text));
                leaves.push((tidy(joined(&path)), Some("*".to_owned())));
            }
            "use_as_clause" => {
                if let Some(path) = node.child_by_field_name("path") {
                    leaves.push((tidy(joined(&spelled(path, text))), None));
                }
            }
            "line_comment" | "block_comment" => {}
            _ => leaves.push((tidy(joined(&spelled(node, text))), None)),
        }
    }
    leaves
}

/// A prefix that ends with the global `::` has one too many in front of a
/// name.
fn tidy(path: String) -> String {
    path.replace("::::", "::")
}

/// A path as written, without blanks, comments and the `r#` of raw names.
fn spelled(node: Node<'_>, text: &str) -> String {
    let mut parts = Vec::new();
    let mut at = node;
    loop {
        match at.kind() {
            "scoped_identifier" | "scoped_type_identifier" => {
                if let Some(name) = at.child_by_field_name("name") {
                    parts.push(plain(text_of(name, text)));
                }
                match at.child_by_field_name("path") {
                    Some(path) => at = path,
                    // The global path.
                    None => {
                        parts.push(String::new());
                        break;
                    }
                }
            }
            "generic_type" => match at.child_by_field_name("type") {
                Some(inner) => at = inner,
                None => break,
            },
            _ => {
                parts.push(plain(text_of(at, text)));
                break;
            }
        }
    }
    parts.reverse();
    parts.join("::")
}

fn plain(name: &str) -> String {
    name.strip_prefix("r#").unwrap_or(name).to_owned()
}

/// A path in code, if it can lead out of the file: not one that begins with
/// a type, as `<T>::x` and `Self::x` do.
fn path_of(node: Node<'_>, text: &str) -> Option<String> {
    let path = spelled(node, text);
    let first = path.split("::").next()?;
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric() || !b.is_ascii())
    };
    let is_path = path.split("::").skip(1).all(is_name) && (first.is_empty() || is_name(first));
    (is_path && first != "Self" && path.contains("::")).then_some(path)
}

fn has_arguments(node: Node<'_>) -> bool {
    let mut at = Some(node);
    while let Some(node) = at {
        if node.kind() == "generic_type" || node.kind() == "bracketed_type" {
            return true;
        }
        at = node.child_by_field_name("path");
    }
    false
}

/// The file that `#[path = "..."]` names for a module.
fn path_attribute(module: Node<'_>, text: &str) -> Option<String> {
    let mut at = module.prev_named_sibling();
    while let Some(node) = at {
        match node.kind() {
            "attribute_item" => {
                let attribute = children(node).into_iter().next()?;
                let name = children(attribute).into_iter().next()?;
                if text_of(name, text) == "path"
                    && let Some(value) = attribute.child_by_field_name("value")
                {
                    return string(value, text);
                }
            }
            "line_comment" | "block_comment" => {}
            _ => return None,
        }
        at = node.prev_named_sibling();
    }
    None
}

/// The file that `include!` or one of its kind names.
fn included(call: Node<'_>, text: &str) -> Option<String> {
    let name = text_of(call.child_by_field_name("macro")?, text);
    if !matches!(name.rsplit("::").next()?, "include" | "include_str" | "include_bytes") {
        return None;
    }
    let tokens = children(call).into_iter().find(|n| n.kind() == "token_tree")?;
    match children(tokens).as_slice() {
        [only] => string(*only, text),
        _ => None,
    }
}

/// The content of a string literal without escapes.
fn string(node: Node<'_>, text: &str) -> Option<String> {
    let literal = text_of(node, text).trim_start_matches('r').trim_matches('#');
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('\\')).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut found = imports(text).unwrap();
        found.sort();
        let told: Vec<String> = found
            .iter()
            .map(|i| {
                let within =
                    if i.within.is_empty() { String::new() } else { format!(" in {}", i.within.join("::")) };
                format!("{}:{} {}{}{within}", i.line, i.kind.as_str(), i.specifier, i.names.concat())
            })
            .collect();
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn use_in_all_its_shapes() {
        check("use a::b;", &["1:static a::b"]);
        check(
            "use crate::a::{self, b::{c, d as e}, f::*};",
            &[
                "1:static crate::a",
                "1:static crate::a::b::c",
                "1:static crate::a::b::d",
                "1:static crate::a::f*",
            ],
        );
        check("pub(crate) use super::super::r#type as t;", &["1:static super::super::type"]);
        check("use ::serde::{de, ser::*};", &["1:static ::serde::de", "1:static ::serde::ser*"]);
        check("use {a::b, crate::c};", &["1:static a::b", "1:static crate::c"]);
        check("use a;\nextern crate r#b as c;", &["1:static a", "2:static ::b"]);
        check("use a /* x */ :: b // y\n;", &["1:static a::b"]);
    }

    #[test]
    fn paths_in_code_and_in_macros() {
        check("fn f() -> crate::a::B { super::c::d(1) }", &["1:static crate::a::B", "1:static super::c::d"]);
        check("type A = Vec<crate::x::Y<self::z::W>>;", &["1:static crate::x::Y", "1:static self::z::W"]);
        check("fn f() { Self::new(); <T as U>::x(); }", &[]);
        check(
            "fn f() { vec![crate::a::b(), c::d!(e::f)]; }",
            &["1:static c::d", "1:static crate::a::b", "1:static e::f"],
        );
        check(
            "cfg_if! {\n  if #[cfg(x)] {\n    mod y;\n    pub use crate::z;\n  }\n}",
            &["3:part y", "4:static crate::z"],
        );
    }

    #[test]
    fn modules_and_included_files() {
        check(
            "mod a;\nmod b { mod c; use super::d; }",
            &["1:part a", "2:part c in b", "2:static super::d in b"],
        );
        check("#[cfg(x)]\n#[path = \"other/file.rs\"] // why\nmod a;", &["3:part \"other/file.rs\""]);
        check(
            "const A: &str = include_str!(\"a.txt\");\ninclude!(concat!(\"x\", \"y\"));",
            &["1:part \"a.txt\""],
        );
    }

    #[test]
    fn what_is_no_rust_is_said() {
        assert_eq!(imports("use a::b;\nuse (").unwrap_err(), Unreadable::Syntax { line: 2 });
        check("use a::b;\nfn (", &["1:static a::b"]);
        check("// use a::b;\n/* mod c; */ const S: &str = \"use d::e;\";", &[]);
    }
}
