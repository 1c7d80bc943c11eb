//! What nodes of the grammar say about imports.

use tree_sitter::Node;

use super::super::tree::text_of;
use super::calls::Importers;

/// What a statement or a call imports: the module as written, and names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) specifier: String,
    pub(super) names: Vec<String>,
}

/// What an import statement imports; none if it is no such statement.
pub(super) fn imported(node: Node<'_>, text: &str, importers: &mut Importers) -> Option<Vec<Named>> {
    match node.kind() {
        "import_statement" => {
            let mut found = Vec::new();
            for_each_name(node, text, |specifier, alias| {
                importers.learn(None, &specifier, alias);
                found.push(Named { specifier, names: Vec::new() });
            });
            Some(found)
        }
        "import_from_statement" => {
            let specifier = dotted(node.child_by_field_name("module_name")?, text);
            let mut names = Vec::new();
            for_each_name(node, text, |name, alias| {
                importers.learn(Some(&specifier), &name, alias);
                names.push(name);
            });
            Some(vec![Named { specifier, names }])
        }
        "future_import_statement" => Some(Vec::new()),
        _ => None,
    }
}

/// Visits the names that a statement imports, with what they are called here.
pub(super) fn for_each_name<'s>(
    statement: Node<'_>,
    text: &'s str,
    mut visit: impl FnMut(String, Option<&'s str>),
) {
    let mut cursor = statement.walk();
    if !cursor.goto_first_child() {
        return;
    }
    loop {
        let node = cursor.node();
        if node.kind_id() == 0 {
            // Only an error has this kind, and those were looked for.
        } else if node.kind() == "wildcard_import" {
            visit("*".to_owned(), None);
        // In a long list the library takes commas for names, too.
        } else if node.is_named() && cursor.field_name() == Some("name") {
            let alias = node.child_by_field_name("alias").map(|alias| text_of(alias, text));
            let name = node.child_by_field_name("name").unwrap_or(node);
            visit(dotted(name, text), alias);
        }
        if !cursor.goto_next_sibling() {
            return;
        }
    }
}

/// A dotted name without blanks, continued lines and comments, in the form
/// that identifiers are compared in.
pub(super) fn dotted(node: Node<'_>, text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let name = text_of(node, text);
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) {
        return name.to_owned();
    }
    name.nfkc().filter(|c| !c.is_whitespace() && *c != '\\').collect()
}

/// Whether `except ...` catches that a module is missing.
pub(super) fn catches(header: &str) -> bool {
    let mut words = words_of(header).skip(1).peekable();
    words.peek().is_none() || words.any(is_import_error)
}

/// Whether `with ...` does.
pub(super) fn suppresses(header: &str) -> bool {
    words_of(header).any(|word| word == "suppress") && words_of(header).any(is_import_error)
}

fn is_import_error(word: &str) -> bool {
    matches!(word, "ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException")
}

fn words_of(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
