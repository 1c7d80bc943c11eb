//! The slices of a text that are parsed, and where each of them stood.

use super::lex;
use super::scan::Unsure;

/// What test tools replace modules with.
const MOCKS: [&[u8]; 15] = [
    b"mock",
    b"doMock",
    b"unmock",
    b"doUnmock",
    b"deepUnmock",
    b"dontMock",
    b"setMock",
    b"requireActual",
    b"requireMock",
    b"importActual",
    b"importMock",
    b"createMockFromModule",
    b"genMockFromModule",
    b"unstable_mockModule",
    b"unstable_unmockModule",
];
/// How far brackets are followed to see what stands behind them.
const AHEAD: usize = 2_000;

/// Whether a member of a test tool's object replaces modules.
pub(super) fn is_mock(member: &[u8]) -> bool {
    MOCKS.contains(&member)
}

/// Whether a member of this object loads or replaces modules.
pub(super) fn is_mock_of(object: &[u8], member: &[u8]) -> bool {
    match object {
        b"jest" | b"vi" | b"vitest" => is_mock(member),
        b"mock" => member == b"module",
        _ => false,
    }
}

/// Where the brackets end that begin here, if they are short.
pub(super) fn brackets_of(bytes: &[u8], at: usize) -> Option<usize> {
    lex::brackets(bytes, at, AHEAD)
}

/// The first argument of a call: a literal, perhaps in parentheses.
pub(super) struct Argument {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where `,` or `)` follows.
    pub(super) after: usize,
}

/// The first argument of the call whose `(` stands here, if it is a literal
/// and nothing but it.
pub(super) fn argument(bytes: &[u8], open: usize) -> Option<Argument> {
    let mut start = lex::skip(bytes, open + 1)?;
    let mut parens = 0usize;
    while bytes.get(start) == Some(&b'(') {
        parens += 1;
        start = lex::skip(bytes, start + 1)?;
    }
    let end = lex::literal(bytes, start)?;
    let mut after = lex::skip(bytes, end)?;
    while parens > 0 {
        if bytes.get(after) != Some(&b')') {
            return None;
        }
        parens -= 1;
        after = lex::skip(bytes, after + 1)?;
    }
    matches!(bytes.get(after), Some(b')' | b',')).then_some(Argument { start, end, after })
}

/// Whether the first argument of a call is a literal that is told to be of
/// some type: `("x" as string)`, `("x"!)`.
pub(super) fn is_cast(bytes: &[u8], open: usize) -> bool {
    let behind = || {
        let (mut start, mut parens) = (lex::skip(bytes, open + 1)?, 0usize);
        while bytes.get(start) == Some(&b'(') {
            start = lex::skip(bytes, start + 1)?;
            parens += 1;
        }
        let mut at = lex::skip(bytes, lex::literal(bytes, start)?)?;
        while parens > 0 && bytes.get(at) == Some(&b')') {
            at = lex::skip(bytes, at + 1)?;
            parens -= 1;
        }
        let word = bytes.get(at..lex::word(bytes, at))?;
        Some(bytes.get(at) == Some(&b'!') || matches!(word, b"as" | b"satisfies"))
    };
    behind().unwrap_or(false)
}

/// Whether a function's name that ends here is called through parentheses or
/// as another type: `(require)(`, `require!(`, `(require as any)(`.
fn is_wrapped(bytes: &[u8], end: usize) -> Option<bool> {
    let at = lex::skip(bytes, end)?;
    let then = |at: usize| Some(*bytes.get(lex::skip(bytes, at)?)?);
    Some(match bytes.get(at)? {
        b')' => matches!(then(at + 1)?, b'(' | b')' | b'?' | b'!'),
        b'!' => then(at + 1)? != b'=',
        _ => matches!(bytes.get(at..lex::word(bytes, at))?, b"as" | b"satisfies"),
    })
}

