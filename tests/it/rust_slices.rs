//! What slices of Rust say, against a parse of each file, on the sources of
//! the packages that this one is made of.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use git_comm::syntax::{Language, by_full_parse, imports};
use serde_json::Value;

use crate::support::rounds;

/// Bindings that programs wrote, by the million of lines.
const GENERATED: [&str; 5] = ["libc", "linux-raw-sys", "windows", "winapi", "typenum"];

/// The folders of all packages that cargo has unpacked for this one.
fn packages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let host = "--filter-platform=x86_64-unknown-linux-gnu";
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version=1", host])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let folder = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        manifest.parent().unwrap().to_owned()
    };
    let is_written = |package: &&Value| {
        let name = package["name"].as_str().unwrap();
        !GENERATED.iter().any(|other| name.starts_with(other))
    };
    metadata["packages"].as_array().unwrap().iter().filter(is_written).map(folder).collect()
}

/// The sources below folders, in the order of their paths.
fn sources(folders: Vec<PathBuf>) -> BTreeSet<PathBuf> {
    let (mut found, mut queue) = (BTreeSet::new(), folders);
    while let Some(folder) = queue.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() && !path.ends_with("target") {
                queue.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && path.is_file() {
                found.insert(path);
            }
        }
    }
    found
}

#[test]
fn slices_of_real_sources_say_what_a_parse_of_the_whole_says() {
    let files = sources(packages());
    let (mut records, mut more) = (0, 0);
    let mut wrong = Vec::new();
    for file in files.iter().step_by(rounds(8, 1)) {
        let source = fs::read(file).unwrap();
        let Ok(full) = by_full_parse(Language::Rust, &source) else {
            // The grammar does not know all of the language.
            more += 1;
            continue;
        };
        let found = imports(Language::Rust, &source).unwrap();
        let missing: Vec<_> = full.iter().filter(|import| !found.contains(import)).collect();
        let extra: Vec<_> = found.iter().filter(|import| !full.contains(import)).collect();
        if !(missing.is_empty() && extra.is_empty()) {
            wrong.push(format!("{}: missing {missing:#?}, extra {extra:#?}", file.display()));
        }
        records += found.len();
    }
    println!("{records} records are the same; {more} files do not parse as a whole");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(records > 5_000, "{records}");
    assert!(more * 100 < files.len(), "{more} of {}", files.len());
}
