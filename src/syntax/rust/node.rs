//! Reads what tree-sitter made of one item or path.

use tree_sitter::Node;

use super::super::tree::{children, text_of};
use super::found::{composed, is_include, plain};

/// How deep lists of one `use` are read within each other.
const DEPTH: usize = 64;

/// One name that a `use` brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) path: String,
    pub(super) is_glob: bool,
    pub(super) alias: Option<String>,
}

/// A module in a file of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) name: String,
    /// The file that an attribute names.
    pub(super) path: Option<String>,
    /// The files that attributes name under a condition.
    pub(super) paths: Vec<String>,
    /// Whether it may be that no build ever looks for it.
    pub(super) is_optional: bool,
}

/// What a slice was read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Use { leaves: Vec<Leaf>, exported: bool },
    Path(String),
    Crate { name: String, alias: String },
    Module(Module),
    Inline { brace: u32, module: Module },
    Include { file: String, is_code: bool },
}

/// The leaves of a `use`; none if its lists nest too deep, or would repeat
/// more than `budget` bytes of text.
pub(super) fn use_tree(argument: Node<'_>, text: &str, budget: &mut usize) -> Option<Vec<Leaf>> {
    let mut leaves = Vec::new();
    let mut queue = vec![(String::new(), argument, 0usize)];
    while let Some((prefix, node, depth)) = queue.pop() {
        if depth > DEPTH {
            return None;
        }
        *budget = budget.checked_sub(prefix.len() + 1)?;
        let joined = |part: &str| match (prefix.as_str(), part) {
            ("", part) => part.to_owned(),
            (prefix, "self") => prefix.to_owned(),
            ("::", part) => format!("::{part}"),
            (prefix, part) => format!("{prefix}::{part}"),
        };
        let mut leaf =
            |path: String, is_glob, alias: Option<String>| leaves.push(Leaf { path, is_glob, alias });
        match node.kind() {
            "use_list" => {
                queue.extend(children(node).into_iter().rev().map(|c| (prefix.clone(), c, depth + 1)))
            }
            "scoped_use_list" => {
                let prefix = match node.child_by_field_name("path") {
                    Some(path) => joined(&spelled(path, text)?),
                    None if prefix.is_empty() => "::".to_owned(),
                    None => prefix,
                };
                if let Some(list) = node.child_by_field_name("list") {
                    queue.push((prefix, list, depth));
                }
            }
            "use_wildcard" => {
                let path = children(node).into_iter().find(|child| !is_comment(*child));
                let path = match path {
                    Some(path) => joined(&spelled(path, text)?),
                    None if prefix.is_empty() => "::".to_owned(),
                    None => prefix,
                };
                leaf(path, true, None);
            }
            "use_as_clause" => {
                let path = joined(&spelled(node.child_by_field_name("path")?, text)?);
                let alias = node.child_by_field_name("alias");
                leaf(path, false, alias.map(|alias| composed(plain(text_of(alias, text)))));
            }
            "line_comment" | "block_comment" => {}
            _ => leaf(joined(&spelled(node, text)?), false, None),
        }
    }
    Some(leaves)
}

fn is_comment(node: Node<'_>) -> bool {
    matches!(node.kind(), "line_comment" | "block_comment")
}

/// A path as written, up to its first generic arguments, without blanks,
/// comments and the `r#` of raw names. None if it begins with a type or
/// something that is no name.
pub(super) fn spelled(node: Node<'_>, text: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let mut at = node;
    loop {
        match at.kind() {
            "scoped_identifier" | "scoped_type_identifier" => {
                parts.push(plain(text_of(at.child_by_field_name("name")?, text)));
                match at.child_by_field_name("path") {
                    Some(path) => at = path,
                    None => {
                        // The global path.
                        parts.push("");
                        break;
                    }
                }
            }
            "generic_type" => {
                parts.clear();
                at = at.child_by_field_name("type")?;
            }
            "metavariable" => {
                parts.push("$crate");
                if text_of(at, text) != "$crate" {
                    return None;
                }
                break;
            }
            "identifier" | "type_identifier" | "self" | "super" | "crate" | "primitive_type" => {
                parts.push(plain(text_of(at, text)));
                break;
            }
            _ => return None,
        }
    }
    parts.reverse();
    let path = parts.join("::");
    Some(if path.is_ascii() { path } else { composed(&path) })
}