/// Slices one after the other, each a statement.
pub(super) struct Slices<'s> {
    source: &'s str,
    /// What is to be parsed.
    pub(super) text: String,
    /// How many blocks of `try` are open.
    pub(super) tries: usize,
    /// Where each slice begins in the text, its line in the source, and
    /// whether it is in a block of `try`.
    marks: Vec<(usize, usize, bool)>,
    counted: (usize, usize),
}

impl<'s> Slices<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, text: String::new(), tries: 0, marks: Vec::new(), counted: (0, 1) }
    }

    /// The line in the source of what begins at `at` in the text, and whether
    /// it is in a block of `try`.
    pub(super) fn place(&self, at: usize) -> (usize, bool) {
        let first = self.marks.partition_point(|(start, ..)| *start <= at).saturating_sub(1);
        let Some((start, line, is_tried)) = self.marks.get(first) else { return (1, false) };
        (line + newlines(self.text.as_bytes().get(*start..at).unwrap_or_default()), *is_tried)
    }

    /// Adds the source between two places.
    pub(super) fn push(&mut self, start: usize, end: usize) {
        self.push_as(start, "", (start, end), ";");
    }

    /// Adds a piece of the source with something around it, as if it stood
    /// at `at`.
    pub(super) fn push_as(&mut self, at: usize, before: &str, (start, end): (usize, usize), after: &str) {
        let (from, line) = self.counted;
        let line = line + newlines(self.source.as_bytes().get(from..at).unwrap_or_default());
        self.counted = (at.max(from), line);
        self.marks.push((self.text.len(), line, self.tries > 0));
        self.text.push_str(before);
        self.text.push_str(self.source.get(start..end).unwrap_or_default());
        self.text.push_str(after);
        self.text.push('\n');
    }

    /// `/// <reference`.
    pub(super) fn reference(&mut self, start: usize, end: usize) {
        if self.source.get(start..end).is_some_and(|comment| comment.contains('<')) {
            self.push_as(start, "", (start, end), "");
        }
    }

    fn bytes(&self) -> &'s [u8] {
        self.source.as_bytes()
    }

    /// Where the name is that follows a `.` here, or a `?.`.
    fn member(&self, at: usize) -> Option<(usize, usize)> {
        let bytes = self.bytes();
        let at = lex::skip(bytes, at)?;
        let dot = at + usize::from(bytes.get(at) == Some(&b'?'));
        let start = (bytes.get(dot) == Some(&b'.')).then(|| lex::skip(bytes, dot + 1))??;
        Some((start, lex::word(bytes, start)))
    }

    /// The argument of the call that follows what ends here.
    fn called(&self, at: usize) -> Result<Option<Argument>, Unsure> {
        let bytes = self.bytes();
        let Some(mut open) = lex::skip(bytes, at) else { return Err(Unsure) };
        if bytes.get(open..open + 2) == Some(b"?.") {
            open = lex::skip(bytes, open + 2).ok_or(Unsure)?;
        }
        if bytes.get(open) == Some(&b'<') {
            open = brackets_of(bytes, open).and_then(|end| lex::skip(bytes, end)).ok_or(Unsure)?;
        }
        if bytes.get(open) != Some(&b'(') {
            return Ok(None);
        }
        let argument = argument(bytes, open);
        if argument.is_none() && is_cast(bytes, open) { Err(Unsure) } else { Ok(argument) }
    }

    fn call(&mut self, at: usize, function: &str, end: usize) -> Result<(), Unsure> {
        if let Some(Argument { start, end, .. }) = self.called(end)? {
            self.push_as(at, function, (start, end), ");");
        }
        Ok(())
    }

    /// A call that loads many files, with all that it is given.
    fn many(&mut self, at: usize, function: &str, end: usize) -> Result<(), Unsure> {
        let bytes = self.bytes();
        let mut open = lex::skip(bytes, end).ok_or(Unsure)?;
        if bytes.get(open) == Some(&b'<') {
            open = brackets_of(bytes, open).and_then(|end| lex::skip(bytes, end)).ok_or(Unsure)?;
        }
        if bytes.get(open) != Some(&b'(') {
            return Ok(());
        }
        let close = brackets_of(bytes, open).ok_or(Unsure)?;
        self.push_as(at, function, (open, close), ";");
        Ok(())
    }

    /// `require(..)`, `require.resolve(..)` and `require.context(..)`.
    pub(super) fn require(&mut self, start: usize, end: usize) -> Result<(), Unsure> {
        if is_wrapped(self.bytes(), end).unwrap_or(false) {
            return Err(Unsure);
        }
        match self.member(end) {
            Some((name, end)) if self.bytes().get(name..end) == Some(b"resolve") => {
                self.call(start, "require.resolve(", end)
            }
            Some((name, end)) if self.bytes().get(name..end) == Some(b"context") => {
                // A regex in it may have brackets of its own.
                Err(Unsure)
            }
            _ => self.call(start, "require(", end),
        }
    }

    /// `module.require(..)`.
    pub(super) fn module(&mut self, start: usize, end: usize) -> Result<(), Unsure> {
        match self.member(end) {
            Some((name, end)) if self.bytes().get(name..end) == Some(b"require") => {
                self.call(start, "require(", end)
            }
            _ => Ok(()),
        }
    }

    /// `jest.mock(..)` and its like; where the member ends, if it is one.
    pub(super) fn mocks(&mut self, start: usize, end: usize) -> Result<Option<usize>, Unsure> {
        let bytes = self.bytes();
        let Some((name, name_end)) = self.member(end) else { return Ok(None) };
        if !is_mock_of(&bytes[start..end], &bytes[name..name_end]) {
            return Ok(None);
        }
        let object = self.source.get(start..end).unwrap_or_default();
        let function = format!("{object}.{}(", self.source.get(name..name_end).unwrap_or_default());
        self.call(name, &function, name_end)?;
        Ok(Some(name_end))
    }

    /// `.mock(..)` behind such a call.
    pub(super) fn mock(&mut self, start: usize, end: usize) -> Result<(), Unsure> {
        let function = format!("jest.{}(", self.source.get(start..end).unwrap_or_default());
        self.call(start, &function, end)
    }

    /// `import.meta.resolve(..)`, `import.defer(..)`, `import.source(..)`.
    pub(super) fn meta(&mut self, start: usize, end: usize) -> Result<(), Unsure> {
        let bytes = self.bytes();
        let Some((name, name_end)) = self.member(end) else { return Ok(()) };
        match bytes.get(name..name_end) {
            Some(b"defer" | b"source") => self.call(start, "import(", name_end),
            Some(b"meta") => match self.member(name_end) {
                Some((name, end)) if bytes.get(name..end) == Some(b"resolve") => {
                    self.call(start, "import.meta.resolve(", end)
                }
                Some((name, end)) if bytes.get(name..end) == Some(b"glob") => {
                    self.many(start, "import.meta.glob", end)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// `new URL(.., import.meta.url)`, behind `new`.
    pub(super) fn url(&mut self, start: usize, end: usize) {
        let bytes = self.bytes();
        let word = |at: usize, word: &[u8]| {
            let at = lex::skip(bytes, at)?;
            bytes.get(at..)?.starts_with(word).then_some(at + word.len())
        };
        let ahead = || {
            let open = word(end, b"URL").and_then(|end| word(end, b"("))?;
            let argument = argument(bytes, open - 1)?;
            let mut at = argument.after;
            for part in [&b","[..], b"import", b".", b"meta", b".", b"url"] {
                at = word(at, part)?;
            }
            let at = lex::skip(bytes, at)?;
            matches!(bytes.get(at), Some(b')' | b',')).then_some((argument.start, argument.end))
        };
        if let Some(literal) = ahead() {
            self.push_as(start, "new URL(", literal, ", import.meta.url);");
        }
    }
}

fn newlines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}
