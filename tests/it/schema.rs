//! The JSON schema of `comm.toml` takes and refuses what the program does.

use std::path::Path;
use std::process::Command;

use git_comm::config::{Config, schema};
use serde_json::{Value, json};

/// Documents, and whether each is valid.
fn examples() -> Vec<(bool, String)> {
    let domain = |line: &str| format!("[domains.a]\n{line}\n");
    let two = |rest: &str| format!("[domains.a]\npath = 'a'\n[domains.b]\npath = 'b'\n{rest}\n");
    let good = [
        String::new(),
        domain(""),
        domain("path = '/a/'\nscope = ['**']\nagent = 'ada'\nrole = 'x'\nowner = 'y'\nhint = 'z'"),
        domain("scope = 'a/**'\nexports = 'Doc'\nimports = { b = ['Doc'], c = 'Doc' }\npublic = []"),
        domain("allowed_imports = ['x/**', { import = 'pkg:a', kinds = 'type', reason = 'r' }, 'domain:a']"),
        domain("forbidden_imports = [{ import = 'pkg:../x', transitive = true, kinds = ['static', 'mock'] }]"),
        domain("forbidden_imports = 'x.y/..z/**'"),
        "[domains.'a.b-c_d']\n".into(),
        "[commit]\nrequire_claim = true\npeople = 'ada@example.com'\n".into(),
        "[boundary]\nunowned = 'warn'\ntype_imports = 'allow'\ndynamic_imports = 'judge'\nmocks = 'warn'\nunresolved = 'ignore'\nunused = 'forbid'\npython_roots = ['src']\nbaseline = 'x/y'\n".into(),
        two("[[layers]]\nname = 'n'\norder = ['a', ['b', 'c/**']]\nstrict = true\nsiblings = 'allow'\ntransitive = true\nkinds = ['static']\nreason = 'r'"),
        two("[[independent]]\nmembers = ['a', 'b']\n[[independent]]\nmembers = ['a', '*.py']\ntransitive = false"),
        two("[[acyclic]]\n[[acyclic]]\nbetween = 'files'\nmembers = 'a'\n[[acyclic]]\nmembers = ['a', 'b']"),
        two("[[exceptions]]\nfrom = 'domain:a'\nto = 'pkg:x'\nreason = 'r'"),
    ];
    let bad = [
        "unknown = 1".to_owned(),
        "domains = 1".into(),
        "[domain.a]\n".into(),
        "[domains.A]\n".into(),
        "[domains.'a..b']\n".into(),
        "[domains.con]\n".into(),
        "[domains.'x.lock']\n".into(),
        domain("scop = 'x'"),
        domain("path = 1"),
        domain("path = 'a/../b'"),
        domain("scope = ['/a']"),
        domain("scope = ['a/./b']"),
        domain("agent = 'Ada'"),
        domain("public = [1]"),
        domain("imports = { B = 'Doc' }"),
        domain("imports = 'x'"),
        domain("allowed_imports = [['x']]"),
        domain("allowed_imports = [{ import = 'x', transitive = true }]"),
        domain("allowed_imports = [{ reason = 'x' }]"),
        domain("allowed_imports = ''"),
        domain("allowed_imports = 'pkg:'"),
        domain("forbidden_imports = 'domain:'"),
        domain("forbidden_imports = ['../x']"),
        domain("forbidden_imports = [{ import = 'x', kinds = [] }]"),
        domain("forbidden_imports = [{ import = 'x', kinds = 'types' }]"),
        domain("forbidden_imports = [{ import = 'x', transitive = 'yes' }]"),
        "[commit]\nrequire_claim = 'yes'\n".into(),
        "[boundary]\nunowned = 'judge'\n".into(),
        "[boundary]\nmocks = 'ignore'\n".into(),
        "[boundary]\nbaseline = '../x'\n".into(),
        "[layers]\norder = ['a', 'b']\n".into(),
        two("[[layers]]\nname = 'x'"),
        two("[[layers]]\norder = ['a']"),
        two("[[layers]]\norder = ['a', []]"),
        two("[[layers]]\norder = ['a', 'b']\nsiblings = 'forbid'"),
        two("[[layers]]\norder = ['a', 'B']"),
        two("[[layers]]\norder = ['a', '/b/**']"),
        two("[[independent]]\nmembers = ['a', 'a']"),
        two("[[independent]]\n"),
        two("[[acyclic]]\nbetween = 'modules'"),
        two("[[acyclic]]\nmembers = []"),
        two("[[exceptions]]\nfrom = 'a/**'\nto = 'b/**'"),
        two("[[exceptions]]\nfrom = 'a/**'\nto = 'b/**'\nreason = '...'"),
    ];
    let good = good.into_iter().map(|text| (true, text));
    good.chain(bad.into_iter().map(|text| (false, text))).collect()
}

