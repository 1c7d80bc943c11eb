//! JSON as `tsconfig.json` has it: with comments and commas before closing
//! brackets.

use serde_json::Value;

/// Reads a text; the error says the line and what is wrong.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, (usize, String)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    strict(&plain(bytes))
}

/// Reads a text without comments.
pub(super) fn strict(bytes: &[u8]) -> Result<Value, (usize, String)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        (error.line(), what.to_owned())
    })
}

/// The same without comments and such commas, each line where it was.
fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut plain = bytes.to_vec();
    // A comma that nothing but blanks and comments has followed.
    let mut comma = None;
    let (mut at, mut last) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'"' => string_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                memchr::memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |len| at + len)
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |len| at + len + 4)
            }
            _ => at + 1,
        };
        match byte {
            b'/' if end > at + 1 => {
                for byte in plain[at..end].iter_mut().filter(|byte| **byte != b'\n') {
                    *byte = b' ';
                }
            }
            // It must follow a value.
            b',' => comma = (!matches!(last, b'[' | b'{' | b',')).then_some(at),
            b'}' | b']' => {
                if let Some(comma) = comma.take() {
                    plain[comma] = b' ';
                }
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => comma = None,
        }
        if !(byte.is_ascii_whitespace() || byte == b'/') {
            last = byte;
        }
        at = end;
    }
    plain
}

/// Where the string ends that begins here.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(len) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += len;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_commas_are_left_out() {
        let text = b"\xef\xbb\xbf{ // a\n \"b//\": [1, /* , */ 2, ], /* c\n */ \"d\": \"\\\"/*\", }";
        assert_eq!(parse(text).unwrap().to_string(), r#"{"b//":[1,2],"d":"\"/*"}"#);
        assert_eq!(parse(b" \n").unwrap().to_string(), "{}");
    }

    #[test]
    fn what_is_no_json_is_said_with_its_line() {
        for (text, line) in
            [("{\n\"a\": }", 2), ("{ \"a\": 1,\n\n, }", 3), ("/* x", 1), ("{\"a", 1), ("[,]", 1)]
        {
            assert_eq!(parse(text.as_bytes()).map_err(|(line, _)| line), Err(line), "{text}");
        }
    }
}
