//! Violations that are known and may stay for now.
//!
//! A line for each, sorted: kind, from, to, with tabs between. Lines that
//! begin with `#` are comments. A baseline only ever shrinks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The first line of every baseline.
const HEAD: &str =
    "# Violations that were there before the rules. This list only shrinks: git comm boundary baseline\n";

/// What makes a violation the same one, wherever its line moves to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The file that it stands in.
    pub from: String,
    /// What it leads to.
    pub to: String,
    /// How the one needs the other.
    pub kind: String,
}

/// The known violations, each with the line that it is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Key, usize>,
}

/// A line that is no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Baseline {
    /// Reads the file.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut entries = BTreeMap::new();
        for (i, line) in text.split(|&b| b == b'\n').enumerate() {
            let fault = |what| Fault { line: i + 1, what };
            let line = std::str::from_utf8(line).map_err(|_| fault("it is not UTF-8"))?;
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = line.split('\t').collect();
            let [kind, from, to] = fields[..] else {
                return Err(fault("an entry is KIND, FROM and TO with tabs between"));
            };
            let (Some(from), Some(to)) = (unescaped(from), unescaped(to)) else {
                return Err(fault("after `\\` comes t, n, r or `\\`"));
            };
            entries.entry(Key { from, to, kind: kind.to_owned() }).or_insert(i + 1);
        }
        Ok(Self { entries })
    }

    /// The file with these entries.
    pub fn text<'k>(keys: impl IntoIterator<Item = &'k Key>) -> String {
        let mut lines: Vec<String> = keys
            .into_iter()
            .map(|key| format!("{}\t{}\t{}\n", escaped(&key.kind), escaped(&key.from), escaped(&key.to)))
            .collect();
        lines.sort();
        lines.dedup();
        let mut text = HEAD.to_owned();
        lines.iter().for_each(|line| text.push_str(line));
        text
    }

    /// The line of an entry.
    pub fn line_of(&self, key: &Key) -> Option<usize> {
        self.entries.get(key).copied()
    }

    /// All entries, each with its line.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, usize)> {
        self.entries.iter().map(|(key, line)| (key, *line))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => {
                let _ = out.write_char(c);
            }
        }
    }
    out
}

fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(match chars.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            }),
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(from: &str, to: &str) -> Key {
        Key { from: from.into(), to: to.into(), kind: "static".into() }
    }

    #[test]
    fn what_is_written_is_read_again_whatever_the_names() {
        let keys = [key("b", "c"), key("a b", "tab\there"), key("line\nfeed\\n", "# x"), key("b", "c")];
        let text = Baseline::text(&keys);
        let baseline = Baseline::parse(text.as_bytes()).unwrap();
        assert_eq!(baseline.len(), 3);
        for key in &keys {
            assert!(baseline.line_of(key).is_some(), "{key:?}\n{text}");
        }
        assert_eq!(baseline.line_of(&key("c", "b")), None);
        let again: Vec<&Key> = baseline.entries().map(|entry| entry.0).collect();
        assert_eq!(Baseline::text(again), text, "the order does not depend on that of the keys");
        assert!(text.lines().skip(1).is_sorted());
    }

    #[test]
    fn lines_may_end_as_windows_has_them_and_comments_are_skipped() {
        let baseline = Baseline::parse(b"\xef\xbb\xbf# x\r\n\r\nstatic\ta\tb\r\n").unwrap();
        assert_eq!(baseline.line_of(&key("a", "b")), Some(3));
    }

    #[test]
    fn what_is_no_entry_is_said_with_its_line() {
        for (text, line) in [(&b"# x\nstatic a b\n"[..], 2), (b"static\ta\\x\tb", 1), (b"\n\n\xff", 3)] {
            assert_eq!(Baseline::parse(text).unwrap_err().line, line);
        }
    }
}
