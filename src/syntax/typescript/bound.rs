//! Whether `require` is a name of the file's own.
//!
//! Bundles carry the modules that they were made of, and each is a function
//! that is handed a `require`: what it asks for is inside of the bundle.

use memchr::memmem;

use crate::syntax::{Import, Kind};

/// Marks what a file may ask its own `require` for: it need not be there.
pub(super) fn mark(text: &str, imports: &mut [Import]) {
    // What calls load has no names.
    let mut calls = imports.iter_mut().filter(|i| i.kind == Kind::Static && i.names.is_empty()).peekable();
    if calls.peek().is_some() && has_own_require(text) {
        calls.for_each(|import| import.within = vec![super::READY.to_owned()]);
    }
}

/// Whether some function has a parameter of that name. `define(function
/// (require) { .. })` is another way to write a module: there it is the real
/// one.
fn has_own_require(text: &str) -> bool {
    memmem::find_iter(text.as_bytes(), "require").any(|at| {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + "require".len()..)) else {
            return false;
        };
        let before = &before[floor(before)..];
        let Some(head) = before.trim_end().strip_suffix('(') else { return false };
        if !after.trim_start().starts_with([',', ')']) {
            return false;
        }
        let head = head.trim_end();
        let name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let unnamed = head.strip_suffix("function").or_else(|| {
            let head = head.trim_end_matches(name);
            head.ends_with(char::is_whitespace).then(|| head.trim_end().strip_suffix("function")).flatten()
        });
        unnamed.is_some_and(|outside| !outside.trim_end().ends_with("define("))
    })
}

/// The last place at most 200 bytes before the end that a character begins at.
fn floor(text: &str) -> usize {
    let mut at = text.len().saturating_sub(200);
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_an_own_name() {
        let check = |text: &str, expected: bool| assert_eq!(has_own_require(text), expected, "{text}");
        check("{2:[function(require,module,exports){ require('./a') }]}", true);
        check("(function outer ( require ) { })", true);
        check("é".repeat(150).as_str(), false);
        check(&format!("{}function(require){{}}", "é".repeat(150)), true);
        check("define(function(require, exports) { require('./a') })", false);
        check("const a = require('./a'); call(require, 1); if (require) {}", false);
        check("function f(a = require('./a')) {}", false);
    }
}
