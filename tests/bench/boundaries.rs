//! What judging imports costs: whole trees, and the commit of an agent.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::board;
use crate::measure::{Effort, compare};
use crate::memory::peak_of;
use crate::report::{Bound, Row};
use crate::support::{Sandbox, split};

/// Sources of the tree that commits are made in, and of the one that is
/// checked as a whole.
const FILES: usize = 11_000;
const WHOLE: usize = 4_000;
/// Files of a commit.
const CHANGED: usize = 10;
/// Files of a package.
const PACKAGE: usize = 50;
/// Functions of a file: eight kilobytes, a little less than what sources of
/// real projects have.
const LINES: usize = 70;

/// No package may use the one that does not exist.
const RULES: &str = "\
[domains.web]
scope = ['web/**']
forbidden_imports = ['svc/**', 'crates/**', 'pkg:left-pad']
[domains.svc]
scope = ['svc/**']
forbidden_imports = ['web/**', 'pkg:numpy']
[domains.crates]
scope = ['crates/**']
forbidden_imports = ['web/**', 'pkg:rand']
";

/// One package in three languages each, with about ten imports and eight
/// kilobytes in a file.
fn package(root: &Path, files: usize, at: usize) {
    let next = if (at + 1) * PACKAGE < files { at + 1 } else { at % 3 };
    let (folder, other) = match at % 3 {
        0 => (format!("web/p{at}/src"), format!("@acme/p{}", next - next % 3)),
        1 => (format!("svc/p{at}"), format!("p{}", if next >= 1 { next - (next + 2) % 3 } else { 1 })),
        _ => (format!("crates/p{at}/src"), String::new()),
    };
    let folder = root.join(folder);
    fs::create_dir_all(&folder).unwrap();
    let above = folder.parent().unwrap();
    match at % 3 {
        0 => {
            let manifest = format!("{{\"name\": \"@acme/p{at}\", \"main\": \"./src/m0.ts\"}}");
            fs::write(above.join("package.json"), manifest).unwrap();
        }
        1 => fs::write(folder.join("__init__.py"), "").unwrap(),
        _ => {
            let manifest =
                format!("[package]\nname = 'p{at}'\nedition = '2024'\n[dependencies]\nserde = '1'\n");
            fs::write(above.join("Cargo.toml"), manifest).unwrap();
            let mods: String = (0..PACKAGE).map(|n| format!("mod m{n};\n")).collect();
            fs::write(folder.join("lib.rs"), mods).unwrap();
        }
    }
    for n in 0..PACKAGE {
        let (file, text) = match at % 3 {
            0 => (format!("m{n}.ts"), typescript(n, &other)),
            1 => (format!("m{n}.py"), python(n, &other)),
            _ => (format!("m{n}.rs"), rust(n)),
        };
        fs::write(folder.join(file), text).unwrap();
    }
}

fn typescript(n: usize, other: &str) -> String {
    let mut text =
        String::from("import React, { useState } from 'react'\nimport type { Node } from 'estree'\n");
    for step in 1..6 {
        let _ = writeln!(text, "import {{ f{step} }} from './m{}'", (n + step) % PACKAGE);
    }
    let _ = writeln!(text, "import {{ start }} from '{other}'\nimport * as fs from 'node:fs'\n");
    for line in 0..LINES {
        let _ = writeln!(
            text,
            "export function f{line}(value: string): string {{\n  // What `import` says here is text.\n  return value.replace(/[a-z]+\\/{line}/g, `${{value}} of {n}`)\n}}"
        );
    }
    text
}

fn python(n: usize, other: &str) -> String {
    let mut text = String::from("import os\nfrom typing import Any\nimport requests\n");
    for step in 1..6 {
        let _ = writeln!(text, "from .m{} import f{step}", (n + step) % PACKAGE);
    }
    let _ = writeln!(text, "from svc.{other} import m1 as start\nfrom svc.{other}.m2 import f1 as begin\n");
    for line in 0..LINES {
        let _ = writeln!(
            text,
            "def f{line}(value: str) -> Any:\n    \"\"\"What `import` says here is text.\"\"\"\n    return f'{{value}} of {n}' + os.sep\n"
        );
    }
    text
}

fn rust(n: usize) -> String {
    let mut text = String::from("use std::fmt;\nuse serde::Serialize;\n");
    for step in 1..6 {
        let _ = writeln!(text, "use crate::m{}::f{step};", (n + step) % PACKAGE);
    }
    for line in 0..LINES {
        let call = if line < 20 { format!("crate::m{}::f1", (n + 7) % PACKAGE) } else { "told".to_owned() };
        let _ = writeln!(
            text,
            "/// What `use` says here is text.\npub fn f{line}(value: &str) -> String {{\n    {call}(&format!(\"{{value}} of {n}\"))\n}}"
        );
    }
    text
}

