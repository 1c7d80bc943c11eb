//! JSON that is safe to print.

use std::borrow::Cow;
use std::fmt::Write;

use super::escape::is_unsafe;

/// `json` with every character that [`is_unsafe`] escaped as `\uNNNN`. In a
/// valid document such characters stand only in strings, so the value is the
/// same; those below U+0020 are escaped by every JSON writer already.
pub fn printable(json: &str) -> Cow<'_, str> {
    let needs = |c: char| c >= '\u{7f}' && is_unsafe(c);
    if !json.chars().any(needs) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if needs(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_the_same_and_nothing_unsafe_is_left() {
        let value = serde_json::json!({ "t": "a\u{202e}b\u{9b}c\u{e0041}d é" });
        let text = value.to_string();
        let safe = printable(&text);
        assert!(!safe.chars().any(is_unsafe), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
