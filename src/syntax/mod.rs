//! What a source file says of other files, as its language's grammar has it.
//!
//! Pure: bytes in, imports out. What an import leads to is the business of
//! `boundary`. In every language what becomes an import was parsed by
//! tree-sitter.

pub mod comments;
pub mod encoded;
pub mod fingerprint;
mod python;
mod rust;
mod tree;
mod typescript;

/// A language that imports are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Python, and its stubs.
    Python,
    /// Rust.
    Rust,
    /// TypeScript and JavaScript.
    TypeScript,
    /// TypeScript and JavaScript with JSX.
    Tsx,
}

impl Language {
    /// The language of a file, by its name.
    pub fn of(path: &[u8]) -> Option<Self> {
        let name = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
        let dot = name.iter().rposition(|&b| b == b'.')?;
        // Node runs `x.JS` as well.
        match name.get(dot + 1..)?.to_ascii_lowercase().as_slice() {
            b"py" | b"pyi" => Some(Self::Python),
            b"rs" => Some(Self::Rust),
            b"ts" | b"mts" | b"cts" => Some(Self::TypeScript),
            // JSX is read in plain JavaScript too, as all its tools do.
            b"tsx" | b"jsx" | b"js" | b"mjs" | b"cjs" => Some(Self::Tsx),
            _ => None,
        }
    }

    /// Its name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Rust => "Rust",
            Self::TypeScript | Self::Tsx => "TypeScript/JavaScript",
        }
    }
}

/// How one file needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// When it is loaded or compiled.
    Static,
    /// For its types only: nothing of it is there at run time.
    Type,
    /// When the code comes by.
    Dynamic,
    /// To put something else in its place in a test.
    Mock,
    /// As a part of itself: a module of its own in another file.
    Part,
}

impl Kind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Type => "type",
            Self::Dynamic => "dynamic",
            Self::Mock => "mock",
            Self::Part => "part",
        }
    }
}

/// One reference, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// Line, from 1.
    pub line: usize,
    /// What is imported, as the language spells it: `./a.js`, `..pkg.mod`,
    /// `crate::a::b`.
    pub specifier: String,
    /// The names that are taken from it; `*` for all. Empty: itself.
    pub names: Vec<String>,
    /// How it is needed.
    pub kind: Kind,
    /// Whether others get the names from this file in turn: `export ... from`,
    /// `pub use`.
    pub exported: bool,
    /// The modules within the file that it stands in (Rust); [`READY`],
    /// [`PREFIX`] and [`HERE`] (Python).
    pub within: Vec<String>,
}

impl Import {
    /// Whether it takes a file in, by a module's name or the file's own, which
    /// is in quotes then: Rust's `mod` and `include!`.
    pub fn takes_in(&self) -> bool {
        self.kind == Kind::Part || self.specifier.starts_with('"')
    }
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It does not follow the grammar.
    #[error("line {line} cannot be parsed")]
    Syntax {
        /// The first line that does not.
        line: usize,
    },
    /// It is no text.
    #[error("it is not UTF-8 text")]
    Binary,
    /// It stands for a text that is elsewhere.
    #[error("it is a pointer of Git LFS, not the source")]
    Pointer,
    /// It is larger than any source.
    #[error("it has {size} bytes, more than the limit of {LIMIT}")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
    },
}

pub use self::python::PackageFolders;

/// Where a `setup.py` says that packages lie.
pub fn package_folders(setup: &[u8]) -> PackageFolders {
    if setup.len() > LIMIT { PackageFolders::default() } else { python::folders_of_setup(setup) }
}

/// In [`Import::within`]: the file goes on if there is no such module.
pub const READY: &str = "try";
/// The same: its end may be something inside of a module.
pub const PREFIX: &str = "prefix";
/// The same: it counts only if it leads to a file of the repository.
pub const HERE: &str = "here";

/// The largest file that is read, in bytes.
pub const LIMIT: usize = 16 << 20;

/// What Git LFS commits instead of a file begins with.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// All imports of a file, in the order of the text.
pub fn imports(language: Language, source: &[u8]) -> Result<Vec<Import>, Unreadable> {
    if source.starts_with(POINTER) {
        return Err(Unreadable::Pointer);
    }
    match language {
        Language::Python if source.len() <= LIMIT => python::imports(source),
        Language::Python => Err(Unreadable::TooLarge { size: source.len() }),
        Language::Rust => text_of(source).and_then(rust::imports),
        Language::TypeScript | Language::Tsx => {
            text_of(source).and_then(|text| typescript::imports(text, language == Language::Tsx))
        }
    }
    .map(sorted)
}

/// As [`imports`], always by a parse of the whole file: slow, and what
/// [`imports`] is compared with.
pub fn by_full_parse(language: Language, source: &[u8]) -> Result<Vec<Import>, Unreadable> {
    match language {
        Language::Python if source.len() <= LIMIT => python::by_full_parse(source),
        Language::Python => Err(Unreadable::TooLarge { size: source.len() }),
        Language::Rust => text_of(source).and_then(rust::by_full_parse),
        Language::TypeScript | Language::Tsx => {
            text_of(source).and_then(|text| typescript::by_full_parse(text, language == Language::Tsx))
        }
    }
    .map(sorted)
}

