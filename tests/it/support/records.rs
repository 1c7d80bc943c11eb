//! Records as plain git shows them.

use std::process::Command;

use serde_json::{Value, json};

use super::{Run, Sandbox, has_tool};

impl Sandbox {
    /// As [`Sandbox::new`], with its refs in tables. None where git is too old
    /// to have them.
    pub(crate) fn reftable() -> Option<Self> {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().to_str().unwrap();
        if !has_tool("git", &["init", "-q", "--ref-format=reftable", path]) {
            return None;
        }
        let sandbox = Self::with_init(&["--ref-format=reftable"]);
        sandbox.comm("init").succeeds();
        Some(sandbox.without_fsync())
    }

    /// As [`Sandbox::new`], for many rounds: what is decided does not depend
    /// on what survives a power cut, and the disk is slow.
    pub(crate) fn quick() -> Self {
        Self::new().without_fsync()
    }

    fn without_fsync(self) -> Self {
        self.git("config comm.durability process").succeeds();
        self
    }

    /// As [`Sandbox::quick`], one for each way in which git stores refs.
    pub(crate) fn of_each_ref_format() -> Vec<Self> {
        [Some(Self::quick()), Self::reftable()].into_iter().flatten().collect()
    }

    /// The directory that all worktrees share.
    pub(crate) fn common_dir(&self) -> std::path::PathBuf {
        let said = self.git("rev-parse --path-format=absolute --git-common-dir").succeeds();
        said.stdout.trim().into()
    }

    /// Where a loose object is, relative to the common directory.
    pub(crate) fn loose(oid: &str) -> String {
        format!("objects/{}/{}", &oid[..2], &oid[2..])
    }

    /// Whether an object is there as a file.
    pub(crate) fn has_loose(&self, oid: &str) -> bool {
        self.common_dir().join(Self::loose(oid)).exists()
    }

    /// All versions of a task, oldest first, as plain git reads them. Checks
    /// what holds for every chain: numbers, times and fences only grow.
    #[track_caller]
    pub(crate) fn chain(&self, id: &str) -> Vec<Value> {
        let chain = self.records(&format!("tasks/{id}"));
        for (number, pair) in chain.windows(2).enumerate() {
            let (before, after) = (&pair[0], &pair[1]);
            assert_eq!(after["seq"], number + 2, "{after}");
            assert!(before["at"].as_str() < after["at"].as_str(), "time: {before}\n{after}");
            let floor = |version: &Value| version["state"]["token_floor"].as_u64().unwrap();
            assert!(floor(before) <= floor(after), "floor: {before}\n{after}");
            if is_grant(after) {
                assert!(floor(before) < floor(after), "grant: {before}\n{after}");
                let fence = &after["state"]["phase"]["fence"];
                assert_eq!(fence["token"], after["state"]["token_floor"], "{after}");
                assert_eq!(fence["nonce"], after["nonce"], "{after}");
            }
        }
        chain
    }

    /// All versions of a record, oldest first, as plain git reads them.
    #[track_caller]
    pub(crate) fn records(&self, name: &str) -> Vec<Value> {
        let log = self.git(&format!("log --reverse --format=%B%x00 refs/comm-node/{name}")).succeeds();
        let texts = log.stdout.split('\0').map(str::trim).filter(|text| !text.is_empty());
        texts.map(|text| serde_json::from_str(text.split_once("\n\n").unwrap().1).unwrap()).collect()
    }

    /// Nonces of the versions of a task that granted it, oldest first.
    #[track_caller]
    pub(crate) fn grants(&self, id: &str) -> Vec<String> {
        let grants = self.chain(id).into_iter().filter(is_grant);
        grants.map(|version| version["nonce"].as_str().unwrap().to_owned()).collect()
    }

    /// The token in force.
    #[track_caller]
    pub(crate) fn token(&self, id: &str) -> u64 {
        self.chain(id).last().unwrap()["state"]["phase"]["fence"]["token"].as_u64().unwrap()
    }

    /// A claim of `id` by somebody who uses plain git: the nonce of its
    /// version, and the command that moves the ref there from the present tip.
    pub(crate) fn plain_claim(&self, id: &str, agent: &str) -> (String, Command) {
        let mut record = self.chain(id).pop().unwrap();
        let (time, end) = ("2026-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z");
        let claim = json!({
            "agent": agent, "session": "plain", "clone": "0123456789ab",
            "granted_at": time, "ttl": 3600, "expires_at": end,
        });
        let token = record["state"]["token_floor"].as_u64().unwrap() + 1;
        let nonce = format!("{:0<32}", agent.bytes().map(|b| format!("{b:02x}")).collect::<String>());
        record["agent"] = json!(agent);
        record["session"] = json!("plain");
        record["event"] = json!({ "type": "claim", "claim": claim });
        record["state"]["token_floor"] = json!(token);
        record["state"]["phase"] =
            json!({ "state": "claimed", "fence": { "token": token, "nonce": nonce }, "claim": claim });
        (nonce.clone(), self.plain_version(&format!("tasks/{id}"), record, &nonce))
    }

    /// The command that moves a record with plain git from its present tip to
    /// a version that follows it, with everything else as in `record`.
    pub(crate) fn plain_version(&self, name: &str, mut record: Value, nonce: &str) -> Command {
        let name = format!("refs/comm-node/{name}");
        let tip = self.git(&format!("for-each-ref --format=%(objectname) {name}")).succeeds().stdout;
        let tip = tip.trim();
        if !tip.is_empty() {
            record["seq"] = json!(record["seq"].as_u64().unwrap() + 1);
        }
        let at: jiff::Timestamp = record["at"].as_str().unwrap().parse().unwrap();
        record["at"] = json!(format!("{:.6}", at + jiff::SignedDuration::from_micros(1)));
        record["nonce"] = json!(nonce);
        let file = self.root().join("message");
        std::fs::write(&file, format!("by plain git\n\n{record}\n")).unwrap();
        let tree = self.git("hash-object -w -t tree /dev/null").succeeds().stdout.trim().to_owned();
        let parent = if tip.is_empty() { String::new() } else { format!("-p {tip}") };
        let commit =
            self.git(&format!("commit-tree {tree} {parent} -F {}", file.display())).succeeds().stdout;
        let mut command = self.bare_command("git", self.repo());
        let none = "0".repeat(commit.trim().len());
        command.args(["update-ref", &name, commit.trim(), if tip.is_empty() { &none } else { tip }]);
        command
    }

    /// As [`Sandbox::comm`], as the person: with the secret that `init` leaves
    /// on a terminal.
    pub(crate) fn as_person(&self, words: &str) -> Run {
        let meta = self.records("meta").pop().unwrap();
        let dir = self.root().join("home/.local/state/git-comm/person");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(meta["state"]["boards"][0].as_str().unwrap()), "opensesame\n").unwrap();
        self.comm(&format!("--as-person {words}"))
    }
}

fn is_grant(version: &Value) -> bool {
    ["claim", "steal", "handover"].iter().any(|kind| version["event"]["type"] == *kind)
}
