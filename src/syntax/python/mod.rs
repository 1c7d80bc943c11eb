//! Python: `import`, `from ... import`, and the calls that import.
//!
//! The specifier is the module as written, with its leading dots. Of
//! `from a import b` the names are `b`, which may be a module or something
//! inside of one: only who knows the files can tell.

mod blocks;
mod calls;
mod checking;
mod full;
mod grammar;
mod lexer;
mod scan;
mod setup;
mod source;
mod statements;
mod text;

use self::calls::Called;
use self::grammar::Named;
pub use self::setup::PackageFolders;
pub(super) use self::setup::package_folders as folders_of_setup;
use self::source::Source;
use tree_sitter::Tree;

use super::tree::parse;
use super::{Import, Kind, READY, Unreadable};

/// The imports of a file, from its slices where that is enough.
pub(super) fn imports(bytes: &[u8]) -> Result<Vec<Import>, Unreadable> {
    let source = source::read(bytes)?;
    match scan::scan(&source.text).as_ref().and_then(statements::read) {
        Some(found) => checked(&source, found),
        None => checked(&source, full::imports(&source.text)?),
    }
}

/// The imports of a file, by a parse of all of it.
pub(super) fn by_full_parse(bytes: &[u8]) -> Result<Vec<Import>, Unreadable> {
    let source = source::read(bytes)?;
    checked(&source, full::imports(&source.text)?)
}

/// What is read of a parse of all of it; none if it is no text.
pub(super) fn parsed<T>(bytes: &[u8], read: impl FnOnce(&Tree, &str) -> T) -> Option<T> {
    let source = source::read(bytes).ok()?;
    let tree = parse(&tree_sitter_python::LANGUAGE.into(), &source.text).ok()?;
    Some(read(&tree, &source.text))
}

/// A name outside of ASCII in an encoding that is not known to the letter may
/// be anything.
fn checked(source: &Source<'_>, found: Vec<Import>) -> Result<Vec<Import>, Unreadable> {
    let is_ascii =
        |import: &Import| import.specifier.is_ascii() && import.names.iter().all(|name| name.is_ascii());
    if source.is_exact || found.iter().all(is_ascii) { Ok(found) } else { Err(Unreadable::Binary) }
}

fn record(line: usize, named: Named, kind: Kind, is_optional: bool) -> Import {
    let within = if is_optional { vec![READY.to_owned()] } else { Vec::new() };
    Import { line, specifier: named.specifier, names: named.names, kind, exported: false, within }
}

fn call(line: usize, called: Called, is_optional: bool) -> Import {
    let mut import = record(line, called.named, called.kind, is_optional);
    import.within.extend(called.within.iter().map(|mark| (*mark).to_owned()));
    import.within.sort();
    import.within.dedup();
    import
}

#[cfg(test)]
mod tests;