/// What a file with any name imports where it is run as JavaScript: `require`
/// does that with every ending that it does not know. It must all be parsed.
pub fn of_script(source: &[u8]) -> Result<Vec<Import>, Unreadable> {
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    if !typescript::may_be_script(source) {
        return Ok(Vec::new());
    }
    if source.len() > LIMIT {
        return Err(Unreadable::TooLarge { size: source.len() });
    }
    // Node takes any bytes for text.
    let text = String::from_utf8_lossy(source).replace('\0', " ");
    typescript::of_script(&text).map(sorted)
}

/// A source as text, without a byte order mark.
fn text_of(source: &[u8]) -> Result<&str, Unreadable> {
    if source.len() > LIMIT {
        return Err(Unreadable::TooLarge { size: source.len() });
    }
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    let text = std::str::from_utf8(source).map_err(|_| Unreadable::Binary)?;
    if memchr::memchr(0, text.as_bytes()).is_some() { Err(Unreadable::Binary) } else { Ok(text) }
}

/// In the order of the text, none twice.
fn sorted(mut imports: Vec<Import>) -> Vec<Import> {
    imports.sort();
    imports.dedup();
    imports
}

#[cfg(test)]
impl Import {
    /// The import in one line.
    fn told(&self) -> String {
        let names = if self.names.is_empty() { String::new() } else { format!(" {}", self.names.join(",")) };
        format!("{}:{} {}{names}", self.line, self.kind.as_str(), self.specifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_language() {
        for (path, language) in [
            ("a/b.py", Some(Language::Python)),
            ("a/b.pyi", Some(Language::Python)),
            ("x.mts", Some(Language::TypeScript)),
            ("x.cts", Some(Language::TypeScript)),
            ("x.tsx", Some(Language::Tsx)),
            ("x.jsx", Some(Language::Tsx)),
            ("x.cjs", Some(Language::Tsx)),
            ("a.d.ts", Some(Language::TypeScript)),
            ("x.mjs", Some(Language::Tsx)),
            ("lib.rs", Some(Language::Rust)),
            ("A.JS", Some(Language::Tsx)),
            ("a.rs/README", None),
            ("rs", None),
            (".py", Some(Language::Python)),
        ] {
            assert_eq!(Language::of(path.as_bytes()), language, "{path}");
        }
    }

    #[test]
    fn a_script_has_any_name() {
        let told = |text: &[u8]| {
            of_script(text).map(|found| found.iter().map(Import::told).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(told(b"#!/usr/bin/env node\nrequire('./a') // \xff\0"), Ok("2:static ./a".into()));
        assert_eq!(told(b"\xef\xbb\xbfimport a from './a'"), Ok("1:static ./a default".into()));
        assert_eq!(told(b"@import './a.css';\na { b: c }"), Ok(String::new()));
        assert_eq!(told(b"To import a thing, see below."), Ok(String::new()));
        assert_eq!(told(&[0; LIMIT + 1]), Ok(String::new()));
        assert!(told(b"# Use\nimport a from './a'\nis what you (do.").is_err());
    }

    #[test]
    fn a_byte_order_mark_hides_nothing() {
        for (language, text) in [
            (Language::Python, "import a"),
            (Language::Rust, "use a;"),
            (Language::TypeScript, "import 'a'"),
            (Language::Tsx, "import 'a'"),
        ] {
            let text = format!("\u{feff}{text}\r\n");
            for read in [imports, by_full_parse] {
                let found = read(language, text.as_bytes()).unwrap();
                let told: Vec<_> = found.iter().map(|i| (i.line, i.specifier.as_str())).collect();
                assert_eq!(told, [(1, "a")], "{language:?}");
            }
        }
    }

    #[test]
    fn any_bytes_are_answered() {
        let languages = [Language::Python, Language::Rust, Language::TypeScript, Language::Tsx];
        let deep =
            |open: &str, close: &str| format!("x = {}1{}", open.repeat(100_000), close.repeat(100_000));
        let long = format!("x = \"{}\"", "a".repeat(5 << 20));
        let hostile = [deep("(", ")"), deep("[", ""), deep("{", "}"), "import ".repeat(100_000), long];
        for language in languages {
            for text in &hostile {
                let _ = imports(language, text.as_bytes());
            }
            // Recovering from errors without end takes the square of the length.
            for broken in
                ["a b c d\n", "'", "<div>", "\"abc 'x\n", "import { x from (]} '\n", "use a::{ @ # $"]
            {
                let text = broken.repeat(300_000 / broken.len());
                let read = by_full_parse(language, text.as_bytes());
                let is_answered = matches!(read, Ok(_) | Err(Unreadable::Syntax { .. } | Unreadable::Binary));
                assert!(is_answered, "{broken}: {read:?}");
            }
            assert_eq!(imports(language, b"\xff"), Err(Unreadable::Binary));
            assert_eq!(imports(language, b"a\0b"), Err(Unreadable::Binary));
            assert_eq!(
                imports(language, &vec![b' '; LIMIT + 1]),
                Err(Unreadable::TooLarge { size: LIMIT + 1 })
            );
            assert_eq!(imports(language, b"\xef\xbb\xbf"), Ok(Vec::new()));
        }
    }
}
