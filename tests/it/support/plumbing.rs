//! Records read and written by plain git, as another program would.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use super::Sandbox;

impl Sandbox {
    /// Runs git with `input`, and returns what it printed, trimmed.
    #[track_caller]
    pub(crate) fn git_with(&self, args: &[&str], input: &[u8]) -> String {
        let mut command = self.bare_command("git", self.repo());
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {args:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The JSON of the newest version on a ref below `refs/comm-node/`.
    #[track_caller]
    pub(crate) fn record(&self, name: &str) -> Value {
        let message = self.git_with(&["log", "-1", "--format=%B", &format!("refs/comm-node/{name}")], b"");
        serde_json::from_str(message.split_once("\n\n").unwrap().1).unwrap()
    }

    /// Writes a commit on the empty tree with this message, and returns it.
    #[track_caller]
    pub(crate) fn commit(&self, parent: Option<&str>, message: &[u8]) -> String {
        let tree = self.git_with(&["mktree"], b"");
        let mut raw = format!("tree {tree}\n").into_bytes();
        if let Some(parent) = parent {
            raw.extend(format!("parent {parent}\n").into_bytes());
        }
        for who in ["author", "committer"] {
            raw.extend(format!("{who} other <other@example.com> 1700000000 +0000\n").into_bytes());
        }
        raw.push(b'\n');
        raw.extend(message);
        self.git_with(&["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], &raw)
    }

    /// Puts a version with this JSON on top of a ref below `refs/comm-node/`.
    /// `seq` and `nonce` are made to fit.
    #[track_caller]
    pub(crate) fn put_record(&self, name: &str, mut record: Value) -> String {
        let full = format!("refs/comm-node/{name}");
        let parent = self.git(&format!("rev-parse -q --verify {full}"));
        let parent = Some(parent.stdout.trim()).filter(|oid| !oid.is_empty());
        if let (Some(_), Some(seq)) = (parent, record["seq"].as_u64()) {
            record["seq"] = (seq + 1).into();
        }
        if let Some(nonce) = record["nonce"].as_str() {
            record["nonce"] = nonce.chars().rev().collect::<String>().into();
        }
        let oid = self.commit(parent, format!("by another program\n\n{record}\n").as_bytes());
        self.git(&format!("update-ref {full} {oid}")).succeeds();
        oid
    }

    /// Changes the newest version of a record as another program would.
    #[track_caller]
    pub(crate) fn change_record(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut record = self.record(name);
        change(&mut record);
        self.put_record(name, record);
    }
}
