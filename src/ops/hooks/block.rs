//! A marked block of lines in a file that is somebody else's.
//!
//! The first line names the block and carries what is needed to take it out
//! again without a trace, and a hash that tells whether it was edited. Works
//! on bytes: what surrounds the block is never decoded.

use crate::text::digest;

/// A line feed was added before the block, because the file had no final one.
pub(super) const GLUE: &str = "glue";
/// The file was made for the block.
pub(super) const NEW: &str = "new";
/// So many folders were made for the file.
const FOLDERS: &str = "folders=";

/// A block that was found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Offset behind its last byte.
    pub(super) end: usize,
    /// What its first line says about how it came in.
    pub(super) attributes: Vec<String>,
    /// Its lines.
    pub(super) body: String,
    /// Whether it is as it was written.
    pub(super) intact: bool,
}

/// Why a block cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoEnd;

impl Block {
    /// How many folders were made for the file.
    pub(super) fn folders(&self) -> usize {
        let told = self.attributes.iter().find_map(|a| a.strip_prefix(FOLDERS));
        told.and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    /// Whether its first line says so.
    pub(super) fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a == attribute)
    }
}

/// The attribute that notes how many folders were made for the file.
pub(super) fn folders(count: usize) -> String {
    format!("{FOLDERS}{count}")
}

/// The text of a block.
pub(super) fn render(name: &str, attributes: &[&str], body: &str) -> String {
    let mut told = String::new();
    for attribute in attributes {
        told.push_str(attribute);
        told.push(' ');
    }
    let hash = hash(attributes.iter().copied(), body);
    format!("# >>> git-comm {name} {told}{hash} >>>\n{body}# <<< git-comm {name} <<<\n")
}

fn hash<'a>(attributes: impl Iterator<Item = &'a str>, body: &str) -> String {
    let mut parts: Vec<&str> = attributes.collect();
    parts.push(body);
    let mut hash = digest::digest(&parts);
    hash.truncate(16);
    hash
}

/// The block of this name, wherever it is.
pub(super) fn find(text: &[u8], name: &str) -> Result<Option<Block>, NoEnd> {
    let (begin, last) = (format!("# >>> git-comm {name} "), format!("# <<< git-comm {name} <<<"));
    let mut open: Option<Block> = None;
    let mut at = 0;
    for line in text.split_inclusive(|&b| b == b'\n') {
        let start = at;
        at += line.len();
        // Another program may have changed the ends of lines.
        let plain = String::from_utf8_lossy(line);
        let plain = plain.trim_end_matches(['\r', '\n']);
        match &mut open {
            None => {
                let Some(told) = plain.strip_prefix(&begin).and_then(|l| l.strip_suffix(" >>>")) else {
                    continue;
                };
                let attributes = told.split(' ').map(str::to_owned).collect();
                open = Some(Block { start, end: at, attributes, body: String::new(), intact: false });
            }
            Some(block) if plain == last => {
                let noted = block.attributes.pop().unwrap_or_default();
                block.intact = noted == hash(block.attributes.iter().map(String::as_str), &block.body);
                block.end = at;
                return Ok(open);
            }
            Some(block) => {
                block.body.push_str(plain);
                block.body.push('\n');
            }
        }
    }
    if open.is_some() { Err(NoEnd) } else { Ok(None) }
}

/// The text with a block put in at `offset`, which is the start of a line or
/// the end of the text.
pub(super) fn insert(text: &[u8], offset: usize, name: &str, attributes: &[&str], body: &str) -> Vec<u8> {
    let (before, after) = text.split_at(offset.min(text.len()));
    let needs_line = before.last().is_some_and(|&b| b != b'\n');
    let mut attributes = attributes.to_vec();
    let mut out = before.to_vec();
    if needs_line {
        attributes.push(GLUE);
        out.push(b'\n');
    }
    out.extend_from_slice(render(name, &attributes, body).as_bytes());
    out.extend_from_slice(after);
    out
}

/// The text without the block.
pub(super) fn strip(text: &[u8], block: &Block) -> Vec<u8> {
    let mut out = text[..block.start].to_vec();
    // Whatever was appended since needs its line feed.
    if block.has(GLUE) && block.end == text.len() && out.last() == Some(&b'\n') {
        out.pop();
    }
    out.extend_from_slice(&text[block.end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_block_that_was_edited_is_told_from_one_that_was_not() {
        let text = insert(b"#!/bin/sh\necho\n", 10, "x", &[NEW], "a\nb\n");
        let block = find(&text, "x").unwrap().unwrap();
        assert!(block.intact && block.has(NEW) && !block.has(GLUE));
        assert_eq!(block.body, "a\nb\n");
        let text = String::from_utf8(text).unwrap();
        assert!(!find(text.replace("a\n", "c\n").as_bytes(), "x").unwrap().unwrap().intact);
        assert!(find(text.replace('\n', "\r\n").as_bytes(), "x").unwrap().unwrap().intact);
        assert_eq!(find(text.as_bytes(), "y"), Ok(None));
        assert_eq!(find(text.replace("# <<<", "# <").as_bytes(), "x"), Err(NoEnd));
    }

    #[test]
    fn a_line_feed_that_was_added_stays_once_something_follows() {
        let mut text = insert(b"[a]", 3, "x", &[], "b\n");
        text.extend(b"[c]\n");
        let block = find(&text, "x").unwrap().unwrap();
        assert_eq!(strip(&text, &block), b"[a]\n[c]\n");
    }

    proptest! {
        #[test]
        fn what_went_in_comes_out_without_a_trace(text in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..200) {
            let starts: Vec<usize> = std::iter::once(0)
                .chain(text.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1))
                .chain([text.len()])
                .collect();
            let offset = starts[at % starts.len()];
            let with = insert(&text, offset, "x", &[], "a\n");
            let block = find(&with, "x").unwrap().unwrap();
            prop_assert!(block.intact);
            prop_assert_eq!(strip(&with, &block), text);
        }
    }
}
