//! What else a specifier may mean.
//!
//! A loader ends at `!` for webpack, and to all others it is part of a name.
//! Node takes what an ES module imports for a URL: `?` and `#` end the path,
//! `\` is `/`, `%61` is `a`, and tabs and line ends are not there. To
//! `require` all of these are parts of a name.

/// The paths that a specifier means to some tool, beside what is written.
pub(super) fn others(specifier: &str) -> Vec<String> {
    if !specifier.contains(['!', '?', '#', '%', '\\', '\t', '\n', '\r']) {
        return Vec::new();
    }
    let url: String = specifier.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut others = vec![specifier.to_owned()];
    others.extend(decoded(&path.replace('\\', "/")));
    others.dedup();
    others
}

/// With bytes for what stands for them; none if that is no text.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specifier_is_read_as_each_tool_does() {
        for (specifier, expected) in [
            ("./a", &[][..]),
            ("./a!b/../c.js", &["./a!b/../c.js"]),
            ("./a.js?x/../b.js", &["./a.js?x/../b.js", "./a.js"]),
            ("./a.js#x", &["./a.js#x", "./a.js"]),
            ("./..\\%61/%2e%2e/b", &["./..\\%61/%2e%2e/b", "./../a/../b"]),
            ("./a\tb\r\n", &["./a\tb\r\n", "./ab"]),
            ("./100%", &["./100%"]),
            ("./%zz%f", &["./%zz%f"]),
            ("./%ff", &["./%ff"]),
        ] {
            assert_eq!(others(specifier), expected, "{specifier}");
        }
    }
}
