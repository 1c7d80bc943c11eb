//! Which bytes of a Python source are code, and which are text or comment.
//!
//! Knows strings with their prefixes, f-strings with fields that hold strings
//! of their own, and comments. It does not know statements.

use memchr::{memchr, memchr2, memchr3};

/// What comes next in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Text or a comment; code goes on after it.
    Text {
        /// Where it begins.
        from: usize,
        /// Where it ends.
        to: usize,
    },
    /// A bracket, a colon or the end of a line, in code outside of f-strings.
    Mark {
        /// Which.
        byte: u8,
        /// Where.
        at: usize,
    },
    /// There is no more.
    End,
    /// A string does not end.
    Broken,
}

/// What is open around the place that is read.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// The text of an f-string.
    Literal(Quote),
    /// The code of a field of it, with so many brackets.
    Field(usize),
    /// What stands after the colon in a field.
    Format(Quote),
}

#[derive(Clone, Copy, Debug)]
struct Quote {
    byte: u8,
    is_triple: bool,
    is_raw: bool,
}

/// Reads a source from front to back.
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    /// Whether marks are told. Without them it is several times faster.
    has_marks: bool,
    open: Vec<Open>,
}

impl<'t> Lexer<'t> {
    /// Begins at a place that is code.
    pub(super) fn new(text: &'t [u8], at: usize, has_marks: bool) -> Self {
        Self { text, at, has_marks, open: Vec::new() }
    }

    /// Whether what comes next is in an f-string.
    pub(super) fn is_within(&self) -> bool {
        !self.open.is_empty()
    }

    /// Goes on at another place, which is code outside of f-strings.
    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
        self.open.clear();
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Token {
        loop {
            match self.open.last().copied() {
                Some(Open::Literal(quote)) => return self.literal(quote),
                Some(Open::Format(quote)) => return self.format(quote),
                _ => {}
            }
            let Some(at) = self.stop() else {
                self.at = self.text.len();
                return if self.open.is_empty() { Token::End } else { Token::Broken };
            };
            let byte = self.text.get(at).copied().unwrap_or_default();
            self.at = at + 1;
            match byte {
                b'#' => {
                    self.at = self.find(at, memchr(b'\n', self.rest(at))).unwrap_or(self.text.len());
                    return Token::Text { from: at, to: self.at };
                }
                b'"' | b'\'' => return self.string(at, byte),
                b'\\' => self.at += self.line_end(at + 1),
                _ => {
                    if !self.open.is_empty() {
                        self.field(byte);
                    } else {
                        return Token::Mark { byte, at };
                    }
                }
            }
        }
    }

    /// The next byte of code that matters.
    fn stop(&self) -> Option<usize> {
        if self.open.is_empty() && !self.has_marks {
            return self.find(self.at, memchr3(b'"', b'\'', b'#', self.rest(self.at)));
        }
        let is_stop = |byte: &u8| STOPS.get(usize::from(*byte)).copied().unwrap_or_default();
        self.find(self.at, self.rest(self.at).iter().position(is_stop))
    }

    /// A bracket or a colon in a field of an f-string.
    fn field(&mut self, byte: u8) {
        let enclosing = self.open.iter().rev().skip(1).find_map(|open| match open {
            Open::Literal(quote) | Open::Format(quote) => Some(*quote),
            Open::Field(_) => None,
        });
        let Some(Open::Field(depth)) = self.open.last_mut() else { return };
        match byte {
            b'(' | b'[' | b'{' => *depth += 1,
            b')' | b']' | b'}' if *depth > 0 => *depth -= 1,
            b'}' => {
                self.open.pop();
            }
            b':' if *depth == 0 => {
                if let (Some(last), Some(quote)) = (self.open.last_mut(), enclosing) {
                    *last = Open::Format(quote);
                }
            }
            _ => {}
        }
    }

    /// A string whose first quote is at `at`.
    fn string(&mut self, at: usize, byte: u8) -> Token {
        let is_triple = self.rest(at).get(1..3) == Some(&[byte, byte]);
        let (is_format, is_raw) = self.prefix(at);
        let quote = Quote { byte, is_triple, is_raw };
        self.at = at + if is_triple { 3 } else { 1 };
        if is_format {
            self.open.push(Open::Literal(quote));
            return self.literal(quote);
        }
        loop {
            let rest = self.rest(self.at);
            let stop = if is_triple { memchr2(byte, b'\\', rest) } else { memchr3(byte, b'\\', b'\n', rest) };
            let Some(stop) = self.find(self.at, stop) else { return Token::Broken };
            match self.text.get(stop) {
                Some(b'\\') => self.at = stop + 1 + self.escaped(stop + 1),
                Some(b'\n') => return Token::Broken,
                _ if self.closes(stop, quote) => {
                    self.at = stop + if is_triple { 3 } else { 1 };
                    return Token::Text { from: at, to: self.at };
                }
                _ => self.at = stop + 1,
            }
        }
    }

