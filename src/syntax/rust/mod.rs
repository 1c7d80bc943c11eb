//! Rust: `use`, paths in code, `mod`, `extern crate`, `include!`.
//!
//! The specifier is a path, `crate::a::b`, up to its first generic arguments;
//! of a module in another file its name, or with `#[path]` a file name in
//! quotes, as of an included file. `$CARGO_MANIFEST_DIR` in it stands for the
//! folder of the package. Names that are imported by one tree of `use` are
//! imports of their own.
//!
//! The names of an import are
//! - of `use`: `*` for a glob, `as b` for what is called `b` here, else the
//!   last part of the path; of a path in code there are none;
//! - of `extern crate`: `crate as b`, which calls it so in the whole crate;
//! - of a part: `as b` for the module `b` in the file that is named, `*` for
//!   a file whose code stands here (`include!`), `?` for a module that no
//!   usual build may look for, so that its file need not be there.
//!
//! `within` are the modules around, each with the folder that `#[path]` gives
//! it: `a "folder"`. `{1}` is a block with imports of its own.

mod assemble;
mod found;
mod full;
mod items;
mod lexer;
mod node;
mod scan;
mod slices;

use super::{Import, Unreadable};

/// What is read of a file is at most so many times larger than the file.
const FACTOR: usize = 64;

fn budget(text: &str) -> usize {
    (text.len() * FACTOR).max(1 << 20)
}

/// The imports of a file: what a scan finds is parsed, and nothing else. What
/// the scan does not understand is parsed as a whole.
pub(super) fn imports(text: &str) -> Result<Vec<Import>, Unreadable> {
    match slices::imports(text) {
        Some(imports) => imports,
        None => full::imports(text),
    }
}

/// The imports of a file by a parse of all of it.
pub(super) fn by_full_parse(text: &str) -> Result<Vec<Import>, Unreadable> {
    full::imports(text)
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