/// `extern crate a as b;`
pub(super) fn extern_crate(node: Node<'_>, text: &str) -> Option<Read> {
    let name = composed(plain(text_of(node.child_by_field_name("name")?, text)));
    let alias = node.child_by_field_name("alias").map(|alias| composed(plain(text_of(alias, text))));
    Some(Read::Crate { alias: alias.unwrap_or_else(|| name.clone()), name })
}

/// A module, with the attributes in front of it.
pub(super) fn module(node: Node<'_>, attributes: &[Node<'_>], text: &str) -> Option<Module> {
    let name = composed(plain(text_of(node.child_by_field_name("name")?, text)));
    let mut module = Module { name, ..Module::default() };
    for attribute in attributes
        .iter()
        .filter_map(|item| children(*item).into_iter().find(|child| child.kind() == "attribute"))
    {
        let Some(path) = children(attribute).into_iter().find(|child| !is_comment(*child)) else { continue };
        let value = attribute.child_by_field_name("value");
        let arguments = attribute.child_by_field_name("arguments");
        match (text_of(path, text), value, arguments) {
            ("path", Some(value), _) => {
                let file = string(value, text);
                module.path = module.path.or(file);
            }
            ("cfg", _, Some(arguments)) => module.is_optional |= is_unusual(arguments, text),
            ("cfg_attr", _, Some(arguments)) => module.paths.extend(conditional_paths(arguments, text)),
            _ => {}
        }
    }
    Some(module)
}

/// Every leaf below a node, in the order of the text, without recursion.
fn leaves(node: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    let mut queue = vec![node];
    while let Some(node) = queue.pop() {
        let is_whole = node.child_count() == 0
            || matches!(
                node.kind(),
                "string_literal" | "raw_string_literal" | "line_comment" | "block_comment"
            );
        if is_whole {
            found.push(node);
            continue;
        }
        let mut cursor = node.walk();
        let below: Vec<Node<'_>> = node.children(&mut cursor).collect();
        queue.extend(below.into_iter().rev());
    }
    found
}

/// Conditions that some build of everybody's has on.
const USUAL: [&str; 22] = [
    "all",
    "any",
    "not",
    "test",
    "doc",
    "doctest",
    "feature",
    "unix",
    "windows",
    "debug_assertions",
    "overflow_checks",
    "panic",
    "proc_macro",
    "relocation_model",
    "target_arch",
    "target_endian",
    "target_env",
    "target_family",
    "target_os",
    "target_pointer_width",
    "target_vendor",
    "target_has_atomic",
];

/// Whether a condition may be on in no build: it names something of the
/// project's own (which a person sets by hand), or is false as it stands.
fn is_unusual(arguments: Node<'_>, text: &str) -> bool {
    let leaves = leaves(arguments);
    let words: Vec<&str> =
        leaves.iter().filter(|leaf| !is_comment(**leaf)).map(|leaf| text_of(*leaf, text)).collect();
    let is_never = words.windows(3).any(|three| matches!(three, ["any", "(", ")"]))
        || words.windows(5).any(|five| matches!(five, ["not", "(", "all", "(", ")"]));
    let is_word = |word: &&str| word.starts_with(|c: char| c.is_alphabetic() || c == '_');
    is_never
        || words.into_iter().filter(is_word).any(|word| !USUAL.contains(&word) && word != "target_feature")
}

/// The files of `cfg_attr(condition, path = "a")`.
fn conditional_paths(arguments: Node<'_>, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let leaves: Vec<Node<'_>> = leaves(arguments).into_iter().filter(|leaf| !is_comment(*leaf)).collect();
    for four in leaves.windows(4) {
        if let [comma, name, is, value] = four
            && text_of(*comma, text) == ","
            && text_of(*name, text) == "path"
            && text_of(*is, text) == "="
        {
            found.extend(string(*value, text));
        }
    }
    found
}

