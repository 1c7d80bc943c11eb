//! TypeScript and JavaScript: `import`, `export ... from`, and the calls that
//! load a module.
//!
//! The specifier is the module as written. The names are those that are
//! imported or exported again, before they are renamed; `default`, and `*`
//! for all of them.

use tree_sitter::{Node, Tree};

use super::tree::{children, first_error, line_of, parse, text_of, walk};
use super::{Import, Kind, Unreadable};

/// What test tools replace modules with.
const MOCKS: [&str; 8] =
    ["mock", "doMock", "unmock", "dontMock", "requireActual", "requireMock", "importActual", "importMock"];

pub(super) fn imports(text: &str, jsx: bool) -> Result<Vec<Import>, Unreadable> {
    let language = match jsx {
        true => tree_sitter_typescript::LANGUAGE_TSX,
        false => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
    };
    let language = language.into();
    let tree = parse(&language, text)?;
    let mut found = Vec::new();
    if tree.root_node().has_error() {
        let plain = without_import_types(&tree, text, &mut found);
        let tree = parse(&language, &plain)?;
        if let Some(line) = first_error(&tree, &plain, &["import", "export", "require"]) {
            return Err(Unreadable::Syntax { line });
        }
        read(&tree, &plain, &mut found);
    } else {
        read(&tree, text, &mut found);
    }
    Ok(found)
}

/// The grammar does not know `import("./x").T` everywhere that a type may
/// stand. Where it did not understand one, it becomes a plain name.
fn without_import_types(tree: &Tree, text: &str, found: &mut Vec<Import>) -> String {
    let mut plain = text.as_bytes().to_vec();
    for (at, _) in text.match_indices("import") {
        let Some((end, specifier)) = import_call(text, at) else { continue };
        let node = tree.root_node().descendant_for_byte_range(at, at + "import".len());
        if !(is_before_type(&text[..at]) && node.is_some_and(is_misunderstood)) {
            continue;
        }
        let line = text[..at].matches('\n').count() + 1;
        let names = Vec::new();
        found.push(Import { line, specifier, names, kind: Kind::Type, exported: false, within: Vec::new() });
        for byte in &mut plain[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        plain[at] = b'T';
    }
    // Only whole characters were replaced.
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

/// Whether the statement around has something that did not parse.
fn is_misunderstood(node: Node<'_>) -> bool {
    let mut at = Some(node);
    while let Some(node) = at.filter(|node| node.parent().is_some()) {
        if node.is_error() || node.has_error() {
            return true;
        }
        at = node.parent();
    }
    false
}

/// Whether a type may follow this text.
fn is_before_type(before: &str) -> bool {
    let before = before.trim_end();
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    before.ends_with([':', '|', '&', '<', ','])
        || matches!(
            word,
            "typeof" | "keyof" | "extends" | "implements" | "as" | "is" | "satisfies" | "readonly"
        )
}

/// Where `import("x")` ends, and what it names.
fn import_call(text: &str, at: usize) -> Option<(usize, String)> {
    let rest = text[at..].strip_prefix("import")?.trim_start().strip_prefix('(')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (specifier, after) = rest[1..].split_once(quote)?;
    let after = after.trim_start().strip_prefix(')')?;
    (!specifier.contains(['\n', '\\'])).then(|| (text.len() - after.len(), specifier.to_owned()))
}

fn read(tree: &Tree, text: &str, found: &mut Vec<Import>) {
    walk(tree, |node| {
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
                statement(node, text, &mut push);
                false
            }
            "export_statement" => {
                let has_source = node.child_by_field_name("source").is_some();
                if has_source {
                    statement(node, text, &mut push);
                }
                !has_source
            }
            "call_expression" => {
                if let Some((module, kind)) = called(node, text) {
                    push(module, Vec::new(), kind);
                }
                true
            }
            "new_expression" => {
                if let Some(module) = asset(node, text) {
                    push(module, Vec::new(), Kind::Dynamic);
                }
                true
            }
            "comment" => {
                if let Some((module, kind)) = reference(node, text) {
                    push(module, Vec::new(), kind);
                }
                false
            }
            _ => true,
        }
    });
}

/// An `import` or `export` with a source.
fn statement(node: Node<'_>, text: &str, push: &mut impl FnMut(String, Vec<String>, Kind)) {
    let parts = children(node);
    if let Some(required) = parts.iter().find(|part| part.kind() == "import_require_clause") {
        if let Some(module) = required.child_by_field_name("source").and_then(|s| string(s, text)) {
            let kind = if is_type(node) { Kind::Type } else { Kind::Static };
            push(module, vec!["*".to_owned()], kind);
        }
        return;
    }
    let Some(module) = node.child_by_field_name("source").and_then(|s| string(s, text)) else { return };
    let (mut runtime, mut types) = (Vec::new(), Vec::new());
    let whole = is_type(node);
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
        return push(module, runtime, Kind::Type);
    }
    // With inline `type` on every name the module is still loaded.
    if !types.is_empty() {
        push(module.clone(), types, Kind::Type);
    }
    push(module, runtime, Kind::Static);
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

