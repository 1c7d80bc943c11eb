//! No commit passes because something did not parse, resolve or load, and
//! what is judged is what is staged.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::commits::{git_as, write};
use crate::support::Sandbox;

/// `a` must not use `b`.
const RULES: &str = "[domains.a]\npath = 'a'\nforbidden_imports = ['b/**']\n[domains.b]\npath = 'b'\n";

pub(crate) fn start() -> Sandbox {
    let s = Sandbox::new();
    write(&s, "comm.toml", RULES);
    write(&s, "b/thing.ts", "export const x = 1\n");
    write(&s, "b/thing.py", "");
    write(&s, "a/old.ts", "export const y = 1\n");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m start").succeeds();
    s
}

/// Commits what is staged: refused with these findings and no others, or not
/// at all.
#[track_caller]
pub(crate) fn commits(s: &Sandbox, findings: &[&str]) {
    let run = git_as(s, None, "commit -q -m change");
    assert_eq!(run.code, i32::from(!findings.is_empty()), "{}", run.stderr);
    let told: Vec<&str> = run.stderr.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(told, findings, "{}", run.stderr);
}

/// What is told of an import of `b/thing` with this ending.
pub(crate) fn crossing(place: &str, spelled: &str, ending: &str) -> String {
    format!(
        "{place}: B001 imports b/thing{ending} of domain b (`{spelled}`): `b/**` is forbidden to a (comm.toml:3)"
    )
}

/// Adds one file with any name and content: the report of the commit is this
/// one finding, and so is that of each other way to look at it.
#[track_caller]
fn check(name: &[u8], content: &[u8], finding: &str) {
    let s = start();
    std::fs::write(s.repo().join(OsStr::from_bytes(name)), content).unwrap();
    git_as(&s, None, "add -A").succeeds();
    let (what, how) = match finding.contains(" imports ") && !finding.contains("B005") {
        true => ("import of 1 staged file across a border", "ask: git comm msg send --to domain:b TEXT"),
        false => ("finding in 1 staged file", "mend the file"),
    };
    let run = git_as(&s, None, "commit -q -m change").exits(1);
    assert_eq!(run.stderr, format!("error: 1 {what}\n  {finding}\n\nhint: {how}\n"));
    let told = format!("{finding}\n  {how}\n");
    let staged = s.comm("boundary check").exits(1).stdout;
    assert!(staged.starts_with(&told) && staged.ends_with(", 1 finding\n"), "{staged}");
    git_as(&s, None, "commit -q --no-verify -m change").succeeds();
    assert_eq!(s.comm("boundary check --rev HEAD").exits(1).stdout, staged);
    let commit = s.git("rev-parse --short=10 HEAD").stdout.trim().to_owned();
    let range = s.comm("boundary check --range HEAD~1..HEAD").exits(1).stdout;
    assert!(range.starts_with(&format!("{commit} {told}1 commit, ")), "{range}");
    let ci = s.comm("ci --base HEAD~1").exits(1).stdout;
    assert!(ci.contains("boundary  fail  1 commit  1 finding\n") && ci.contains(&told), "{ci}");
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let unknown = |file: &str, why: &str| format!("{file}: B005 what it imports is not known: {why}");
    for (file, content) in [("a/x.ts", "import {\n"), ("a/x.py", "import (\n"), ("a/x.rs", "use (\n")] {
        check(file.as_bytes(), content.as_bytes(), &unknown(file, "line 1 cannot be parsed"));
    }
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
    check(b"a/x.ts", pointer, &unknown("a/x.ts", "it is a pointer of Git LFS, not the source"));
    check(b"a/x.ts", b"import '../b/thing'\0", &unknown("a/x.ts", "it is not UTF-8 text"));
    check(b"a/x.rs", b"use a::b;\xff", &unknown("a/x.rs", "it is not UTF-8 text"));
    let large = [&vec![b' '; 50 << 20][..], b"import '../b/thing'"].concat();
    let oid = "d43cde9bc7f6c6627c4a326f33789a796559cf8f";
    let why = format!("object {oid} has 52428819 bytes, more than the limit of 16777216");
    check(b"a/x.ts", &large, &unknown("a/x.ts", &why));
}

