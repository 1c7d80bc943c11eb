//! Finds the statements and calls that may import something, and cuts them
//! out.
//!
//! A slash begins a regex or divides, `<` begins an element or compares: what
//! stands before decides, as in every scanner of this language. Where it does
//! not decide, or something does not end, the scanner is [`Unsure`] and the
//! whole file is parsed. So it is where a regex or a text that was skipped on
//! a guess has a word that could import.

mod elements;

use super::cut::{Slices, is_mock};
use super::lex::{self, Piece};

/// The scanner does not know what it sees.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsure;

/// What the token before says about what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Something that takes an operand.
    Operator,
    /// An operand.
    Operand,
    /// One or the other: `}`, `>`, words that are keywords in places.
    Either,
    /// `.`, so that a name is a member.
    Dot,
    /// A call of a test tool, whose result has the same members.
    Mocked,
    /// `.` behind it.
    MockedDot,
}

/// Stands for a word that a type may follow, where the last byte is asked for.
pub(super) const TYPE: u8 = 1;

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    Paren,
    /// Of `if (`: what follows its end is no operator.
    Head,
    /// Of `jest.mock(`.
    Mock,
    Bracket,
    Brace,
    /// Of `try {`.
    Try,
    /// `${` of a template.
    Template,
    /// An element's tag, from `<` to `>`.
    Tag,
    /// Between the tags of an element.
    Children,
    /// `{` within an element.
    JsxBrace,
}

pub(super) struct Scanner<'s> {
    pub(super) bytes: &'s [u8],
    pub(super) at: usize,
    pub(super) before: Before,
    /// The last byte that was no blank or comment; of a word its first.
    pub(super) last: u8,
    pub(super) cut: Slices<'s>,
    /// Whether a line has ended since the last token.
    pub(super) is_broken: bool,
    frames: Vec<Frame>,
    /// The names of the open elements.
    elements: Vec<(usize, usize)>,
    jsx: bool,
    head: bool,
    mock: bool,
    /// Whether `try` was the last.
    tries: bool,
    /// Whether `typeof` with `<` before was the last, and the one before.
    type_argument: bool,
    pub(super) was_type_argument: bool,
}

