//! The tokens that hide others: comments, strings, templates, regexes.
//!
//! Each function takes where something begins and says where it ends. All of
//! them go forward once.

use memchr::{memchr, memchr2, memchr3, memmem};

/// Whether a byte is part of a name. What is beyond ASCII is, unless
/// [`blank_here`] says otherwise.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// How long the blank is that stands here, in bytes; 0 for none.
pub(super) fn blank_here(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) => 1,
        Some(0xc2) if bytes.get(at + 1) == Some(&0xa0) => 2,
        Some(0xe1..=0xef) => {
            let Some(Ok(text)) = bytes.get(at..at + 3).map(std::str::from_utf8) else { return 0 };
            let is_blank = text.chars().all(|c| c.is_whitespace() || c == '\u{feff}');
            if is_blank { 3 } else { 0 }
        }
        _ => 0,
    }
}

/// Where the blanks and comments end that stand here; none if a comment does
/// not end.
pub(super) fn skip(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let len = blank_here(bytes, at);
        if len > 0 {
            at += len;
            continue;
        }
        match bytes.get(at..at + 2) {
            Some(b"//") => at = line_comment(bytes, at),
            Some(b"/*") => at = block_comment(bytes, at)?,
            _ => return Some(at),
        }
    }
}

/// Where a `//` comment ends: before what ends its line.
pub(super) fn line_comment(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let rest = rest.get(..memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())).unwrap_or_default();
    // U+2028 and U+2029 end lines as well.
    let separator =
        memmem::find_iter(rest, b"\xe2\x80").find(|&s| matches!(rest.get(s + 2), Some(0xa8 | 0xa9)));
    at + separator.unwrap_or(rest.len())
}

/// Where a `/*` comment ends.
pub(super) fn block_comment(bytes: &[u8], at: usize) -> Option<usize> {
    memmem::find(bytes.get(at + 2..)?, b"*/").map(|end| at + 2 + end + 2)
}

/// Where the string ends that begins with the quote here.
pub(super) fn string(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = *bytes.get(at)?;
    let mut end = at + 1;
    loop {
        end += memchr3(quote, b'\\', b'\n', bytes.get(end..)?)?;
        match bytes.get(end)? {
            b'\\' if bytes.get(end + 1) == Some(&b'\r') && bytes.get(end + 2) == Some(&b'\n') => end += 3,
            b'\\' => end += 2,
            b'\n' => return None,
            _ => return Some(end + 1),
        }
    }
}

/// What ends a piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The template itself ends.
    Last,
    /// `${`: an expression follows.
    Expression,
}

/// Where the piece of a template ends that begins here, behind its delimiter.
pub(super) fn template(bytes: &[u8], mut at: usize) -> Option<(usize, Piece)> {
    loop {
        at += memchr3(b'`', b'\\', b'$', bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'`' => return Some((at + 1, Piece::Last)),
            _ if bytes.get(at + 1) == Some(&b'{') => return Some((at + 2, Piece::Expression)),
            _ => at += 1,
        }
    }
}

/// Where a string or a template without expressions ends.
pub(super) fn literal(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' | b'\'' => string(bytes, at),
        b'`' => template(bytes, at + 1).filter(|(_, piece)| *piece == Piece::Last).map(|(end, _)| end),
        _ => None,
    }
}

/// Where the regex ends that begins with the slash here, without its flags.
pub(super) fn regex(bytes: &[u8], at: usize) -> Option<usize> {
    let mut in_class = false;
    let mut end = at + 1;
    loop {
        match bytes.get(end)? {
            b'\n' | b'\r' => return None,
            b'\\' => {
                if matches!(bytes.get(end + 1)?, b'\n' | b'\r') {
                    return None;
                }
                end += 1;
            }
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => return Some(end + 1),
            _ => {}
        }
        end += 1;
    }
}

/// Whether a line ends in this text.
pub(super) fn breaks_line(bytes: &[u8]) -> bool {
    memchr2(b'\n', b'\r', bytes).is_some()
        || memmem::find_iter(bytes, b"\xe2\x80").any(|at| matches!(bytes.get(at + 2), Some(0xa8 | 0xa9)))
}

/// Whether it matters for what follows if this is a regex or a division: it
/// opens or closes something, or imports.
pub(super) fn hides(bytes: &[u8], at: usize, end: usize) -> bool {
    let regex = bytes.get(at..end).unwrap_or_default();
    let next = bytes.get(end).copied().unwrap_or_default();
    regex.iter().any(|b| b"'\"`()[]{}<\\".contains(b))
        || memmem::find(regex, b"/*").is_some()
        || memmem::find(regex, b"//").is_some()
        || matches!(next, b'/' | b'*')
        || may_import(regex, next)
}

/// Where the name ends that begins here; `at` itself if none does.
pub(super) fn word(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(&byte) = bytes.get(end) {
        if !is_name(byte) || (byte >= 0x80 && blank_here(bytes, end) > 0) {
            break;
        }
        end += 1;
    }
    end
}

/// Where the brackets end that begin here, if that is within `limit` bytes.
/// Strings within count as text.
pub(super) fn brackets(bytes: &[u8], at: usize, limit: usize) -> Option<usize> {
    let end = bytes.len().min(at.saturating_add(limit));
    let (mut depth, mut here) = (0usize, at);
    while here < end {
        match bytes.get(here)? {
            b'"' | b'\'' => here = string(bytes, here)? - 1,
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            // Of an arrow.
            b'>' if here > at && bytes.get(here - 1) == Some(&b'=') => {}
            b')' | b']' | b'}' | b'>' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(here + 1);
                }
            }
            _ => {}
        }
        here += 1;
    }
    None
}

/// Whether a text that was skipped on a guess could import something if it were
/// code. `next` is the byte behind it.
pub(super) fn may_import(bytes: &[u8], next: u8) -> bool {
    // Each word has a letter that is rare in text.
    const WORDS: [(u8, &[u8]); 5] =
        [(b'm', b"import"), (b'q', b"require"), (b'x', b"export"), (b'k', b"mock"), (b'U', b"URL")];
    bytes.len() >= 4
        && WORDS.iter().any(|(letter, word)| {
            memchr(*letter, bytes).is_some()
                && memmem::find_iter(bytes, word).any(|at| {
                    let begins = at == 0 || !is_name(bytes[at - 1]);
                    begins && goes_on(bytes.get(at + word.len()..).unwrap_or_default(), next)
                })
        })
}

/// Whether what follows such a word goes on as code does.
pub(super) fn goes_on(rest: &[u8], next: u8) -> bool {
    let mut blank = 0;
    while let len @ 1.. = blank_here(rest, blank) {
        blank += len;
    }
    let has_quote = || memchr3(b'"', b'\'', b'`', rest).is_some();
    match rest.get(blank) {
        None => matches!(next, b'{' | b'<'),
        Some(b'"' | b'\'' | b'`' | b'(' | b'{' | b'*' | b'.' | b'<') => true,
        // `require?.(`, `require!(`
        Some(b'?') => rest.get(blank + 1) == Some(&b'.'),
        Some(b'!') => rest.get(blank + 1) == Some(&b'('),
        // Of a comment.
        Some(b'/') => matches!(rest.get(blank + 1).copied().unwrap_or(next), b'/' | b'*'),
        Some(&byte) => blank > 0 && is_name(byte) && has_quote(),
    }
}
