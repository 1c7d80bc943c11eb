//! Findings as workflow commands of GitHub Actions: a line each, which the
//! runner turns into an annotation of the file.

use super::Report;
use crate::text::escape;

/// A command for each finding that is not let pass, and a line on each gate.
pub(super) fn commands(reports: &[Report<'_>]) -> String {
    let mut out = String::new();
    for report in reports {
        for found in report.found.iter().filter(|found| found.standing == super::Standing::New) {
            let finding = found.finding;
            let mut properties = Vec::new();
            if !finding.path.is_empty() {
                properties.push(format!("file={}", property(&file(&finding.path))));
                if finding.line > 0 {
                    properties.push(format!("line={}", finding.line));
                }
            }
            properties.push(format!("title={}", property(&format!("{} {}", report.gate, finding.code))));
            let place = if finding.path.is_empty() { found.place() } else { String::new() };
            let place = if place.is_empty() { place } else { format!("{place}: ") };
            let message = format!("{place}{}", found.text());
            let level = if found.is_error() { "error" } else { "warning" };
            out.push_str(&format!("::{level} {}::{}\n", properties.join(","), data(&message)));
        }
        if report.checked == 0 {
            let message = format!("{}: {}", report.gate, report.counted());
            out.push_str(&format!("::error title={}::{}\n", property(report.gate), data(&message)));
        }
    }
    for report in reports {
        let counted = crate::ops::error::plural(
            report.found.iter().filter(|found| found.is_error()).count(),
            "finding",
        );
        out.push_str(&format!("{}: {}, {counted}\n", report.gate, report.counted()));
    }
    out
}

/// A file as the runner looks for it. Line ends can be told to it; what else
/// is unsafe to print is shown escaped, and then leads to no file.
fn file(path: &[u8]) -> String {
    match std::str::from_utf8(path) {
        Ok(text) if !text.chars().any(|c| escape::is_unsafe(c) && c != '\n' && c != '\r') => text.to_owned(),
        _ => escape::bytes(path),
    }
}

/// What stands after the second `::`. The runner knows these escapes only.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::*;

    #[track_caller]
    fn check(path: &[u8], line: usize, what: &str, expected: &str) {
        let findings = [finding("B001", path, line, what)];
        let told = commands(&[Report::new("boundary", 2, "file", &findings)]);
        let (command, rest) = told.split_once('\n').unwrap();
        assert_eq!(
            command,
            format!("::error {expected}%0Aask: git comm msg send --to person TEXT"),
            "{path:?}"
        );
        assert_eq!(rest, "boundary: 2 files checked, 1 finding\n");
    }

    #[test]
    fn what_the_runner_would_read_is_escaped() {
        check(b"web/a.ts", 3, "imports `x`", "file=web/a.ts,line=3,title=boundary B001::imports `x`");
        check(b"a:b,c%d\ne.ts", 0, "100%: a,b", "file=a%3Ab%2Cc%25d%0Ae.ts,title=boundary B001::100%25: a,b");
        check(
            b"a\xff\x1b.ts",
            1,
            "two\nlines\r::warning::x",
            "file=a\\xff\\u{1b}.ts,line=1,title=boundary B001::two\\nlines\\r::warning::x",
        );
    }

    #[test]
    fn nothing_checked_is_an_error() {
        let told = commands(&[Report::new("boundary", 0, "file", &[])]);
        assert_eq!(
            told,
            "::error title=boundary::boundary: 0 files checked\nboundary: 0 files checked, 0 findings\n"
        );
    }
}
