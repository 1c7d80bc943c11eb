//! Every rule of `comm.toml` about imports, on small trees.

use serde_json::Value;

use crate::commits::{git_as, write};
use crate::support::{Run, Sandbox};

/// A repository with these files staged.
pub(crate) fn staged(rules: &str, files: &[(&str, &str)]) -> Sandbox {
    let s = Sandbox::new();
    write(&s, "comm.toml", rules);
    for (path, text) in files {
        write(&s, path, text);
    }
    stage(&s);
    s
}

pub(crate) fn stage(s: &Sandbox) {
    git_as(s, None, "add -A").succeeds();
}

/// What was found, as `CODE FILE:LINE TARGET`.
pub(crate) fn told(run: &Run, field: &str) -> Vec<String> {
    let found = run.json()[field].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut told: Vec<String> = found
        .iter()
        .map(|f| {
            let line =
                format!("{} {}:{} {}", text(&f["code"]), text(&f["file"]), f["line"], text(&f["target"]));
            line.trim_end().to_owned()
        })
        .collect();
    told.sort();
    told
}

#[track_caller]
fn check(rules: &str, files: &[(&str, &str)], expected: &[&str]) -> Run {
    let s = staged(rules, files);
    let run = s.comm("boundary check --json");
    assert_eq!(told(&run, "violations"), expected, "{rules}\n{}{}", run.stdout, run.stderr);
    assert_eq!(run.code, i32::from(!expected.is_empty()), "{rules}\n{}", run.stdout);
    assert!(run.json()["files_checked"].as_u64().unwrap() > 0);
    run
}

/// Three domains, one file each.
const THREE: &str =
    "[domains.high]\npath = 'high'\n[domains.mid]\npath = 'mid'\n[domains.low]\npath = 'low'\n";

#[test]
fn layers_import_downwards_only() {
    let files = [
        ("high/a.ts", "import '../mid/b'\nimport '../low/c'\n"),
        ("mid/b.ts", "import '../low/c'\nimport './own'\n"),
        ("mid/own.ts", "import '../high/a'\n"),
        ("low/c.ts", "import '../mid/b'\n"),
    ];
    let rules = |more: &str| format!("{THREE}[[layers]]\norder = ['high', 'mid', 'low']\n{more}");
    let up = ["B008 low/c.ts:1 mid/b.ts", "B008 mid/own.ts:1 high/a.ts"];
    check(&rules(""), &files, &up);
    let strict = ["B008 high/a.ts:2 low/c.ts", up[0], up[1]];
    let run = check(&rules("strict = true\n"), &files, &strict);
    let first = &run.json()["violations"][0];
    assert_eq!((&first["rule"], &first["rule_line"]), (&"layers".into(), &7.into()));
}

#[test]
fn parts_of_one_layer_do_not_know_each_other_unless_allowed() {
    let files = [("high/a.ts", "import '../mid/b'\n"), ("mid/b.ts", ""), ("low/c.ts", "")];
    let rules = |more: &str| format!("{THREE}[[layers]]\norder = [['high', 'mid'], 'low']\n{more}");
    check(&rules(""), &files, &["B008 high/a.ts:1 mid/b.ts"]);
    check(&rules("siblings = 'allow'\n"), &files, &[]);
}

#[test]
fn layers_may_be_globs_and_the_first_that_matches_counts() {
    let files = [
        ("src/ui/a.py", "from src.db import b\n"),
        ("src/db/b.py", "from src.ui import a\nfrom src import other\n"),
        ("src/other.py", "from src.db import b\n"),
        ("src/__init__.py", ""),
        ("src/ui/__init__.py", ""),
        ("src/db/__init__.py", ""),
    ];
    let rules = "[[layers]]\norder = ['src/ui/**', 'src/db/**', 'src/**']\n";
    check(rules, &files, &["B008 src/db/b.py:1 src/ui/a.py", "B008 src/other.py:1 src/db/b.py"]);
}