/// The module that a call loads: `import()`, `require()`, `jest.mock()`.
fn called(call: Node<'_>, text: &str) -> Option<(String, Kind)> {
    let function = call.child_by_field_name("function")?;
    let kind = match function.kind() {
        "import" => in_type(call).unwrap_or(Kind::Dynamic),
        "identifier" if text_of(function, text) == "require" => Kind::Static,
        "member_expression" => {
            let object = text_of(function.child_by_field_name("object")?, text);
            let property = text_of(function.child_by_field_name("property")?, text);
            match (object, property) {
                ("require", "resolve") => Kind::Dynamic,
                ("import.meta", "resolve") => Kind::Dynamic,
                ("jest" | "vi", name) if MOCKS.contains(&name) => Kind::Mock,
                _ => return None,
            }
        }
        _ => return None,
    };
    let arguments = call.child_by_field_name("arguments")?;
    let first = children(arguments).into_iter().find(|argument| argument.kind() != "comment")?;
    // `vi.mock(import("./x"))` names it by the call within.
    Some((string(first, text)?, kind))
}

/// The kind of an `import("x")` that stands where a type does.
fn in_type(call: Node<'_>) -> Option<Kind> {
    let mut at = call.parent();
    while let Some(node) = at {
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
            | "extends_type_clause"
            | "as_expression"
            | "satisfies_expression" => {
                return Some(Kind::Type);
            }
            kind if kind.ends_with("_statement") || kind.ends_with("_declaration") => return None,
            "arrow_function" | "arguments" | "await_expression" | "variable_declarator" => return None,
            _ => at = node.parent(),
        }
    }
    None
}

/// The file of `new URL("./w.js", import.meta.url)`.
fn asset(node: Node<'_>, text: &str) -> Option<String> {
    if text_of(node.child_by_field_name("constructor")?, text) != "URL" {
        return None;
    }
    match children(node.child_by_field_name("arguments")?).as_slice() {
        [file, base] if text_of(*base, text) == "import.meta.url" => string(*file, text),
        _ => None,
    }
}

/// `/// <reference path="./x.d.ts" />` and its like.
fn reference(comment: Node<'_>, text: &str) -> Option<(String, Kind)> {
    let rest = text_of(comment, text).strip_prefix("///")?.trim_start().strip_prefix("<reference")?;
    let (key, value) = rest.trim_start().split_once('=')?;
    let value = value.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value[1..].split(quote).next()?;
    match key.trim_end() {
        // A path is relative, whether or not it begins with a dot.
        "path" if value.starts_with('.') => Some((value.to_owned(), Kind::Type)),
        "path" => Some((format!("./{value}"), Kind::Type)),
        "types" => Some((value.to_owned(), Kind::Type)),
        _ => None,
    }
}

/// The content of a string, or of a template without substitutions.
fn string(node: Node<'_>, text: &str) -> Option<String> {
    let inner = match node.kind() {
        "string" => text_of(node, text),
        "template_string" if !children(node).iter().any(|c| c.kind() == "template_substitution") => {
            text_of(node, text)
        }
        _ => return None,
    };
    let content = inner.get(1..inner.len().checked_sub(1)?)?;
    (!content.contains('\\')).then(|| content.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        for jsx in [false, true] {
            let told: Vec<String> = super::imports(text, jsx).unwrap().iter().map(Import::told).collect();
            assert_eq!(told, expected, "{text}");
        }
    }

    #[test]
    fn imports_in_all_their_shapes() {
        check("import a, { b, c as d } from './m'", &["1:static ./m default,b,c"]);
        check("import * as a from \"m\";\nimport 'side';", &["1:static m *", "2:static side"]);
        check(
            "import type { A } from './t'\nimport { type B, c } from './u'",
            &["1:type ./t A", "2:type ./u B", "2:static ./u c"],
        );
        check(
            "import a = require('./r')\nimport data from './d.json' with { type: 'json' }",
            &["1:static ./r *", "2:static ./d.json default"],
        );
        check("import { 'odd name' as x } from './o'", &["1:static ./o odd name"]);
    }

    #[test]
    fn exports_in_all_their_shapes() {
        check(
            "export * from './a'\nexport * as n from './b'\nexport { x, default as y } from './c'",
            &["1:static ./a *", "2:static ./b *", "3:static ./c x,default"],
        );
        check("export type { T } from './t'\nexport const z = 1\nexport { z as q }", &["1:type ./t T"]);
    }

    #[test]
    fn calls_that_load() {
        check(
            "const a = require('./a'), b = await import(/* chunk */ './b')\nrequire.resolve(`./c`)",
            &["1:static ./a", "1:dynamic ./b", "2:dynamic ./c"],
        );
        check(
            "jest.mock('./m', () => ({}))\nvi.importActual('./n')\nimport(`./${x}`)",
            &["1:mock ./m", "2:mock ./n"],
        );
        check("new Worker(new URL('./w.js', import.meta.url))", &["1:dynamic ./w.js"]);
        check("const t: import('./t').T = 1\ntype U = typeof import('./u')", &["1:type ./t", "2:type ./u"]);
        check(
            "/// <reference path=\"x.d.ts\" />\n/// <reference types='node'/>",
            &["1:type ./x.d.ts", "2:type node"],
        );
    }

    #[test]
    fn types_that_the_grammar_does_not_know_are_imports() {
        check(
            "export declare function f<T>(x: T): import(\"../o\").O<T>;\nexport type { P } from './p';",
            &["1:type ../o", "2:type ./p P"],
        );
    }

    #[test]
    fn what_only_looks_like_an_import_is_none() {
        check(
            "// import './a'\nconst s = \"import './b'\", t = `import './c' ${1 / 2} require('./d')`, r = /import '.\\/e'/",
            &[],
        );
        check("obj.require('./a'); obj.import('./b')", &[]);
    }

    #[test]
    fn what_is_no_typescript_is_said() {
        assert_eq!(
            super::imports("const a = 1\n\nimport { a from", false).unwrap_err(),
            Unreadable::Syntax { line: 3 }
        );
        check("import a from './a'\n\nconst = (", &["1:static ./a default"]);
    }
}
