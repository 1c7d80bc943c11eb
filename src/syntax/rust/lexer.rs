//! The tokens of Rust, as far as imports need them told apart.
//!
//! What is inside of comments and literals never becomes a token, so that
//! everything above may trust words and delimiters. See the Rust Reference,
//! "Lexical structure".

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword; raw ones with their `r#`.
    Word,
    /// `::`
    Sep,
    /// A string.
    Text,
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// One byte of punctuation, `'` for a lifetime, or 0 for a number or a
    /// character.
    Other(u8),
    /// The end of the text.
    End,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Tokens that can be read again from a point on.
pub(super) trait Tokens {
    /// The next token; [`Kind::End`] again and again at the end.
    fn next(&mut self) -> Token;
    /// Where the next token will be read from.
    fn mark(&self) -> usize;
    /// Goes back to a mark.
    fn reset(&mut self, mark: usize);
    /// Whether `::` comes next.
    fn is_at_sep(&mut self) -> bool;
}

/// Reads tokens from a text.
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    /// Whether a literal or a comment has no end.
    pub(super) is_unterminated: bool,
    /// Where a raw string without an end begins.
    pub(super) endless: Option<usize>,
}

const BLANK: u8 = 1;
const WORD: u8 = 2;
const DIGIT: u8 = 3;
const OPEN: u8 = 4;
const CLOSE: u8 = 5;
/// What may begin a blank of Unicode, and else is part of a word.
const LEAD: u8 = 6;

/// The class of each byte. All else that is not ASCII counts as part of a word.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 11 | 12 => BLANK,
            0xc2 | 0xe2 => LEAD,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 128.. => WORD,
            b'0'..=b'9' => DIGIT,
            b'(' | b'[' | b'{' => OPEN,
            b')' | b']' | b'}' => CLOSE,
            _ => 0,
        };
        byte += 1;
    }
    class
}

impl<'t> Lexer<'t> {
    /// A reader of a whole file.
    pub(super) fn new(text: &'t str) -> Self {
        let mut lexer = Self { text: text.as_bytes(), at: 0, is_unterminated: false, endless: None };
        lexer.skip_preamble();
        lexer
    }

