//! What a check of a whole Python tree costs, against grimp.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{Effort, compare};
use crate::report::Row;
use crate::support::Sandbox;

const PACKAGES: [&str; 2] = ["django", "sympy"];

const RULES: &str = "\
[domains.django]
path = 'django'
forbidden_imports = ['sympy/**']
[domains.sympy]
path = 'sympy'
forbidden_imports = ['django/**']
";

/// Whoever checks a fresh clone waits for it: nothing is known yet. grimp only
/// makes the graph, and judges nothing.
pub(crate) fn cold(effort: &Effort) -> Vec<Row> {
    let (python, site) = peers();
    let sandbox = Sandbox::new();
    fs::write(sandbox.repo().join("comm.toml"), RULES).unwrap();
    for package in PACKAGES {
        let from = site.join(package);
        let copied = Command::new("cp").arg("-R").arg(from).arg(sandbox.repo()).status().unwrap();
        assert!(copied.success());
    }
    sandbox.git("add --force .").succeeds();
    sandbox.git("commit -q -m packages").succeeds();
    sandbox.git("gc -q").succeeds();

    let forget = || {
        let cache = sandbox.repo().join(".git/comm-node/cache/imports");
        let _ = fs::remove_file(cache);
    };
    let check = || {
        let mut command = sandbox.command();
        command.args(["boundary", "check", "--rev", "HEAD", "--json"]);
        command
    };
    let grimp = || {
        let mut command = Command::new(&python);
        let code = "import sys; sys.path.insert(0, sys.argv[1]); import grimp; \
                    print(grimp.build_graph(*sys.argv[2:], cache_dir=None).count_imports())";
        command.args(["-c", code]).arg(&site).args(PACKAGES);
        command
    };
    // Both read everything.
    let checked: serde_json::Value = serde_json::from_slice(&check().output().unwrap().stdout).unwrap();
    let imports = checked["imports"].as_u64().unwrap();
    let edges = String::from_utf8(grimp().output().unwrap().stdout).unwrap();
    let edges: u64 = edges.trim().parse().unwrap();
    assert!(imports > 20_000 && edges > 15_000, "{imports} imports, {edges} edges of grimp");
    let in_python = |found: &serde_json::Value| found["file"].as_str().unwrap().ends_with(".py");
    assert!(!checked["violations"].as_array().unwrap().iter().any(in_python), "{checked}");
    forget();

    let compared = compare(effort.of(3), |c| c.cpu, |_| check(), |_| grimp(), |_| forget());
    vec![Row::of_times("boundary check, cold, django and sympy / grimp, CPU", &compared, 0.5)]
}

/// grimp's Python and the folder with the packages, installed once.
fn peers() -> (PathBuf, PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let peers = std::env::var_os("GIT_COMM_PEERS").map_or_else(|| root.join("target/peers"), PathBuf::from);
    let install = Command::new("python3")
        .arg(root.join("tests/differential/python.py"))
        .arg("--install")
        .env("GIT_COMM_PEERS", peers)
        .output()
        .unwrap();
    assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
    let said = String::from_utf8(install.stdout).unwrap();
    let mut lines = said.lines().map(PathBuf::from);
    (lines.next().unwrap(), lines.next().unwrap())
}
