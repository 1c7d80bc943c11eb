//! Comments that suppress a finding: `comm:allow(CODE) reason`.
//!
//! Whatever the language: the words stand at the beginning of a comment, after
//! code for their own line, alone for the next line of code. Each needs a
//! reason. Found by bytes, so that a file without any costs one search.

use memchr::memmem;

use crate::text::escape;

/// What a suppression begins with.
pub const MARK: &str = "comm:allow";
/// What a comment begins with, in any language.
const OPENERS: [&[u8]; 8] = [b"//", b"#", b"/*", b"<!--", b"--", b";", b"%", b"*"];
/// What a comment that ends on its line ends with.
const CLOSERS: [&str; 4] = ["*/", "-->", "*}", "#}"];
/// Suppressions of one file that are read. Whoever has more has none of the
/// others.
pub const MOST: usize = 10_000;
/// How much of a line is looked at before and after the mark, in bytes.
const AROUND: usize = 4096;

/// A suppression as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The line that it is on, from 1.
    pub line: usize,
    /// The line that it is for.
    pub covers: usize,
    /// The codes that it is for.
    pub codes: Vec<String>,
    /// Why; empty if it does not say.
    pub reason: String,
}

impl Allowance {
    /// Whether it is for this code on this line.
    pub fn is_for(&self, line: usize, code: &str) -> bool {
        self.covers == line && self.codes.iter().any(|own| own == code)
    }

    /// What is wrong with it, if anything.
    pub fn fault(&self, is_code: impl Fn(&str) -> bool) -> Option<String> {
        if self.codes.is_empty() {
            return Some("a suppression names its codes: comm:allow(CODE) REASON".to_owned());
        }
        if let Some(unknown) = self.codes.iter().find(|code| !is_code(code)) {
            let unknown = escape::clipped(unknown, 40);
            return Some(format!("`{unknown}` is no code that can be suppressed"));
        }
        self.reason.is_empty().then(|| "a suppression needs a reason: comm:allow(CODE) REASON".to_owned())
    }
}

/// Whether a file may have suppressions.
pub fn has_mark(source: &[u8]) -> bool {
    memmem::find(source, MARK.as_bytes()).is_some()
}

/// Every suppression of a file, in the order of its lines. `is_comment` says of
/// each mark, by its number from 0, whether it is in a comment: a line within a
/// string looks the same.
pub fn read(source: &[u8], is_comment: impl Fn(usize) -> bool) -> Vec<Allowance> {
    let mut found: Vec<Allowance> = Vec::new();
    // Lines up to `counted`, so that no line is counted twice.
    let (mut line, mut counted) = (1, 0);
    let marks = memmem::find_iter(source, MARK).enumerate().take(MOST);
    for at in marks.filter(|(number, _)| is_comment(*number)).map(|(_, at)| at) {
        line += memchr::memchr_iter(b'\n', &source[counted..at]).count();
        counted = at;
        let near = at.saturating_sub(AROUND);
        let start = match memchr::memrchr(b'\n', &source[near..at]) {
            Some(i) => near + i + 1,
            None if near == 0 => 0,
            None => continue,
        };
        let far = source.len().min(at + AROUND);
        let end = memchr::memchr(b'\n', &source[at..far]).map_or(far, |i| at + i);
        let Some(is_alone) = opens_comment(&source[start..at]) else { continue };
        let Some((codes, reason)) = content(&source[at + MARK.len()..end]) else { continue };
        found.push(Allowance { line, covers: if is_alone { line + 1 } else { line }, codes, reason });
    }
    // Several above each other are all for the code below the last.
    for i in (0..found.len().saturating_sub(1)).rev() {
        let below = &found[i + 1];
        if found[i].covers == below.line && below.covers > below.line {
            found[i].covers = below.covers;
        }
    }
    found
}

