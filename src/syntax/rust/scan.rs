//! Finds the slices of a text that hold imports, by its tokens alone.
//!
//! What macros are given is tokens too: paths, `use` and `mod` are found there
//! by the same rules. What a macro makes into data instead of code (`quote!`,
//! `stringify!`) and what a macro matches is left out.

use super::found::{Brace, Found, Given, Role, Slice, What, is_keyword, is_path_keyword, is_tool, plain};
use super::lexer::{Kind, Token, Tokens};

#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) byte: u8,
    pub(super) brace: u32,
    pub(super) role: Role,
    /// `macro_rules! name { ... }`: whether the next group is a pattern.
    pub(super) rules: Option<bool>,
    /// `$( ... )`
    pub(super) is_repeated: bool,
    /// Of what is around: where the attributes before the next item begin.
    pub(super) attributes: Option<usize>,
    /// How many `<` are open around.
    pub(super) angles: usize,
}

/// Finds slices, token by token.
pub(super) struct Scanner<'t, 'f, T> {
    pub(super) text: &'t str,
    pub(super) tokens: T,
    pub(super) found: &'f mut Found<'t>,
    pub(super) open: Vec<Open>,
    pub(super) brace: u32,
    pub(super) role: Role,
    pub(super) attributes: Option<usize>,
    /// The token before this one.
    pub(super) before: Token,
    /// Where the last `pub` ended, and whether others see what follows.
    pub(super) visible: (usize, bool),
    /// The `<` that are open since the last statement began: whether a path
    /// goes on behind its `>`, as in `<T>::f` and `Vec::<T>::new`.
    pub(super) angles: Vec<bool>,
    /// What stands before the last `=`.
    pub(super) key: Token,
    /// Where the last attribute ended.
    attribute_end: Option<usize>,
    /// What the next group is that opens.
    pub(super) role_of_next: Option<(usize, Role, bool)>,
}

impl<'t, 'f, T: Tokens> Scanner<'t, 'f, T> {
    /// A scanner that is within these braces.
    pub(super) fn new(text: &'t str, tokens: T, found: &'f mut Found<'t>, brace: u32, role: Role) -> Self {
        Self {
            text,
            tokens,
            found,
            open: Vec::new(),
            brace,
            role,
            attributes: None,
            before: Token { kind: Kind::End, start: 0, end: 0 },
            visible: (usize::MAX, false),
            angles: Vec::new(),
            key: Token { kind: Kind::End, start: 0, end: 0 },
            attribute_end: None,
            role_of_next: None,
        }
    }

    /// Reads all tokens, and gives them back.
    pub(super) fn run(mut self) -> T {
        loop {
            let token = self.tokens.next();
            let before = self.before;
            self.before = token;
            match token.kind {
                Kind::End => break,
                Kind::Word => self.word(token, before),
                Kind::Sep => self.separator(token, before),
                Kind::Open(byte) => self.opened(byte, token, before),
                Kind::Close(byte) => self.closed(byte, token),
                Kind::Other(byte) => self.other(byte, token, before),
                Kind::Text => {
                    self.attributes = None;
                    if self.role.is_attribute && before.kind == Kind::Other(b'=') {
                        self.quoted(token);
                    }
                }
            }
            if self.found.is_unsure && self.found.unsure_at.is_none() {
                self.found.unsure_at = Some(token.start);
            }
        }
        self.found.is_unsure |= !self.open.is_empty();
        self.tokens
    }

