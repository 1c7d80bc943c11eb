//! Findings as SARIF 2.1.0 (OASIS standard), a run for each gate.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Found, Report, Standing, codes};
use crate::gate::scope::RULES;
use crate::text::{digest, escape, json as text_json};

/// Where the codes are explained.
const HELP: &str =
    concat!("https://docs.rs/crate/git-comm/", env!("CARGO_PKG_VERSION"), "/source/docs/boundaries.md#codes");
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn document(reports: &[Report<'_>]) -> String {
    let runs: Vec<Value> = reports.iter().map(run).collect();
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
    format!("{}\n", text_json::printable(&log.to_string()))
}

fn run(report: &Report<'_>) -> Value {
    let mut ids: Vec<&'static str> = report.found.iter().map(|found| found.finding.code).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut seen = HashMap::new();
    let results: Vec<Value> =
        report.found.iter().map(|found| result(found, &ids, fingerprint(found, &mut seen))).collect();
    let mut invocation = json!({ "executionSuccessful": report.checked > 0 });
    if report.checked == 0 {
        let text = format!("{}: nothing was looked at, which proves nothing", report.counted());
        invocation["toolExecutionNotifications"] = json!([{ "level": "error", "message": { "text": text } }]);
    }
    json!({
        "tool": { "driver": {
            "name": "git-comm",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": ids.iter().map(|id| rule(id)).collect::<Vec<_>>(),
        } },
        // What is not named here belongs to another category of the same tool.
        "automationDetails": { "id": format!("git-comm/{}/", report.gate) },
        "invocations": [invocation],
        "originalUriBaseIds": { "%SRCROOT%": { "description": { "text": "The root of the repository." } } },
        "results": results,
        "properties": { "checked": report.checked, "unit": report.unit },
    })
}

fn rule(id: &'static str) -> Value {
    let code = codes::of(id);
    let mut rule = json!({
        "id": code.id,
        "name": code.name,
        "defaultConfiguration": { "level": "error" },
        "helpUri": HELP,
    });
    if !code.text.is_empty() {
        rule["shortDescription"] = json!({ "text": code.text });
    }
    rule
}

fn result(found: &Found<'_>, ids: &[&str], fingerprint: String) -> Value {
    let finding = found.finding;
    // Readers show no result that is nowhere. What a commit as a whole lacks,
    // the rules ask for.
    let path = if finding.path.is_empty() { RULES.as_bytes() } else { &finding.path };
    let mut place = json!({ "artifactLocation": { "uri": uri(path), "uriBaseId": "%SRCROOT%" } });
    if finding.line > 0 && !finding.path.is_empty() {
        place["region"] = json!({ "startLine": finding.line });
    }
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": ids.iter().position(|id| *id == finding.code),
        "level": finding.severity.as_str(),
        "message": { "text": found.text() },
        "locations": [{ "physicalLocation": place }],
        "partialFingerprints": { "finding/v1": fingerprint },
    });
    let mut extra = Map::new();
    match found.standing {
        Standing::New => {}
        Standing::Known => {
            extra.insert("baselineState".into(), "unchanged".into());
            let why = "it is in the baseline";
            extra.insert("suppressions".into(), json!([{ "kind": "external", "justification": why }]));
        }
        Standing::Suppressed(reason) => {
            let why = escape::line(reason);
            extra.insert("suppressions".into(), json!([{ "kind": "inSource", "justification": why }]));
        }
    }
    let mut properties = Map::new();
    if let Some(commit) = &finding.commit {
        properties.insert("commit".into(), commit.as_str().into());
    }
    if let Some(crossing) = &finding.crossing {
        properties.insert("import".into(), crossing.import.as_str().into());
        properties.insert("kind".into(), crossing.kind.into());
        properties.insert("target".into(), crossing.target.as_str().into());
        if crossing.rule_line > 0 {
            extra.insert(
                "relatedLocations".into(),
                json!([{
                    "physicalLocation": {
                        "artifactLocation": { "uri": RULES, "uriBaseId": "%SRCROOT%" },
                        "region": { "startLine": crossing.rule_line },
                    },
                    "message": { "text": escape::line(&crossing.rule) },
                }]),
            );
        }
    }
    if !properties.is_empty() {
        extra.insert("properties".into(), properties.into());
    }
    if let Value::Object(fields) = &mut result {
        fields.extend(extra);
    }
    result
}