    /// The text of an f-string up to its next field or its end.
    fn literal(&mut self, quote: Quote) -> Token {
        let from = self.at;
        loop {
            let rest = self.rest(self.at);
            let is_stop = |byte: &u8| matches!(*byte, b'{' | b'\\' | b'\n') || *byte == quote.byte;
            let Some(stop) = self.find(self.at, rest.iter().position(is_stop)) else { return Token::Broken };
            self.at = stop + 1;
            match self.text.get(stop) {
                Some(b'\n') if !quote.is_triple => return Token::Broken,
                Some(b'\n') => {}
                Some(b'\\') => match self.rest(self.at) {
                    // A named character is no field.
                    [b'N', b'{', ..] if !quote.is_raw => self.at += 2,
                    [b'{', ..] => {}
                    _ => self.at += self.escaped(self.at),
                },
                Some(b'{') if self.text.get(self.at) == Some(&b'{') => self.at += 1,
                Some(b'{') => {
                    self.open.push(Open::Field(0));
                    return Token::Text { from, to: stop };
                }
                _ if self.closes(stop, quote) => {
                    self.at = stop + if quote.is_triple { 3 } else { 1 };
                    self.open.pop();
                    return Token::Text { from, to: self.at };
                }
                _ => {}
            }
        }
    }

    /// The format in a field, up to a field of its own or its end.
    fn format(&mut self, quote: Quote) -> Token {
        let from = self.at;
        loop {
            let is_stop = |byte: &u8| matches!(*byte, b'{' | b'}' | b'\n') || *byte == quote.byte;
            let Some(stop) = self.find(self.at, self.rest(self.at).iter().position(is_stop)) else {
                return Token::Broken;
            };
            self.at = stop + 1;
            match self.text.get(stop) {
                Some(b'{') => {
                    self.open.push(Open::Field(0));
                    return Token::Text { from, to: stop };
                }
                Some(b'}') => {
                    self.open.pop();
                    return Token::Text { from, to: stop };
                }
                Some(b'\n') if !quote.is_triple => return Token::Broken,
                _ if self.closes(stop, quote) => return Token::Broken,
                _ => {}
            }
        }
    }

    /// Whether the string with the quote at `at` has fields, and whether a
    /// backslash in it is just that.
    fn prefix(&self, at: usize) -> (bool, bool) {
        let before = self.text.get(..at).unwrap_or_default();
        let is_letter = |byte: &&u8| matches!(byte.to_ascii_lowercase(), b'r' | b'b' | b'u' | b'f' | b't');
        let letters = before.iter().rev().take(2).take_while(is_letter).count();
        let (rest, prefix) = before.split_at(before.len() - letters);
        if rest.last().is_some_and(|byte| is_word(*byte)) {
            return (false, false);
        }
        let has = |letter: u8| prefix.iter().any(|byte| byte.to_ascii_lowercase() == letter);
        (has(b'f') || has(b't'), has(b'r'))
    }

    fn closes(&self, at: usize, quote: Quote) -> bool {
        match self.rest(at) {
            [a, b, c, ..] if quote.is_triple => (*a, *b, *c) == (quote.byte, quote.byte, quote.byte),
            [a, ..] => !quote.is_triple && *a == quote.byte,
            [] => false,
        }
    }

    /// How long what a backslash escapes is, as far as that may end a string.
    fn escaped(&self, at: usize) -> usize {
        self.line_end(at).max(1)
    }

    /// The length of the end of a line at `at`; 0 if there is none.
    fn line_end(&self, at: usize) -> usize {
        match self.rest(at) {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => 0,
        }
    }

    fn rest(&self, at: usize) -> &'t [u8] {
        self.text.get(at..).unwrap_or_default()
    }

    fn find(&self, from: usize, offset: Option<usize>) -> Option<usize> {
        offset.map(|offset| from + offset)
    }
}

/// Whether a byte can be part of a name.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Bytes of code that matter.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut at = 0;
    let bytes = b"\"'#\\()[]{}:\n";
    while at < bytes.len() {
        stops[bytes[at] as usize] = true;
        at += 1;
    }
    stops
};