#[test]
fn a_way_around_through_files_of_no_layer_counts_if_the_rule_is_transitive() {
    let files = [
        ("low/c.ts", "import '../util/x'\n"),
        ("util/x.ts", "import './y'\n"),
        ("util/y.ts", "import '../high/a'\n"),
        ("high/a.ts", ""),
        ("mid/b.ts", ""),
    ];
    let rules = |more: &str| format!("{THREE}[[layers]]\norder = ['high', 'mid', 'low']\n{more}");
    check(&rules(""), &files, &[]);
    let run = check(&rules("transitive = true\n"), &files, &["B008 low/c.ts:1 util/x.ts"]);
    let chain = &run.json()["violations"][0]["chain"];
    assert_eq!(chain.to_string(), r#"["low/c.ts","util/x.ts","util/y.ts","high/a.ts"]"#);
    let independent = format!("{THREE}[[independent]]\nmembers = ['high', 'low']\ntransitive = true\n");
    check(&independent, &files, &["B009 low/c.ts:1 util/x.ts"]);
}

#[test]
fn independent_parts_know_nothing_of_each_other() {
    let files =
        [("high/a.rs", "use crate::low::c;\n"), ("low/c.rs", ""), ("mid/b.rs", "use crate::low::c;\n")];
    let mut all = vec![
        ("Cargo.toml", "[package]\nname = 'x'\n[lib]\npath = 'lib.rs'\n"),
        ("lib.rs", "mod high { mod a; }\nmod low { mod c; }\nmod mid { mod b; }\n"),
    ];
    all.extend(files);
    let rules = format!("{THREE}[[independent]]\nmembers = ['high', 'low']\nreason = 'they ship apart'\n");
    let run = check(&rules, &all, &["B009 high/a.rs:1 low/c.rs"]);
    assert_eq!(run.json()["violations"][0]["reason"], "they ship apart");
}

#[test]
fn what_is_forbidden_transitively_is_told_where_the_way_leaves_the_domain() {
    let rules = |entry: &str| format!("{THREE}[domains.web]\npath = 'web'\nforbidden_imports = [{entry}]\n");
    let files = [
        ("web/a.ts", "import './own'\n"),
        ("web/own.ts", "import '../mid/b'\n"),
        ("mid/b.ts", "import '../low/c'\nimport 'left-pad'\n"),
        ("low/c.ts", ""),
        ("high/h.ts", ""),
    ];
    check(&rules("'low/**'"), &files, &[]);
    let run = check(
        &rules("{ import = 'domain:low', transitive = true, reason = 'no data here' }"),
        &files,
        &["B001 web/own.ts:1 mid/b.ts"],
    );
    let found = &run.json()["violations"][0];
    assert_eq!(found["chain"].to_string(), r#"["web/own.ts","mid/b.ts","low/c.ts"]"#);
    assert!(
        found["what"]
            .as_str()
            .unwrap()
            .contains("it leads to low/c.ts, and `domain:low` is forbidden to web")
    );
    assert_eq!(found["reason"], "no data here");
    check(&rules("{ import = 'pkg:left-*', transitive = true }"), &files, &["B001 web/own.ts:1 mid/b.ts"]);
}

#[test]
fn cycles_between_domains_are_printed() {
    let files = [
        ("high/a.ts", "import '../mid/b'\nimport '../mid/x'\n"),
        ("high/z.ts", "import '../mid/b'\n"),
        ("mid/b.ts", "import '../low/c'\n"),
        ("mid/x.ts", "import '../low/c'\n"),
        ("low/c.ts", "import './d'\n"),
        ("low/d.ts", "import '../high/a'\n"),
    ];
    let rules = format!("{THREE}[[acyclic]]\n");
    let run = check(&rules, &files, &["B010 low/d.ts:1 high/a.ts"]);
    assert_eq!(
        run.json()["violations"][0]["chain"].to_string(),
        r#"["low","high (low/d.ts:1)","mid (high/a.ts:1)","low (mid/b.ts:1)"]"#
    );
    check(&format!("{THREE}[[acyclic]]\nmembers = ['high', 'mid']\n"), &files, &[]);
}

#[test]
fn cycles_between_files_are_found_in_each_knot() {
    let files = [
        ("high/a.ts", "import './b'\n"),
        ("high/b.ts", "import './c'\nimport './a'\n"),
        ("high/c.ts", "import './a'\n"),
        ("mid/x.ts", "import './y'\n"),
        ("mid/y.ts", "import './x'\n"),
        ("low/self.ts", "import './self'\n"),
    ];
    let rules = format!("{THREE}[[acyclic]]\nbetween = 'files'\n");
    check(&rules, &files, &["B010 high/a.ts:1 high/b.ts", "B010 mid/x.ts:1 mid/y.ts"]);
    check(&format!("{rules}members = ['mid', 'low']\n"), &files, &["B010 mid/x.ts:1 mid/y.ts"]);
}

#[test]
fn kinds_of_imports_count_as_the_rules_say() {
    let files = [
        (
            "high/a.ts",
            "import type { T } from '../low/c'\nimport('../low/c')\njest.mock('../low/c')\nimport '../low/c'\n",
        ),
        ("low/c.ts", ""),
        ("mid/b.ts", ""),
    ];
    let rules = |list: &str, options: &str| {
        format!(
            "{}[boundary]\n{options}\n",
            THREE.replace("path = 'high'", &format!("path = 'high'\n{list}"))
        )
    };
    let all: Vec<String> = (1..5).map(|line| format!("B002 high/a.ts:{line} low/c.ts")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    check(&rules("allowed_imports = []", ""), &files, &all);
    let options = "type_imports = 'allow'\ndynamic_imports = 'warn'\nmocks = 'allow'";
    let run = check(&rules("allowed_imports = []", options), &files, &all[3..]);
    assert_eq!(told(&run, "warnings"), [all[1]]);
    let typed = "allowed_imports = [{ import = 'low/**', kinds = 'type' }]";
    let run = check(&rules(typed, ""), &files, &all[1..]);
    let what = run.json()["violations"][0]["what"].to_string();
    assert!(what.contains("`low/**` is allowed to high, but not as a dynamic import"), "{what}");
    let loaded = "forbidden_imports = [{ import = 'low/**', kinds = ['static', 'dynamic'] }]";
    check(&rules(loaded, ""), &files, &["B001 high/a.ts:2 low/c.ts", "B001 high/a.ts:4 low/c.ts"]);
}

#[test]
fn an_exception_takes_imports_out_of_every_rule() {
    let files = [
        ("high/a.ts", "import '../low/c'\nimport './gone'\n"),
        ("high/other.ts", "import '../low/c'\n"),
        ("low/c.ts", ""),
        ("mid/b.ts", ""),
    ];
    let rules = format!(
        "{THREE}[[independent]]\nmembers = ['high', 'low']\n[[exceptions]]\nfrom = 'high/a.ts'\nto = 'domain:low'\nreason = 'until it is split'\n"
    );
    check(&rules, &files, &["B004 high/a.ts:2 ./gone", "B009 high/other.ts:1 low/c.ts"]);
}

#[test]
fn what_no_domain_owns_and_what_leads_nowhere_weighs_as_the_rules_say() {
    let files = [("high/a.ts", "import './gone'\n"), ("tool.py", "from . import lost\n"), ("README.md", "")];
    let (gone, lost) = ("B004 high/a.ts:1 ./gone", "B004 tool.py:1 .");
    for (options, violations, warnings) in [
        // What leads nowhere elsewhere weighs only where the key is written.
        ("", &[gone][..], &[][..]),
        ("unresolved = 'forbid'", &[gone, lost], &[]),
        ("unowned = 'warn'\nunresolved = 'warn'", &[], &[gone, lost, "B006 tool.py:0"]),
        ("unowned = 'forbid'\nunresolved = 'ignore'", &["B006 tool.py:0"], &[]),
    ] {
        let rules = format!("[domains.high]\npath = 'high'\n[boundary]\n{options}\n");
        let run = check(&rules, &files, violations);
        assert_eq!(told(&run, "warnings"), warnings, "{options}");
    }
}

#[test]
fn imports_that_lead_nowhere_can_be_all_that_is_forbidden() {
    let rules = "[boundary]\nunresolved = 'forbid'\n";
    check(rules, &[("a.ts", "import './gone'\nimport 'react'\n")], &["B004 a.ts:1 ./gone"]);
}

#[test]
fn a_source_that_two_domains_claim_is_an_error() {
    let rules = "[domains.a]\nscope = 'x/*.ts'\n[domains.b]\nscope = 'x/*.ts'\n";
    let s = staged(rules, &[("x/a.ts", "")]);
    let run = s.comm("boundary check").exits(1);
    assert!(run.stdout.contains("x/a.ts: B007 claimed by both a and b"), "{}", run.stdout);
}

#[test]
fn python_names_begin_at_the_roots_that_the_rules_name() {
    let files = [("app/a.py", "import shared.b\n"), ("x/deep/code/shared/b.py", "")];
    let rules = |roots: &str| {
        format!("[domains.a]\npath = 'app'\nallowed_imports = []\n[boundary]\npython_roots = {roots}\n")
    };
    check(&rules("[]"), &files, &["B002 app/a.py:1 pkg:shared"]);
    check(&rules("['other', 'x/deep/code/']"), &files, &["B002 app/a.py:1 x/deep/code/shared/b.py"]);
}

#[test]
fn what_is_to_warn_is_said_by_the_hook_too() {
    let rules = format!(
        "{}[boundary]\nunowned = 'warn'\ntype_imports = 'warn'\n",
        THREE.replace("path = 'high'", "path = 'high'\nallowed_imports = []")
    );
    let s = staged(&rules, &[("high/a.ts", ""), ("low/c.ts", ""), ("mid/b.ts", "")]);
    git_as(&s, None, "commit -q -m start").succeeds();
    write(&s, "high/a.ts", "import type { T } from '../low/c'\n");
    write(&s, "tool.py", "");
    stage(&s);
    let said = git_as(&s, None, "commit -q -m change").succeeds().stderr;
    let expected = [
        "warning: high/a.ts:1: B002 imports low/c.ts of domain low (`../low/c`): not among what high may import (comm.toml:3)",
        "warning: tool.py: B006 belongs to no domain",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    let range = s.comm("boundary check --range HEAD~1..HEAD --json").succeeds();
    assert_eq!(told(&range, "warnings"), ["B002 high/a.ts:1 low/c.ts", "B006 tool.py:0"]);
}

#[test]
fn the_public_file_that_hands_a_name_on_is_told() {
    let rules = "[domains.api]\npath = 'api'\npublic = ['__init__.py', 'open.py']\nowner = 'Team API'\n[domains.web]\npath = 'web'\n";
    let files = [
        ("api/__init__.py", "from .deep import thing\n"),
        ("api/open.py", "from .deep import more\n"),
        ("api/deep/__init__.py", "from .more import thing, hidden\n"),
        ("api/deep/more.py", "thing = hidden = 1\n"),
        ("web/a.py", "from api.deep.more import thing\n"),
    ];
    let s = staged(rules, &files);
    let refused = git_as(&s, None, "commit -q -m x").exits(1).stderr;
    for says in [
        "web/a.py:1: B003 imports api/deep/more.py of domain api, owner Team API (`api.deep.more`): not public (comm.toml:3)\n    instead: api/__init__.py\n",
        "hint: ask: git comm msg send --to domain:api TEXT",
    ] {
        assert!(refused.contains(says), "{says}\n{refused}");
    }
    assert!(!refused.contains("--no-verify"), "{refused}");
}

#[test]
fn a_report_can_be_narrowed_to_paths() {
    let rules = format!("{THREE}[[independent]]\nmembers = ['high', 'low']\n");
    let files = [
        ("high/a.ts", "import '../low/c'\n"),
        ("high/deep/b.ts", "import '../../low/c'\n"),
        ("high/deeper.ts", ""),
        ("low/c.ts", ""),
        ("mid/m.ts", ""),
    ];
    let s = staged(&rules, &files);
    for (paths, files, expected) in [
        ("", 5, &["B009 high/a.ts:1 low/c.ts", "B009 high/deep/b.ts:1 low/c.ts"][..]),
        ("high/deep", 1, &["B009 high/deep/b.ts:1 low/c.ts"]),
        ("./high/a.ts low/", 2, &["B009 high/a.ts:1 low/c.ts"]),
        ("mid", 1, &[]),
    ] {
        let run = s.comm(&format!("boundary check {paths} --json"));
        assert_eq!(told(&run, "violations"), expected, "{paths}");
        assert_eq!(run.json()["files_checked"], files, "{paths}");
        assert_eq!(run.code, i32::from(!expected.is_empty()), "{paths}");
    }
    let from_below = s.comm("-C high boundary check deep --json").exits(1);
    assert_eq!(told(&from_below, "violations"), ["B009 high/deep/b.ts:1 low/c.ts"]);
    let none = s.comm("boundary check nothing").exits(1);
    assert!(none.stdout.contains("0 files checked"), "{}", none.stdout);
    assert!(none.stdout.contains("nothing was looked at"), "{}", none.stdout);
    s.comm("boundary check ../elsewhere").exits(129);
}
