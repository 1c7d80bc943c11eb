//! Writes that fail: a full, broken, read-only or forbidden store is said so,
//! with the place, and nothing is torn or left locked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::faults::{Call, Scene, sample, timed, walk};
use crate::support::{Run, Sandbox, copy_program, has_tool, is_full, program, split};

/// A verb, and what the subject of the version that it writes says.
const VERBS: &[(&str, &str)] = &[
    ("claim bd-1", "claim bd-1"),
    ("close bd-2", "close bd-2"),
    ("comment bd-1 'it is so'", "comment bd-1"),
    ("add 'a third task'", ": a third task"),
    ("msg send --to bob 'well met'", "message to bob: well met"),
    ("renew bd-2", "renew bd-2"),
    ("agent register --domain api", "register ada"),
];

fn scene() -> Scene {
    let sandbox = Sandbox::with_init(&["--template="]);
    sandbox.comm("init").succeeds();
    sandbox.add("'a first task'");
    sandbox.add("'a second task'");
    sandbox.as_agent("ada", "claim bd-2").succeeds();
    Scene::new(sandbox)
}

/// Each write of each verb fails with `errno`, once or from then on.
fn sweep(errno: &str, small: usize) {
    if !has_tool("strace", &["-V"]) {
        return;
    }
    let scene = scene();
    let (mut refused, mut done, mut missed) = (0, 0, 0);
    for (words, subject) in VERBS {
        let calls: Vec<Call> = scene.calls("ada", words).into_iter().filter(Call::is_write).collect();
        assert!(calls.len() > 10, "{words}: {calls:?}");
        for (at, call) in sample(calls, small).iter().enumerate() {
            for onward in [false, true] {
                // With all writes failing the refusal cannot be told either.
                if (onward && call.name == "write") || (onward != (at % 2 == 0) && !is_full()) {
                    continue;
                }
                let (run, was_hit) = scene.fail_at("ada", words, call, errno, onward);
                let what = format!("{words} with {errno} at {} {}: {}", call.name, call.nth, call.text);
                // Which directories of objects are there depends on chance.
                missed += usize::from(!was_hit);
                is_told(&run, &what);
                match run.code {
                    0 => assert_eq!(scene.versions(subject), 1, "{what}: acknowledged, but not stored"),
                    6 => {}
                    code => panic!("{what}: exit {code}\n{}{}", run.stdout, run.stderr),
                }
                (refused, done) = if run.code == 6 { (refused + 1, done) } else { (refused, done + 1) };
                // What cannot be removed stays until the next writer.
                if call.name != "unlink" {
                    assert_eq!(scene.locks(), Vec::<PathBuf>::new(), "{what}");
                }
                let (again, seconds) = timed(|| scene.run("ada", words));
                assert_eq!(again.code, 0, "{what}: asked again: {}{}", again.stdout, again.stderr);
                scene.went_on_in_time(seconds, &format!("{what}: asking again"));
                assert_eq!(scene.locks(), Vec::<PathBuf>::new(), "{what}: asked again");
                let renewed = words.starts_with("renew") || words.starts_with("agent register");
                let versions = scene.versions(subject);
                assert!(versions == 1 || (renewed && versions == 2), "{what}: {versions} versions");
                scene.is_sound(&what);
            }
        }
    }
    eprintln!("{errno}: {refused} refused, {done} done all the same, {missed} of them not reached");
    assert!(refused > 10 && missed < refused / 5, "{errno}: {refused} refused, {missed} not reached");
}

/// A refusal says what and what to type; no way of failing is a panic.
#[track_caller]
fn is_told(run: &Run, what: &str) {
    assert!(!run.stderr.contains("panicked"), "{what}: {}", run.stderr);
    if run.code != 0 {
        let (error, hint) = run.stderr.split_once("\n\n").unwrap_or((&run.stderr, ""));
        assert!(error.starts_with("error: ") && !error.contains('\n'), "{what}: {}", run.stderr);
        assert!(hint.starts_with("hint: "), "{what}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{what}: something was acknowledged");
    }
}

