//! Which names are true for type checkers alone.
//!
//! `TYPE_CHECKING` of `typing` is false when the program runs, and so is what
//! a file itself sets to false under that name or `MYPY`. A name that may
//! have another value anywhere in the file is none of these: an import that
//! runs must never pass for one that does not.

use std::collections::HashSet;

use memchr::memmem;
use tree_sitter::Node;

use super::super::tree::{children, text_of};
use super::grammar::{dotted, for_each_name};
use super::lexer::{Lexer, Token, is_word};
use super::scan::Slices;

const CHECKING: &str = "TYPE_CHECKING";
/// What mypy takes for true in every file.
const MYPY: &str = "MYPY";
/// The modules that have the constant.
const MODULES: [&str; 2] = ["typing", "typing_extensions"];

/// The names that are true for type checkers only.
#[derive(Debug, Default)]
pub(super) struct Words {
    names: Vec<String>,
    /// What the modules with the constant are called.
    modules: Vec<String>,
}

impl Words {
    /// Those that a text seems to have; [`are_plain`] says whether that is so.
    pub(super) fn assumed(text: &str) -> Self {
        let mut words = Self::default();
        for word in [CHECKING, MYPY] {
            for at in memmem::find_iter(text.as_bytes(), word) {
                if words.names.last().is_none_or(|last| last != word) {
                    words.names.push(word.to_owned());
                }
                let before = text.get(..at).unwrap_or_default();
                let Some(before) = before.strip_suffix('.').filter(|_| word == CHECKING) else { continue };
                let start = before.bytes().rposition(|byte| !is_word(byte)).map_or(0, |last| last + 1);
                let module = before.get(start..).unwrap_or_default();
                if !module.is_empty() && words.modules.len() < 8 && !words.modules.iter().any(|m| m == module)
                {
                    words.modules.push(module.to_owned());
                }
            }
        }
        words
    }

    /// Those of a file that was parsed.
    pub(super) fn of(root: Node<'_>, text: &str) -> Self {
        let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        // Other letters may stand for the same name.
        if !has(CHECKING) && !has(MYPY) {
            return Self::default();
        }
        let mut words = Self {
            names: vec![CHECKING.to_owned(), MYPY.to_owned()],
            modules: MODULES.map(str::to_owned).to_vec(),
        };
        words.learn_aliases(root, text);
        let lost = words.lost(root, text);
        words.names.retain(|name| !lost.contains(name));
        words.modules.retain(|name| !lost.contains(name));
        words
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.modules.is_empty()
    }

    /// Whether one of them stands in a condition.
    pub(super) fn are_in(&self, condition: &str) -> bool {
        let is_one = |word: &str| word == CHECKING || self.names.iter().any(|name| name == word);
        condition.split(|c: char| !c.is_alphanumeric() && c != '_').any(is_one)
    }

    fn learn_aliases(&mut self, root: Node<'_>, text: &str) {
        visit(root, |node, _| {
            let is_of_module = || {
                let module = node.child_by_field_name("module_name");
                module.is_some_and(|module| MODULES.contains(&dotted(module, text).as_str()))
            };
            match node.kind() {
                "import_statement" => for_each_name(node, text, |name, alias| {
                    if let Some(alias) = alias.filter(|_| MODULES.contains(&name.as_str())) {
                        self.modules.push(alias.to_owned());
                    }
                }),
                "import_from_statement" if is_of_module() => for_each_name(node, text, |name, alias| {
                    if let Some(alias) = alias.filter(|_| name == CHECKING) {
                        self.names.push(alias.to_owned());
                    }
                }),
                _ => {}
            }
            true
        });
    }

    /// Names that may have another value.
    fn lost(&self, root: Node<'_>, text: &str) -> HashSet<String> {
        let mut lost = HashSet::new();
        let all: HashSet<&str> = self.names.iter().chain(&self.modules).map(String::as_str).collect();
        let names: HashSet<&str> = self.names.iter().map(String::as_str).collect();
        visit(root, |node, role| {
            self.judge(node, role, text, &names, &all, &mut lost);
            !matches!(node.kind(), "import_statement" | "import_from_statement" | "future_import_statement")
        });
        lost
    }