/// Whether a comment begins right after `before`, the line so far, and then
/// whether nothing but the comment is on the line.
fn opens_comment(before: &[u8]) -> Option<bool> {
    let before = before.trim_ascii_end();
    let opener = OPENERS.iter().find(|opener| before.ends_with(opener))?;
    let code = &before[..before.len() - opener.len()];
    // `///` and `##` are comments as well.
    let code = match opener.last() {
        Some(last @ (b'/' | b'#' | b';' | b'%' | b'*')) => trim_end(code, *last),
        _ => code,
    };
    let code = code.trim_ascii();
    // JSX has its comments in braces.
    if code.is_empty() || code == b"{" || code == b"/" {
        return Some(true);
    }
    // A star begins a comment's line, never a comment after code; the rest
    // must not be within a string.
    (*opener != b"*" && !is_in_string(code)).then_some(false)
}

fn trim_end(mut text: &[u8], byte: u8) -> &[u8] {
    while let Some(rest) = text.strip_suffix(&[byte]) {
        text = rest;
    }
    text
}

/// Whether a string is open at the end of a line of code.
fn is_in_string(code: &[u8]) -> bool {
    let (mut at, mut none_closes) = (0, false);
    while let Some(&quote) = code.get(at) {
        at += 1;
        if !matches!(quote, b'"' | b'\'' | b'`') {
            continue;
        }
        let is_closed_nowhere = quote == b'\'' && none_closes;
        match if is_closed_nowhere { None } else { closing(code, at, quote) } {
            Some(end) => at = end + 1,
            None if quote == b'\'' && is_lifetime(code, at) => none_closes = true,
            None => return true,
        }
    }
    false
}

/// Where a string that begins before `at` ends.
fn closing(code: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    loop {
        match code.get(at)? {
            b'\\' => at += 2,
            byte if *byte == quote => return Some(at),
            _ => at += 1,
        }
    }
}