#[test]
fn any_name_is_judged() {
    let import = b"import '../b/thing'";
    for (name, shown) in [
        ("a/sp ace.ts", "a/sp ace.ts"),
        ("a/line\nfeed.ts", "a/line\\nfeed.ts"),
        ("a/\u{f6}\u{202e}.ts", "a/\u{f6}\\u{202e}.ts"),
    ] {
        check(name.as_bytes(), import, &crossing(&format!("{shown}:1"), "../b/thing", ".ts"));
    }
    check(b"a/x.JS", b"require('../b/thing')", &crossing("a/x.JS:1", "../b/thing", ".ts"));
    check(b"a/-x.py", b"from b import thing", &crossing("a/-x.py:1", "b", ".py"));
    let unnamed = "what it imports is not known: its name is not UTF-8, so that nothing can import it";
    check(b"a/\xff.ts", import, &format!("a/\\xff.ts: B005 {unnamed}"));
}

/// Settings that cannot be read stop the commit, whatever the language.
#[test]
fn a_setting_that_cannot_be_read_is_refused() {
    for (name, content, finding) in [
        ("tsconfig.json", "{\n", "tsconfig.json:2: B005 it is no JSON: EOF while parsing an object"),
        ("package.json", "[1", "package.json:1: B005 it is no JSON: EOF while parsing a list"),
        (
            "pyproject.toml",
            "a = 1\n[x",
            "pyproject.toml:2: B005 cannot be read, so that nobody knows where modules lie: ",
        ),
        ("Cargo.toml", "\n[x", "Cargo.toml:2: B005 which crates there are is not known: "),
        (
            "setup.cfg",
            "[metadata]\nname = x\n[[[\n",
            "setup.cfg:3: B005 cannot be read, so that nobody knows where modules lie: neither",
        ),
        (
            "pytest.ini",
            "a = 1",
            "pytest.ini:1: B005 cannot be read, so that nobody knows where modules lie: neither",
        ),
        (
            "pnpm-workspace.yaml",
            "packages: []\n: : [\n",
            "pnpm-workspace.yaml:2: B005 no entry, so that nobody knows which packages there are",
        ),
    ] {
        let s = start();
        for (file, import) in
            [("a/x.ts", "import 'y'\n"), ("a/x.py", "import y\n"), ("a/x.rs", "use y::z;\n")]
        {
            write(&s, file, import);
        }
        write(&s, "package.json", "{}");
        write(&s, name, content);
        git_as(&s, None, "add -A").succeeds();
        let staged = if name == "package.json" { 4 } else { 5 };
        let refused = git_as(&s, None, "commit -q -m change").exits(1).stderr;
        assert!(refused.starts_with(&format!("error: 1 finding in {staged} staged files\n  ")), "{refused}");
        assert!(refused.contains(finding) && refused.ends_with("\nhint: mend the file\n"), "{refused}");
        let checked = s.comm("boundary check").exits(1).stdout;
        assert!(checked.contains(finding) && checked.ends_with(", 1 finding\n"), "{checked}");
    }
}

#[test]
fn a_setting_that_extends_what_is_not_here_is_told_and_used() {
    let s = start();
    write(
        &s,
        "tsconfig.json",
        "{\n\"extends\": \"./gone.json\", \"compilerOptions\": {\"paths\": {\"@/*\": [\"./b/*\", \"./a/*\"]}}}",
    );
    write(&s, "a/x.ts", "import '@/old'\n");
    git_as(&s, None, "add -A").succeeds();
    let told = "warning: tsconfig.json:2: B005 it extends `./gone.json`, which is not in this repository";
    let checked = s.comm("boundary check").succeeds().stdout;
    assert_eq!(
        checked,
        format!("{told}\n  mend the file\n4 files checked, 1 import, 0 findings, 1 warning\n")
    );
    assert_eq!(git_as(&s, None, "commit -q -m change").succeeds().stderr, format!("{told}\n"));
    write(&s, "a/x.ts", "import '@/thing'\n");
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[&crossing("a/x.ts:1", "@/thing", ".ts")]);
}