    /// Looks at one node for what it does to names.
    fn judge(
        &self,
        node: Node<'_>,
        role: Role,
        text: &str,
        names: &HashSet<&str>,
        all: &HashSet<&str>,
        lost: &mut HashSet<String>,
    ) {
        match node.kind() {
            "import_statement" => for_each_name(node, text, |name, alias| {
                let top = name.split('.').next().unwrap_or_default();
                let (local, module) = alias.map_or((top, top), |alias| (alias, name.as_str()));
                if all.contains(local) && (names.contains(local) || !MODULES.contains(&module)) {
                    lost.insert(local.to_owned());
                }
            }),
            "import_from_statement" => {
                let module = node.child_by_field_name("module_name").map(|module| dotted(module, text));
                let is_typing = module.is_some_and(|module| MODULES.contains(&module.as_str()));
                for_each_name(node, text, |name, alias| {
                    let local = alias.unwrap_or(&name);
                    if name == "*" {
                        if !is_typing {
                            lost.extend(all.iter().map(|word| (*word).to_owned()));
                        }
                    } else if all.contains(local) && !(is_typing && name == CHECKING) {
                        lost.insert(local.to_owned());
                    }
                });
            }
            "identifier" if role != Role::Read => {
                let name = dotted(node, text);
                let stays = match role {
                    Role::Cleared => names.contains(name.as_str()),
                    // Of something else than these modules it is another one.
                    Role::Member => !names.contains(name.as_str()),
                    _ => false,
                };
                if !stays && all.contains(name.as_str()) {
                    lost.insert(name);
                }
            }
            // `globals()["TYPE_CHECKING"] = True`
            "string_content" if names.contains(text_of(node, text)) => {
                lost.insert(text_of(node, text).to_owned());
            }
            _ => {}
        }
    }

    fn have(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// What happens to a name where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It is read.
    Read,
    /// It becomes false.
    Cleared,
    /// As a member of something it gets a value.
    Member,
    /// It gets another value, or nobody knows.
    Other,
}

/// Visits every node, parents first, with its role. The visit says whether to
/// go below.
fn visit<'t>(root: Node<'t>, mut visit: impl FnMut(Node<'t>, Role) -> bool) {
    let mut cursor = root.walk();
    let mut above: Vec<(Node<'t>, Role)> = Vec::new();
    loop {
        let node = cursor.node();
        let role =
            above.last().map_or(Role::Read, |(parent, role)| role_in(*parent, *role, cursor.field_name()));
        if visit(node, role) && cursor.goto_first_child() {
            above.push((node, role));
            continue;
        }
        while !cursor.goto_next_sibling() {
            above.pop();
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

fn role_in(parent: Node<'_>, role: Role, field: Option<&str>) -> Role {
    match (parent.kind(), field) {
        ("parenthesized_expression" | "tuple" | "list" | "expression_list", _) => role,
        ("attribute", Some("attribute")) if role != Role::Read => Role::Member,
        ("assignment", Some("left")) => {
            let value = parent.child_by_field_name("right");
            match value.map(|value| value.kind()) {
                None | Some("false") => Role::Cleared,
                Some(_) => Role::Other,
            }
        }
        ("for_statement" | "for_in_clause", Some("left"))
        | (
            "keyword_argument" | "default_parameter" | "typed_default_parameter" | "named_expression",
            Some("name"),
        ) => Role::Other,
        (kind, _) if READS.contains(&kind) => Role::Read,
        _ => Role::Other,
    }
}

/// Nodes in which names are read, but for what is named above.
const READS: [&str; 38] = [
    "assert_statement",
    "assignment",
    "argument_list",
    "attribute",
    "await",
    "binary_operator",
    "boolean_operator",
    "call",
    "comparison_operator",
    "conditional_expression",
    "decorator",
    "default_parameter",
    "dictionary",
    "elif_clause",
    "expression_statement",
    "for_in_clause",
    "for_statement",
    "generator_expression",
    "generic_type",
    "if_clause",
    "if_statement",
    "interpolation",
    "keyword_argument",
    "lambda",
    "list_comprehension",
    "member_type",
    "named_expression",
    "not_operator",
    "pair",
    "return_statement",
    "set",
    "subscript",
    "type",
    "typed_default_parameter",
    "unary_operator",
    "union_type",
    "while_statement",
    "yield",
];

/// Whether nothing but `if` asks for these names in a text, nothing but
/// `typing` gives them, and nothing but `= False` sets them. Else only a parse
/// of the whole can tell.
pub(super) fn are_plain(words: &Words, text: &str, slices: &Slices) -> bool {
    let mut given = HashSet::new();
    let are_imports_plain = slices
        .iter()
        .filter(|(slice, _)| !slice.is_call)
        .all(|(_, statement)| is_plain_import(words, statement, &mut given));
    let is_known = |module: &String| MODULES.contains(&module.as_str()) || given.contains(module.as_str());
    if !are_imports_plain || !words.modules.iter().all(is_known) {
        return false;
    }
    let finder = |word| (memmem::Finder::new(word), word);
    let finders: Vec<_> = words.names.iter().chain(&words.modules).map(finder).collect();
    let mut lexer = Lexer::new(text.as_bytes(), 0, false);
    let mut start = 0;
    loop {
        let (from, to, is_end) = match lexer.next() {
            Token::Text { from, to } => (from, to, false),
            Token::Mark { at, .. } => (at, at, false),
            Token::End => (text.len(), text.len(), true),
            Token::Broken => return false,
        };
        let code = text.get(start..from).unwrap_or_default();
        let is_plain = |(finder, word): &(memmem::Finder<'_>, &String)| {
            finder.find_iter(code.as_bytes()).all(|offset| {
                let at = start + offset;
                !is_whole(text, at, word.len())
                    || slices.cover(at)
                    || if words.have(word) {
                        is_asked(text, at, word)
                    } else {
                        is_looked_into(text, at, word)
                    }
            })
        };
        let said = text.get(from..to).unwrap_or_default();
        let is_name = |word: &String| said.trim_matches(['"', '\'', 'r', 'u', 'b']) == word;
        if !code.is_ascii() || !finders.iter().all(is_plain) || words.names.iter().any(is_name) {
            return false;
        }
        if is_end {
            return true;
        }
        start = to;
    }
}

fn is_plain_import<'s>(words: &Words, statement: &'s str, given: &mut HashSet<&'s str>) -> bool {
    let mut parts = statement.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ','));
    let parts: Vec<&str> = parts.by_ref().filter(|part| !part.is_empty()).collect();
    let is_typing = |module: &str| MODULES.contains(&module);
    match parts.as_slice() {
        ["import", module, "as", name] if is_typing(module) => {
            given.insert(name);
            return !words.have(name);
        }
        ["import", module] if is_typing(module) => return true,
        ["from", module, "import", "*"] if is_typing(module) => return true,
        ["from", .., "import", "*"] | ["from", .., "import*"] => return false,
        _ => {}
    }
    let is_from_typing = matches!(parts.as_slice(), ["from", module, "import", ..] if is_typing(module));
    let names = parts.iter().enumerate().skip(if is_from_typing { 3 } else { 1 });
    for (at, part) in names {
        let is_word = |word: &String| part.split('.').any(|name| name == word);
        if words.modules.iter().any(is_word) || part.contains('*') {
            return false;
        }
        if words.names.iter().any(is_word) {
            let is_alias = parts.get(at - 1) == Some(&"as") || parts.get(at + 1) == Some(&"as");
            if !is_from_typing || is_alias || *part != CHECKING {
                return false;
            }
        }
    }
    true
}

fn is_whole(text: &str, at: usize, length: usize) -> bool {
    let has_word = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(|b| is_word(*b));
    !has_word(at.checked_sub(1)) && !has_word(Some(at + length))
}

/// Whether a module is only looked into.
fn is_looked_into(text: &str, at: usize, word: &str) -> bool {
    text.get(..at).is_some_and(|before| before.ends_with('.'))
        || text.get(at + word.len()..).is_some_and(|after| after.starts_with('.'))
}

/// Whether a name stands in the condition of `if`, or becomes false.
fn is_asked(text: &str, at: usize, word: &str) -> bool {
    let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + word.len()..));
    let line = before.get(before.rfind('\n').map_or(0, |end| end + 1)..).unwrap_or_default();
    let line = line.trim_start_matches([' ', '\t', '\x0c']);
    let after = after.unwrap_or_default().trim_start_matches([' ', '\t']);
    if line.is_empty() {
        let value = after.strip_prefix('=').unwrap_or_default().trim_start_matches([' ', '\t']);
        let rest = value.strip_prefix("False").map(|rest| rest.trim_start_matches([' ', '\t', '\r']));
        return rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', '#']));
    }
    let mut parts = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|part| !part.is_empty());
    let is_condition = matches!(parts.next(), Some("if" | "elif"));
    let is_simple = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '(' | ')' | ' ' | '\t');
    let after = after.trim_start_matches([' ', '\t', ')']);
    is_condition
        && line.chars().all(is_simple)
        && !parts.any(|part| matches!(part, "lambda" | "for"))
        && (!line.ends_with([' ', '\t']) || !line.trim_end().ends_with('.'))
        && (after.starts_with(':') && !after.starts_with(":=")
            || after.starts_with("and ")
            || after.starts_with("or "))
}