    pub(super) fn text_of(&self, token: Token) -> &'t str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    pub(super) fn add(&mut self, start: usize, end: usize, what: What) {
        self.add_at(start, start, end, what);
    }

    pub(super) fn add_at(&mut self, start: usize, at: usize, end: usize, what: What) {
        if !self.role.is_data {
            let in_macro = self.role.is_macro || self.role.is_attribute;
            self.found.slices.push(Slice { start, end, at, what, brace: self.brace, in_macro });
        }
    }

    fn other(&mut self, byte: u8, token: Token, before: Token) {
        match byte {
            b'#' => {
                let mark = self.tokens.mark();
                let mut next = self.tokens.next();
                let is_inner = next.kind == Kind::Other(b'!');
                if is_inner {
                    next = self.tokens.next();
                }
                self.tokens.reset(mark);
                if next.kind == Kind::Open(b'[') {
                    if !is_inner {
                        self.attributes.get_or_insert(token.start);
                    }
                    let role = Role { is_attribute: true, ..self.role };
                    self.role_of_next = Some((next.start, role, false));
                    return;
                }
                self.attributes = None;
            }
            // Of an inner attribute.
            b'!' if self.role_of_next.is_some() => {}
            b';' => {
                // Not of the length of an array.
                if self.open.last().is_none_or(|open| open.byte != b'[') {
                    self.angles.truncate(self.open.last().map_or(0, |open| open.angles));
                }
                self.attributes = None;
                self.pattern_is_next();
            }
            b'<' => {
                self.attributes = None;
                let goes_on = match before.kind {
                    // Behind a block or an attribute a statement begins.
                    Kind::Close(b'}') => true,
                    Kind::Close(_) => self.attribute_end == Some(before.end),
                    Kind::Other(0) | Kind::Text => false,
                    Kind::Word => {
                        let word = self.text_of(before);
                        is_keyword(word) && !matches!(word, "impl" | "for" | "fn" | "use" | "self" | "Self")
                    }
                    _ => true,
                };
                self.angles.push(goes_on);
            }
            b'>' => {
                let is_arrow = before.end == token.start && matches!(before.kind, Kind::Other(b'-' | b'='));
                if is_arrow {
                    if before.kind == Kind::Other(b'=')
                        && let Some(Open { rules: Some(is_pattern), .. }) = self.open.last_mut()
                    {
                        *is_pattern = false;
                    }
                } else {
                    let angle = self.angles.pop();
                    let is_at_sep = self.text.as_bytes().get(token.end..token.end + 2) == Some(b"::");
                    if angle == Some(true) {
                        self.skip_rest_of_path();
                    } else if angle == Some(false) && is_at_sep && !self.role.is_macro {
                        // `A<b>::C` is a type, `f(a<b, c>::d)` compares twice.
                        self.found.is_doubtful = true;
                    }
                }
                self.attributes = None;
            }
            _ => {
                if byte == b'=' {
                    self.key = before;
                }
                self.attributes = None;
            }
        }
    }

    /// Skips the parts of a path that go on here.
    fn skip_rest_of_path(&mut self) {
        while self.tokens.is_at_sep() {
            self.tokens.next();
            let mark = self.tokens.mark();
            if self.tokens.next().kind != Kind::Word {
                self.tokens.reset(mark);
                break;
            }
        }
    }

    /// Skips `<>`, which may stand behind any part of a path, in front of more
    /// of it.
    fn skip_no_arguments(&mut self, from: usize) -> bool {
        if self.text.as_bytes().get(from) != Some(&b'<') {
            return false;
        }
        let mark = self.tokens.mark();
        self.tokens.next();
        let is_nothing = self.tokens.next().kind == Kind::Other(b'>') && self.tokens.is_at_sep();
        if !is_nothing {
            self.tokens.reset(mark);
        }
        is_nothing
    }

    pub(super) fn pattern_is_next(&mut self) {
        if let Some(Open { rules: Some(is_pattern), .. }) = self.open.last_mut() {
            *is_pattern = true;
        }
    }

    fn opened(&mut self, byte: u8, token: Token, before: Token) {
        let mut role = self.role;
        let mut rules = None;
        let mut is_given = before.kind == Kind::End;
        let around = self.open.last().and_then(|open| open.rules);
        match (self.role_of_next.take(), around) {
            (Some((at, next, is_rules)), _) if at == token.start => {
                role = next;
                is_given = true;
                rules = is_rules.then_some(true);
            }
            // What a rule matches, and what it is replaced with.
            (_, Some(is_pattern)) => role.is_data |= is_pattern,
            _ => {}
        }
        let is_repeated = before.kind == Kind::Other(b'$') && byte == b'(';
        // `if #[cfg(x)] { ... } else { ... }`, `x => { ... }`
        is_given |= self.attributes.is_some()
            || matches!(before.kind, Kind::Word if self.text_of(before) == "else")
            || before.kind == Kind::Other(b'>') && self.text.as_bytes()[..before.start].last() == Some(&b'=');
        let attributes = if role.is_attribute && !self.role.is_attribute { self.attributes } else { None };
        self.open.push(Open {
            byte,
            brace: self.brace,
            role: self.role,
            rules,
            is_repeated,
            attributes,
            angles: self.angles.len(),
        });
        self.attributes = None;
        self.role = role;
        if byte == b'{' {
            let tokens = match role {
                Role { is_macro: true, is_free: false, .. } if is_given => Given::Items,
                Role { is_macro: true, is_free: true, .. } => Given::Free,
                _ => Given::No,
            };
            self.enter(None, tokens);
        }
    }

    pub(super) fn enter(&mut self, module: Option<&'t str>, tokens: Given) {
        let next = u32::try_from(self.found.braces.len()).unwrap_or(u32::MAX);
        self.found.braces.push(Brace { parent: self.brace, module, tokens });
        self.brace = next;
    }

    fn closed(&mut self, byte: u8, token: Token) {
        let Some(open) = self.open.pop() else {
            self.found.is_unsure = true;
            return;
        };
        let expected = match open.byte {
            b'(' => b')',
            b'[' => b']',
            _ => b'}',
        };
        self.found.is_unsure |= expected != byte;
        self.brace = open.brace;
        if self.role.is_attribute && !open.role.is_attribute {
            self.attribute_end = Some(token.end);
        }
        self.role = open.role;
        self.attributes = open.attributes;
        self.angles.truncate(open.angles);
        if open.is_repeated {
            self.repetition();
        }
    }

    /// What is behind `$( ... )`: a separator if it likes, and how often. In
    /// `$($part)::*::last` the path goes on.
    fn repetition(&mut self) {
        let is_count = |token: Token| matches!(token.kind, Kind::Other(b'*' | b'+' | b'?'));
        let mark = self.tokens.mark();
        let mut next = self.tokens.next();
        if !is_count(next) && matches!(next.kind, Kind::Sep | Kind::Other(_)) {
            next = self.tokens.next();
        }
        if is_count(next) {
            self.before = next;
            self.skip_rest_of_path();
        } else {
            self.tokens.reset(mark);
        }
    }

    fn separator(&mut self, token: Token, before: Token) {
        self.attributes = None;
        // `$name::a` is in what `$name` stands for.
        let mark = self.tokens.mark();
        let next = self.tokens.next();
        let text = self.text_of(next);
        if next.kind == Kind::Word && (is_path_keyword(text) || !is_keyword(text)) {
            self.path(token.start, next, Some(before));
        } else {
            self.tokens.reset(mark);
        }
    }

    fn word(&mut self, token: Token, before: Token) {
        if before.kind == Kind::Other(b'$') && before.end == token.start {
            if self.text_of(token) == "crate" {
                self.path(before.start, token, None);
            } else {
                self.attributes = None;
                self.skip_rest_of_path();
            }
            return;
        }
        let text = self.text_of(token);
        match text {
            "pub" => return self.visibility(token),
            "unsafe" => return,
            "use" => self.use_item(token, before),
            "mod" => return self.module(token),
            "extern" => self.extern_crate(token),
            "enum" | "struct" | "union" | "trait" | "type" => self.declaration(text),
            "crate" | "self" | "super" | "Self" => self.path(token.start, token, None),
            _ if is_keyword(text) => {}
            _ => self.path(token.start, token, None),
        }
        self.attributes = None;
    }

    /// `pub`, `pub(crate)`, `pub(in a::b)`: the path is that of a module
    /// around, which is no import.
    fn visibility(&mut self, token: Token) {
        self.visible = (token.end, true);
        let mark = self.tokens.mark();
        if self.tokens.next().kind == Kind::Open(b'(') {
            let first = self.tokens.next();
            let first = self.text_of(first);
            let mut last = self.tokens.next();
            if first == "in" {
                while matches!(last.kind, Kind::Word | Kind::Sep) {
                    last = self.tokens.next();
                }
            }
            if matches!(first, "crate" | "self" | "super" | "in") && last.kind == Kind::Close(b')') {
                self.visible = (last.end, first != "self");
                self.before = last;
                return;
            }
        }
        self.tokens.reset(mark);
    }

    /// A path from its first word on; `global` is what stands before its
    /// leading `::`.
    fn path(&mut self, start: usize, first: Token, global: Option<Token>) {
        let (mut end, mut last, mut parts) = (first.end, first, 1usize);
        let (mut is_cut, mut is_open) = (false, false);
        loop {
            self.skip_no_arguments(end);
            if !self.tokens.is_at_sep() {
                break;
            }
            let mark = self.tokens.mark();
            let sep = self.tokens.next();
            if self.skip_no_arguments(sep.end) && self.tokens.is_at_sep() {
                continue;
            }
            let next = self.tokens.next();
            let text = self.text_of(next);
            if next.kind == Kind::Word && (matches!(text, "super" | "Self") || !is_keyword(text)) {
                (end, last) = (next.end, next);
                parts += 1;
                continue;
            }
            // What follows depends on the first part, whatever it is.
            is_cut = next.kind == Kind::Other(b'$');
            self.tokens.reset(mark);
            self.tokens.next();
            self.before = sep;
            is_open = true;
            break;
        }
        let name = plain(self.text_of(last));
        let is_path = parts > 1 || is_cut || global.is_some();
        let first_text = self.text_of(first);
        if is_path && first_text != "Self" {
            let path = self.text.get(start..end).unwrap_or_default();
            if !(self.role.is_attribute && is_tool(path)) {
                self.add(start, end, What::Path);
            }
        }
        if !is_open {
            self.before = last;
            self.called(last, name);
        }
    }
}
