//! Items, and the macros that take in other files, by their tokens.
//!
//! Each begins behind its keyword or name. What turns out not to be one is
//! read again as tokens like any other.

use super::found::{Declared, Given, Role, What, is_condition, is_data, is_include, is_keyword, plain};
use super::lexer::{Kind, Token, Tokens};
use super::scan::{Open, Scanner};

impl<'t, T: Tokens> Scanner<'t, '_, T> {
    pub(super) fn use_item(&mut self, token: Token, before: Token) {
        let mark = self.tokens.mark();
        let (mut depth, mut last) = (0usize, token);
        loop {
            let next = self.tokens.next();
            let is_part = match next.kind {
                Kind::Word => self.text_of(next) != "use",
                Kind::Sep | Kind::Other(b',' | b'*') => true,
                Kind::Other(b'$') => {
                    let name = self.tokens.next();
                    name.start == next.end && self.text_of(name) == "crate"
                }
                Kind::Open(b'{') => {
                    depth += 1;
                    true
                }
                Kind::Close(b'}') if depth > 0 => {
                    depth -= 1;
                    true
                }
                Kind::Other(b';') if depth == 0 && last.start != token.start => {
                    let exported = self.visible == (before.end, true);
                    self.add(token.start, next.end, What::Use { exported });
                    self.before = next;
                    self.pattern_is_next();
                    return;
                }
                _ => false,
            };
            if !is_part {
                // `impl Trait + use<'a>` captures lifetimes.
                let is_capture = last.start == token.start && next.kind == Kind::Other(b'<');
                self.found.is_unsure |= !(self.role.is_macro || self.role.is_attribute || is_capture);
                self.tokens.reset(mark);
                return;
            }
            last = next;
        }
    }

    pub(super) fn module(&mut self, token: Token) {
        let start = self.attributes.take();
        let mark = self.tokens.mark();
        let name = self.tokens.next();
        let next = self.tokens.next();
        match (name.kind, next.kind) {
            (Kind::Word, Kind::Other(b';')) => {
                let optional = self.role.is_free;
                self.add_at(start.unwrap_or(token.start), token.start, next.end, What::Module { optional });
                self.before = next;
                self.pattern_is_next();
            }
            (Kind::Word, Kind::Open(b'{')) => {
                let module = plain(self.text_of(name));
                let around = self.brace;
                self.open.push(Open {
                    byte: b'{',
                    brace: around,
                    role: self.role,
                    rules: None,
                    is_repeated: false,
                    attributes: None,
                    angles: self.angles.len(),
                });
                self.enter(Some(module), Given::No);
                let body = self.brace;
                self.found.declared.push(Declared { brace: around, name: module, body: Some(body) });
                if let Some(start) = start {
                    self.brace = around;
                    self.add(start, next.end, What::Inline { brace: body });
                    self.brace = body;
                }
                self.before = next;
            }
            _ => {
                self.found.is_unsure |= !self.role.is_macro && !self.role.is_attribute;
                self.tokens.reset(mark);
            }
        }
    }

    pub(super) fn extern_crate(&mut self, token: Token) {
        let mark = self.tokens.mark();
        let first = self.tokens.next();
        if self.text_of(first) == "crate" {
            let name = self.tokens.next();
            let mut next = self.tokens.next();
            if self.text_of(next) == "as" {
                let alias = self.tokens.next();
                next = if alias.kind == Kind::Word { self.tokens.next() } else { alias };
            }
            if name.kind == Kind::Word && next.kind == Kind::Other(b';') {
                self.add(token.start, next.end, What::Crate);
                self.before = next;
                self.pattern_is_next();
                return;
            }
            self.found.is_unsure |= !self.role.is_macro;
        }
        self.tokens.reset(mark);
    }

    pub(super) fn declaration(&mut self, keyword: &str) {
        let mark = self.tokens.mark();
        let name = self.tokens.next();
        let text = self.text_of(name);
        if name.kind == Kind::Word && !is_keyword(text) && !self.role.is_data {
            // `type` in an `impl` is no name that stands alone.
            let brace = self.found.braces.get(self.brace as usize);
            let is_item = self.brace == 0 || brace.is_some_and(|brace| brace.module.is_some());
            if keyword != "type" || is_item {
                self.found.declared.push(Declared { brace: self.brace, name: plain(text), body: None });
            }
        }
        self.tokens.reset(mark);
    }

    /// What a macro of this name is given, if it is one.
    pub(super) fn called(&mut self, last: Token, name: &'t str) {
        let mark = self.tokens.mark();
        let bang = self.tokens.next();
        if bang.kind != Kind::Other(b'!') {
            return self.tokens.reset(mark);
        }
        let next = self.tokens.next();
        if let Kind::Open(_) = next.kind {
            if is_include(name) && self.include(last.start) {
                return;
            }
            let role = Role {
                is_macro: true,
                is_free: self.role.is_free || !is_condition(name),
                is_data: self.role.is_data || is_data(name),
                is_attribute: self.role.is_attribute,
            };
            self.role_of_next = Some((next.start, role, false));
            self.tokens.reset(mark);
        } else if name == "macro_rules" && next.kind == Kind::Word {
            let open = self.tokens.next();
            let role = Role { is_macro: true, is_free: true, ..self.role };
            if let Kind::Open(_) = open.kind {
                self.role_of_next = Some((open.start, role, true));
            }
            self.tokens.reset(mark);
        } else {
            self.tokens.reset(mark);
        }
    }

    /// The call of an `include!`, whose delimiter was read; whether it is one
    /// that names a file.
    fn include(&mut self, start: usize) -> bool {
        let mark = self.tokens.mark();
        let (mut depth, mut is_word_next) = (1usize, false);
        while depth > 0 {
            let next = self.tokens.next();
            match next.kind {
                // 0 is a number or a character.
                Kind::Text | Kind::Other(b',' | b'!' | 0) => {}
                Kind::Word if matches!(self.text_of(next), "concat" | "env" | "true" | "false") => {}
                Kind::Word if self.text_of(next) == "stringify" => is_word_next = true,
                Kind::Word if is_word_next => is_word_next = false,
                Kind::Open(_) => depth += 1,
                Kind::Close(_) => depth -= 1,
                _ => {
                    self.tokens.reset(mark);
                    return false;
                }
            }
            self.before = next;
        }
        self.add(start, self.before.end, What::Include);
        true
    }
}
