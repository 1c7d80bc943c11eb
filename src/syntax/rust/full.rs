//! Reads a tree of the whole file, as the grammar has it.

use tree_sitter::{Node, Tree};

use super::super::tree::{children, first_error, parse, text_of};
use super::super::{Import, Unreadable};
use super::assemble::{Draft, assemble};
use super::found::{
    Brace, Declared, Found, Given, Role, is_condition, is_data, is_include, is_shadowing, is_tool, plain,
};
use super::lexer::{Kind, Token, Tokens};
use super::node::{self, Read};
use super::scan::Scanner;
use super::slices;

/// The imports of a file.
pub(super) fn imports(text: &str) -> Result<Vec<Import>, Unreadable> {
    let tree = parse(&tree_sitter_rust::LANGUAGE.into(), text)?;
    if let Some(line) = first_error(&tree, text, &["use", "mod", "::", "extern", "include"]) {
        return Err(Unreadable::Syntax { line });
    }
    match read_by(text, &tree, true)? {
        Some(imports) => Ok(imports),
        None => Ok(read_by(text, &tree, false)?.unwrap_or_default()),
    }
}

/// None for a text in which macros have been trusted that are not to be.
fn read_by(text: &str, tree: &Tree, trusts: bool) -> Result<Option<Vec<Import>>, Unreadable> {
    let mut reader = Reader {
        text,
        found: Found::new(trusts),
        drafts: Vec::new(),
        brace: 0,
        in_attribute: false,
        budget: super::budget(text),
    };
    reader.read(tree)?;
    let Reader { found, mut drafts, mut budget, .. } = reader;
    // What macros are given is no more than tokens to the grammar.
    drafts.extend(slices::read(text, &found.slices, &mut budget).unwrap_or_default());
    if trusts && (found.is_shadowed || drafts.iter().any(|draft| is_shadowing(&draft.read))) {
        return Ok(None);
    }
    assemble(text, &found, drafts, budget).map(Some)
}

struct Reader<'t> {
    text: &'t str,
    found: Found<'t>,
    drafts: Vec<Draft>,
    brace: u32,
    in_attribute: bool,
    budget: usize,
}

impl<'t> Reader<'t> {
    /// Visits every node, without recursion.
    fn read(&mut self, tree: &Tree) -> Result<(), Unreadable> {
        let mut cursor = tree.walk();
        // For each node around: the braces that it stands in, and whether in
        // an attribute.
        let mut around = Vec::new();
        loop {
            around.push((self.brace, self.in_attribute));
            let below = self.enter(cursor.node())?;
            if below && cursor.goto_first_child() {
                continue;
            }
            loop {
                if let Some((brace, in_attribute)) = around.pop() {
                    (self.brace, self.in_attribute) = (brace, in_attribute);
                }
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    return Ok(());
                }
            }
        }
    }

    fn text_of(&self, node: Node<'_>) -> &'t str {
        text_of(node, self.text)
    }

    fn add(&mut self, start: usize, read: Read) {
        self.drafts.push(Draft { start, brace: self.brace, optional: false, read });
    }

    /// Reads one node; whether to go on below it.
    fn enter(&mut self, node: Node<'_>) -> Result<bool, Unreadable> {
        match node.kind() {
            "use_declaration" => {
                if let Some(argument) = node.child_by_field_name("argument") {
                    let too_large = Unreadable::Syntax { line: node.start_position().row + 1 };
                    let leaves = node::use_tree(argument, self.text, &mut self.budget).ok_or(too_large)?;
                    let exported = self.is_exported(node);
                    self.add(keyword(node, "use"), Read::Use { leaves, exported });
                }
                return Ok(false);
            }
            "extern_crate_declaration" => {
                if let Some(read) = node::extern_crate(node, self.text) {
                    self.add(keyword(node, "extern"), read);
                }
                return Ok(false);
            }
            "mod_item" => self.module(node),
            "visibility_modifier" | "line_comment" | "block_comment" | "macro_rule" => {
                if let Some(right) = node.child_by_field_name("right") {
                    self.tokens(right, Role { is_macro: true, is_free: true, ..Role::default() });
                }
                return Ok(false);
            }
            "macro_definition" => {
                let name = node.child_by_field_name("name");
                self.found.is_shadowed |= name.is_some_and(|name| is_data(plain(self.text_of(name))));
            }
            "enum_item" | "struct_item" | "union_item" | "trait_item" => self.declare(node),
            "type_item" => {
                let brace = self.found.braces.get(self.brace as usize);
                if self.brace == 0 || brace.is_some_and(|brace| brace.module.is_some()) {
                    self.declare(node);
                }
            }
            "scoped_identifier" | "scoped_type_identifier" => self.path(node),
            "macro_invocation" => self.macro_call(node),
            "attribute_item" | "inner_attribute_item" => self.in_attribute = true,
            "token_tree" => {
                // Those of macros were read with their call.
                if node.parent().is_some_and(|parent| parent.kind() == "attribute") {
                    self.tokens(node, Role { is_attribute: true, ..Role::default() });
                }
                return Ok(false);
            }
            "block" | "declaration_list" => {
                let module = node.parent().filter(|parent| parent.kind() == "mod_item");
                // Its braces were made with the module.
                if module.is_none() {
                    self.brace = self.braces(None);
                }
            }
            _ => {}
        }
        Ok(true)
    }

    fn braces(&mut self, module: Option<&'t str>) -> u32 {
        let next = u32::try_from(self.found.braces.len()).unwrap_or(u32::MAX);
        self.found.braces.push(Brace { parent: self.brace, module, tokens: Given::No });
        next
    }

    fn is_exported(&self, node: Node<'_>) -> bool {
        let visibility = children(node).into_iter().find(|child| child.kind() == "visibility_modifier");
        visibility.is_some_and(|v| {
            let words = v.utf8_text(self.text.as_bytes()).unwrap_or_default();
            words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).ne(["pub", "self"])
        })
    }

    fn declare(&mut self, node: Node<'_>) {
        if let Some(name) = node.child_by_field_name("name") {
            let name = plain(self.text_of(name));
            self.found.declared.push(Declared { brace: self.brace, name, body: None });
        }
    }

    fn module(&mut self, node: Node<'_>) {
        let mut attributes = Vec::new();
        let mut at = node.prev_named_sibling();
        while let Some(before) = at {
            match before.kind() {
                "attribute_item" => attributes.push(before),
                "line_comment" | "block_comment" => {}
                _ => break,
            }
            at = before.prev_named_sibling();
        }
        attributes.reverse();
        let Some(module) = node::module(node, &attributes, self.text) else { return };
        let start = keyword(node, "mod");
        if node.child_by_field_name("body").is_none() {
            return self.add(start, Read::Module(module));
        }
        let name = node.child_by_field_name("name").map_or("", |name| plain(self.text_of(name)));
        let body = self.braces(Some(name));
        self.found.declared.push(Declared { brace: self.brace, name, body: Some(body) });
        self.add(start, Read::Inline { brace: body, module });
        self.brace = body;
    }

    fn path(&mut self, node: Node<'_>) {
        let is_part = node.parent().is_some_and(|parent| {
            parent.kind().starts_with("scoped_") && parent.child_by_field_name("path") == Some(node)
        });
        if is_part {
            return;
        }
        let Some(path) = node::spelled(node, self.text) else { return };
        let is_path = path.contains("::") && !path.starts_with("Self::");
        if is_path && !(self.in_attribute && is_tool(&path)) {
            self.add(node.start_byte(), Read::Path(path));
        }
    }

    fn macro_call(&mut self, node: Node<'_>) {
        let Some(called) = node.child_by_field_name("macro") else { return };
        let last = called.child_by_field_name("name").unwrap_or(called);
        let name = plain(self.text_of(last));
        if is_include(name)
            && let Some(read) = node::include(node, self.text)
        {
            return self.add(last.start_byte(), read);
        }
        let role = Role {
            is_macro: true,
            is_free: !is_condition(name),
            is_data: self.found.trusts && is_data(name),
            is_attribute: self.in_attribute,
        };
        if let Some(tokens) = children(node).into_iter().find(|child| child.kind() == "token_tree") {
            self.tokens(tokens, role);
        }
    }

    fn tokens(&mut self, node: Node<'_>, role: Role) {
        let tokens = Leaves::of(node, self.text);
        Scanner::new(self.text, tokens, &mut self.found, self.brace, role).run();
    }
}