#[test]
fn what_is_staged_is_judged_and_nothing_else() {
    let s = start();
    write(&s, "a/x.ts", "import '../b/thing'\n");
    git_as(&s, None, "add -A").succeeds();
    write(&s, "a/x.ts", "// mended, and not staged\n");
    commits(&s, &[&crossing("a/x.ts:1", "../b/thing", ".ts")]);
    git_as(&s, None, "add -A").succeeds();
    write(&s, "a/x.ts", "import '../b/thing'\n");
    commits(&s, &[]);
    // A setting, a file that is imported, and the rules themselves.
    write(&s, "a/x.ts", "import './new'\n");
    write(&s, "a/new.ts", "");
    git_as(&s, None, "add a/x.ts").succeeds();
    commits(&s, &["a/x.ts:1: B004 imports `./new`: there is no such file here"]);
    // Only intended to be added, it is not in the commit either.
    git_as(&s, None, "add -N a/new.ts").succeeds();
    commits(&s, &["a/x.ts:1: B004 imports `./new`: there is no such file here"]);
    git_as(&s, None, "add a/new.ts").succeeds();
    commits(&s, &[]);
    write(&s, "a/x.ts", "import '../b/thing'\n");
    git_as(&s, None, "add -A").succeeds();
    write(&s, "comm.toml", "");
    commits(&s, &[&crossing("a/x.ts:1", "../b/thing", ".ts")]);
}

#[test]
fn a_setting_with_any_name_is_one() {
    let s = start();
    write(&s, "a/ok/thing.ts", "");
    write(&s, "a/tsconfig.json", r#"{ "extends": "./base.settings" }"#);
    write(&s, "a/base.settings", r#"{ "extends": "./more.json" }"#);
    write(&s, "a/more.json", r#"{ "compilerOptions": { "paths": { "@x/*": ["./ok/*"] } } }"#);
    write(&s, "a/x.ts", "import '@x/thing'\n");
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[]);
    write(&s, "a/more.json", r#"{ "compilerOptions": { "paths": { "@x/*": ["../b/*"] } } }"#);
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[&crossing("a/x.ts:1", "@x/thing", ".ts")]);
}

#[test]
fn code_with_any_name_is_judged() {
    let s = start();
    write(&s, "a/relay.txt", "module.exports = 1\n");
    write(&s, "a/x.js", "require('./relay.txt')\n");
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[]);
    write(&s, "a/relay.txt", "module.exports = require('../b/thing')\n");
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[&crossing("a/x.js:1", "./relay.txt", ".ts")]);
    write(&s, "a/relay.txt", "module.exports = (\nrequire('../b/thing')\n");
    git_as(&s, None, "add -A").succeeds();
    let unread = "a/relay.txt: B005 `require` runs it as JavaScript, and it cannot be read as such";
    commits(&s, &[unread]);
}

#[test]
fn every_way_to_an_index_is_judged() {
    let s = start();
    write(&s, "a/old.ts", "import '../b/thing'\n");
    // `commit -a` and `commit PATH` use an index of their own.
    for ways in
        ["commit -q -a -m change", "commit -q -m change a/old.ts", "commit -q -m change --include a/old.ts"]
    {
        let run = git_as(&s, None, ways);
        assert_eq!(run.code, 1, "{ways}");
        assert!(run.stderr.contains("a/old.ts:1: B001"), "{ways}\n{}", run.stderr);
    }
    git_as(&s, None, "update-index --split-index").succeeds();
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[&crossing("a/old.ts:1", "../b/thing", ".ts")]);
    for version in ["2", "3", "4"] {
        git_as(&s, None, &format!("update-index --index-version {version}")).succeeds();
        commits(&s, &[&crossing("a/old.ts:1", "../b/thing", ".ts")]);
    }
}

