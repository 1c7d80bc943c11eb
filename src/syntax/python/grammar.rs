//! What nodes of the grammar say about imports.

use std::collections::HashSet;

use tree_sitter::Node;

use super::super::tree::{children, text_of};

/// What a statement or a call imports: the module as written, and names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) specifier: String,
    pub(super) names: Vec<String>,
}

/// A call that may import.
pub(super) struct Called {
    /// What is called, as written.
    pub(super) function: String,
    pub(super) named: Named,
}

/// By which names a file calls the functions that import.
#[derive(Debug, Default)]
pub(super) struct Importers {
    modules: HashSet<String>,
    functions: HashSet<String>,
}

impl Importers {
    /// Whether a function imports what it is given.
    pub(super) fn have(&self, function: &str) -> bool {
        match function.rsplit_once('.') {
            None => is_importer(function) || self.functions.contains(function),
            Some((module, name)) => is_importer(name) && (is_module(module) || self.modules.contains(module)),
        }
    }

    /// Whether functions go by names of the file's own.
    pub(super) fn have_own_functions(&self) -> bool {
        !self.functions.is_empty()
    }

    fn learn(&mut self, module: Option<&str>, name: &str, alias: &str) {
        match module {
            None if is_module(name) => self.modules.insert(alias.to_owned()),
            Some(module) if is_module(module) && is_importer(name) && alias != name => {
                self.functions.insert(alias.to_owned())
            }
            _ => false,
        };
    }
}

fn is_importer(function: &str) -> bool {
    matches!(function, "import_module" | "__import__")
}

fn is_module(module: &str) -> bool {
    matches!(module, "importlib" | "builtins" | "__builtin__")
}

/// What an import statement imports; none if it is no such statement.
pub(super) fn imported(node: Node<'_>, text: &str, importers: &mut Importers) -> Option<Vec<Named>> {
    match node.kind() {
        "import_statement" => {
            let mut found = Vec::new();
            for_each_name(node, text, |specifier, alias| {
                if let Some(alias) = alias {
                    importers.learn(None, &specifier, alias);
                }
                found.push(Named { specifier, names: Vec::new() });
            });
            Some(found)
        }
        "import_from_statement" => {
            let specifier = dotted(node.child_by_field_name("module_name")?, text);
            let mut names = Vec::new();
            for_each_name(node, text, |name, alias| {
                if let Some(alias) = alias {
                    importers.learn(Some(&specifier), &name, alias);
                }
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
        } else if cursor.field_name() == Some("name") {
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

/// What `import_module("a.b")` or `__import__("a.b")` names, if `call` may be
/// such a call.
pub(super) fn called(call: Node<'_>, text: &str) -> Option<Called> {
    let function = call.child_by_field_name("function")?;
    if !matches!(function.kind(), "identifier" | "attribute") {
        return None;
    }
    let function = dotted(function, text);
    let arguments = call.child_by_field_name("arguments").filter(|node| node.kind() == "argument_list")?;
    let arguments = Arguments { nodes: children(arguments), text };
    let module = string(arguments.get(0, "name")?, text)?;
    let named = if function.rsplit('.').next() == Some("__import__") {
        let level = arguments.get(4, "level").map(|level| text_of(level, text));
        let dots = match level {
            None => 0,
            Some(level) => level.parse::<usize>().ok().filter(|level| *level < 100)?,
        };
        Named { specifier: ".".repeat(dots) + &module, names: strings(arguments.get(3, "fromlist"), text) }
    } else if module.starts_with('.') {
        let package = arguments.get(1, "package")?;
        let specifier = match text_of(package, text) {
            "__package__" | "__name__" | "__spec__.parent" => module,
            _ => absolute(&string(package, text)?, &module)?,
        };
        Named { specifier, names: Vec::new() }
    } else {
        Named { specifier: module, names: Vec::new() }
    };
    let is_named = named.specifier.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    (is_named && !named.specifier.is_empty()).then_some(Called { function, named })
}

/// The arguments of a call.
struct Arguments<'t, 's> {
    nodes: Vec<Node<'t>>,
    text: &'s str,
}

impl<'t> Arguments<'t, '_> {
    /// The one at this place, or of this name.
    fn get(&self, place: usize, name: &str) -> Option<Node<'t>> {
        let mut at = 0;
        for node in &self.nodes {
            match node.kind() {
                "comment" => {}
                "keyword_argument" => {
                    let is_it =
                        node.child_by_field_name("name").is_some_and(|n| text_of(n, self.text) == name);
                    if is_it {
                        return node.child_by_field_name("value");
                    }
                }
                // Nobody knows how many these are.
                "list_splat" | "dictionary_splat" => return None,
                _ if at == place => return Some(*node),
                _ => at += 1,
            }
        }
        None
    }
}

fn absolute(package: &str, module: &str) -> Option<String> {
    let name = module.trim_start_matches('.');
    let up = module.len() - name.len() - 1;
    let parts: Vec<&str> = package.split('.').collect();
    let base = parts.get(..parts.len().checked_sub(up)?)?.join(".");
    Some(if name.is_empty() { base } else { format!("{base}.{name}") })
}

/// The content of a string that is just text.
fn string(node: Node<'_>, text: &str) -> Option<String> {
    match node.kind() {
        "string" => {}
        "concatenated_string" => {
            let parts = children(node).into_iter().filter(|part| part.kind() != "comment");
            return parts.map(|part| plain_string(part, text)).collect();
        }
        "parenthesized_expression" => {
            let inner = children(node).into_iter().find(|part| part.kind() != "comment")?;
            return plain_string(inner, text);
        }
        _ => return None,
    }
    plain_string(node, text)
}

fn plain_string(node: Node<'_>, text: &str) -> Option<String> {
    let parts = if node.kind() == "string" { children(node) } else { return None };
    let start = parts.first().map(|part| text_of(*part, text))?;
    let is_plain = |part: &Node<'_>| matches!(part.kind(), "string_start" | "string_content" | "string_end");
    if !parts.iter().all(is_plain) || start.contains(['f', 'F', 'b', 'B', 't', 'T']) {
        return None;
    }
    let content = parts.iter().filter(|part| part.kind() == "string_content");
    let content: String = content.map(|part| text_of(*part, text)).collect();
    (!content.contains('\\')).then_some(content)
}

/// The strings in a list or tuple.
fn strings(node: Option<Node<'_>>, text: &str) -> Vec<String> {
    match node {
        Some(node) if matches!(node.kind(), "list" | "tuple") => children(node)
            .into_iter()
            .filter_map(|item| string(item, text))
            .filter(|s| !s.is_empty())
            .collect(),
        _ => Vec::new(),
    }
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
