//! What a scan finds, and the words that it goes by.

use unicode_normalization::UnicodeNormalization;

use super::node::Read;

/// A piece of the text that holds an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the item itself begins, behind its attributes.
    pub(super) at: usize,
    pub(super) what: What,
    /// The braces around it.
    pub(super) brace: u32,
    /// Whether a macro may make something else of it.
    pub(super) in_macro: bool,
}

/// What a slice holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// `use a::b;`, without its visibility.
    Use { exported: bool },
    /// A path in code.
    Path,
    /// `extern crate a;`
    Crate,
    /// `mod a;` with its attributes; `optional` if a macro may drop it.
    Module { optional: bool },
    /// The attributes of `mod a {`, and these braces.
    Inline { brace: u32 },
    /// `include!("a")` and its like.
    Include,
}

/// A pair of braces; the first stands for the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brace<'t> {
    pub(super) parent: u32,
    /// The name of the module that it is the body of.
    pub(super) module: Option<&'t str>,
    pub(super) tokens: Given,
}

/// Whether braces are tokens of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// They are code.
    No,
    /// The macro passes on the items in them, or leaves them out.
    Items,
    /// They may become anything.
    Free,
}

/// A name for a type or a module in the braces where it is declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared<'t> {
    pub(super) brace: u32,
    pub(super) name: &'t str,
    /// The body, of a module.
    pub(super) body: Option<u32>,
}

/// What was found in a file.
#[derive(Debug)]
pub(super) struct Found<'t> {
    pub(super) slices: Vec<Slice>,
    pub(super) braces: Vec<Brace<'t>>,
    pub(super) declared: Vec<Declared<'t>>,
    /// Whether the text was not understood.
    pub(super) is_unsure: bool,
    /// Where that began.
    pub(super) unsure_at: Option<usize>,
    /// Whether a macro that makes data of its tokens is the one that everybody
    /// knows by this name.
    pub(super) trusts: bool,
    /// Whether a macro of such a name is made here, or is one of this crate.
    pub(super) is_shadowed: bool,
    /// Whether there is a path that may be none.
    pub(super) is_doubtful: bool,
}

impl Found<'_> {
    pub(super) fn new(trusts: bool) -> Self {
        Self {
            slices: Vec::new(),
            braces: vec![Brace { parent: 0, module: None, tokens: Given::No }],
            declared: Vec::new(),
            is_unsure: false,
            unsure_at: None,
            trusts,
            is_shadowed: false,
            is_doubtful: false,
        }
    }
}

/// What delimiters hold, beside plain code; passed on to all within.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Role {
    /// The tokens of a macro.
    pub(super) is_macro: bool,
    /// A macro that does not just pass on its items under a condition.
    pub(super) is_free: bool,
    /// What is no code at all.
    pub(super) is_data: bool,
    /// An attribute.
    pub(super) is_attribute: bool,
}

/// Macros whose tokens are data.
const DATA: [&str; 7] = [
    "quote",
    "quote_spanned",
    "parse_quote",
    "parse_quote_spanned",
    "stringify",
    "quote_token",
    "quote_into",
];

/// First parts of what attributes name that are tools and no crates.
const TOOLS: [&str; 7] = ["clippy", "diagnostic", "miri", "rust_analyzer", "rustc", "rustdoc", "rustfmt"];

/// Whether the tokens of this macro are data.
pub(super) fn is_data(name: &str) -> bool {
    DATA.contains(&name)
}

/// Whether this brings in a macro of the crate by such a name.
pub(super) fn is_shadowing(read: &Read) -> bool {
    let Read::Use { leaves, .. } = read else { return false };
    leaves.iter().any(|leaf| {
        let (first, last) = (leaf.path.split("::").next(), leaf.path.rsplit("::").next());
        let name = leaf.alias.as_deref().or(last).unwrap_or_default();
        let is_own = matches!(first, Some("crate" | "self" | "super" | "$crate"));
        is_data(name) && (is_own || leaf.alias.is_some() && last != Some(name))
    })
}

/// Whether a macro of this name passes on items under a condition, as is the
/// custom.
pub(super) fn is_condition(name: &str) -> bool {
    name.starts_with("cfg")
}

/// Whether a path in an attribute is one of a tool.
pub(super) fn is_tool(path: &str) -> bool {
    let first = path.split([':', ' ']).next().unwrap_or_default();
    TOOLS.contains(&first)
}

/// Whether this is one of the macros that take in another file.
pub(super) fn is_include(name: &str) -> bool {
    matches!(name, "include" | "include_str" | "include_bytes")
}

/// A name without the mark of a raw one.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// A name as it is compared: composed as Unicode has it.
pub(super) fn composed(name: &str) -> String {
    if name.is_ascii() { name.to_owned() } else { name.nfc().collect() }
}

pub(super) fn is_path_keyword(word: &str) -> bool {
    matches!(word, "crate" | "self" | "super" | "Self")
}

/// Whether a word is a keyword in every edition, so that a path cannot begin
/// with it.
pub(super) fn is_keyword(word: &str) -> bool {
    let short = word.len() <= 8;
    short
        && matches!(
            word,
            "as" | "break"
                | "const"
                | "continue"
                | "crate"
                | "else"
                | "enum"
                | "extern"
                | "false"
                | "fn"
                | "for"
                | "if"
                | "impl"
                | "in"
                | "let"
                | "loop"
                | "match"
                | "mod"
                | "move"
                | "mut"
                | "pub"
                | "ref"
                | "return"
                | "self"
                | "Self"
                | "static"
                | "struct"
                | "super"
                | "trait"
                | "true"
                | "type"
                | "unsafe"
                | "use"
                | "where"
                | "while"
                | "dyn"
                | "async"
                | "await"
        )
}
