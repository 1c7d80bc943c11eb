//! Imports that cross a border do not get into a commit.

use crate::commits::{git_as, write};
use crate::support::Sandbox;

/// `web` may use what `api` publishes and one package; `core` nothing.
const RULES: &str = "[domains.api]\npath = 'api'\nowner = 'Team API'\npublic = ['public/**', 'public.*', 'public']\n\n[domains.web]\npath = 'web'\nallowed_imports = ['api/**', 'pkg:left-pad', 'pkg:requests', 'pkg:serde']\nforbidden_imports = ['api/secret.*']\n\n[domains.core]\npath = 'core'\nallowed_imports = []\n\n[commit]\npeople = ['kai@example.com']\n";

fn bordered() -> Sandbox {
    let s = Sandbox::new();
    write(&s, "comm.toml", RULES);
    for file in ["api/public.ts", "api/inner.ts", "api/secret.ts", "core/own.ts"] {
        write(&s, file, "export const x = 1\n");
    }
    for file in ["api/__init__.py", "api/public.py", "api/inner.py", "web/__init__.py"] {
        write(&s, file, "");
    }
    stage(&s);
    git_as(&s, None, "commit -q -m start").succeeds();
    s
}

fn stage(s: &Sandbox) {
    git_as(s, None, "add -A").succeeds();
}