/// The file that `include!` or one of its kind names.
pub(super) fn include(call: Node<'_>, text: &str) -> Option<Read> {
    let name = call.child_by_field_name("macro")?;
    let name = plain(text_of(name.child_by_field_name("name").unwrap_or(name), text));
    if !is_include(name) {
        return None;
    }
    let tokens = children(call).into_iter().find(|node| node.kind() == "token_tree")?;
    let mut file = String::new();
    let mut is_after_env = false;
    let mut leaves = leaves(tokens).into_iter().filter(|leaf| !is_comment(*leaf)).peekable();
    while let Some(leaf) = leaves.next() {
        match (leaf.kind(), text_of(leaf, text)) {
            ("string_literal" | "raw_string_literal", _) => {
                let part = string(leaf, text)?;
                match (is_after_env, part.as_str()) {
                    (false, part) => file.push_str(part),
                    // The folder of the package; of any other variable
                    // nobody knows the value before the build.
                    (true, "CARGO_MANIFEST_DIR") if file.is_empty() => file.push_str("$CARGO_MANIFEST_DIR"),
                    (true, _) => return None,
                }
                is_after_env = false;
            }
            ("char_literal", literal) => {
                let literal = literal.strip_prefix('\'')?.strip_suffix('\'')?;
                match literal.strip_prefix('\\') {
                    Some(rest) => {
                        escaped(rest, &mut file)?;
                    }
                    None => file.push_str(literal),
                }
            }
            ("integer_literal", digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                file.push_str(digits);
            }
            (_, word @ ("true" | "false")) => file.push_str(word),
            (_, "env") => is_after_env = true,
            (_, "stringify") => {
                // `!(word)`
                leaves.next();
                leaves.next();
                let word = text_of(leaves.next()?, text);
                let is_word = word.chars().all(|c| c.is_alphanumeric() || c == '_');
                let is_whole =
                    leaves.peek().is_some_and(|next| matches!(text_of(*next, text), ")" | "]" | "}"));
                if !is_word || !is_whole {
                    return None;
                }
                file.push_str(word);
            }
            (_, "concat" | "!" | "(" | ")" | "[" | "]" | "{" | "}" | ",") => {}
            _ => return None,
        }
    }
    let has_file = !file.is_empty() && !file.contains('\n');
    has_file.then_some(Read::Include { file, is_code: name == "include" })
}

/// The content of a string literal.
fn string(node: Node<'_>, text: &str) -> Option<String> {
    let literal = text_of(node, text);
    if node.kind() == "raw_string_literal" {
        let inner = literal.trim_start_matches(['b', 'c', 'r']).trim_matches('#');
        return Some(inner.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut content = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        content.push_str(rest.get(..at)?);
        rest = escaped(rest.get(at + 1..)?, &mut content)?;
    }
    content.push_str(rest);
    Some(content)
}

/// Reads what is behind a `\`; gives the rest.
fn escaped<'t>(text: &'t str, content: &mut String) -> Option<&'t str> {
    let kind = text.chars().next()?;
    let rest = text.get(kind.len_utf8()..)?;
    match kind {
        '\\' | '"' | '\'' => content.push(kind),
        'n' => content.push('\n'),
        'r' => content.push('\r'),
        't' => content.push('\t'),
        '0' => content.push('\0'),
        'x' => {
            content.push(char::from(u8::from_str_radix(rest.get(..2)?, 16).ok()?));
            return rest.get(2..);
        }
        'u' => {
            let (digits, rest) = rest.strip_prefix('{')?.split_once('}')?;
            content.push(char::from_u32(u32::from_str_radix(&digits.replace('_', ""), 16).ok()?)?);
            return Some(rest);
        }
        // The line goes on with the next word.
        '\n' | '\r' => return Some(rest.trim_start_matches([' ', '\t', '\n', '\r'])),
        _ => return None,
    }
    Some(rest)
}