#[test]
fn a_full_disk_at_any_write_is_told() {
    sweep("ENOSPC", 5);
}

#[test]
fn a_broken_disk_at_any_write_is_told() {
    sweep("EIO", 5);
}

#[test]
fn a_read_only_store_at_any_write_is_told() {
    sweep("EROFS", 5);
}

#[test]
fn a_forbidden_write_is_told() {
    sweep("EACCES", 5);
}

/// A file system of our own, gone when dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// None, with a word, where mounting is not allowed.
    pub(crate) fn new(options: &[&str], source: &Path, at: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(options).arg(source).arg(at).output();
        if mounted.as_ref().is_ok_and(|m| m.status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("SKIPPED: may not mount");
        assert!(!is_full(), "mounting is needed for the full run: {mounted:?}");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_is_really_full_is_told() {
    really_full("", 16);
}

/// There it is git that finds it full.
#[test]
fn a_disk_that_is_really_full_is_told_in_a_reftable() {
    really_full("--ref-format=reftable", 8);
}

/// Claims with no page of the disk free, then with one, and so on.
#[track_caller]
fn really_full(init: &str, pages: u64) {
    let outer = Sandbox::with_init(&[]);
    let at = outer.root().join("small");
    fs::create_dir(&at).unwrap();
    let Some(_mount) = Mount::new(&["-t", "tmpfs", "-o", "size=4m"], Path::new("tmpfs"), &at) else {
        return;
    };
    let run = |program: PathBuf, words: &str| {
        let mut command = outer.bare_command(program, &at);
        let output = command.env("GIT_COMM_AGENT", "ada").args(split(words)).output().unwrap();
        Run::of(&output, words)
    };
    let comm = |words: &str| run(program(), words);
    let git = |words: &str| run("git".into(), words);
    git(&format!("init -q -b main --template= {init} .")).succeeds();
    comm("init").succeeds();
    let (mut refused, mut done) = (0, 0);
    for free in 0..pages {
        let title = format!("'task {free}'");
        comm(&format!("add {title}")).succeeds();
        let id = format!("bd-{}", free + 1);
        // Everything but so many pages.
        let filler = at.join("filler");
        fill(&filler);
        let size = fs::metadata(&filler).unwrap().len();
        fs::File::options().write(true).open(&filler).unwrap().set_len(size - free * 4096).unwrap();
        let claim = comm(&format!("claim {id}"));
        is_told(&claim, &format!("{free} pages"));
        match claim.code {
            0 => done += 1,
            6 => {
                refused += 1;
                assert!(claim.stderr.contains("small/.git/"), "{}", claim.stderr);
                let by_git = claim.stderr.contains("git update-ref");
                assert!(by_git || claim.stderr.contains("No space left"), "{}", claim.stderr);
            }
            code => panic!("{free} pages: exit {code}: {}", claim.stderr),
        }
        comm(&format!("show {id}")).succeeds();
        comm("list").succeeds();
        walk(&at.join(".git"), &mut |path| assert!(path.extension().is_none_or(|e| e != "lock"), "{path:?}"));
        fs::remove_file(&filler).unwrap();
        let again = comm(&format!("claim {id} --json")).succeeds().json();
        assert_eq!(again["granted"], claim.code == 6, "{free} pages");
        git("fsck --strict --no-dangling").succeeds();
    }
    eprintln!("full disk: {refused} refused, {done} done");
    assert!(refused > 0 && done > 0, "{refused} refused, {done} done");
}

fn fill(path: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(path).unwrap();
    let block = [7u8; 4096];
    while file.write_all(&block).is_ok() {}
}

/// What may be asked of a store that nobody can write.
const READS: &[&str] = &[
    "list",
    "list --all",
    "show bd-1",
    "ready",
    "search first",
    "status",
    "whoami",
    "log",
    "agent list",
    "dep tree bd-1",
    "dep shape",
    "inbox",
    "inbox --peek",
];

const WRITES: &[&str] = &[
    "claim bd-1",
    "next --another",
    "add 'a third task'",
    "comment bd-1 text",
    "edit bd-1 -p 0",
    "msg send --to bob hello",
    "log note text",
    "agent register",
    "agent heartbeat",
    "renew bd-2",
    "close bd-2",
];

/// Every read answers, every write is refused with the path to grant.
fn judge(store: &Path, run: impl Fn(&str) -> Run) {
    for words in READS {
        let run = run(words);
        assert_eq!(run.code, 0, "{words}: {}{}", run.stdout, run.stderr);
        assert!(!run.stdout.is_empty(), "{words}");
    }
    for words in WRITES {
        let run = run(words);
        is_told(&run, words);
        assert_eq!(run.code, 6, "{words}: {}{}", run.stdout, run.stderr);
        let hint = run.stderr.split_once("hint: ").unwrap().1;
        let path = hint.split_whitespace().find(|w| w.starts_with('/')).unwrap_or_default();
        assert!(Path::new(path).starts_with(store), "{words}: no path to grant: {hint}");
    }
}

/// A board with something to read in it.
fn board() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add("'a first task'");
    sandbox.add("'a second task'");
    sandbox.as_agent("ada", "claim bd-2").succeeds();
    sandbox.as_agent("bob", "msg send --to ada 'well met'").succeeds();
    sandbox
}

#[test]
fn a_read_only_mount_is_read_and_its_path_named() {
    let sandbox = board();
    let Some(_mount) = Mount::new(&["--bind"], sandbox.repo(), sandbox.repo()) else { return };
    let remount = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(sandbox.repo()).status();
    assert!(remount.unwrap().success());
    judge(&sandbox.repo().join(".git"), |words| sandbox.as_agent("ada", words));
}

/// Under a sandbox that binds only `.git` read-only, as harnesses do.
#[test]
fn a_read_only_git_directory_is_read_and_its_path_named() {
    let sandbox = board();
    let git = sandbox.repo().join(".git");
    let Some(_mount) = Mount::new(&["--bind"], &git, &git) else { return };
    let remount = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(&git).status();
    assert!(remount.unwrap().success());
    judge(&git, |words| sandbox.as_agent("ada", words));
}

/// Modes do not bind root, so another user asks.
#[test]
fn the_store_of_another_user_is_read_and_its_path_named() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = board();
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    if is_root && !has_tool("setpriv", &["--version"]) {
        return;
    }
    // Everything can be read, and nothing written.
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let mut dirs = vec![sandbox.root().to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                dirs.push(entry.path());
            } else {
                mode(&entry.path(), 0o444);
            }
        }
        mode(&dir, 0o555);
    }
    let place = tempfile::tempdir().unwrap();
    mode(place.path(), 0o755);
    let copy = place.path().join("git-comm");
    copy_program(&copy);
    mode(&copy, 0o755);
    judge(&sandbox.repo().join(".git"), |words| {
        let mut command = if is_root {
            let mut command = sandbox.bare_command("setpriv", sandbox.repo());
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
            command
        } else {
            sandbox.bare_command(&copy, sandbox.repo())
        };
        command
            .env("GIT_COMM_AGENT", "ada")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "safe.directory")
            .env("GIT_CONFIG_VALUE_0", "*")
            .args(split(words));
        Run::of(&command.output().unwrap(), words)
    });
    let mut dirs = vec![sandbox.root().to_owned()];
    while let Some(dir) = dirs.pop() {
        mode(&dir, 0o755);
        let below = fs::read_dir(&dir).unwrap().flatten().filter(|e| e.file_type().unwrap().is_dir());
        dirs.extend(below.map(|e| e.path()));
    }
}