/// Whether the single quote before `at` begins a lifetime of Rust.
fn is_lifetime(code: &[u8], at: usize) -> bool {
    let before = at.checked_sub(2).and_then(|at| code.get(at));
    let name = code[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    name > 0 && (matches!(before, Some(b'&' | b'<')) || matches!(code.get(at + name), Some(b'>' | b',')))
}

/// Codes and reason of what follows the mark; none if that is another word.
fn content(rest: &[u8]) -> Option<(Vec<String>, String)> {
    let rest = String::from_utf8_lossy(rest);
    if rest.starts_with(|c: char| c.is_alphanumeric() || "-_".contains(c)) {
        return None;
    }
    let rest = rest.trim();
    let (codes, reason) = match rest.strip_prefix('(') {
        Some(inner) => match inner.split_once(')') {
            Some((codes, reason)) => (codes, reason),
            None => (inner, ""),
        },
        None => ("", ""),
    };
    let codes = codes.split(',').map(str::trim).filter(|code| !code.is_empty()).map(str::to_owned).collect();
    let mut reason = reason.trim();
    for closer in CLOSERS {
        reason = reason.split(closer).next().unwrap_or_default().trim_end();
    }
    let reason = reason.trim_start_matches([':', '-', ' ']).trim();
    // A dash or a row of dots is no reason.
    let reason = if reason.chars().any(is_letter) { reason } else { "" };
    Some((codes, escape::clipped(reason, 300)))
}

/// Whether a letter can be seen: the fillers of Hangul are letters, and blank.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as `LINE>COVERS CODES: REASON`.
    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let told: Vec<String> = read(source.as_bytes(), |_| true)
            .iter()
            .map(|a| format!("{}>{} {}: {}", a.line, a.covers, a.codes.join(","), a.reason))
            .collect();
        assert_eq!(told, expected, "{source}");
    }

    #[test]
    fn a_comment_after_code_is_for_its_line_and_one_alone_for_the_next() {
        check("import 'x' // comm:allow(B001) moves in May\n", &["1>1 B001: moves in May"]);
        check("\n  // comm:allow(B001) moves in May\r\nimport 'x'\n", &["2>3 B001: moves in May"]);
        check("import x  # comm:allow(B001,B003): legacy", &["1>1 B001,B003: legacy"]);
        check("#comm:allow(B001)-  legacy", &["1>2 B001: legacy"]);
        check("/// comm:allow(B001) a", &["1>2 B001: a"]);
        check("use a::b; /* comm:allow( B001 , ) a */ use c;", &["1>1 B001: a"]);
        check("/* comm:allow(B001) a */", &["1>2 B001: a"]);
        check("{/* comm:allow(B001) a */}", &["1>2 B001: a"]);
        check("/**\n * comm:allow(B001) a\n */", &["2>3 B001: a"]);
        check("<!-- comm:allow(B001) a -->", &["1>2 B001: a"]);
    }

    #[test]
    fn several_above_each_other_are_for_the_same_line() {
        check(
            "// comm:allow(B001) a\n// comm:allow(B002) b\nx\n// comm:allow(B003) c\n",
            &["1>3 B001: a", "2>3 B002: b", "4>5 B003: c"],
        );
        check("// comm:allow(B001) a\nx // comm:allow(B002) b\n", &["1>2 B001: a", "2>2 B002: b"]);
    }

    #[test]
    fn a_bare_one_has_no_reason() {
        check("x // comm:allow(B001)", &["1>1 B001: "]);
        check("x // comm:allow(B001) ...", &["1>1 B001: "]);
        check("x // comm:allow(B001) \u{3164}\u{115f}\u{1160}\u{ffa0}\u{200b}", &["1>1 B001: "]);
        check("x /* comm:allow(B001) */ y", &["1>1 B001: "]);
        check("x // comm:allow", &["1>1 : "]);
        check("x // comm:allow() why", &["1>1 : why"]);
        check("x // comm:allow(B001 why", &["1>1 B001 why: "]);
        check("x // comm:allow: why", &["1>1 : "]);
    }

    #[test]
    fn only_the_beginning_of_a_comment_counts() {
        check("const x = \"// comm:allow(B001) a\"", &[]);
        check("const x = '# comm:allow(B001) a'", &[]);
        assert!(read(b"x = `\n// comm:allow(B001) a`", |_| false).is_empty());
        check("const x = `\\` # comm:allow(B001) a`", &[]);
        check("// write comm:allow(B001) a", &[]);
        check("comm:allow(B001) a", &[]);
        check("a * comm:allow(B001) a", &[]);
        check("// comm:allowed to do that", &[]);
        check("// comm:allow-list", &[]);
        check("fn f(x: &'a crate::b::C) {} // comm:allow(B001) a", &["1>1 B001: a"]);
        check("import \"a\"; import 'it\\'s' // comm:allow(B001) a", &["1>1 B001: a"]);
    }

    #[test]
    fn faults_are_told() {
        let fault = |source: &str| {
            let found = read(source.as_bytes(), |_| true);
            found[0].fault(super::super::code::can_be_excepted)
        };
        assert_eq!(fault("# comm:allow(B001) a"), None);
        assert!(fault("# comm:allow(B001)").unwrap().contains("needs a reason"));
        assert!(fault("# comm:allow(B001, X1) a").unwrap().contains("`X1` is no code"));
        assert!(fault("# comm:allow(B005) a").unwrap().contains("`B005` is no code that can be suppressed"));
        assert!(fault("# comm:allow a").unwrap().contains("names its codes"));
    }

    #[test]
    fn any_bytes_are_answered_in_linear_time() {
        check("", &[]);
        assert_eq!(read(b"\xff# comm:allow(B001) \xff a", |_| true).len(), 1);
        let long = b"'\"` // comm:allow(".repeat(400_000);
        assert!(read(&long, |_| true).len() < MOST + 1);
        let lines = b"// comm:allow(B001) a\n".repeat(MOST + 5);
        let found = read(&lines, |_| true);
        assert_eq!((found.len(), found[0].covers), (MOST, MOST + 1));
    }
}
