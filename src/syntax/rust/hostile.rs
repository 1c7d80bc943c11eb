//! Texts that are made to take long.

use std::cell::Cell;

use super::found::{Found, Role};
use super::imports;
use super::lexer::{Lexer, Token, Tokens};
use super::scan::Scanner;

/// Counts what is read, again and again too.
struct Counted<'t, 'c> {
    lexer: Lexer<'t>,
    tokens: &'c Cell<usize>,
    bytes: &'c Cell<usize>,
}

impl Tokens for Counted<'_, '_> {
    fn next(&mut self) -> Token {
        let start = self.lexer.mark();
        let token = self.lexer.next();
        self.tokens.set(self.tokens.get() + 1);
        self.bytes.set(self.bytes.get() + self.lexer.mark() - start);
        token
    }
    fn mark(&self) -> usize {
        self.lexer.mark()
    }
    fn reset(&mut self, mark: usize) {
        self.lexer.reset(mark);
    }
    fn is_at_sep(&mut self) -> bool {
        let found = self.lexer.is_at_sep();
        if found {
            return true;
        }
        // At most what the next token skips, which is counted as often.
        let mark = self.lexer.mark();
        let next = self.lexer.next();
        self.bytes.set(self.bytes.get() + next.start - mark);
        self.lexer.reset(mark);
        false
    }
}

/// How many tokens and bytes a scan reads.
fn work(text: &str) -> (usize, usize) {
    let (tokens, bytes) = (Cell::new(0), Cell::new(0));
    let counted = Counted { lexer: Lexer::new(text), tokens: &tokens, bytes: &bytes };
    let mut found = Found::new(true);
    Scanner::new(text, counted, &mut found, 0, Role::default()).run();
    assert!(found.slices.len() <= text.len() && found.braces.len() <= text.len() + 1);
    (tokens.get(), bytes.get())
}

const PARTS: [&str; 48] = [
    "#[a(b=\"c::d",
    "#[a(b=\"c::d\",",
    "a<>::",
    "a::<>::b<",
    "mod a{",
    "{use a;",
    "use a::{",
    "a::",
    "a ::b ",
    "<",
    "a<",
    "<a>::",
    "#[",
    "#![a]",
    "#[a]",
    "m!{",
    "m!(",
    "r#\"",
    "r#",
    "\"",
    "\\",
    "/*",
    "/**/",
    "//",
    "'",
    "'a",
    "b'",
    "use ",
    "use {",
    "use \0",
    "use a,",
    "use a b;",
    "pub(",
    "pub(in a::",
    "pub(in a",
    "$(",
    "$a::",
    "$",
    "include!(",
    "include!(\"a\",",
    "include!{concat!",
    "extern ",
    "extern crate a as ",
    "mod ",
    "macro_rules! a {",
    "enum a{a::b;",
    "(",
    "[",
];

#[test]
fn a_scan_reads_every_byte_a_few_times() {
    for part in PARTS {
        let text = part.repeat(300_000 / part.len());
        let (tokens, bytes) = work(&text);
        assert!(tokens <= 8 * text.len() + 64, "{part:?}: {tokens} tokens of {} bytes", text.len());
        assert!(bytes <= 8 * text.len() + 64, "{part:?}: {bytes} bytes of {}", text.len());
    }
}

#[test]
fn a_hundred_thousand_brackets_within_each_other_are_read() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{", "}"), ("m!(", ")"), ("m!{", "}"), ("{enum A{}use b;a::b;", "}")]
    {
        let inner = format!("{}use a::b;{}", open.repeat(100_000), close.repeat(100_000));
        let text = format!("use c::d;\nfn f() {{ {inner} }}");
        let (tokens, bytes) = work(&text);
        assert!(tokens.max(bytes) <= 8 * text.len() + 64, "{open:?}: {tokens} tokens, {bytes} bytes");
        let found = imports(&text).unwrap();
        assert_eq!(found[0].specifier, "c::d", "{open:?}");
    }
    for open in ["(", "[", "{", "<", "m!(", "use a::{", "#[", "a::<"] {
        // Without an end it is no Rust, or nothing.
        let _ = imports(&open.repeat(100_000));
    }
}

#[test]
fn five_megabytes_in_one_line_are_read() {
    for part in [
        "m!{use a b;}",
        "m!{a::crate::self;use a::crate;}",
        "#[a(b=\"c::d\")]x;",
        "a::b,",
        "use a::b;",
        "x ",
        "m!(a::b);",
        "\"use a;\",",
        "/* use a; */",
        "{}",
        "a<b>c;",
    ] {
        let text = format!("fn f() {{ {} }} use c::d;", part.repeat(5_000_000 / part.len()));
        let found = imports(&text).unwrap();
        assert_eq!(found.last().unwrap().specifier, "c::d", "{part:?}");
    }
    let long = format!("use a;{}use b;", " ".repeat(5_000_000));
    assert_eq!(imports(&long).unwrap().len(), 2);
}

#[test]
fn what_is_no_rust_is_given_up_soon() {
    for part in ["use ", "use \0", "use {", "mod ", "use a b;", "extern crate ", "use use;\0 ", "}"] {
        let text = part.repeat(5_000_000 / part.len());
        let found = imports(&text);
        assert!(found.is_err(), "{part:?}");
    }
}

#[test]
fn what_is_found_is_not_much_larger_than_the_text() {
    let wide = format!("use {}::{{{}}};", "a".repeat(100_000), "b,".repeat(100_000));
    assert!(imports(&wide).is_err());
    let names = "mod a{".repeat(100);
    assert!(imports(&format!("{names}use b;{}", "}".repeat(100))).is_ok());
}
