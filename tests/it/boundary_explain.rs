//! May this import that? The answer is that of the check, with its reasons.

use crate::commits::{git_as, write};
use crate::support::Sandbox;

const RULES: &str = "[domains.api]
path = 'api'
owner = 'Team API'
public = ['index.ts']

[domains.web]
path = 'web'
allowed_imports = ['api/**', 'pkg:left-pad']
forbidden_imports = ['api/secret.ts']

[domains.core]
path = 'core'
";

/// `web` imports `core` only through `api`.
fn bordered() -> Sandbox {
    let s = Sandbox::with_init(&[]);
    write(&s, "comm.toml", RULES);
    write(
        &s,
        "web/page.ts",
        "import { x } from '../api/index'\nimport pad from 'left-pad'\nimport './part'\n",
    );
    write(&s, "web/part.ts", "");
    write(&s, "api/index.ts", "\nexport { x } from './inner'\n");
    write(&s, "api/inner.ts", "import type { T } from '../core/types'\nexport const x = 1\n");
    write(&s, "api/secret.ts", "");
    write(&s, "core/types.ts", "export type T = 1\n");
    write(&s, "loose.ts", "");
    git_as(&s, None, "add -A").succeeds();
    s
}

#[track_caller]
fn check(s: &Sandbox, question: &str, code: i32, says: &[&str]) {
    let run = s.comm(&format!("boundary explain {question}")).exits(code);
    for says in says {
        assert!(run.stdout.contains(says), "{question}: {says}\n{}", run.stdout);
    }
}

#[test]
fn the_rule_that_decides_is_named_with_its_line() {
    let s = bordered();
    check(
        &s,
        "web/page.ts api/index.ts",
        0,
        &[
            "yes: web/page.ts may import api/index.ts",
            "`api/**` allows it to web (comm.toml:8)",
            "`index.ts` makes it public (comm.toml:4)",
            "web/page.ts:1  `../api/index`  -> api/index.ts",
        ],
    );
    check(&s, "web/page.ts api/inner.ts", 1, &["no: web/page.ts may not import api/inner.ts", "comm.toml:4"]);
    check(&s, "web api/secret.ts", 1, &["no: domain web may not import", "comm.toml:9"]);
    check(&s, "web/ core", 1, &["no: web/ may not import domain core", "comm.toml:8"]);
    check(&s, "web/part.ts ./web/page.ts", 0, &["both are of domain web"]);
    check(&s, "core pkg:anything", 0, &["domain core has no `allowed_imports`"]);
    check(&s, "web left-pad", 0, &["may import pkg:left-pad", "comm.toml:8", "web/page.ts:2"]);
    check(&s, "web pkg:other", 1, &["no: domain web may not import pkg:other"]);
    check(&s, "loose.ts api/inner.ts", 0, &["loose.ts is of no domain"]);
}

#[test]
fn a_domain_with_a_public_face_is_open_by_that() {
    let s = bordered();
    check(&s, "web api", 0, &["yes: domain web may import domain api", "only: api/index.ts\n", "1 import:"]);
    let told = s.comm("boundary explain web domain:api --json").succeeds().json();
    assert_eq!((&told["allowed"], &told["only"]), (&true.into(), &serde_json::json!(["api/index.ts"])));
    assert_eq!((&told["imports"][0]["line"], &told["imports"][0]["to"]), (&1.into(), &"api/index.ts".into()));
}

#[test]
fn the_shortest_chain_is_told_where_nothing_leads_there_directly() {
    let s = bordered();
    check(
        &s,
        "web core",
        1,
        &[
            "no import leads there directly, but through others:",
            "web/page.ts:1   `../api/index`   -> api/index.ts",
            "api/index.ts:2  `./inner`        -> api/inner.ts",
            "api/inner.ts:1  `../core/types`  -> core/types.ts  type",
        ],
    );
    let told = s.comm("boundary explain web core --json").exits(1).json();
    let files: Vec<_> = told["chain"].as_array().unwrap().iter().map(|edge| edge["to"].clone()).collect();
    assert_eq!(files, ["api/index.ts", "api/inner.ts", "core/types.ts"]);
    check(&s, "core web", 0, &["no import leads there\n"]);
}

#[test]
fn what_is_not_known_is_named() {
    let s = bordered();
    let run = s.comm("boundary explain web apo").exits(4);
    assert!(run.stderr.contains("`apo`") && run.stderr.contains("did you mean `api`?"), "{}", run.stderr);
    let run = s.comm("boundary explain nowhere.ts web").exits(4);
    assert!(run.stderr.contains("git comm boundary graph --files"), "{}", run.stderr);
    let _ = s.comm("boundary explain web never-imported").exits(4);
    let _ = s.comm("boundary explain domain:pages web").exits(4);
    let _ = s.comm("boundary explain web core --rev nonsense").exits(4);
    let _ = s.comm("boundary explain pkg:left-pad web").exits(129);
}

#[test]
fn a_commit_answers_by_its_own_rules() {
    let s = bordered();
    git_as(&s, None, "commit -q -m start").succeeds();
    write(&s, "comm.toml", &RULES.replace("['api/**', 'pkg:left-pad']", "['api/**', 'core/**']"));
    git_as(&s, None, "add -A").succeeds();
    check(&s, "web core", 0, &["yes: domain web may import domain core"]);
    check(&s, "web core --rev HEAD", 1, &["no: "]);
}

#[test]
fn modules_of_python_are_found_where_the_rules_say() {
    let s = Sandbox::new();
    let rules = "[domains.web]\npath = 'web'\n\n[domains.kit]\npath = 'kit'\n";
    write(&s, "comm.toml", rules);
    write(&s, "web/page.py", "import tools.cut\n");
    write(&s, "kit/py/tools/cut.py", "");
    git_as(&s, None, "add -A").succeeds();
    check(&s, "web kit", 0, &["no import leads there"]);
    write(&s, "comm.toml", &format!("{rules}\n[boundary]\npython_roots = ['kit/py']\n"));
    git_as(&s, None, "add -A").succeeds();
    check(&s, "web kit", 0, &["web/page.py:1  `tools.cut`  -> kit/py/tools/cut.py"]);
    git_as(&s, None, "commit -q -m start").succeeds();
    write(&s, "comm.toml", rules);
    git_as(&s, None, "add -A").succeeds();
    check(&s, "web kit --rev HEAD", 0, &["web/page.py:1  `tools.cut`"]);
}
