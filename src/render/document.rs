//! A reference text, before it is a man page or markdown.
//!
//! In running text, `backticks` mark what is typed or printed as it stands.

/// A reference text.
#[derive(Clone, Debug)]
pub struct Document {
    /// Name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in one line.
    pub about: String,
    /// The rest, in order.
    pub blocks: Vec<Block>,
}

/// A part of a reference text.
#[derive(Clone, Debug)]
pub enum Block {
    /// Begins a section.
    Section(&'static str),
    /// Begins a part of a section.
    Subsection(String),
    /// How something is called.
    Usage(Vec<Piece>),
    /// A paragraph.
    Text(String),
    /// A term and what it means.
    Term(Vec<Piece>, String),
    /// Lines to be shown as they are.
    Literal(String),
}

/// A piece of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Typed or printed as it stands.
    Word(String),
    /// Stands for something else.
    Placeholder(String),
    /// What is between, such as a comma.
    Plain(String),
}

impl Piece {
    /// The piece without its role.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Word(text) | Self::Placeholder(text) | Self::Plain(text) => text,
        }
    }
}
