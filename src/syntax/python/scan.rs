//! Cuts out of a Python source what imports.
//!
//! `import` is a keyword, so wherever it stands in code there is an import
//! statement; calls that import contain the same letters. Blocks are looked
//! at only where one may change what an import means.

use memchr::memmem::Finder;

use super::blocks::Blocks;
use super::checking::{self, Words};
use super::lexer::{Lexer, Token, is_word};

/// The parts of a source that import something, each a statement of its own.
#[derive(Debug, Default)]
pub(super) struct Slices {
    /// The statements, each from the start of a line.
    pub(super) text: String,
    /// Where each of them begins, and what is known of it.
    pub(super) parts: Vec<Slice>,
    /// Where the statements stand in the source: begin and end.
    statements: Vec<(usize, usize)>,
}

/// A statement or a call that imports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    /// Where it begins in the text of the slices.
    pub(super) start: usize,
    /// The line of the source that it begins on, from 1.
    pub(super) line: usize,
    /// Whether it is a call.
    pub(super) is_call: bool,
    /// Whether it is there for type checkers alone.
    pub(super) is_for_types: bool,
    /// Whether whoever wrote it is ready for a missing module.
    pub(super) is_optional: bool,
}

impl Slices {
    /// Whether a place of the source is in one of the statements.
    pub(super) fn cover(&self, at: usize) -> bool {
        let after = self.statements.partition_point(|(start, _)| *start <= at);
        after.checked_sub(1).and_then(|last| self.statements.get(last)).is_some_and(|(_, end)| at < *end)
    }

    /// Each with its text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Slice, &str)> {
        let ends = self.parts.iter().skip(1).map(|slice| slice.start).chain([self.text.len()]);
        self.parts.iter().zip(ends).map(|(slice, end)| {
            let text = self.text.get(slice.start..end).unwrap_or_default();
            (slice, text.trim_end_matches([' ', '\n']))
        })
    }
}

/// Everything in a source that imports, in its order; none if this cannot be
/// told without a parse of the whole.
pub(super) fn scan(text: &str) -> Option<Slices> {
    let finders = Finders::of(text)?;
    if finders.next().is_none() {
        return Some(Slices::default());
    }
    let words = Words::assumed(text);
    let blocks = Blocks::matter(text).then(|| Blocks::new(text, &words));
    let scan = Scan {
        text: text.as_bytes(),
        source: text,
        finders,
        covered: 0,
        counted: 0,
        line: 1,
        slices: Slices::default(),
    };
    let slices = scan.run(blocks)?;
    (words.is_empty() || checking::are_plain(&words, text, &slices)).then_some(slices)
}

/// Finds the letters that all that imports has in it.
struct Finders {
    /// Each with the next place that has them.
    each: Vec<(Finder<'static>, Option<usize>)>,
}

impl Finders {
    /// Those that matter in a text; none if it has what only a parse of the
    /// whole can tell.
    fn of(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        let has = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
        let mut words = vec!["import"];
        if has("import") {
            let are_rare = ["runpy", "pkgutil", "find_spec", "importlib_resources"].into_iter().any(has);
            if are_rare || has("importlib") && has("resources") {
                return None;
            }
        }
        if has("patch") && has("mock") | has("monkeypatch") {
            words.push("patch");
        }
        let each = words.into_iter().map(Finder::new).map(|finder| {
            let next = finder.find(text);
            (finder, next)
        });
        Some(Self { each: each.collect() })
    }

    /// The next place with the letters, if there is one.
    fn next(&self) -> Option<usize> {
        self.each.iter().filter_map(|(_, next)| *next).min()
    }

    /// Finds the letters from `at` on.
    fn skip(&mut self, text: &[u8], at: usize) {
        for (finder, next) in &mut self.each {
            if next.is_some_and(|next| next < at) {
                let rest = text.get(at..).unwrap_or_default();
                *next = finder.find(rest).map(|offset| at + offset);
            }
        }
    }
}

struct Scan<'t> {
    text: &'t [u8],
    source: &'t str,
    finders: Finders,
    /// How far slices reach.
    covered: usize,
    /// How far lines are counted, and the line there.
    counted: usize,
    line: usize,
    slices: Slices,
}

