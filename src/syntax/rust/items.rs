//! Items, and the macros that take in other files, by their tokens.
//!
//! Each begins behind its keyword or name. What turns out not to be one is
//! read again as tokens like any other.

use super::found::{
    Declared, Given, Role, What, is_condition, is_data, is_include, is_keyword, is_path_keyword, plain,
};
use super::lexer::{Kind, Lexer, Token, Tokens};
use super::scan::{Open, Scanner};

/// The longest string of an attribute in which paths are looked for.
const QUOTED: usize = 1024;

/// Names that attributes give to text for people and for data.
const PROSE: [&str; 20] = [
    "about",
    "alias",
    "content",
    "description",
    "display",
    "doc",
    "expecting",
    "feature",
    "help",
    "label",
    "link_name",
    "message",
    "name",
    "note",
    "reason",
    "rename",
    "rename_all",
    "tag",
    "title",
    "url",
];

/// What of a `use` was read last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Nothing of this name yet.
    Start,
    Name,
    Sep,
    As,
    Alias,
    /// `*` or a list.
    Whole,
}

impl Seen {
    /// Whether a name may end here.
    fn is_whole(self) -> bool {
        matches!(self, Self::Name | Self::Alias | Self::Whole)
    }
}

impl<'t, T: Tokens> Scanner<'t, '_, T> {
    pub(super) fn use_item(&mut self, token: Token, before: Token) {
        let mark = self.tokens.mark();
        let (mut depth, mut last, mut seen) = (0usize, token, Seen::Start);
        loop {
            let next = self.tokens.next();
            let text = self.text_of(next);
            let begins = matches!(seen, Seen::Start | Seen::Sep);
            let then = match next.kind {
                Kind::Word if text == "as" => (seen == Seen::Name).then_some(Seen::As),
                Kind::Word if seen == Seen::As => (!is_keyword(text)).then_some(Seen::Alias),
                Kind::Word if matches!(text, "crate" | "self") => (seen == Seen::Start).then_some(Seen::Name),
                Kind::Word => {
                    (begins && (matches!(text, "super" | "Self") || !is_keyword(text))).then_some(Seen::Name)
                }
                Kind::Sep => matches!(seen, Seen::Start | Seen::Name).then_some(Seen::Sep),
                Kind::Other(b'*') => begins.then_some(Seen::Whole),
                Kind::Other(b'$') if seen == Seen::Start => {
                    let name = self.tokens.next();
                    (name.start == next.end && self.text_of(name) == "crate").then_some(Seen::Name)
                }
                Kind::Other(b',') if depth > 0 && seen.is_whole() => Some(Seen::Start),
                Kind::Open(b'{') if begins => {
                    depth += 1;
                    Some(Seen::Start)
                }
                Kind::Close(b'}') if depth > 0 && (seen.is_whole() || seen == Seen::Start) => {
                    depth -= 1;
                    Some(Seen::Whole)
                }
                Kind::Other(b';') if depth == 0 && seen.is_whole() => {
                    let exported = self.visible == (before.end, true);
                    self.add(token.start, next.end, What::Use { exported });
                    self.before = next;
                    self.pattern_is_next();
                    return;
                }
                _ => None,
            };
            let Some(then) = then else {
                // `impl Trait + use<'a>` captures lifetimes; `x.use` and `use ||`
                // are about values.
                let is_other = before.kind == Kind::Other(b'.')
                    || last.start == token.start && matches!(next.kind, Kind::Other(b'<' | b'|'));
                self.found.is_unsure |= !(self.role.is_macro || self.role.is_attribute || is_other);
                self.tokens.reset(mark);
                return;
            };
            (seen, last) = (then, next);
        }
    }

    /// A string that an attribute gives a name to. `with = "crate::a"` is how
    /// derives are told of paths, and types; other text has blanks in it.
    pub(super) fn quoted(&mut self, token: Token) {
        let is_given = self.open.last().is_some_and(|open| open.byte == b'(');
        let literal = self.text_of(token);
        let Some(open) = literal.find('"') else { return };
        let Some(content) = literal.get(open + 1..literal.rfind('"').unwrap_or_default()) else { return };
        let is_text = content.len() > QUOTED || !content.contains("::") || content.contains('\\');
        if !is_given || is_text || PROSE.contains(&self.text_of(self.key)) {
            return;
        }
        let (start, end) = (token.start + open + 1, token.start + open + 1 + content.len());
        let mut lexer = Lexer::of_part(self.text, start, end);
        let mut paths: Vec<(usize, usize)> = Vec::new();
        let (mut before, mut begin, mut parts) = (Kind::End, start, 0usize);
        loop {
            let next = lexer.next();
            match (before, next.kind) {
                (Kind::Word, Kind::Word) => match parts {
                    // `dyn a::B`, `a::B as c::D`, `for<'a> a::B`
                    _ if is_keyword(self.text_of(next)) => parts = 0,
                    0 => (begin, parts) = (next.start, 1),
                    _ => return,
                },
                (Kind::Sep, Kind::Word) => parts += 1,
                (_, Kind::Word) => {
                    let word = self.text_of(next);
                    let is_name = is_path_keyword(word) || !is_keyword(word);
                    (begin, parts) = (next.start, usize::from(is_name));
                }
                (Kind::Word, Kind::Sep) => {}
                // In a type that nobody knows.
                (Kind::Other(b'>'), Kind::Sep) => begin = usize::MAX,
                (_, Kind::Sep) => (begin, parts) = (next.start, 1),
                (_, Kind::Text) | (_, Kind::Other(b'.' | b'!' | b';' | b'#' | b'@' | b'/' | b'%')) => return,
                _ => {}
            }
            if next.kind == Kind::Word && parts > 1 && begin != usize::MAX {
                match paths.last_mut().filter(|path| path.0 == begin) {
                    Some(path) => path.1 = next.end,
                    None => paths.push((begin, next.end)),
                }
            }
            if next.kind == Kind::End {
                break;
            }
            before = next.kind;
        }
        for (start, end) in paths {
            if !self.text.get(start..end).unwrap_or_default().starts_with("Self") {
                self.add(start, end, What::Path);
            }
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
                is_data: self.role.is_data || self.found.trusts && is_data(name),
                is_attribute: self.role.is_attribute,
            };
            self.role_of_next = Some((next.start, role, false));
            self.tokens.reset(mark);
        } else if name == "macro_rules" && next.kind == Kind::Word {
            self.found.is_shadowed |= is_data(plain(self.text_of(next)));
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
