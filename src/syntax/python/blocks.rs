//! Which blocks a line of Python stands in, as far as imports change with it:
//! `if TYPE_CHECKING`, and what is ready for a missing module.

use super::super::tree::parse;
use super::checking::{self, Words};
use super::grammar;
use super::lexer::{Lexer, Token, is_word};
use super::scan::Slices;

/// The blocks around a line.
pub(super) struct Blocks<'t> {
    text: &'t str,
    words: &'t Words,
    open: Vec<Block>,
    /// How many slices had been found when the present line began.
    seen: usize,
}

struct Block {
    /// The column that its header begins in.
    indent: usize,
    kind: Kind,
    /// The first slice in it.
    first: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A branch of `if`: whether it is there for type checkers alone, and
    /// whether any branch after it is.
    Branch { is_for_types: bool, is_exhausted: bool },
    /// The body of `try`.
    Try,
    /// A handler of the slices up to `last`.
    Handler { last: usize, catches: bool, raises: bool, body: Option<usize> },
    /// A `with` that suppresses.
    Suppress,
}

impl<'t> Blocks<'t> {
    /// Whether blocks may matter in a text.
    pub(super) fn matter(text: &str) -> bool {
        let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        ["except", "TYPE_CHECKING", "suppress", "MYPY"].iter().any(|word| has(word))
    }

    pub(super) fn new(text: &'t str, words: &'t Words) -> Self {
        Self { text, words, open: Vec::new(), seen: 0 }
    }

    /// Whether what comes may still change what was found.
    pub(super) fn wait(&self, slices: &Slices) -> bool {
        let matters = |block: &Block| match block.kind {
            Kind::Try => block.first < slices.parts.len(),
            Kind::Handler { last, .. } => block.first < last,
            Kind::Branch { .. } | Kind::Suppress => false,
        };
        self.open.iter().any(matters)
    }

    /// A line begins at `at`, outside of brackets and strings.
    pub(super) fn line(&mut self, at: usize, slices: &mut Slices) {
        self.mark(slices);
        let Some((indent, start)) = self.indent(at) else { return };
        let word = self.word(start);
        while self.open.last().is_some_and(|block| block.indent > indent) {
            self.close(slices);
        }
        if self.open.last().is_some_and(|block| block.indent == indent)
            && self.goes_on(word, start, indent, slices)
        {
            return;
        }
        while self.open.last().is_some_and(|block| block.indent == indent) {
            self.close(slices);
        }
        if let Some(Block { kind: Kind::Handler { raises, body, .. }, .. }) = self.open.last_mut() {
            *raises |= *body.get_or_insert(indent) == indent && word == "raise";
        }
        let kind = match word {
            "if" | "elif" if !self.words.is_empty() => {
                let value = self.condition(start + word.len());
                let is_exhausted = value == Some(true);
                value.map(|value| Kind::Branch { is_for_types: !value, is_exhausted })
            }
            "try" => Some(Kind::Try),
            "with" if grammar::suppresses(self.header(start)) => Some(Kind::Suppress),
            _ => None,
        };
        if let Some(kind) = kind {
            self.open.push(Block { indent, kind, first: slices.parts.len() });
        }
    }

    /// The text is over.
    pub(super) fn end(&mut self, slices: &mut Slices) {
        self.mark(slices);
        while !self.open.is_empty() {
            self.close(slices);
        }
    }

    /// Marks what was found on the line that ends.
    fn mark(&mut self, slices: &mut Slices) {
        let is_for_types = |block: &Block| matches!(block.kind, Kind::Branch { is_for_types: true, .. });
        if self.seen < slices.parts.len() {
            if self.open.iter().any(is_for_types) {
                slices.parts.iter_mut().skip(self.seen).for_each(|slice| slice.is_for_types = true);
            }
            self.seen = slices.parts.len();
        }
    }

