//! The two shapes of a commit: read from a repository, and to be written.

use super::{GitError, Oid};

/// A commit as it is read. Signatures and other headers are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Its tree.
    pub tree: Oid,
    /// Its parents, in their order.
    pub parents: Vec<Oid>,
    /// Name of the author.
    pub author_name: &'a [u8],
    /// Seconds since the epoch at which it was authored.
    pub time: i64,
    /// Everything after the headers, as it is.
    pub message: &'a [u8],
}

/// A commit to be written. Author and committer are the same, in UTC.
#[derive(Clone, Copy, Debug)]
pub struct CommitDraft<'a> {
    /// Parents, in this order.
    pub parents: &'a [Oid],
    /// Characters that cannot stand in a commit header are dropped.
    pub author_name: &'a str,
    /// As `author_name`.
    pub author_email: &'a str,
    /// Seconds since the epoch.
    pub seconds: i64,
    /// The message; must not hold NUL.
    pub message: &'a str,
    /// Name and content of the files of its flat tree; none is the empty tree.
    pub files: &'a [(&'a str, &'a [u8])],
}

impl<'a> Commit<'a> {
    /// Reads the raw content of a commit object of ids with `hex_len` digits.
    pub(super) fn parse(raw: &'a [u8], hex_len: usize) -> Result<Self, &'static str> {
        let (mut line, mut rest) = split_line(raw).ok_or("it has no headers")?;
        let hex = line.strip_prefix(b"tree ").ok_or("its first header is not `tree`")?;
        let tree = oid(hex, hex_len).ok_or("its tree is no object id")?;
        let mut parents = Vec::new();
        let mut author = None;
        loop {
            (line, rest) = split_line(rest).ok_or("its headers do not end")?;
            if line.is_empty() {
                break;
            }
            if author.is_some() {
                continue;
            }
            if let Some(hex) = line.strip_prefix(b"parent ") {
                parents.push(oid(hex, hex_len).ok_or("a parent is no object id")?);
            } else if let Some(value) = line.strip_prefix(b"author ") {
                author = Some(signature(value).ok_or("its author is malformed")?);
            } else {
                return Err("a header before its author is unknown");
            }
        }
        let (author_name, time) = author.ok_or("it has no author")?;
        Ok(Self { tree, parents, author_name, time, message: rest })
    }
}

impl CommitDraft<'_> {
    /// The raw content of the commit object.
    pub(super) fn encode(&self, tree: Oid) -> Result<Vec<u8>, GitError> {
        if self.message.contains('\0') {
            return Err(GitError::InvalidDraft { reason: "its message holds a NUL byte".to_owned() });
        }
        let who = format!(
            "{} <{}> {} +0000",
            clean(self.author_name),
            clean(self.author_email),
            self.seconds.max(0)
        );
        let mut raw = format!("tree {tree}\n");
        for parent in self.parents {
            raw.push_str(&format!("parent {parent}\n"));
        }
        raw.push_str(&format!("author {who}\ncommitter {who}\n\n{}", self.message));
        Ok(raw.into_bytes())
    }
}

/// The raw content of a flat tree of regular files.
pub(super) fn encode_tree(files: &[(&str, Oid)]) -> Result<Vec<u8>, GitError> {
    let mut files = files.to_vec();
    files.sort_unstable();
    if files.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(GitError::InvalidDraft { reason: "two files have the same name".to_owned() });
    }
    let mut raw = Vec::new();
    for (name, oid) in files {
        if name.is_empty()
            || matches!(name, "." | "..")
            || name.eq_ignore_ascii_case(".git")
            || name.bytes().any(|b| b == b'/' || b == 0)
        {
            return Err(GitError::InvalidDraft { reason: "a file has a name that git refuses".to_owned() });
        }
        raw.extend_from_slice(b"100644 ");
        raw.extend_from_slice(name.as_bytes());
        raw.push(0);
        raw.extend_from_slice(oid.as_bytes());
    }
    Ok(raw)
}

fn split_line(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = raw.iter().position(|&b| b == b'\n')?;
    Some((&raw[..end], &raw[end + 1..]))
}

fn oid(hex: &[u8], hex_len: usize) -> Option<Oid> {
    if hex.len() == hex_len { Oid::from_hex(hex) } else { None }
}

/// Name and time of `NAME <EMAIL> SECONDS ZONE`.
fn signature(value: &[u8]) -> Option<(&[u8], i64)> {
    let open = value.iter().position(|&b| b == b'<')?;
    let close = value.iter().rposition(|&b| b == b'>')?;
    let name = value[..open].trim_ascii();
    let rest = std::str::from_utf8(value.get(close + 1..)?).ok()?;
    let seconds = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some((name, seconds))
}

/// Drops what would end or forge a header, as git does.
fn clean(text: &str) -> String {
    let kept: String = text.chars().filter(|&c| !matches!(c, '<' | '>' | '\n' | '\0')).collect();
    let crud = |c: char| c <= ' ' || matches!(c, '.' | ',' | ':' | ';' | '"' | '\\' | '\'');
    let kept = kept.trim_matches(crud);
    if kept.is_empty() { "unknown".to_owned() } else { kept.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn what_is_encoded_is_read_again() {
        let tree: Oid = TREE.parse().unwrap();
        let draft = CommitDraft {
            parents: &[tree, tree],
            author_name: "a <b>\nc.",
            author_email: "",
            seconds: 7,
            message: "claim x\n\n{}",
            files: &[],
        };
        let raw = draft.encode(tree).unwrap();
        let commit = Commit::parse(&raw, 40).unwrap();
        assert_eq!(commit.parents, [tree, tree]);
        assert_eq!((commit.author_name, commit.time), (&b"a bc"[..], 7));
        assert_eq!(commit.message, b"claim x\n\n{}");
        assert!(CommitDraft { message: "a\0b", ..draft }.encode(tree).is_err());
    }

    #[test]
    fn malformed_commits_are_named_not_accepted() {
        let author = "author a <b> 1 +0000\n";
        for raw in [
            String::new(),
            "tree 4b825d\n\n".to_owned(),
            format!("tree {TREE}"),
            format!("tree {TREE}\n\n"),
            format!("tree {TREE}\nparent x\n{author}\n"),
            format!("tree {TREE}\nauthor a <b> x +0000\n\n"),
            format!("tree {TREE}\nauthor >< 1 +0000\nx"),
            format!("tree {TREE}\nmergetag\n{author}\n"),
            format!("tree {TREE}\n{author}"),
        ] {
            assert!(Commit::parse(raw.as_bytes(), 40).is_err(), "{raw:?}");
        }
        let raw = format!("tree {TREE}\nauthor > <b> 1\ngpgsig x\n y\n\nm");
        assert_eq!(Commit::parse(raw.as_bytes(), 40).unwrap().message, b"m");
    }

    #[test]
    fn trees_refuse_names_that_git_refuses() {
        let oid: Oid = TREE.parse().unwrap();
        for name in ["", ".", "..", ".GIT", "a/b", "a\0"] {
            assert!(encode_tree(&[(name, oid)]).is_err(), "{name:?}");
        }
        assert!(encode_tree(&[("a", oid), ("a", oid)]).is_err());
    }
}