/// Commits one file; what is refused names the code and the rest.
#[track_caller]
fn check(s: &Sandbox, file: &str, text: &str, says: &[&str]) {
    write(s, file, text);
    stage(s);
    let run = git_as(s, None, "commit -q -m 'a person'");
    if says.is_empty() {
        assert_eq!(run.code, 0, "{file}: {text}\n{}", run.stderr);
        return;
    }
    assert_eq!(run.code, 1, "{file}: {text}\n{}", run.stderr);
    for says in says {
        assert!(run.stderr.contains(says), "{file}: {text}: {says}\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("--no-verify"), "{}", run.stderr);
    git_as(s, None, "reset -q --hard").succeeds();
}

#[test]
fn typescript_keeps_to_the_borders() {
    let s = bordered();
    check(
        &s,
        "web/a.ts",
        "import { x } from '../api/public'\nimport pad from 'left-pad'\nimport fs from 'node:fs'\n",
        &[],
    );
    check(
        &s,
        "web/b.tsx",
        "\nimport { x } from '../api/inner.js'\n",
        &[
            "web/b.tsx:2: B003 imports api/inner.ts of domain api, owner Team API (`../api/inner.js`): not public (comm.toml:4)",
            "ask: git comm msg send --to domain:api TEXT",
        ],
    );
    check(
        &s,
        "web/c.js",
        "export * from '../api/secret'\n",
        &["web/c.js:1: B001", "`api/secret.*` is forbidden to web (comm.toml:9)"],
    );
    check(
        &s,
        "web/d.mjs",
        "const x = await import('lodash/fp')\n",
        &["web/d.mjs:1: B002 imports pkg:lodash (`lodash/fp`): not among what web may import (comm.toml:8)"],
    );
    check(
        &s,
        "core/e.ts",
        "import './own'\nimport '../web/a'\n",
        &["core/e.ts:2: B002 imports web/a.ts of domain web (`../web/a`): not among what core may import"],
    );
    check(
        &s,
        "web/f.ts",
        "import './gone'\n",
        &["web/f.ts:1: B004 imports `./gone`: there is no such file here"],
    );
    check(
        &s,
        "web/g.ts",
        "import {\n",
        &["web/g.ts: B005 what it imports is not known: line 1 cannot be parsed"],
    );
}

#[test]
fn python_keeps_to_the_borders() {
    let s = bordered();
    check(&s, "web/a.py", "import os\nimport requests\nfrom api import public\nfrom . import a\n", &[]);
    check(
        &s,
        "web/b.py",
        "from api import (public,\n  inner)\n",
        &["web/b.py:1: B003 imports api/inner.py of domain api, owner Team API (`api`): not public"],
    );
    check(&s, "web/c.py", "def f():\n    import numpy as np\n", &["web/c.py:2: B002 imports pkg:numpy"]);
    check(&s, "web/d.py", "from .missing import x\n", &["web/d.py:1: B004 imports `.missing`"]);
    check(&s, "web/e.py", "if TYPE_CHECKING:\n    from api.inner import x\n", &["web/e.py:2: B003"]);
}

#[test]
fn a_setting_of_python_is_a_change_to_all_imports() {
    let s = bordered();
    check(&s, "web/a.py", "import inner\n", &["B002 imports pkg:inner"]);
    git_as(&s, None, "rm -q -r --cached --ignore-unmatch web/a.py").succeeds();
    let rules = RULES.replace("'pkg:requests'", "'pkg:requests', 'pkg:inner'");
    write(&s, "comm.toml", &rules);
    check(&s, "web/a.py", "import inner\n", &[]);
    check(&s, "pytest.ini", "[pytest]\npythonpath = api\n", &["web/a.py:1: B003 imports api/inner.py"]);
    check(&s, "setup.py", "setup(package_dir={'': 'api'})\n", &["web/a.py:1: B003 imports api/inner.py"]);
    // It is a source as well.
    check(
        &s,
        "web/setup.py",
        "from api import secret, inner\n",
        &["web/setup.py:1: B003 imports api/inner.py"],
    );
}

#[test]
fn rust_keeps_to_the_borders() {
    let s = bordered();
    let manifest =
        "[package]\nname = 'thing'\n[lib]\npath = 'lib.rs'\n[dependencies]\nserde = '1'\nrand = '1'\n";
    write(&s, "Cargo.toml", manifest);
    write(&s, "lib.rs", "mod api;\nmod web;\n");
    write(&s, "api/mod.rs", "pub mod public;\npub mod inner;\n");
    write(&s, "api/public.rs", "");
    write(&s, "api/inner.rs", "");
    check(&s, "web/mod.rs", "use crate::api::public::x;\nuse serde::Serialize;\nuse std::fs;\n", &[]);
    check(
        &s,
        "web/mod.rs",
        "fn f() {\n    crate::api::inner::x();\n}\n",
        &["web/mod.rs:2: B003 imports api/inner.rs"],
    );
    check(
        &s,
        "web/mod.rs",
        "use {super::api::inner, rand::rng};\n",
        &["B003 imports api/inner.rs", "B002 imports pkg:rand (`rand::rng`)"],
    );
    check(&s, "web/mod.rs", "mod gone;\n", &["web/mod.rs:1: B004 imports `gone`"]);
    // Files are taken in from elsewhere, from beside and from below.
    for (text, broken) in [
        ("#[path = \"../api/inner.rs\"]\nmod mine;\n", "B003 imports api/inner.rs"),
        ("include!(\"../api/inner.rs\");\n", "B003 imports api/inner.rs"),
        ("const A: &str = include_str!(\"../api/inner.rs\");\n", "B003 imports api/inner.rs"),
        (
            "include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/api/inner.rs\"));\n",
            "B003 imports api/inner.rs",
        ),
    ] {
        check(&s, "web/mod.rs", text, &[broken]);
    }
    write(&s, "web/deep/a.rs", "");
    write(&s, "web/b.rs", "");
    check(&s, "web/mod.rs", "#[path = \"deep/a.rs\"]\nmod a;\ninclude!(\"b.rs\");\n", &[]);
}

#[test]
fn what_is_staged_is_judged_and_not_what_lies_there() {
    let s = bordered();
    write(&s, "web/a.ts", "import '../api/secret'\n");
    stage(&s);
    write(&s, "web/a.ts", "// mended\n");
    git_as(&s, None, "commit -q -m 'mended in the working tree only'").exits(1);
    stage(&s);
    write(&s, "web/a.ts", "import '../api/secret'\n");
    git_as(&s, None, "commit -q -m 'broken in the working tree only'").succeeds();
    s.comm("boundary check").succeeds();
    s.comm("boundary check --rev HEAD").succeeds();
    stage(&s);
    let found = s.comm("boundary check --json").exits(1).json();
    assert_eq!(found["violations"][0]["code"], "B001");
    assert_eq!(
        (&found["violations"][0]["file"], &found["violations"][0]["line"]),
        (&"web/a.ts".into(), &1.into())
    );
    assert_eq!(found["files_checked"], 9);
}

#[test]
fn a_file_that_goes_is_missed_by_those_that_import_it() {
    let s = bordered();
    check(&s, "web/a.ts", "import '../api/public'\nimport './never'\n", &["B004 imports `./never`"]);
    check(&s, "web/a.ts", "import '../api/public'\n", &[]);
    git_as(&s, None, "rm -q api/public.ts").succeeds();
    let refused = git_as(&s, None, "commit -q -m gone").exits(1);
    assert!(refused.stderr.contains("web/a.ts:1: B004 imports `../api/public`"), "{}", refused.stderr);
}

#[test]
fn a_looser_rule_does_not_pass_together_with_what_breaks_it() {
    let s = bordered();
    write(&s, "web/a.ts", "import '../api/secret'\n");
    stage(&s);
    let refused = git_as(&s, Some("ada"), "commit -q -m secret").exits(1);
    assert!(refused.stderr.contains("1 import of 1 staged file across a border"), "{}", refused.stderr);
    let log = s.comm("log --kind refused --json").succeeds().json();
    assert_eq!(log["events"][0]["event"]["gate"], "boundary");
    assert_eq!(log["events"][0]["event"]["findings"][0]["code"], "B001");
    // The person loosens the rule with it, and CI holds both to the base's.
    write(
        &s,
        "comm.toml",
        &RULES
            .replace("forbidden_imports = ['api/secret.*']\n", "")
            .replace("public = ['public/**', 'public.*', 'public']\n", ""),
    );
    stage(&s);
    git_as(&s, None, "commit -q -m loosened").succeeds();
    let verdict = s.comm("ci --base HEAD~1 --json").exits(1).json();
    let boundary = &verdict["gates"][2];
    assert_eq!((boundary["name"].as_str(), boundary["status"].as_str()), (Some("boundary"), Some("fail")));
    assert_eq!(boundary["findings"][0]["file"], "web/a.ts");
    write(&s, "web/a.ts", "import '../api/inner'\n");
    git_as(&s, None, "commit -q -a -m later").succeeds();
    s.comm("ci --base HEAD~1").succeeds();
}

#[test]
fn nothing_to_check_is_not_green() {
    let s = Sandbox::new();
    let run = s.comm("boundary check").exits(1);
    assert!(run.stdout.contains("0 files checked"), "{}", run.stdout);
}

/// The code that checks others is checked by itself.
#[test]
fn this_project_keeps_to_its_own_borders() {
    let s = Sandbox::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["comm.toml", "Cargo.toml", "Cargo.lock"] {
        std::fs::copy(root.join(name), s.repo().join(name)).unwrap();
    }
    let mut queue: Vec<std::path::PathBuf> = vec!["src".into(), "hooks".into()];
    while let Some(folder) = queue.pop() {
        std::fs::create_dir_all(s.repo().join(&folder)).unwrap();
        for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root.join(&path).is_dir() {
                queue.push(path);
            } else {
                std::fs::copy(root.join(&path), s.repo().join(&path)).unwrap();
            }
        }
    }
    stage(&s);
    let run = s.comm("boundary check");
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.contains(", 0 findings"), "{}", run.stdout);
}
