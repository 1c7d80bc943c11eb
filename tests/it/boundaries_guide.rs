//! Every example of the guide to boundaries is run, and prints what stands
//! there. `UPDATE_DOCS=1 cargo test --test it boundaries_guide` writes that
//! anew.

#![cfg(unix)]

use std::path::Path;

use git_comm::gate::code;

use crate::support::{Sandbox, program};

const GUIDE: &str = "docs/boundaries.md";

fn text() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE)).unwrap()
}

#[test]
fn every_example_of_the_guide_prints_what_stands_there() {
    let s = Sandbox::with_init(&[]);
    let bin = s.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(program(), bin.join("git-comm")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let run = |commands: &str| {
        let mut shell = s.bare_command("sh", s.repo());
        // One stream, in the order in which it is written.
        shell.args(["-c", &format!("exec 2>&1\n{commands}")]).env("PATH", &path);
        let out = shell.output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let (kept, mut fresh, mut examples) = (text(), String::new(), 0);
    let mut rest = kept.as_str();
    while let Some((before, after)) = rest.split_once("```sh\n") {
        let (commands, after) = after.split_once("```\n").unwrap();
        let (code, printed) = run(commands);
        fresh.push_str(&format!("{before}```sh\n{commands}```\n"));
        examples += 1;
        rest = after;
        if let Some(shown) = after.strip_prefix("\n```text\n") {
            rest = shown.split_once("```\n").unwrap().1;
            fresh.push_str(&format!("\n```text\n{printed}```\n"));
        } else {
            assert_eq!(code, Some(0), "{commands}\n{printed}");
        }
        assert!(!printed.contains("panicked"), "{printed}");
    }
    fresh.push_str(rest);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|v| v == "1") {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE), &fresh).unwrap();
    }
    let kept = text();
    for (old, new) in kept.lines().zip(fresh.lines()) {
        assert_eq!(old, new, "{GUIDE}");
    }
    assert!(kept == fresh, "{GUIDE}: {fresh}");
    assert!(examples >= 12, "only {examples} examples were run");
}

#[test]
fn the_guide_explains_every_code() {
    let guide = text();
    for (code, meaning, can_be_excepted) in code::ALL {
        let row = guide.lines().find(|line| line.starts_with(&format!("| {code} |")));
        let row = row.unwrap_or_else(|| panic!("{code} has no row"));
        assert!(row.contains(meaning), "{row}: {meaning}");
        let last = row.trim_end_matches(" |").rsplit("| ").next().unwrap();
        assert_eq!(last == "yes", can_be_excepted, "{row}");
    }
}
