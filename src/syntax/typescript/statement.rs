//! `import` and `export`, from the word to the module that they name.

use super::cut::{argument, brackets_of, is_cast};
use super::lex;
use super::scan::{Before, Scanner, TYPE, Unsure};

impl Scanner<'_> {
    /// What follows the word `import`.
    pub(super) fn import(&mut self, start: usize, last: u8) -> Result<(), Unsure> {
        let next = lex::skip(self.bytes, self.at).ok_or(Unsure)?;
        match self.bytes.get(next) {
            Some(b'.') => self.cut.meta(start, self.at),
            Some(b'(') => self.import_call(start, next, last),
            Some(b'"' | b'\'') => {
                let end = lex::string(self.bytes, next).ok_or(Unsure)?;
                self.statement(start, end);
                Ok(())
            }
            Some(b'{' | b'*') => self.clause(start, next),
            Some(&byte) if lex::is_name(byte) => self.clause(start, next),
            // Unfinished.
            None => Err(Unsure),
            // The name of a member.
            _ => Ok(()),
        }
    }

    /// Cuts out a statement and goes on behind it.
    fn statement(&mut self, start: usize, end: usize) {
        self.cut.push(start, end);
        self.at = end;
        self.before = Before::Operator;
        self.last = b';';
        self.is_broken = false;
    }

    /// The names that are imported, up to the module.
    fn clause(&mut self, start: usize, mut at: usize) -> Result<(), Unsure> {
        let mut depth = 0usize;
        loop {
            at = lex::skip(self.bytes, at).ok_or(Unsure)?;
            match *self.bytes.get(at).ok_or(Unsure)? {
                b'{' => depth += 1,
                b'}' => depth = depth.checked_sub(1).ok_or(Unsure)?,
                b',' | b'*' => {}
                b'"' | b'\'' => {
                    let end = lex::string(self.bytes, at).ok_or(Unsure)?;
                    if depth == 0 {
                        self.statement(start, end);
                        return Ok(());
                    }
                    at = end;
                    continue;
                }
                b'=' if depth == 0 => return self.alias(start, at + 1),
                byte if lex::is_name(byte) => {
                    at = lex::word(self.bytes, at);
                    continue;
                }
                _ => return Err(Unsure),
            }
            at += 1;
        }
    }

    /// `import a = require("x")`, or `import a = B.C`.
    fn alias(&mut self, start: usize, at: usize) -> Result<(), Unsure> {
        let word = lex::skip(self.bytes, at).ok_or(Unsure)?;
        let end = lex::word(self.bytes, word);
        if self.bytes.get(word..end) != Some(b"require") {
            self.at = at;
            self.before = Before::Operator;
            self.last = b'=';
            return Ok(());
        }
        let open =
            lex::skip(self.bytes, end).filter(|&open| self.bytes.get(open) == Some(&b'(')).ok_or(Unsure)?;
        let module = argument(self.bytes, open).ok_or(Unsure)?;
        self.statement(start, module.after + 1);
        Ok(())
    }

    /// What follows the word `export`.
    pub(super) fn export(&mut self, start: usize) -> Result<(), Unsure> {
        let mut next = lex::skip(self.bytes, self.at).ok_or(Unsure)?;
        let mut end = lex::word(self.bytes, next);
        if self.bytes.get(next..end) == Some(b"type") {
            let behind = lex::skip(self.bytes, end).ok_or(Unsure)?;
            if matches!(self.bytes.get(behind), Some(b'{' | b'*')) {
                (next, end) = (behind, behind);
            }
        }
        match self.bytes.get(next) {
            Some(b'*') => self.clause(start, next),
            Some(b'{') => {
                let close = self.names(next + 1)?;
                let from = lex::skip(self.bytes, close).ok_or(Unsure)?;
                if self.bytes.get(from..lex::word(self.bytes, from)) == Some(b"from") {
                    return self.clause(start, from);
                }
                self.at = close;
                self.before = Before::Operator;
                self.last = b'}';
                Ok(())
            }
            _ if self.bytes.get(next..end) == Some(b"import") => {
                let name = lex::skip(self.bytes, end).ok_or(Unsure)?;
                if lex::word(self.bytes, name) > name { self.clause(start, name) } else { Ok(()) }
            }
            _ if end > next && names_module(self.bytes, end).unwrap_or(false) => self.clause(start, next),
            _ => Ok(()),
        }
    }

    /// Where the braces end that hold exported names.
    fn names(&self, mut at: usize) -> Result<usize, Unsure> {
        loop {
            at = lex::skip(self.bytes, at).ok_or(Unsure)?;
            match *self.bytes.get(at).ok_or(Unsure)? {
                b'}' => return Ok(at + 1),
                b',' => at += 1,
                b'"' | b'\'' => at = lex::string(self.bytes, at).ok_or(Unsure)?,
                byte if lex::is_name(byte) => at = lex::word(self.bytes, at),
                _ => return Err(Unsure),
            }
        }
    }

    /// `import(..)`: a value, or a type.
    fn import_call(&mut self, start: usize, open: usize, last: u8) -> Result<(), Unsure> {
        let Some(module) = argument(self.bytes, open) else {
            return if is_cast(self.bytes, open) { Err(Unsure) } else { Ok(()) };
        };
        let literal = (module.start, module.end);
        let close = match self.bytes.get(module.after) {
            Some(b')') => module.after + 1,
            _ => brackets_of(self.bytes, open).ok_or(Unsure)?,
        };
        let behind = lex::skip(self.bytes, close).ok_or(Unsure)?;
        if self.bytes.get(behind) == Some(&b'.') {
            let name = lex::skip(self.bytes, behind + 1).ok_or(Unsure)?;
            if is_of_promise(&self.bytes[name..lex::word(self.bytes, name)]) {
                self.cut.push_as(start, "import(", literal, ");");
                return Ok(());
            }
        }
        // `f<typeof import("x")>`
        if self.was_type_argument && matches!(self.bytes.get(behind), Some(b'>' | b',')) {
            self.cut.push_as(start, "type _ = typeof import(", literal, ");");
            return Ok(());
        }
        let is_member = matches!(self.bytes.get(behind), Some(b'.' | b'['));
        if is_member || matches!(last, TYPE | b':' | b'|' | b'&' | b'<') {
            return Err(Unsure);
        }
        self.cut.push_as(start, "import(", literal, ");");
        Ok(())
    }
}

/// Whether `from "x"`, `, {` or `, *` follows: `export a from "x"`, which is
/// not standard.
pub(super) fn names_module(bytes: &[u8], at: usize) -> Option<bool> {
    let next = lex::skip(bytes, at)?;
    if bytes.get(next) == Some(&b',') {
        return Some(matches!(bytes.get(lex::skip(bytes, next + 1)?), Some(b'{' | b'*')));
    }
    let end = lex::word(bytes, next);
    Some(bytes.get(next..end)? == b"from" && matches!(bytes.get(lex::skip(bytes, end)?), Some(b'"' | b'\'')))
}

/// Whether a member is one of promises, so that what it is taken from is no
/// type.
pub(super) fn is_of_promise(member: &[u8]) -> bool {
    matches!(member, b"then" | b"catch" | b"finally")
}
