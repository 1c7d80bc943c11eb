//! The text of a Python source: its encoding, its ends of lines.
//!
//! As the reference has it: UTF-8 unless a comment on one of the first two
//! lines names another encoding (PEP 263). An encoding in which bytes below
//! 128 may mean something else than in ASCII is refused, because code could
//! hide in it.

use std::borrow::Cow;

use super::super::Unreadable;

/// A source as text.
pub(super) struct Source<'s> {
    /// Its lines end in `\n` or `\r\n`.
    pub(super) text: Cow<'s, str>,
    /// Whether every character is what was meant. Else those outside of ASCII
    /// only stand for something.
    pub(super) is_exact: bool,
}

/// Reads the bytes of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Source<'_>, Unreadable> {
    let (bytes, has_mark) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    if memchr::memchr(0, bytes).is_some() {
        return Err(Unreadable::Binary);
    }
    let encoding = if has_mark { Encoding::Utf8 } else { declared(bytes).ok_or(Unreadable::Binary)? };
    let (text, is_exact) = match encoding {
        Encoding::Utf8 => (Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| Unreadable::Binary)?), true),
        Encoding::Latin1 => (Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()), true),
        Encoding::Bytes => (Cow::Owned(placeholders(bytes, |_| false)), false),
        Encoding::Pairs => (Cow::Owned(placeholders(bytes, |byte| byte > 0x80)), false),
        Encoding::ShiftJis => {
            (Cow::Owned(placeholders(bytes, |byte| matches!(byte, 0x81..=0x9f | 0xe0..=0xfc))), false)
        }
    };
    Ok(Source { text: with_newlines(text), is_exact })
}

/// How bytes become characters, as far as imports need to know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// Each byte is the character of that number.
    Latin1,
    /// One byte each, ASCII below 128.
    Bytes,
    /// A byte of 128 or more takes the next one with it.
    Pairs,
    /// As `Pairs`, but some bytes stand alone.
    ShiftJis,
}

/// The encoding that the file declares; none if it is one that is not read.
fn declared(bytes: &[u8]) -> Option<Encoding> {
    let mut rest = bytes;
    for _ in 0..2 {
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let code = line.trim_ascii_start();
        if let Some(comment) = code.strip_prefix(b"#") {
            if let Some(name) = cookie(comment) {
                return named(&name);
            }
        } else if !code.is_empty() && code != b"\x0c" {
            // Only a comment may stand before the one that counts.
            break;
        }
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
    }
    Some(Encoding::Utf8)
}

/// The name in `coding: NAME` or `coding=NAME`.
fn cookie(comment: &[u8]) -> Option<String> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    memchr::memmem::find_iter(comment, b"coding").find_map(|at| {
        let rest = comment.get(at + 6..)?;
        let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"="))?;
        let name: Vec<u8> = rest.trim_ascii_start().iter().copied().take_while(is_name).collect();
        (!name.is_empty())
            .then(|| String::from_utf8_lossy(&name).to_ascii_lowercase().replace(['_', '.'], "-"))
    })
}

fn named(name: &str) -> Option<Encoding> {
    // Editors say where lines end in the same word.
    let name = ["-unix", "-dos", "-mac"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let is_one_of = |families: &[&str]| families.iter().any(|family| name.starts_with(family));
    Some(match name {
        "utf-8" | "utf8" | "u8" | "utf" | "utf-8-sig" | "cp65001" | "ascii" | "us-ascii" | "646" => {
            Encoding::Utf8
        }
        "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "iso-latin-1" | "8859"
        | "cp819" => Encoding::Latin1,
        "gbk" | "gb2312" | "gb18030" | "cp936" | "936" | "ms936" | "big5" | "cp950" | "big5hkscs"
        | "cp949" | "uhc" | "johab" => Encoding::Pairs,
        "shift-jis" | "shiftjis" | "sjis" | "s-jis" | "cp932" | "ms932" | "mskanji" | "ms-kanji" => {
            Encoding::ShiftJis
        }
        _ if name == "cp037" || name.starts_with("cp500") => return None,
        _ if is_one_of(&[
            "iso-8859-",
            "iso8859-",
            "latin-",
            "latin",
            "koi8",
            "mac-",
            "euc",
            "windows-125",
            "cp125",
        ]) =>
        {
            Encoding::Bytes
        }
        "cp437" | "cp850" | "cp852" | "cp855" | "cp866" | "tis-620" | "kz1048" | "ptcp154" => Encoding::Bytes,
        _ => return None,
    })
}

/// ASCII as it is, one character for each other one.
fn placeholders(bytes: &[u8], leads: impl Fn(u8) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte.is_ascii() {
            text.push(char::from(byte));
            continue;
        }
        // A line ends whatever stands before it.
        if leads(byte) && !matches!(bytes.get(at), None | Some(b'\n' | b'\r')) {
            at += 1;
        }
        text.push('\u{e9}');
    }
    text
}

/// With `\n` for each `\r` that stands alone, which ends a line too.
fn with_newlines(text: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let is_alone = |at: usize| bytes.get(at + 1) != Some(&b'\n');
    if !memchr::memchr_iter(b'\r', bytes).any(is_alone) {
        return text;
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}