/// A TOML document as a schema sees it.
fn as_json(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    serde_json::to_value(table).unwrap()
}

#[test]
fn the_schema_is_that_of_the_program() {
    let fresh = schema::text(&schema::schema());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/comm.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some_and(|v| v == "1") {
        std::fs::write(&file, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == fresh, "docs/comm.schema.json: UPDATE_DOCS=1 cargo test --test it schema");
    let s = crate::support::Sandbox::new();
    assert_eq!(s.comm("boundary schema").succeeds().stdout, fresh);
}

/// What of the standard the schema uses, and beside it the whole standard
/// where its package is there.
const VALIDATOR: &str = r#"
import json, re, sys

def ok(schema, value):
    if "anyOf" in schema and not any(ok(one, value) for one in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    kinds = {"string": str, "boolean": bool, "array": list, "object": dict}
    if "type" in schema and type(value) is not kinds[schema["type"]]:
        return False
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if type(value) is list:
        if len(value) < schema.get("minItems", 0):
            return False
        if schema.get("uniqueItems") and any(a == b for i, a in enumerate(value) for b in value[:i]):
            return False
        return all(ok(schema.get("items", {}), one) for one in value)
    if type(value) is dict:
        if any(key not in value for key in schema.get("required", [])):
            return False
        for key, one in value.items():
            if not re.search(schema.get("propertyNames", {}).get("pattern", ""), key):
                return False
            known = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            if known is False or not ok(known, one):
                return False
    known = {"$schema", "title", "description", "anyOf", "enum", "type", "pattern", "minItems", "uniqueItems",
             "items", "required", "propertyNames", "properties", "additionalProperties"}
    assert set(schema) <= known, set(schema) - known
    return True

data = json.load(open(sys.argv[1]))
verdicts = [ok(data["schema"], one) for one in data["documents"]]
try:
    from jsonschema import Draft202012Validator
    Draft202012Validator.check_schema(data["schema"])
    validator = Draft202012Validator(data["schema"])
    assert verdicts == [validator.is_valid(one) for one in data["documents"]]
except ImportError:
    pass
print(json.dumps(verdicts))
"#;

#[test]
fn the_schema_takes_and_refuses_what_the_program_does() {
    for (is_valid, text) in examples() {
        let parsed = Config::parse(text.as_bytes());
        assert_eq!(parsed.is_ok(), is_valid, "{text}: {parsed:?}");
    }
    if !crate::support::has_tool("python3", &["--version"]) {
        return;
    }
    let documents: Vec<Value> = examples().iter().map(|(_, text)| as_json(text)).collect();
    let input = json!({ "schema": schema::schema(), "documents": documents });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.json");
    std::fs::write(&file, input.to_string()).unwrap();
    let out = Command::new("python3").args(["-c", VALIDATOR]).arg(&file).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let verdicts: Vec<bool> = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(verdicts.len(), examples().len());
    for ((is_valid, text), verdict) in examples().iter().zip(verdicts) {
        assert_eq!(verdict, *is_valid, "{text}");
    }
}

#[test]
fn the_guide_names_every_key() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/comm-toml.md")).unwrap();
    for (table, keys) in schema::tables() {
        for key in keys {
            assert!(page.contains(&format!("| `{}` |", key.name)), "{table} {} ({})", key.name, key.about);
        }
    }
}