/// How far conditions are looked into.
const DEPTH: usize = 32;

/// What a condition is where nothing is checked for types, as far as it
/// follows from that alone.
pub(super) fn at_run_time(condition: Node<'_>, text: &str, words: &Words) -> Option<bool> {
    value(condition, text, words, DEPTH)
}

fn value(node: Node<'_>, text: &str, words: &Words, depth: usize) -> Option<bool> {
    let below = depth.checked_sub(1)?;
    let of = |field: &str| node.child_by_field_name(field);
    match node.kind() {
        "identifier" => words.have(text_of(node, text)).then_some(false),
        "attribute" => {
            let module = of("object").filter(|object| object.kind() == "identifier")?;
            let is_module = words.modules.iter().any(|known| known == text_of(module, text));
            (is_module && text_of(of("attribute")?, text) == CHECKING && words.have(CHECKING))
                .then_some(false)
        }
        "parenthesized_expression" => {
            let inner = children(node).into_iter().find(|child| child.kind() != "comment")?;
            value(inner, text, words, below)
        }
        "not_operator" => Some(!value(of("argument")?, text, words, below)?),
        "boolean_operator" => {
            let decides = text_of(of("operator")?, text) == "or";
            let (left, right) =
                (value(of("left")?, text, words, below), value(of("right")?, text, words, below));
            match (left, right) {
                (Some(left), _) if left == decides => Some(decides),
                (_, Some(right)) if right == decides => Some(decides),
                (Some(_), Some(_)) => Some(!decides),
                _ => None,
            }
        }
        _ => None,
    }
}
