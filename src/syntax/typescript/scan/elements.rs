//! Elements (JSX), whose text is no code, and what only looks like one.

use super::super::cut::brackets_of;
use super::super::lex;
use super::{Before, Frame, Scanner, Unsure};

impl Scanner<'_> {
    pub(super) fn less(&mut self) -> Result<(), Unsure> {
        // What a merge in conflict leaves, and what is a comment in scripts.
        if self.bytes[self.at..].starts_with(b"<<<<") || self.bytes[self.at..].starts_with(b"<!--") {
            return Err(Unsure);
        }
        let next = self.peek(1);
        if next == b'<' {
            self.token(b'<', Before::Operator, 2);
            return Ok(());
        }
        let is_tag = self.jsx && (next == b'>' || lex::is_name(next) && !next.is_ascii_digit());
        if is_tag && self.before == Before::Either {
            return Err(Unsure);
        }
        if !(is_tag && self.before == Before::Operator) || self.is_generic() {
            self.token(b'<', Before::Operator, 1);
            return Ok(());
        }
        self.tag()?;
        self.element()
    }

    /// Whether `<` begins type parameters: the rules of TypeScript, and a
    /// function's type, which a parser knows by where it stands.
    fn is_generic(&self) -> bool {
        let bytes = self.bytes;
        let name = |at: usize| {
            let end = lex::word(bytes, at);
            Some((lex::skip(bytes, end)?, bytes.get(at..end)?))
        };
        let ahead = || {
            let (mut after, mut word) = name(lex::skip(bytes, self.at + 1)?)?;
            if word == b"const" {
                (after, word) = name(after)?;
            }
            match bytes.get(after)? {
                b',' | b'=' => Some(!word.is_empty()),
                b'>' if !word.is_empty() => {
                    let open = lex::skip(bytes, after + 1)?;
                    if bytes.get(open) != Some(&b'(') {
                        return Some(false);
                    }
                    let close = brackets_of(bytes, open)?;
                    Some(bytes[lex::skip(bytes, close)?..].starts_with(b"=>"))
                }
                _ => {
                    let (after, word) = name(after)?;
                    Some(word == b"extends" && !matches!(bytes.get(after)?, b'=' | b'>' | b'/'))
                }
            }
        };
        ahead().unwrap_or(false)
    }

    /// The beginning of a tag: `<`, its name and type arguments.
    fn tag(&mut self) -> Result<(), Unsure> {
        let start = self.at + 1;
        let end = self.element_name(start);
        self.elements.push((start, end));
        self.frames.push(Frame::Tag);
        self.at = end;
        if self.peek(0) == b'<' {
            let end = brackets_of(self.bytes, self.at).ok_or(Unsure)?;
            if lex::may_import(&self.bytes[self.at..end], self.bytes.get(end).copied().unwrap_or_default()) {
                return Err(Unsure);
            }
            self.at = end;
        }
        Ok(())
    }

    fn element_name(&self, start: usize) -> usize {
        let mut end = start;
        while self.bytes.get(end).is_some_and(|&b| lex::is_name(b) || matches!(b, b'-' | b'.' | b':')) {
            end += 1;
        }
        end
    }

    /// Goes through the tags and text of elements, until the outermost ends
    /// or an expression begins.
    pub(super) fn element(&mut self) -> Result<(), Unsure> {
        loop {
            match self.frames.last() {
                Some(Frame::Tag) => self.attributes()?,
                Some(Frame::Children) => self.children()?,
                Some(Frame::JsxBrace) => {
                    self.token(b'{', Before::Operator, 0);
                    return Ok(());
                }
                _ => {
                    self.token(b'>', Before::Operand, 0);
                    return Ok(());
                }
            }
        }
    }

    fn attributes(&mut self) -> Result<(), Unsure> {
        loop {
            self.at = lex::skip(self.bytes, self.at).ok_or(Unsure)?;
            match self.peek(0) {
                quote @ (b'"' | b'\'') => {
                    let rest = self.bytes.get(self.at + 1..).ok_or(Unsure)?;
                    self.at += memchr::memchr(quote, rest).ok_or(Unsure)? + 2;
                }
                b'{' => {
                    self.at += 1;
                    self.frames.push(Frame::JsxBrace);
                    return Ok(());
                }
                b'/' => {
                    self.at = lex::skip(self.bytes, self.at + 1).ok_or(Unsure)?;
                    if self.peek(0) != b'>' {
                        return Err(Unsure);
                    }
                    self.at += 1;
                    self.frames.pop();
                    self.elements.pop();
                    return Ok(());
                }
                b'>' => {
                    self.at += 1;
                    self.frames.pop();
                    self.frames.push(Frame::Children);
                    return Ok(());
                }
                b'<' => return self.tag(),
                b'=' | b'-' | b':' | b'.' => self.at += 1,
                byte if lex::is_name(byte) => self.at = lex::word(self.bytes, self.at).max(self.at + 1),
                _ => return Err(Unsure),
            }
        }
    }

    fn children(&mut self) -> Result<(), Unsure> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|b| matches!(b, b'<' | b'{' | b'>' | b'}')).ok_or(Unsure)?;
        if lex::may_import(&rest[..len], rest[len]) {
            return Err(Unsure);
        }
        self.at += len;
        match self.peek(0) {
            b'{' => {
                self.at += 1;
                self.frames.push(Frame::JsxBrace);
                Ok(())
            }
            b'<' => {
                let name = lex::skip(self.bytes, self.at + 1).ok_or(Unsure)?;
                if self.bytes.get(name) != Some(&b'/') {
                    return self.tag();
                }
                let name = lex::skip(self.bytes, name + 1).ok_or(Unsure)?;
                let end = self.element_name(name);
                let (start, open) = self.elements.pop().ok_or(Unsure)?;
                self.at = lex::skip(self.bytes, end).ok_or(Unsure)?;
                if self.bytes[start..open] != self.bytes[name..end] || self.peek(0) != b'>' {
                    return Err(Unsure);
                }
                self.at += 1;
                self.frames.pop();
                Ok(())
            }
            // Not allowed in text: a wrong guess.
            _ => Err(Unsure),
        }
    }
}
