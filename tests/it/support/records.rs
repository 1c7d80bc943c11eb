//! Records as plain git shows them.

use serde_json::Value;

use super::{Run, Sandbox};

impl Sandbox {
    /// The directory that all worktrees share.
    pub(crate) fn common_dir(&self) -> std::path::PathBuf {
        let said = self.git("rev-parse --path-format=absolute --git-common-dir").succeeds();
        said.stdout.trim().into()
    }

    /// All versions of a task, oldest first, as plain git reads them. Checks
    /// what holds for every chain: numbers, times and fences only grow.
    #[track_caller]
    pub(crate) fn chain(&self, id: &str) -> Vec<Value> {
        let log = self.git(&format!("log --reverse --format=%B%x00 refs/comm-node/tasks/{id}")).succeeds();
        let record =
            |text: &str| -> Value { serde_json::from_str(text.split_once("\n\n").unwrap().1).unwrap() };
        let texts = log.stdout.split('\0').map(str::trim).filter(|text| !text.is_empty());
        let chain: Vec<Value> = texts.map(record).collect();
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

    /// As [`Sandbox::comm`], as the person: with the secret that `init` leaves
    /// on a terminal.
    pub(crate) fn as_person(&self, words: &str) -> Run {
        let meta = self.git("log -1 --format=%B refs/comm-node/meta").succeeds();
        let meta: Value = serde_json::from_str(meta.stdout.split_once("\n\n").unwrap().1).unwrap();
        let dir = self.root().join("home/.local/state/git-comm/person");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(meta["state"]["boards"][0].as_str().unwrap()), "opensesame\n").unwrap();
        self.comm(&format!("--as-person {words}"))
    }
}

fn is_grant(version: &Value) -> bool {
    ["claim", "steal", "handover"].iter().any(|kind| version["event"]["type"] == *kind)
}