/// The same for the same finding, on whatever line it or the rule stands:
/// from code, file and target, or words. Equal ones are counted in the order of the file.
fn fingerprint<'f>(found: &Found<'f>, seen: &mut HashMap<(&'f str, &'f [u8], String), usize>) -> String {
    let finding = found.finding;
    let (code, path, what, kind) = finding.identity();
    let what = if finding.crossing.is_some() { what.to_owned() } else { without_lines(what) };
    let key = (code, path, format!("{what} {kind}"));
    let count = seen.entry(key.clone()).or_default();
    *count += 1;
    digest::digest(&[code, &escape::bytes(path), &key.2, &count.to_string()])
}

/// Words without the numbers of lines: `comm.toml:12`, `line 3`.
fn without_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let words = ["comm.toml:", "line "];
    while let Some(end) = words.iter().filter_map(|word| Some(rest.find(word)? + word.len())).min() {
        let (before, after) = rest.split_at(end);
        out.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    out
}

/// A path as a relative reference (RFC 3986, 4.2): every byte that is no
/// unreserved character is encoded, so that none is taken for a scheme, a
/// query or an escape.
fn uri(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::finding;
    use super::*;

    fn results(report: Report<'_>) -> Vec<Value> {
        let log: Value = serde_json::from_str(&document(&[report])).unwrap();
        log["runs"][0]["results"].as_array().unwrap().clone()
    }

    #[test]
    fn a_path_is_a_relative_reference() {
        for (path, expected) in [
            (&b"src/a.rs"[..], "src/a.rs"),
            (b"a b/c\nd.ts", "a%20b/c%0Ad.ts"),
            (b"c:/x?y#z%20", "c%3A/x%3Fy%23z%2520"),
            (b"\xff\xc3\xa9.py", "%FF%C3%A9.py"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn a_fingerprint_outlives_moved_lines() {
        let before = [
            finding("B001", b"a.ts", 3, "imports x (comm.toml:9)"),
            finding("B001", b"a.ts", 8, "imports x (comm.toml:9)"),
            finding("B005", b"b.ts", 0, "line 7 cannot be parsed"),
        ];
        let after = [
            finding("B001", b"a.ts", 30, "imports x (comm.toml:10)"),
            finding("B001", b"a.ts", 80, "imports x (comm.toml:10)"),
            finding("B005", b"b.ts", 0, "line 12 cannot be parsed"),
        ];
        let prints = |findings: &[crate::gate::finding::Finding]| -> Vec<Value> {
            let report = Report::new("boundary", 1, "file", findings);
            results(report).iter().map(|result| result["partialFingerprints"].clone()).collect()
        };
        let known = prints(&before);
        assert_eq!(known, prints(&after));
        assert_ne!(known[0], known[1]);
        let other = [finding("B001", b"a.ts", 3, "imports y (comm.toml:9)")];
        assert_ne!(prints(&other)[0], known[0]);
    }

    #[test]
    fn what_is_let_pass_says_why() {
        let findings = [finding("B001", b"a", 1, "x"), finding("B002", b"b", 0, "y")];
        let mut report = Report::new("boundary", 2, "file", &findings);
        report.found[0].standing = Standing::Known;
        report.found[1].standing = Standing::Suppressed("a shim");
        let results = results(report);
        assert_eq!(results[0]["baselineState"], "unchanged");
        assert_eq!(results[0]["suppressions"][0]["kind"], "external");
        assert_eq!(results[1]["suppressions"], json!([{ "kind": "inSource", "justification": "a shim" }]));
        assert_eq!((&results[0]["ruleIndex"], &results[1]["ruleIndex"]), (&json!(0), &json!(1)));
        assert!(results[1]["locations"][0]["physicalLocation"].get("region").is_none());
    }

    #[test]
    fn a_finding_about_a_commit_is_where_the_rules_are() {
        let mut one = finding("claim", b"", 0, "it names no claim");
        one.commit = Some("0123456789abcdef".into());
        let findings = [one];
        let results = results(Report::new("claim", 1, "commit", &findings));
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "comm.toml");
        assert_eq!(results[0]["properties"]["commit"], "0123456789abcdef");
    }
}