/// A repository of so many sources, under rules that they keep to.
fn tree(files: usize) -> Sandbox {
    let sandbox = board::with_tasks(20);
    fs::write(sandbox.repo().join("comm.toml"), RULES).unwrap();
    fs::write(sandbox.repo().join("package.json"), "{\"workspaces\": [\"web/*\"]}").unwrap();
    for at in 0..files / PACKAGE {
        package(sandbox.repo(), files, at);
    }
    sandbox.git("add .").succeeds();
    sandbox.git("commit -q --no-verify -m files").succeeds();
    sandbox.git("gc -q").succeeds();
    sandbox
}

/// The first check of a tree reads every source, the next none.
pub(crate) fn warm(effort: &Effort) -> Vec<Row> {
    let sandbox = tree(WHOLE);
    let kept = sandbox.repo().join(".git/comm-node/cache/imports");
    let first = sandbox.comm("boundary check");
    assert_eq!(first.code, 0, "{}", first.stdout);
    assert!(kept.exists(), "nothing was kept");
    assert_eq!(sandbox.comm("boundary check").stdout, first.stdout);
    let check = || {
        let mut command = sandbox.agent_command("ada");
        command.args(["boundary", "check"]);
        command
    };
    let compared = compare(
        effort.of(5),
        |c| c.cpu,
        // The cold run before left what it read.
        |_| check(),
        |_| {
            fs::remove_file(&kept).unwrap();
            check()
        },
        |_| (),
    );
    vec![Row::of_times("boundary check, 4,000 files: warm / cold, CPU", &compared, 0.25)]
}

fn hook(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.agent_command("ada");
    command.env("GIT_INDEX_FILE", ".git/index").env("GIT_PREFIX", "").env("GIT_EDITOR", ":");
    command.args(["hook", "pre-commit"]);
    command
}

/// Ten sources of one package of each language.
fn change(sandbox: &Sandbox) {
    for n in 0..CHANGED {
        let path = match n % 3 {
            0 => format!("web/p3/src/m{n}.ts"),
            1 => format!("svc/p4/m{n}.py"),
            _ => format!("crates/p5/src/m{n}.rs"),
        };
        let path = sandbox.repo().join(path);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }
    sandbox.git("add -u").succeeds();
}

/// Whoever commits waits for it.
pub(crate) fn pre_commit(effort: &Effort) -> Vec<Row> {
    let sandbox = tree(FILES);
    // As it is after the first check of a clone.
    assert_eq!(sandbox.comm("boundary check").code, 0);
    sandbox.as_agent("ada", "agent register").succeeds();
    change(&sandbox);
    let listed = "diff --cached --name-only";
    let git = || {
        let mut command = sandbox.bare_command("git", sandbox.repo());
        command.args(split(listed));
        command
    };
    let judged = |says: &str| {
        let run = hook(&sandbox).output().unwrap();
        let stderr = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(if says.is_empty() { run.status.success() } else { stderr.contains(says) }, "{stderr}");
    };
    judged("");
    let own = sandbox.repo().join("web/p3/src/m0.ts");
    let text = fs::read_to_string(&own).unwrap();
    fs::write(&own, format!("import 'left-pad'\n{text}")).unwrap();
    sandbox.git("add -u").succeeds();
    judged("web/p3/src/m0.ts:1: B001");
    fs::write(&own, &text).unwrap();
    sandbox.git("add -u").succeeds();
    let edits = compare(effort.of(20), |c| c.cpu, |_| hook(&sandbox), |_| git(), |_| ());
    let mut rows = vec![Row::of_times("pre-commit, 10 of 11,000 sources / diff --cached, CPU", &edits, 5.0)];
    fs::write(sandbox.repo().join("web/p3/src/added.ts"), "import './m1'\n").unwrap();
    sandbox.git("add .").succeeds();
    judged("");
    let added = compare(effort.of(8), |c| c.cpu, |_| hook(&sandbox), |_| git(), |_| ());
    rows.push(Row::of_times("the same with one source added, CPU", &added, 25.0));
    let peak = peak_of(&sandbox, &split("hook pre-commit"));
    rows.push(Row {
        figure: "resident memory of that".into(),
        measured: format!("{peak:.1} MiB"),
        baseline: String::new(),
        value: peak,
        bound: Bound::Figure(60.0, " MiB"),
    });
    rows
}