    /// Whether a line at the column of the innermost block is its next part.
    fn goes_on(&mut self, word: &str, start: usize, indent: usize, slices: &mut Slices) -> bool {
        let Some((kind, first)) = self.open.last().map(|block| (block.kind, block.first)) else {
            return false;
        };
        let next = match (kind, word) {
            (Kind::Branch { is_exhausted, .. }, "elif") => {
                let value = self.condition(start + word.len());
                Kind::Branch {
                    is_for_types: is_exhausted || value == Some(false),
                    is_exhausted: is_exhausted || value == Some(true),
                }
            }
            (Kind::Branch { is_exhausted, .. }, "else") => {
                Kind::Branch { is_for_types: is_exhausted, is_exhausted: false }
            }
            (Kind::Try | Kind::Handler { .. }, "except") => {
                let last = match kind {
                    Kind::Handler { last, .. } => last,
                    _ => slices.parts.len(),
                };
                if matches!(kind, Kind::Handler { .. }) {
                    self.close(slices);
                    self.open.push(Block { indent, kind, first });
                }
                let header = self.header(start);
                let inline = self.text.get(start + header.len() + 1..).unwrap_or_default();
                let inline = inline.trim_start_matches([' ', '\t']);
                let raises = self.word(self.text.len() - inline.len()) == "raise";
                Kind::Handler { last, catches: grammar::catches(header), raises, body: None }
            }
            _ => return false,
        };
        if let Some(block) = self.open.last_mut() {
            *block = Block { indent, kind: next, first };
        }
        true
    }

    fn close(&mut self, slices: &mut Slices) {
        let Some(block) = self.open.pop() else { return };
        let last = match block.kind {
            Kind::Handler { last, catches: true, raises: false, .. } => last,
            Kind::Suppress => slices.parts.len(),
            _ => return,
        };
        let parts = slices.parts.get_mut(block.first..last).unwrap_or_default();
        parts.iter_mut().for_each(|slice| slice.is_optional = true);
    }

    /// The column that a line begins in, and where; none if it is blank.
    fn indent(&self, at: usize) -> Option<(usize, usize)> {
        let mut column = 0;
        for (offset, byte) in self.text.as_bytes().get(at..)?.iter().enumerate() {
            match byte {
                b' ' => column += 1,
                b'\t' => column = (column / 8 + 1) * 8,
                b'\x0c' => column = 0,
                b'\r' | b'\n' | b'#' => return None,
                _ => return Some((column, at + offset)),
            }
        }
        None
    }

    fn word(&self, at: usize) -> &'t str {
        let rest = self.text.get(at..).unwrap_or_default();
        let end = rest.bytes().position(|byte| !is_word(byte)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// What a line says up to its colon.
    fn header(&self, start: usize) -> &'t str {
        let end = self.colon(start).unwrap_or(start);
        self.text.get(start..end).unwrap_or_default()
    }

    fn colon(&self, start: usize) -> Option<usize> {
        let mut lexer = Lexer::new(self.text.as_bytes(), start, true);
        let mut depth = 0_usize;
        loop {
            match lexer.next() {
                Token::Mark { byte: b':', at }
                    if depth == 0 && self.text.as_bytes().get(at + 1) != Some(&b'=') =>
                {
                    return Some(at);
                }
                Token::Mark { byte: b'\n', .. } if depth == 0 => return None,
                Token::Mark { byte: b'(' | b'[' | b'{', .. } => depth += 1,
                Token::Mark { byte: b')' | b']' | b'}', .. } => depth = depth.checked_sub(1)?,
                Token::End | Token::Broken => return None,
                _ => {}
            }
        }
    }

    /// What the condition from `start` on is where nothing is checked for
    /// types.
    fn condition(&self, start: usize) -> Option<bool> {
        let condition = self.text.get(start..self.colon(start)?)?;
        if !self.words.are_in(condition) {
            return None;
        }
        let text = format!("({condition}\n)");
        let tree = parse(&tree_sitter_python::LANGUAGE.into(), &text).ok()?;
        let root = tree.root_node();
        let statement = root.named_child(0).filter(|_| !root.has_error())?;
        checking::at_run_time(statement.named_child(0)?, &text, self.words)
    }
}