impl Scan<'_> {
    fn run(mut self, mut blocks: Option<Blocks<'_>>) -> Option<Slices> {
        let mut lexer = Lexer::new(self.text, 0, blocks.is_some());
        let mut depth = 0_usize;
        if let Some(blocks) = &mut blocks {
            blocks.line(0, &mut self.slices);
        }
        while self.finders.next().is_some() || blocks.as_ref().is_some_and(|blocks| blocks.wait(&self.slices))
        {
            let is_within = lexer.is_within();
            let token = lexer.next();
            let (end, after) = match token {
                Token::Text { from, to } => (from, to),
                Token::Mark { at, .. } => (at, at),
                Token::End => (self.text.len(), self.text.len()),
                Token::Broken => return None,
            };
            if let Some(past) = self.code(end, is_within, depth)? {
                lexer.go_to(past);
                continue;
            }
            self.skip(after);
            match token {
                Token::Mark { byte: b'\n', at } if depth == 0 => {
                    if let Some(blocks) = &mut blocks {
                        blocks.line(at + 1, &mut self.slices);
                    }
                }
                Token::Mark { byte: b'(' | b'[' | b'{', .. } => depth += 1,
                Token::Mark { byte: b')' | b']' | b'}', .. } => depth = depth.checked_sub(1)?,
                Token::End if depth > 0 => return None,
                Token::End => break,
                _ => {}
            }
        }
        if let Some(blocks) = &mut blocks {
            blocks.end(&mut self.slices);
        }
        Some(self.slices)
    }

    /// Looks at code up to `end`. Answers where a statement ends that reaches
    /// beyond or up to some place before it.
    fn code(&mut self, end: usize, is_within: bool, depth: usize) -> Option<Option<usize>> {
        while let Some(at) = self.finders.next().filter(|at| *at < end) {
            if at < self.covered {
                self.skip(self.covered);
                continue;
            }
            let (from, to) = self.word(at);
            self.skip(to);
            match self.text.get(from..to) {
                Some(b"import") if is_within || depth > 0 => return None,
                Some(b"import") => {
                    let past = self.statement(from)?;
                    self.skip(past);
                    return Some(Some(past));
                }
                Some(b"import_module" | b"__import__" | b"import_string" | b"importorskip") => {
                    self.call(from, to, true)?;
                }
                // Under which name it goes on nobody knows here.
                Some(b"importlib") if self.text.get(to) != Some(&b'.') => return None,
                Some(b"patch" | b"monkeypatch") => self.call(from, to, false)?,
                _ => {}
            }
        }
        Some(None)
    }

    /// Finds the letters from `at` on.
    fn skip(&mut self, at: usize) {
        self.finders.skip(self.text, at);
    }

    /// The name around a place.
    fn word(&self, at: usize) -> (usize, usize) {
        let (before, after) = self.text.split_at(at);
        let from = at - before.iter().rev().take_while(|byte| is_word(**byte)).count();
        (from, at + after.iter().take_while(|byte| is_word(**byte)).count())
    }

    /// Takes the statement whose `import` is at `at`, and answers its end.
    fn statement(&mut self, at: usize) -> Option<usize> {
        let start = self.head(at)?;
        let line = self.line_of(start);
        let begin = self.slices.text.len();
        self.copy(start, at);
        let end = self.copy(at, self.text.len());
        self.finish(begin, line, false)?;
        self.slices.statements.push((start, end?));
        end
    }

    /// Where the statement begins whose `import` is at `at`: there, or at the
    /// `from` before it.
    fn head(&self, at: usize) -> Option<usize> {
        let mut before = self.before(at);
        let end = before;
        // Names and dots, unless two names meet.
        let mut was_name = false;
        loop {
            match before.checked_sub(1).and_then(|last| self.text.get(last)) {
                Some(b'.') => (before, was_name) = (self.before(before - 1), false),
                Some(byte) if is_word(*byte) => {
                    let (from, to) = self.word(before - 1);
                    if self.text.get(from..to) == Some(b"from") && before < end {
                        return self.begins(from).then_some(from);
                    }
                    if was_name {
                        break;
                    }
                    (before, was_name) = (self.before(from), true);
                }
                _ => break,
            }
        }
        self.begins(at).then_some(at)
    }

    /// Whether a statement can begin at `at`.
    fn begins(&self, at: usize) -> bool {
        let before = self.before(at);
        match before.checked_sub(1).and_then(|last| self.text.get(last)) {
            None | Some(b'\n' | b';' | b':') => true,
            // `lazy import a`
            Some(byte) if is_word(*byte) => {
                let (from, to) = self.word(before - 1);
                self.text.get(from..to) == Some(b"lazy") && self.begins_line(from)
            }
            _ => false,
        }
    }

    fn begins_line(&self, at: usize) -> bool {
        let last = self.before(at).checked_sub(1).and_then(|last| self.text.get(last));
        matches!(last, None | Some(b'\n' | b';' | b':'))
    }

    /// The place after what precedes `at`, blanks and continued lines aside.
    fn before(&self, at: usize) -> usize {
        let mut at = at;
        loop {
            let before = self.text.get(..at).unwrap_or_default();
            at = match before {
                [.., b'\\', b'\r', b'\n'] => at - 3,
                [.., b'\\', b'\n'] => at - 2,
                [.., b' ' | b'\t' | b'\x0c'] => at - 1,
                _ => return at,
            };
        }
    }

    /// Copies code of a statement up to `to` or to where it ends, without
    /// what does not matter. Answers the end; none if it is no import.
    fn copy(&mut self, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        let mut depth = 0_usize;
        while at < to {
            let rest = self.text.get(at..).unwrap_or_default();
            match rest {
                [b'#', ..] => {
                    at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    continue;
                }
                [b'\n' | b';', ..] if depth == 0 => return Some(at),
                [b'\\', b'\r', b'\n', ..] => at += 2,
                [b'\\', b'\n', ..] => at += 1,
                [b'(', ..] => depth += 1,
                [b')', ..] => depth = depth.checked_sub(1)?,
                [b'\n' | b' ' | b'\t' | b'\r' | b'\x0c' | b'.' | b',' | b'*', ..] => {}
                [byte, ..] if is_word(*byte) => {
                    let count = rest.iter().take_while(|byte| is_word(**byte)).count();
                    self.slices.text.push_str(self.source.get(at..at + count)?);
                    at += count;
                    continue;
                }
                _ => return None,
            }
            match rest.first() {
                Some(byte) if byte.is_ascii_punctuation() && *byte != b'\\' => {
                    self.slices.text.push(char::from(*byte));
                }
                _ if self.slices.text.ends_with(' ') => {}
                _ => self.slices.text.push(' '),
            }
            at += 1;
        }
        (depth == 0).then_some(at)
    }

    /// Takes the call of a name. One that `must` be called is none that this
    /// can tell where it is not.
    fn call(&mut self, from: usize, to: usize, must: bool) -> Option<()> {
        let unknown = || if must { None } else { Some(()) };
        let blanks = |byte: &&u8| matches!(**byte, b' ' | b'\t');
        let mut open = to + self.text.get(to..)?.iter().take_while(blanks).count();
        if !must {
            let rest = self.text.get(open..)?;
            let method = [&b".dict"[..], b".multiple", b".setattr", b".delattr"];
            open += method.iter().find(|method| rest.starts_with(method)).map_or(0, |method| method.len());
        }
        if self.text.get(open) != Some(&b'(') {
            return unknown();
        }
        // What it is called on.
        let mut start = from;
        while let Some(b'.') = self.before(start).checked_sub(1).and_then(|last| self.text.get(last)) {
            let name = self.before(self.before(start) - 1);
            let (word, _) = self.word(name);
            if word == name {
                return unknown();
            }
            start = word;
        }
        let before = self.before(start);
        if before > 0 {
            let (word, end) = self.word(before);
            if end == before && matches!(self.text.get(word..end), Some(b"def" | b"class")) {
                return Some(());
            }
        }
        let end = self.closing(open)?;
        let line = self.line_of(start);
        let begin = self.slices.text.len();
        self.slices.text.push_str(self.source.get(start..end)?);
        self.covered = end;
        self.finish(begin, line, true)
    }

    /// The end of what a bracket at `open` begins.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut lexer = Lexer::new(self.text, open, true);
        let mut depth = 0_usize;
        loop {
            match lexer.next() {
                Token::Mark { byte: b'(' | b'[' | b'{', .. } => depth += 1,
                Token::Mark { byte: b')' | b']' | b'}', at } => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                Token::End | Token::Broken => return None,
                _ => {}
            }
        }
    }

    fn finish(&mut self, start: usize, line: usize, is_call: bool) -> Option<()> {
        self.slices.text.push('\n');
        let slice = Slice { start, line, is_call, is_for_types: false, is_optional: false };
        self.slices.parts.push(slice);
        Some(())
    }

    fn line_of(&mut self, at: usize) -> usize {
        if let Some(passed) = self.text.get(self.counted..at) {
            self.line += memchr::memchr_iter(b'\n', passed).count();
            self.counted = at;
        }
        self.line
    }
}