/// Where a keyword of an item stands.
fn keyword(node: Node<'_>, word: &str) -> usize {
    let mut cursor = node.walk();
    let found = node.children(&mut cursor).find(|child| child.kind() == word);
    found.unwrap_or(node).start_byte()
}

/// The tokens of a tree, as the grammar tells them apart.
struct Leaves {
    tokens: Vec<Token>,
    at: usize,
}

impl Leaves {
    fn of(tree: Node<'_>, text: &str) -> Self {
        let mut leaves = Self { tokens: Vec::new(), at: 0 };
        let mut cursor = tree.walk();
        let mut depth = 0usize;
        loop {
            let node = cursor.node();
            let is_whole = matches!(
                node.kind(),
                "string_literal" | "raw_string_literal" | "line_comment" | "block_comment"
            );
            if !is_whole && cursor.goto_first_child() {
                depth += 1;
                continue;
            }
            leaves.add(node, text);
            while !(depth > 0 && cursor.goto_next_sibling()) {
                if depth == 0 || !cursor.goto_parent() {
                    return leaves;
                }
                depth -= 1;
            }
        }
    }

    fn add(&mut self, node: Node<'_>, text: &str) {
        let (start, end) = (node.start_byte(), node.end_byte());
        let tokens = &mut self.tokens;
        let push = |tokens: &mut Vec<Token>, kind, start, end| tokens.push(Token { kind, start, end });
        let leaf = text_of(node, text);
        match node.kind() {
            "line_comment" | "block_comment" => {}
            "string_literal" | "raw_string_literal" => push(tokens, Kind::Text, start, end),
            "char_literal" | "integer_literal" | "float_literal" => push(tokens, Kind::Other(0), start, end),
            "::" => push(tokens, Kind::Sep, start, end),
            "metavariable" => {
                push(tokens, Kind::Other(b'$'), start, start + 1);
                push(tokens, Kind::Word, start + 1, end);
            }
            _ if leaf.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                match tokens.last_mut() {
                    // A lifetime.
                    Some(last) if last.kind == Kind::Other(b'\'') && last.end == start => last.end = end,
                    _ => push(tokens, Kind::Word, start, end),
                }
            }
            _ => {
                for (at, byte) in leaf.bytes().enumerate() {
                    let kind = match byte {
                        b'(' | b'[' | b'{' => Kind::Open(byte),
                        b')' | b']' | b'}' => Kind::Close(byte),
                        byte => Kind::Other(byte),
                    };
                    push(tokens, kind, start + at, start + at + 1);
                }
            }
        }
    }
}

impl Tokens for Leaves {
    fn next(&mut self) -> Token {
        let end = self.tokens.last().map_or(0, |last| last.end);
        let next = self.tokens.get(self.at).copied();
        self.at += 1;
        next.unwrap_or(Token { kind: Kind::End, start: end, end })
    }

    fn mark(&self) -> usize {
        self.at
    }

    fn reset(&mut self, mark: usize) {
        self.at = mark;
    }

    fn is_at_sep(&mut self) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Sep)
    }
}
