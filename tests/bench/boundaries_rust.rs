//! What a check of a large Rust tree costs, against parsing all of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{Effort, compare};
use crate::report::Row;
use crate::support::Sandbox;

/// Packages are published without some of what their tests take in.
const RULES: &str = "\
[boundary]
unresolved = 'warn'
[domains.query]
scope = ['datafusion-*/**']
forbidden_imports = ['tokio-*/**', 'pkg:left-pad']
[domains.tokio]
scope = ['tokio-*/**']
forbidden_imports = ['datafusion-*/**']
";

/// Whoever checks a fresh clone waits for it: nothing is known yet. The other
/// program only parses, and looks at nothing that it parsed.
pub(crate) fn cold(effort: &Effort) -> Vec<Row> {
    let (parser, packages) = peer();
    let sandbox = Sandbox::new();
    fs::write(sandbox.repo().join("comm.toml"), RULES).unwrap();
    for package in packages {
        let copied = Command::new("cp").arg("-R").arg(package).arg(sandbox.repo()).status().unwrap();
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
    let parse = || {
        let mut command = Command::new(&parser);
        command.arg(sandbox.repo());
        command
    };
    // Both read everything.
    let checked: serde_json::Value = serde_json::from_slice(&check().output().unwrap().stdout).unwrap();
    let (files, imports) = (checked["files"]["Rust"].as_u64().unwrap(), checked["imports"].as_u64().unwrap());
    assert!(imports > 50_000, "{imports} imports");
    let parsed = String::from_utf8(parse().output().unwrap().stdout).unwrap();
    let (parsed, bytes) = parsed.trim().split_once(' ').unwrap();
    assert_eq!(parsed, files.to_string());
    assert!(bytes.parse::<u64>().unwrap() > 30_000_000, "{bytes} bytes");
    forget();

    let compared = compare(effort.of(3), |c| c.cpu, |_| check(), |_| parse(), |_| forget());
    vec![Row::of_times("boundary check, cold, 37 MB of Rust / a full parse, CPU", &compared, 0.25)]
}

/// The program that parses, optimised as a release of ours, and the packages.
fn peer() -> (PathBuf, Vec<PathBuf>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/bench/rust");
    let peers = std::env::var_os("GIT_COMM_PEERS").map_or_else(|| root.join("target/peers"), PathBuf::from);
    let target = peers.join("full-parse");
    let cargo = |args: &[&str]| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let done = command.args(args).current_dir(&folder).env("CARGO_TARGET_DIR", &target).output().unwrap();
        assert!(done.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    };
    cargo(&["build", "--release", "--locked", "--quiet"]);
    let metadata: serde_json::Value =
        serde_json::from_slice(&cargo(&["metadata", "--locked", "--format-version=1"])).unwrap();
    let all = metadata["packages"].as_array().unwrap();
    let own = all.iter().find(|package| package["name"] == "full-parse").unwrap();
    let named = own["dependencies"].as_array().unwrap().iter().filter(|wanted| wanted["target"].is_string());
    let packages = named.map(|wanted| {
        let is_it = |package: &&serde_json::Value| {
            package["name"] == wanted["name"]
                && wanted["req"].as_str().unwrap().strip_prefix('=') == package["version"].as_str()
        };
        let manifest = all.iter().find(is_it).unwrap()["manifest_path"].as_str().unwrap();
        Path::new(manifest).parent().unwrap().to_owned()
    });
    (target.join("release/full-parse"), packages.collect())
}
