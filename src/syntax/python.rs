//! Python: `import`, `from ... import`, and the calls that import.
//!
//! The specifier is the module as written, with its leading dots. Of
//! `from a import b` the names are `b`, which may be a module or something
//! inside of one: only who knows the files can tell.

use tree_sitter::Node;

use super::tree::{children, first_error, line_of, parse, text_of, walk};
use super::{Import, Kind, Unreadable};

pub(super) fn imports(text: &str) -> Result<Vec<Import>, Unreadable> {
    let tree = parse(&tree_sitter_python::LANGUAGE.into(), text)?;
    if let Some(line) = first_error(&tree, text, &["import"]) {
        return Err(Unreadable::Syntax { line });
    }
    let mut found = Vec::new();
    walk(&tree, |node| {
        let mut push = |specifier: String, names: Vec<String>, kind: Kind| {
            found.push(Import {
                line: line_of(node),
                specifier,
                names,
                kind,
                exported: false,
                within: Vec::new(),
            });
        };
        match node.kind() {
            "import_statement" => {
                let kind = kind_of(node, text);
                for name in names(node, text) {
                    push(name, Vec::new(), kind);
                }
                false
            }
            "import_from_statement" => {
                let kind = kind_of(node, text);
                if let Some(module) = node.child_by_field_name("module_name") {
                    let star = children(node).iter().any(|child| child.kind() == "wildcard_import");
                    let names = if star { vec!["*".to_owned()] } else { names(node, text) };
                    push(dotted(module, text), names, kind);
                }
                false
            }
            "future_import_statement" | "comment" => false,
            "call" => {
                if let Some(module) = called(node, text) {
                    push(module, Vec::new(), Kind::Dynamic);
                }
                true
            }
            _ => true,
        }
    });
    Ok(found)
}

/// The names that a statement imports, without what they are called here.
fn names(statement: Node<'_>, text: &str) -> Vec<String> {
    let mut cursor = statement.walk();
    let names: Vec<Node<'_>> = statement.children_by_field_name("name", &mut cursor).collect();
    let plain = |node: Node<'_>| match node.kind() {
        "aliased_import" => node.child_by_field_name("name").map(|name| dotted(name, text)),
        _ => Some(dotted(node, text)),
    };
    names.into_iter().filter_map(plain).collect()
}

/// A dotted name without blanks and continued lines.
fn dotted(node: Node<'_>, text: &str) -> String {
    text_of(node, text).chars().filter(|c| !c.is_whitespace() && *c != '\\').collect()
}

/// Whether an import is there for type checkers only.
fn kind_of(import: Node<'_>, text: &str) -> Kind {
    let (mut below, mut at) = (import, import.parent());
    while let Some(node) = at {
        if matches!(node.kind(), "if_statement" | "elif_clause")
            && node.child_by_field_name("consequence") == Some(below)
            && node.child_by_field_name("condition").is_some_and(|c| is_type_checking(c, text))
        {
            return Kind::Type;
        }
        (below, at) = (node, node.parent());
    }
    Kind::Static
}

fn is_type_checking(condition: Node<'_>, text: &str) -> bool {
    match condition.kind() {
        "parenthesized_expression" => children(condition).first().is_some_and(|c| is_type_checking(*c, text)),
        "identifier" => text_of(condition, text) == "TYPE_CHECKING",
        "attribute" => condition
            .child_by_field_name("attribute")
            .is_some_and(|name| text_of(name, text) == "TYPE_CHECKING"),
        _ => false,
    }
}

/// The module that `import_module("a.b")` or `__import__("a.b")` names.
fn called(call: Node<'_>, text: &str) -> Option<String> {
    let function = call.child_by_field_name("function")?;
    let name = text_of(function, text);
    if !matches!(name, "import_module" | "importlib.import_module" | "__import__") {
        return None;
    }
    let arguments = children(call.child_by_field_name("arguments")?);
    let module = string(*arguments.first()?, text)?;
    if !module.starts_with('.') {
        return Some(module);
    }
    // Relative to the package that is named beside it.
    let package = arguments.get(1).and_then(|argument| match argument.kind() {
        "keyword_argument" => argument.child_by_field_name("value"),
        _ => Some(*argument),
    });
    match package.and_then(|package| string(package, text)) {
        Some(package) => Some(absolute(&package, &module)),
        None => Some(module),
    }
}

fn absolute(package: &str, module: &str) -> String {
    let name = module.trim_start_matches('.');
    let up = module.len() - name.len() - 1;
    let mut parts: Vec<&str> = package.split('.').collect();
    parts.truncate(parts.len().saturating_sub(up));
    parts.push(name);
    parts.join(".")
}

/// The content of a string that is just text.
fn string(node: Node<'_>, text: &str) -> Option<String> {
    if node.kind() != "string" {
        return None;
    }
    let parts = children(node);
    let is_plain = |part: &Node<'_>| matches!(part.kind(), "string_start" | "string_content" | "string_end");
    let start = parts.first().map(|part| text_of(*part, text))?;
    if !parts.iter().all(is_plain) || start.contains(['f', 'F', 'b', 'B']) {
        return None;
    }
    let content = parts.iter().find(|part| part.kind() == "string_content")?;
    let content_text = text_of(*content, text);
    (!content_text.contains('\\')).then(|| content_text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let told: Vec<String> = imports(text).unwrap().iter().map(Import::told).collect();
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn statements_in_all_their_shapes() {
        check("import a, b.c as d", &["1:static a", "1:static b.c"]);
        check("from a.b import (c,\n  d as e,\n)", &["1:static a.b c,d"]);
        check(
            "from . import a\nfrom .. b import *\nfrom ...c.d import e",
            &["1:static . a", "2:static ..b *", "3:static ...c.d e"],
        );
        check("from __future__ import annotations\nimport a \\\n  , b", &["2:static a", "2:static b"]);
        check(
            "def f():\n  try:\n    import a\n  except ImportError:\n    from b import c",
            &["3:static a", "5:static b c"],
        );
        check("x = 'import a'\n# import b\n\"\"\"\nimport c\n\"\"\"\ny = f'{f\"{1}\"} import d'", &[]);
    }

    #[test]
    fn what_type_checkers_alone_see_is_for_types() {
        check(
            "if TYPE_CHECKING:\n  import a\nelif typing.TYPE_CHECKING:\n  import b\nelse:\n  import c\nif not TYPE_CHECKING:\n  import d",
            &["2:type a", "4:type b", "6:static c", "8:static d"],
        );
        check("if (t.TYPE_CHECKING):\n  if x:\n    from . import a", &["3:type . a"]);
    }

    #[test]
    fn calls_that_import() {
        check(
            "importlib.import_module('a.b')\n__import__(\"c\")\nimport_module(name)",
            &["1:dynamic a.b", "2:dynamic c"],
        );
        check(
            "import_module('..b', package='p.q')\nimport_module('.c', 'p')\nimport_module(f'a')",
            &["1:dynamic p.b", "2:dynamic p.c"],
        );
    }

    #[test]
    fn what_is_no_python_is_said() {
        assert_eq!(imports("x = 1\n\nimport (").unwrap_err(), Unreadable::Syntax { line: 3 });
        check("import a\n\ndef (", &["1:static a"]);
    }
}