#[test]
fn a_sparse_checkout_is_judged_with_what_is_not_there() {
    let s = start();
    git_as(&s, None, "sparse-checkout set --cone --sparse-index a").succeeds();
    assert!(!s.repo().join("b").exists());
    write(&s, "a/x.ts", "import '../b/thing'\n");
    git_as(&s, None, "add a/x.ts").succeeds();
    commits(&s, &[&crossing("a/x.ts:1", "../b/thing", ".ts")]);
    write(&s, "a/x.ts", "import '../b/gone'\n");
    git_as(&s, None, "add a/x.ts").succeeds();
    commits(&s, &["a/x.ts:1: B004 imports `../b/gone`: there is no such file here"]);
}

#[test]
fn a_conflict_is_no_clean_tree() {
    let s = start();
    git_as(&s, None, "checkout -q -b side").succeeds();
    write(&s, "a/old.ts", "import '../b/thing'\n");
    git_as(&s, None, "commit -q -a --no-verify -m side").succeeds();
    git_as(&s, None, "checkout -q main").succeeds();
    write(&s, "a/old.ts", "export const z = 2\n");
    git_as(&s, None, "commit -q -a -m main").succeeds();
    assert_ne!(git_as(&s, None, "merge -q side").code, 0);
    let run = s.comm("boundary check");
    assert_eq!(run.code, 1, "{}", run.stdout);
    let finding = "a/old.ts: B005 what it imports is not known: it is in conflict\n  mend the file\n";
    assert_eq!(run.stdout, format!("{finding}2 files checked, 0 imports, 1 finding\n"));
    // Settled the wrong way.
    git_as(&s, None, "checkout -q --theirs a/old.ts").succeeds();
    git_as(&s, None, "add -A").succeeds();
    let run = git_as(&s, None, "commit -q --no-edit");
    assert!(run.code == 1 && run.stderr.contains("a/old.ts:1: B001"), "{}", run.stderr);
}

#[test]
fn a_setting_in_conflict_says_nothing() {
    let s = start();
    let change = |more: &str, message: &str| {
        let text = format!("{{\"compilerOptions\": {{\"paths\": {{\"{more}\": [\"./b/thing\"]}}}}}}");
        write(&s, "tsconfig.json", &text);
        git_as(&s, None, "add -A").succeeds();
        git_as(&s, None, &format!("commit -q --no-verify -m {message}")).succeeds();
    };
    write(&s, "a/x.ts", "import 'one'\n");
    change("none", "before");
    git_as(&s, None, "checkout -q -b side").succeeds();
    change("one", "side");
    git_as(&s, None, "checkout -q main").succeeds();
    change("two", "main");
    assert_ne!(git_as(&s, None, "merge -q side").code, 0);
    let run = s.comm("boundary check").exits(1);
    let finding = "tsconfig.json: B005 what it imports is not known: it is in conflict\n  mend the file\n";
    assert_eq!(run.stdout, format!("{finding}4 files checked, 1 import, 1 finding\n"));
}

