//! Findings as JUnit XML, in the form that Jenkins' schema has.
//!
//! Each finding is a test that failed; one that is let pass was skipped. What
//! was looked at is one more test, so that a run without findings is not one
//! without tests; it fails if nothing was looked at.

use super::{Report, Standing};
use crate::render::xml::escaped;

pub(super) fn document(reports: &[Report<'_>]) -> String {
    let suites: Vec<Suite> = reports.iter().map(suite).collect();
    let tests: usize = suites.iter().map(|suite| suite.tests).sum();
    let failures: usize = suites.iter().map(|suite| suite.failures).sum();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"git-comm\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n"
    );
    out.extend(suites.into_iter().map(|suite| suite.text));
    out.push_str("</testsuites>\n");
    out
}

struct Suite {
    text: String,
    tests: usize,
    failures: usize,
}

fn suite(report: &Report<'_>) -> Suite {
    let (mut cases, mut failures, mut skipped) = (String::new(), 0, 0);
    let gate = escaped(report.gate);
    cases.push_str(&format!("    <testcase classname=\"{gate}\" name=\"{}\"", escaped(&report.counted())));
    if report.checked == 0 {
        failures += 1;
        cases.push_str(
            ">\n      <failure type=\"nothing\" message=\"nothing was checked\"/>\n    </testcase>\n",
        );
    } else {
        cases.push_str("/>\n");
    }
    for found in &report.found {
        let finding = found.finding;
        let place = found.place();
        let class = if finding.path.is_empty() { report.gate.to_owned() } else { finding.shown_path() };
        let name = format!("{} {}", finding.code, finding.what);
        cases.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"{}\">\n      ",
            escaped(&class),
            escaped(&name)
        ));
        let what = escaped(&finding.what);
        let lines = found.text();
        let lines: Vec<_> = lines.lines().map(escaped).collect();
        let text = format!("{}: {} {}", escaped(&place), finding.code, lines.join("\n"));
        match found.standing {
            Standing::New if found.is_error() => {
                failures += 1;
                cases.push_str(&format!(
                    "<failure type=\"{}\" message=\"{what}\">{text}</failure>",
                    finding.code
                ));
            }
            // A warning is a test that passed and has something to say.
            Standing::New => cases.push_str(&format!("<system-out>{text}</system-out>")),
            Standing::Known => {
                skipped += 1;
                cases.push_str("<skipped message=\"in the baseline\"/>");
            }
            Standing::Suppressed(reason) => {
                skipped += 1;
                cases.push_str(&format!("<skipped message=\"suppressed: {}\"/>", escaped(reason)));
            }
        }
        cases.push_str("\n    </testcase>\n");
    }
    let tests = report.found.len() + 1;
    let text = format!(
        "  <testsuite name=\"{gate}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n"
    );
    Suite { text, tests, failures }
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::super::{Found, Report, Standing};
    use super::*;

    #[test]
    fn counts_are_those_of_the_tests() {
        let findings = [
            finding("B001", b"a/<x>.ts", 3, "imports \"y\" & z"),
            finding("B003", b"b.py", 0, "second"),
            finding("B003", b"c.py", 1, "third"),
        ];
        let mut report = Report::new("boundary", 4, "file", &findings);
        report.found[1].standing = Standing::Known;
        report.found[2].standing = Standing::Suppressed("a \"shim\" until <May>");
        let text = document(&[report, Report::new("scope", 0, "commit", &[])]);
        assert!(text.contains("<testsuites name=\"git-comm\" tests=\"5\" failures=\"2\" errors=\"0\">"));
        assert!(
            text.contains(
                "<testsuite name=\"boundary\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\">"
            )
        );
        assert_eq!(text.matches("<testcase ").count(), 5);
        assert_eq!(text.matches("<failure ").count(), 2);
        assert_eq!(text.matches("<skipped ").count(), 2);
        assert!(
            text.contains(
                "<testcase classname=\"a/&lt;x&gt;.ts\" name=\"B001 imports &quot;y&quot; &amp; z\">"
            )
        );
        assert!(text.contains("suppressed: a &quot;shim&quot; until &lt;May&gt;"));
    }

    #[test]
    fn a_clean_run_is_one_test_that_passes() {
        let report = Report { gate: "boundary", checked: 7, unit: "file", found: Vec::<Found<'_>>::new() };
        let text = document(&[report]);
        assert!(text.contains("<testcase classname=\"boundary\" name=\"7 files checked\"/>"), "{text}");
        assert!(text.contains("tests=\"1\" failures=\"0\""));
    }
}
