//! Reads Rust just well enough to see what a file imports and calls.

use std::collections::BTreeSet;

/// The code of a file: comments and the content of literals are blanked, and
/// what is only compiled for tests is left out.
pub(crate) fn code(text: &str) -> String {
    let mut code = blanked(text);
    while let Some(start) = code.find("#[cfg(test)]") {
        let end = item_end(&code, start + "#[cfg(test)]".len());
        code.replace_range(start..end, &blank(&code[start..end]));
    }
    code
}

/// Names of the modules that are files only compiled for tests.
pub(crate) fn test_modules(text: &str) -> BTreeSet<String> {
    let code = blanked(text);
    let after = code.split("#[cfg(test)]").skip(1);
    let named = after.filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split_once(';'));
    named.map(|(name, _)| name.to_owned()).filter(|name| !name.contains('{')).collect()
}

/// Blanks everything but line feeds.
fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
}

/// Where the item that begins after `from` ends: at its `;`, or at the brace
/// that closes its first one.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0;
    for (i, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b';' if depth == 0 => return i + 1,
            b'{' => depth += 1,
            b'}' if depth == 1 => return i + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Comments and the content of string and character literals are blanked.
fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = out.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let taken = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            'r' if !word && raw_string(rest).is_some() => raw_string(rest).unwrap(),
            '\'' => character(rest).unwrap_or(1),
            _ => 0,
        };
        if taken > 1 {
            out.push_str(&blank(&rest[..taken]));
            rest = &rest[taken..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut i = 0;
    while i < text.len() {
        match &text.as_bytes()[i..text.len().min(i + 2)] {
            b"/*" => (depth, i) = (depth + 1, i + 2),
            b"*/" => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].bytes().take_while(|&b| b == b'#').count();
    let body = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(2 + hashes + body.find(&end)? + end.len())
}

/// Length of a character literal; none for a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        let end = chars.skip(1).find(|(_, c)| *c == '\'')?;
        return Some(end.0 + 1);
    }
    let (i, next) = chars.next()?;
    (next == '\'').then_some(i + 1)
}

/// Every path in `code`, of a file that is the module `module`: those of
/// `use` items with their groups spread out, and those written in place.
/// Paths from `crate`, `self` and `super` begin with `crate`.
pub(crate) fn paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    // The inline modules that are open, and the depth at which each ends.
    let (mut inner, mut depth): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
    let mut i = 0;
    while i < tokens.len() {
        let here = || module.iter().cloned().chain(inner.iter().map(|m| m.0.clone())).collect::<Vec<_>>();
        match tokens[i].as_str() {
            "mod" if tokens.get(i + 2).is_some_and(|t| t == "{") => {
                inner.push((tokens[i + 1].clone(), depth));
                i += 1;
            }
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inner.retain(|m| m.1 < depth);
            }
            "use" => {
                let end = tokens[i..].iter().position(|t| t == ";").map_or(tokens.len(), |n| i + n);
                let mut at = i + 1;
                spread(&tokens[..end], &mut at, &[], &here(), &mut found);
                i = end;
            }
            word if is_word(word) && tokens.get(i + 1).is_some_and(|t| t == "::") => {
                let mut path = vec![word.to_owned()];
                while tokens.get(i + 1).is_some_and(|t| t == "::")
                    && tokens.get(i + 2).is_some_and(|t| is_word(t))
                {
                    path.push(tokens[i + 2].clone());
                    i += 2;
                }
                found.push(absolute(path, &here()));
            }
            _ => {}
        }
        i += 1;
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = code.trim_start();
    while let Some(c) = rest.chars().next() {
        let len = if c.is_alphanumeric() || c == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        tokens.push(rest[..len].to_owned());
        rest = rest[len..].trim_start();
    }
    tokens
}

/// One tree of a `use` item, from `at` on.
fn spread(
    tokens: &[String],
    at: &mut usize,
    before: &[String],
    module: &[String],
    found: &mut Vec<Vec<String>>,
) {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match token.as_str() {
            "::" => {}
            "{" => {
                while tokens.get(*at).is_some_and(|t| t != "}") {
                    spread(tokens, at, &path, module, found);
                    if tokens.get(*at).is_some_and(|t| t == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "as" => *at += 1,
            "," | "}" => {
                *at -= 1;
                break;
            }
            word => path.push(word.to_owned()),
        }
    }
    if !path.is_empty() {
        found.push(absolute(path, module));
    }
}

fn absolute(path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path.as_slice();
    match rest.first().map(String::as_str) {
        Some("self") => rest = &rest[1..],
        Some("super") => {
            while rest.first().is_some_and(|word| word == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        _ => return path,
    }
    std::iter::once("crate".to_owned()).chain(base).chain(rest.iter().cloned()).collect()
}

#[test]
fn imports_are_seen_in_all_their_shapes() {
    let text = r##"
        use crate::{git::{Repo, oid::Oid as Id}, text::*};
        use super::store::{self, Cell};
        mod inner { use super::local; fn f() { super::super::model::task::f() } }
        fn g() -> Result<(), gix::Error> { let s = "crate::cli"; let c = '"'; /* crate::a */ self::h() } // crate::b
        fn life<'a>(x: &'a str) -> &'a str { let r = r#"crate::c"#; crate::render::x(x) }
        #[cfg(test)]
        mod tests { use crate::serve::X; }
    "##;
    let module = ["ops".to_owned(), "here".to_owned()];
    let seen: Vec<String> = paths(&code(text), &module).iter().map(|p| p.join("::")).collect();
    assert_eq!(
        seen,
        [
            "crate::git::Repo",
            "crate::git::oid::Oid",
            "crate::text::*",
            "crate::ops::store::self",
            "crate::ops::store::Cell",
            "crate::ops::here::local",
            "crate::ops::model::task::f",
            "gix::Error",
            "crate::ops::here::h",
            "crate::render::x",
        ]
    );
    assert_eq!(
        test_modules("#[cfg(test)]\nmod testing;\n#[cfg(test)]\nmod tests { a; }"),
        ["testing".to_owned()].into()
    );
}