#[test]
fn rules_that_cannot_be_read_let_nothing_pass() {
    let large = format!("{RULES}{}", "#".repeat(1 << 20));
    for (text, fault) in [
        (format!("{RULES}unknown = 1\n").as_str(), "6:1: unknown key `unknown`"),
        (&format!("{RULES}paht = 'c'\n"), "6:1: unknown key `paht`; did you mean `path`?"),
        (&format!("{RULES}x = \n"), "6:5: string values must be quoted, expected literal string"),
        (&large, "1:1: it has 1048651 bytes, more than the limit of 1048576"),
        ("LINK", "1:1: it is a folder or a link, and must be a file"),
        ("FOLDER", "1:1: it is a folder or a link, and must be a file"),
    ] {
        let s = start();
        let rules = s.repo().join("comm.toml");
        match text {
            "LINK" | "FOLDER" => {
                std::fs::remove_file(&rules).unwrap();
                if text == "LINK" {
                    // Read as text its target would be rules without a word.
                    std::os::unix::fs::symlink("#", &rules).unwrap();
                } else {
                    write(&s, "comm.toml/x", "");
                }
            }
            text => write(&s, "comm.toml", text),
        }
        write(&s, "a/x.ts", "import '../b/thing'\n");
        git_as(&s, None, "add -A").succeeds();
        let hint = "hint: mend it, or take the last one: git checkout HEAD -- comm.toml\n";
        let report = format!("error: 1 error in comm.toml\n  comm.toml:{fault}\n\n{hint}");
        assert_eq!(git_as(&s, None, "commit -q -m change").exits(1).stderr, report);
        assert_eq!(s.comm("boundary check").exits(129).stderr, report);
        git_as(&s, None, "commit -q --no-verify -m change").succeeds();
        assert_eq!(s.comm("boundary check --rev HEAD").exits(129).stderr, report);
        // The base's judge all the same.
        let range = s.comm("boundary check --range HEAD~1..HEAD").exits(1).stdout;
        for says in [" comm.toml:", "B005 ", &crossing("a/x.ts:1", "../b/thing", ".ts")] {
            assert!(range.contains(says), "{says}\n{range}");
        }
        s.comm("ci --base HEAD~1").exits(1);
    }
}

#[test]
fn who_mends_the_rules_keeps_to_them() {
    let s = start();
    write(&s, "comm.toml", "broken");
    git_as(&s, None, "commit -q -a --no-verify -m broken").succeeds();
    write(&s, "comm.toml", RULES);
    write(&s, "a/x.ts", "import '../b/thing'\n");
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[&crossing("a/x.ts:1", "../b/thing", ".ts")]);
    write(&s, "a/x.ts", "");
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[]);
}

/// Rules about the code bind whoever has no name here, too.
#[test]
fn who_has_no_name_is_judged() {
    let s = start();
    write(&s, "a/x.ts", "import '../b/thing'\n");
    git_as(&s, None, "add -A").succeeds();
    let refused = |variable: &str, value: &str| {
        let mut command = s.bare_command("git", s.repo());
        let out = command.env(variable, value).args(["commit", "-q", "-m", "change"]).output().unwrap();
        let told = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{told}");
        told
    };
    // No name of an agent can be made of this one.
    let told = refused("GIT_AUTHOR_NAME", "\u{674e}\u{660e}");
    assert!(told.contains(&crossing("a/x.ts:1", "../b/thing", ".ts")), "{told}");

    git_as(&s, None, "rm -q --cached a/x.ts").succeeds();
    write(&s, "comm.toml", "[[layers]]\norder = ['b/**', 'a/**']\n");
    git_as(&s, None, "add comm.toml").succeeds();
    git_as(&s, None, "commit -q -m layers").succeeds();
    // An agent that does not say which, with looser rules at once.
    write(&s, "comm.toml", "");
    git_as(&s, None, "add -A").succeeds();
    let told = refused("CLAUDECODE", "1");
    assert!(told.contains("a/x.ts:1: B008 imports b/thing.ts") && told.contains("comm.toml: B013"), "{told}");
}

#[test]
fn an_object_that_is_missing_is_not_passed_over() {
    let s = start();
    write(&s, "a/x.ts", "import '../b/thing'\n");
    git_as(&s, None, "add -A").succeeds();
    let oid = git_as(&s, None, "rev-parse :a/x.ts").succeeds().stdout;
    let (folder, file) = oid.trim().split_at(2);
    std::fs::remove_file(s.repo().join(".git/objects").join(folder).join(file)).unwrap();
    let run = s.comm("boundary check");
    assert_eq!(run.code, 1, "{}", run.stdout);
    let says = format!("a/x.ts: B005 what it imports is not known: object {} is missing", oid.trim());
    assert!(run.stdout.contains(&says), "{}", run.stdout);
}