    /// A reader of what is between two places.
    pub(super) fn of_part(text: &'t str, start: usize, end: usize) -> Self {
        let text = text.as_bytes().get(..end).unwrap_or_default();
        Self { text, at: start, is_unterminated: false, endless: None }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn class(&self, at: usize) -> u8 {
        CLASS[usize::from(self.byte(at))]
    }

    /// `#!/usr/bin/env ...`, which is no attribute, and the manifest of a
    /// script between lines of dashes.
    fn skip_preamble(&mut self) {
        if self.text.starts_with(b"#!") {
            // Comments may stand within an attribute.
            self.at = 2;
            self.skip_blank();
            let is_attribute = self.byte(self.at) == b'[';
            (self.at, self.is_unterminated) = (0, false);
            if !is_attribute {
                self.skip_line();
            }
        }
        let rest = &self.text[self.at..];
        let rest = rest.trim_ascii_start();
        let dashes = rest.iter().take_while(|&&byte| byte == b'-').count();
        if dashes >= 3 {
            self.at = self.text.len() - rest.len();
            self.skip_line();
            while self.at < self.text.len() {
                let is_end = self.text[self.at..].starts_with(&rest[..dashes]);
                self.skip_line();
                if is_end {
                    return;
                }
            }
            self.is_unterminated = true;
        }
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    }

    /// Skips what is between tokens.
    fn skip_blank(&mut self) {
        loop {
            while self.class(self.at) == BLANK {
                self.at += 1;
            }
            let byte = self.byte(self.at);
            if byte == b'/' && self.byte(self.at + 1) == b'/' {
                self.skip_line();
            } else if byte == b'/' && self.byte(self.at + 1) == b'*' {
                self.skip_block_comment();
            } else if self.class(self.at) == LEAD && self.is_mark() {
                self.at += if byte == 0xe2 { 3 } else { 2 };
            } else {
                return;
            }
        }
    }

    /// The blanks of Unicode that Rust allows: next line, direction marks, line
    /// and paragraph separator.
    fn is_mark(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.starts_with(b"\xc2\x85")
            || matches!(
                rest.get(..3).unwrap_or_default(),
                b"\xe2\x80\x8e" | b"\xe2\x80\x8f" | b"\xe2\x80\xa8" | b"\xe2\x80\xa9"
            )
    }

    fn skip_block_comment(&mut self) {
        self.at += 2;
        let mut depth = 1usize;
        while let Some(found) = memchr::memchr2(b'*', b'/', self.text.get(self.at..).unwrap_or_default()) {
            self.at += found;
            match (self.byte(self.at), self.byte(self.at + 1)) {
                (b'*', b'/') => {
                    self.at += 2;
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                (b'/', b'*') => {
                    self.at += 2;
                    depth += 1;
                }
                _ => self.at += 1,
            }
        }
        self.unterminated();
    }

    fn unterminated(&mut self) {
        self.at = self.text.len();
        self.is_unterminated = true;
    }

    /// A string with escapes; `at` is behind its opening quote.
    fn skip_string(&mut self) {
        while let Some(found) = memchr::memchr2(b'"', b'\\', self.text.get(self.at..).unwrap_or_default()) {
            self.at += found;
            if self.byte(self.at) == b'"' {
                self.at += 1;
                return;
            }
            self.at += 2;
        }
        self.unterminated();
    }

    /// A raw string; `at` is at its first `#` or its quote. Without a quote it
    /// is none.
    fn skip_raw_string(&mut self) -> bool {
        let mut open = self.at;
        while self.byte(open) == b'#' {
            open += 1;
        }
        if self.byte(open) != b'"' {
            return false;
        }
        let (start, hashes) = (self.at, open - self.at);
        self.at = open + 1;
        while let Some(found) = memchr::memchr(b'"', self.text.get(self.at..).unwrap_or_default()) {
            self.at += found + 1;
            let rest = self.text.get(self.at..).unwrap_or_default();
            let closing = rest.iter().take(hashes).take_while(|&&byte| byte == b'#').count();
            self.at += closing;
            if closing == hashes {
                return true;
            }
        }
        self.endless.get_or_insert(start);
        self.unterminated();
        true
    }

    /// A character or a lifetime; `at` is behind the `'`.
    fn skip_quote(&mut self) -> Kind {
        let first = self.byte(self.at);
        if first == b'\\' {
            let rest = self.text.get(self.at + 2..).unwrap_or_default();
            // The longest is `\u{10_FFFF}`, with underscores at will.
            let end = rest.iter().take(64).position(|&byte| matches!(byte, b'\'' | b'\n'));
            match end {
                Some(end) => self.at += end + 3,
                None => self.unterminated(),
            }
            return Kind::Other(0);
        }
        let width = match first {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        if self.byte(self.at + width) == b'\'' && first != b'\'' {
            self.at += width + 1;
            return Kind::Other(0);
        }
        if self.begins_word(self.at) {
            self.skip_word();
            if self.byte(self.at) == b'#' && self.byte(self.at - 1) == b'r' && self.begins_word(self.at + 1) {
                self.at += 1;
                self.skip_word();
            }
        }
        Kind::Other(b'\'')
    }

    fn begins_word(&self, at: usize) -> bool {
        matches!(self.class(at), WORD | LEAD)
    }

    fn skip_word(&mut self) {
        loop {
            match self.class(self.at) {
                WORD | DIGIT => self.at += 1,
                LEAD if !self.is_mark() => self.at += 1,
                _ => return,
            }
        }
    }

    /// A word, or a literal that begins with one.
    fn word(&mut self) -> Kind {
        let start = self.at;
        self.skip_word();
        let next = self.byte(self.at);
        if !matches!(next, b'"' | b'#' | b'\'') {
            return Kind::Word;
        }
        match (&self.text[start..self.at], next) {
            (b"b" | b"c", b'"') => {
                self.at += 1;
                self.skip_string();
                Kind::Text
            }
            (b"b", b'\'') => {
                self.at += 1;
                self.skip_quote();
                Kind::Other(0)
            }
            (b"r" | b"br" | b"cr", b'"' | b'#') => {
                if self.skip_raw_string() {
                    return Kind::Text;
                }
                if self.text[start..self.at] == *b"r" && self.begins_word(self.at + 1) {
                    self.at += 1;
                    self.skip_word();
                }
                Kind::Word
            }
            _ => Kind::Word,
        }
    }
}

impl Tokens for Lexer<'_> {
    fn next(&mut self) -> Token {
        self.skip_blank();
        let start = self.at;
        let byte = self.byte(start);
        let kind = match CLASS[usize::from(byte)] {
            WORD | LEAD => self.word(),
            DIGIT => {
                self.skip_word();
                if self.byte(self.at) == b'.' && self.class(self.at + 1) == DIGIT {
                    self.at += 1;
                    self.skip_word();
                }
                Kind::Other(0)
            }
            OPEN => {
                self.at += 1;
                Kind::Open(byte)
            }
            CLOSE => {
                self.at += 1;
                Kind::Close(byte)
            }
            _ if start >= self.text.len() => Kind::End,
            _ => {
                self.at += 1;
                match byte {
                    b':' if self.byte(self.at) == b':' => {
                        self.at += 1;
                        Kind::Sep
                    }
                    b'"' => {
                        self.skip_string();
                        Kind::Text
                    }
                    b'\'' => self.skip_quote(),
                    byte => Kind::Other(byte),
                }
            }
        };
        self.at = self.at.min(self.text.len());
        Token { kind, start, end: self.at }
    }

    fn mark(&self) -> usize {
        self.at
    }

    fn reset(&mut self, mark: usize) {
        self.at = mark;
    }

    fn is_at_sep(&mut self) -> bool {
        let mut at = self.at;
        while self.byte(at) == b' ' {
            at += 1;
        }
        match self.byte(at) {
            b':' => self.byte(at + 1) == b':',
            b'\n' | b'\r' | b'\t' | b'/' | 11 | 12 | 0xc2 | 0xe2 => {
                let mark = self.at;
                self.skip_blank();
                let is_sep = self.byte(self.at) == b':' && self.byte(self.at + 1) == b':';
                self.at = mark;
                is_sep
            }
            _ => false,
        }
    }
}
