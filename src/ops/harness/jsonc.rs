//! Where things are in a JSON text, comments and trailing commas allowed.
//!
//! For editing a text in place: every value knows its bytes, and what lies
//! between them stays as it is.

/// Deepest nesting that is followed.
const DEPTH: usize = 100;

/// A value and where it is.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Kind {
    Object(Vec<Item>),
    Array(Vec<Item>),
    Text(String),
    /// A number or literal.
    Other,
}

/// An element of an array or a member of an object.
#[derive(Debug)]
pub(super) struct Item {
    /// Its name in an object; empty in an array.
    pub(super) key: String,
    /// Where it starts: with its key, if it has one.
    pub(super) start: usize,
    pub(super) value: Node,
    /// Where the comma behind it is.
    pub(super) comma: Option<usize>,
}

impl Node {
    pub(super) fn items(&self) -> &[Item] {
        match &self.kind {
            Kind::Object(items) | Kind::Array(items) => items,
            _ => &[],
        }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    pub(super) fn is_array(&self) -> bool {
        matches!(self.kind, Kind::Array(_))
    }

    /// The members of this name; JSON leaves open what several mean.
    pub(super) fn named<'n>(&'n self, key: &'n str) -> impl Iterator<Item = &'n Item> {
        self.items().iter().filter(move |item| self.is_object() && item.key == key)
    }

    /// The text of the first member of this name.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let first = self.items().iter().find(|item| self.is_object() && item.key == key)?;
        match &first.value.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a text; the error says what is wrong and in which line.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader { text, at: 0 };
    if text.starts_with('\u{feff}') {
        reader.at = 3;
    }
    let read = reader.blank().and_then(|()| reader.value(0)).and_then(|node| {
        reader.blank()?;
        if reader.at < text.len() { Err("more follows after the value") } else { Ok(node) }
    });
    read.map_err(|what| {
        let line = text.as_bytes().iter().take(reader.at).filter(|&&b| b == b'\n').count() + 1;
        format!("line {line}: {what}")
    })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes over blanks and comments.
    fn blank(&mut self) -> Read<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'/') if self.rest().starts_with("//") => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                Some(b'/') if self.rest().starts_with("/*") => {
                    self.at += self.rest().find("*/").ok_or("a comment does not end")? + 2;
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Read<Node> {
        if depth > DEPTH {
            return Err("it is nested too deeply");
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object(self.items(b'}', depth)?),
            Some(b'[') => Kind::Array(self.items(b']', depth)?),
            Some(b'"') => Kind::Text(self.string()?),
            _ => {
                let word = self.rest();
                let len = word
                    .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '+' | '.'))
                    .unwrap_or(word.len());
                serde_json::from_str::<serde_json::Value>(&word[..len]).map_err(|_| "a value is expected")?;
                self.at += len;
                Kind::Other
            }
        };
        Ok(Node { start, end: self.at, kind })
    }

    fn items(&mut self, close: u8, depth: usize) -> Read<Vec<Item>> {
        self.at += 1;
        let mut items: Vec<Item> = Vec::new();
        loop {
            self.blank()?;
            if self.peek() == Some(close) {
                self.at += 1;
                return Ok(items);
            }
            if items.last().is_some_and(|last| last.comma.is_none()) {
                return Err("a comma or the end is expected");
            }
            let start = self.at;
            let mut key = String::new();
            if close == b'}' {
                key = self.string()?;
                self.blank()?;
                if self.peek() != Some(b':') {
                    return Err("a colon is expected");
                }
                self.at += 1;
                self.blank()?;
            }
            let value = self.value(depth + 1)?;
            self.blank()?;
            let comma = (self.peek() == Some(b',')).then_some(self.at);
            self.at += usize::from(comma.is_some());
            items.push(Item { key, start, value, comma });
        }
    }

    fn string(&mut self) -> Read<String> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err("a name in quotes is expected");
        }
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => {
                    let text = self.text.get(start..self.at).unwrap_or_default();
                    return serde_json::from_str(text).map_err(|_| "a text is not well formed");
                }
                _ => {}
            }
        }
        Err("a text does not end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_the_text() {
        let text = "\u{feff}// c\n{ \"a\" : [1, /* x */ -2e3,], \"b\\\"\": {\"é\": null} } // end";
        let root = parse(text).unwrap();
        let keys: Vec<&str> = root.items().iter().map(|i| i.key.as_str()).collect();
        assert_eq!(keys, ["a", "b\""]);
        let a = &root.items()[0].value;
        assert_eq!(&text[a.start..a.end], "[1, /* x */ -2e3,]");
        assert!(a.items()[1].comma.is_some());
        assert_eq!(&text[root.items()[1].start..root.items()[1].value.end], "\"b\\\"\": {\"é\": null}");
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_line() {
        for (text, expected) in [
            ("", "line 1: a value is expected"),
            ("{\n\"a\"\n}", "line 3: a colon is expected"),
            ("[1\n2]", "line 2: a comma or the end is expected"),
            ("{} x", "line 1: more follows after the value"),
            ("[,]", "line 1: a value is expected"),
            ("{\"a\": tru}", "line 1: a value is expected"),
            ("{a: 1}", "line 1: a name in quotes is expected"),
            ("\"a", "line 1: a text does not end"),
            ("/* x", "line 1: a comment does not end"),
            ("\"\\x\"", "line 1: a text is not well formed"),
            ("[", "line 1: a value is expected"),
            ("\"\\", "line 1: a text does not end"),
            ("01", "line 1: a value is expected"),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected, "{text:?}");
        }
        assert!(parse(&"[".repeat(100_000)).unwrap_err().contains("too deeply"));
    }
}