/// The slices of a text that may import something.
pub(super) fn scan(text: &str, jsx: bool) -> Result<Slices<'_>, Unsure> {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
        before: Before::Operator,
        last: 0,
        cut: Slices::new(text),
        is_broken: true,
        frames: Vec::new(),
        elements: Vec::new(),
        jsx,
        head: false,
        mock: false,
        tries: false,
        type_argument: false,
        was_type_argument: false,
    };
    if text.starts_with("#!") {
        scanner.at = lex::line_comment(scanner.bytes, 0);
    }
    scanner.run()?;
    if scanner.frames.is_empty() { Ok(scanner.cut) } else { Err(Unsure) }
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), Unsure> {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    self.is_broken = true;
                    self.at += 1;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => self.word()?,
                b'0'..=b'9' => self.number(),
                0x80.. | 0x0b | 0x0c => match lex::blank_here(self.bytes, self.at) {
                    0 if byte < 0x80 => return Err(Unsure),
                    0 => self.word()?,
                    len => {
                        self.is_broken |= len == 3;
                        self.at += len;
                    }
                },
                b'/' => self.slash()?,
                b'"' | b'\'' => {
                    let end = lex::string(self.bytes, self.at).ok_or(Unsure)?;
                    self.token(byte, Before::Operand, end - self.at);
                }
                b'`' => {
                    self.token(byte, Before::Operand, 1);
                    self.template()?;
                }
                b'<' => self.less()?,
                _ => self.punctuation(byte)?,
            }
        }
        Ok(())
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or_default()
    }

    fn token(&mut self, last: u8, before: Before, len: usize) {
        self.last = last;
        self.before = before;
        self.at += len;
        self.head = false;
        self.mock = false;
        self.tries = false;
        self.type_argument = false;
        self.is_broken = false;
    }

    fn word(&mut self) -> Result<(), Unsure> {
        let (start, end) = (self.at, lex::word(self.bytes, self.at));
        let word = &self.bytes[start..end];
        let (before, last, head) = (self.before, self.last, self.head);
        self.was_type_argument = self.type_argument;
        self.token(word.first().copied().unwrap_or_default(), Before::Operand, end - start);
        match before {
            Before::Dot => return Ok(()),
            Before::MockedDot => {
                if is_mock(word) {
                    self.cut.mock(start, end)?;
                    self.mock = true;
                }
                return Ok(());
            }
            _ => {}
        }
        match word {
            b"import" => return self.import(start, last),
            b"export" => return self.export(start),
            b"require" => self.cut.require(start, end)?,
            b"module" => self.cut.module(start, end)?,
            b"jest" | b"vi" | b"vitest" | b"mock" => {
                if let Some(call) = self.cut.mocks(start, end)? {
                    // What lies between has no tokens but a dot and a name.
                    self.at = call;
                    self.mock = true;
                }
            }
            b"new" => {
                self.before = Before::Operator;
                self.cut.url(start, end);
            }
            b"typeof" => {
                self.before = Before::Operator;
                self.last = TYPE;
                self.type_argument = last == b'<';
            }
            b"return" | b"case" | b"do" | b"else" | b"in" | b"instanceof" | b"void" | b"delete"
            | b"throw" | b"default" | b"break" | b"continue" | b"debugger" => self.before = Before::Operator,
            b"await" => {
                self.before = Before::Either;
                // `for await (`
                self.head = head;
            }
            b"of" | b"yield" => self.before = Before::Either,
            b"extends" => {
                self.before = Before::Either;
                self.last = TYPE;
            }
            b"as" | b"is" | b"keyof" | b"satisfies" | b"implements" | b"readonly" | b"infer" => {
                self.last = TYPE;
            }
            b"if" | b"while" | b"for" | b"with" => self.head = true,
            b"try" => self.tries = true,
            _ => {}
        }
        Ok(())
    }

    fn number(&mut self) {
        let mut end = self.at;
        while let Some(&byte) = self.bytes.get(end) {
            let is_sign = matches!(byte, b'+' | b'-')
                && end > self.at
                && matches!(self.bytes.get(end - 1), Some(b'e' | b'E'))
                && !self.bytes[self.at..end].starts_with(b"0x");
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || is_sign) {
                break;
            }
            end += 1;
        }
        self.token(b'0', Before::Operand, end - self.at);
    }

    fn slash(&mut self) -> Result<(), Unsure> {
        match self.peek(1) {
            b'/' => {
                let end = lex::line_comment(self.bytes, self.at);
                if self.last == 0 && self.peek(2) == b'/' {
                    self.cut.reference(self.at, end);
                }
                self.at = end;
            }
            b'*' => {
                let end = lex::block_comment(self.bytes, self.at).ok_or(Unsure)?;
                self.is_broken |= lex::breaks_line(&self.bytes[self.at..end]);
                self.at = end;
            }
            // The statement before may have ended: then it begins a regex.
            _ if self.is_broken
                && self.before == Before::Operand
                && lex::regex(self.bytes, self.at)
                    .is_some_and(|end| lex::hides(self.bytes, self.at, end)) =>
            {
                return Err(Unsure);
            }
            _ => match self.before {
                Before::Operand | Before::Mocked => self.token(b'/', Before::Operator, 1),
                Before::Operator => {
                    let end = lex::regex(self.bytes, self.at).ok_or(Unsure)?;
                    if lex::may_import(
                        &self.bytes[self.at..end],
                        self.bytes.get(end).copied().unwrap_or_default(),
                    ) {
                        return Err(Unsure);
                    }
                    self.token(b'/', Before::Operand, lex::word(self.bytes, end) - self.at);
                }
                _ => return Err(Unsure),
            },
        }
        Ok(())
    }

    /// The rest of a template, up to its next expression.
    fn template(&mut self) -> Result<(), Unsure> {
        let (end, piece) = lex::template(self.bytes, self.at).ok_or(Unsure)?;
        match piece {
            Piece::Last => self.token(b'`', Before::Operand, end - self.at),
            Piece::Expression => {
                self.token(b'{', Before::Operator, end - self.at);
                self.frames.push(Frame::Template);
            }
        }
        Ok(())
    }

    fn punctuation(&mut self, byte: u8) -> Result<(), Unsure> {
        let is_operand = matches!(self.before, Before::Operand | Before::Mocked);
        let (mut before, mut len) = (Before::Operator, 1);
        match byte {
            b'(' => self.frames.push(match (self.head, self.mock) {
                (true, _) => Frame::Head,
                (_, true) => Frame::Mock,
                _ => Frame::Paren,
            }),
            b'[' => self.frames.push(Frame::Bracket),
            b'{' if self.tries => {
                self.frames.push(Frame::Try);
                self.cut.tries += 1;
            }
            b'{' => self.frames.push(Frame::Brace),
            b')' => {
                before = match self.frames.pop() {
                    Some(Frame::Paren) => Before::Operand,
                    Some(Frame::Head) => Before::Operator,
                    Some(Frame::Mock) => Before::Mocked,
                    _ => return Err(Unsure),
                }
            }
            b']' => match self.frames.pop() {
                Some(Frame::Bracket) => before = Before::Operand,
                _ => return Err(Unsure),
            },
            b'}' => match self.frames.pop() {
                Some(Frame::Brace) => before = Before::Either,
                Some(Frame::Try) => {
                    self.cut.tries = self.cut.tries.saturating_sub(1);
                    before = Before::Either;
                }
                Some(Frame::Template) => {
                    self.at += 1;
                    return self.template();
                }
                Some(Frame::JsxBrace) => {
                    self.at += 1;
                    return self.element();
                }
                _ => return Err(Unsure),
            },
            b'.' => {
                before = match self.before {
                    _ if self.bytes[self.at..].starts_with(b"...") => {
                        len = 3;
                        Before::Operator
                    }
                    Before::Mocked => Before::MockedDot,
                    Before::Operator if self.peek(1).is_ascii_digit() => {
                        self.number();
                        return Ok(());
                    }
                    _ => Before::Dot,
                }
            }
            b'?' if self.peek(1) == b'.' && !self.peek(2).is_ascii_digit() => {
                (before, len) =
                    (if self.before == Before::Mocked { Before::MockedDot } else { Before::Dot }, 2);
            }
            b'#' => before = Before::Dot,
            // A comment of scripts, at the beginning of a line.
            b'-' if self.is_broken && self.bytes[self.at..].starts_with(b"-->") => return Err(Unsure),
            b'+' | b'-' if self.peek(1) == byte => {
                len = 2;
                // On a line of its own it belongs to what follows.
                if is_operand && !self.is_broken {
                    before = Before::Operand;
                }
            }
            b'!' if self.peek(1) != b'='
                && !self.is_broken
                && (is_operand || self.before == Before::Either) =>
            {
                before = self.before
            }
            b'=' if self.peek(1) == b'>' => len = 2,
            b'>' => before = Before::Either,
            b',' | b';' | b':' | b'?' | b'=' | b'&' | b'|' | b'^' | b'~' | b'%' | b'*' | b'+' | b'-'
            | b'!' | b'@' => {}
            // Escapes in names, control characters.
            _ => return Err(Unsure),
        }
        let last = self.bytes[self.at + len - 1];
        // `||` and `&&` stand between values, `|` and `&` perhaps between types.
        let is_doubled = matches!(byte, b'|' | b'&') && self.at > 0 && self.bytes[self.at - 1] == byte;
        self.token(if is_doubled { b'!' } else { last }, before, len);
        Ok(())
    }
}