/// Has the cache say of one content what it says of another: its header, its
/// rows of a tag, an id, a place, a length and a checksum, and the values.
fn forge(s: &Sandbox, of: &str, as_of: &str) {
    let id = |of: &str| -> Vec<u8> {
        let oid = git_as(s, None, &format!("rev-parse {of}")).succeeds().stdout;
        let digits = oid.trim().as_bytes().chunks(2);
        let mut id: Vec<u8> =
            digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect();
        id.resize(32, 0);
        id
    };
    let path = s.repo().join(".git/comm-node/cache/imports");
    let cache = std::fs::read(&path).unwrap();
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap()) as usize;
    let (rows, values) = cache[24..].split_at(number(&cache[16..20]) * 49);
    let mut rows: Vec<Vec<u8>> = rows.chunks(49).map(<[u8]>::to_vec).collect();
    let model = rows.iter().find(|row| row[1..33] == id(as_of)).unwrap().clone();
    let (at, len) = (number(&model[33..37]), number(&model[41..45]));
    let key = [&model[..1], &id(of)].concat();
    let sum = crc32fast::hash(&[&key, &values[at..at + len]].concat());
    rows.push([&key, &model[33..45], &sum.to_le_bytes()].concat());
    rows.sort();
    let (count, rows) = (u32::try_from(rows.len()).unwrap(), rows.concat());
    let sum = crc32fast::hash(&rows);
    let forged = [&cache[..16], &count.to_le_bytes(), &sum.to_le_bytes(), &rows, values].concat();
    std::fs::write(path, forged).unwrap();
}

#[test]
fn what_a_commit_brings_is_read_whatever_was_kept_of_it() {
    let s = start();
    for i in 0..80 {
        write(&s, &format!("a/f{i}.ts"), &format!("export const x{i} = 1\n"));
    }
    git_as(&s, None, "add -A").succeeds();
    commits(&s, &[]);
    s.comm("boundary check").succeeds();
    write(&s, "a/x.ts", "import '../b/thing'\n");
    git_as(&s, None, "add -A").succeeds();
    forge(&s, ":a/x.ts", ":a/f0.ts");
    let believed = s.comm("boundary check");
    assert_eq!(believed.code, 0, "{}", believed.stdout);
    commits(&s, &[&crossing("a/x.ts:1", "../b/thing", ".ts")]);
}

#[test]
fn nothing_checked_is_not_green() {
    let s = Sandbox::new();
    write(&s, "comm.toml", RULES);
    write(&s, "a/README", "");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m start").succeeds();
    for way in ["", "--staged", "--rev HEAD", "--range HEAD~1..HEAD", "a"] {
        let run = s.comm(&format!("boundary check {way}")).exits(1);
        assert!(run.stdout.contains("0 files checked, 0 imports, 0 findings"), "{way}: {}", run.stdout);
        let last = "nothing was looked at, so that nothing is proved\n";
        assert!(run.stdout.ends_with(last), "{way}: {}", run.stdout);
        let counted = s.comm(&format!("boundary check {way} --json")).exits(1).json();
        assert_eq!(counted["files_checked"], 0, "{way}");
    }
    // Sources that the last commit of a range leaves alone are counted.
    write(&s, "a/x.ts", "");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m source").succeeds();
    write(&s, "a/README", "edited");
    git_as(&s, None, "commit -q -a -m text").succeeds();
    let range = s.comm("boundary check --range HEAD~1..HEAD").succeeds().stdout;
    assert_eq!(range, "1 commit, 1 file checked, 0 imports, 0 findings\n");
}
