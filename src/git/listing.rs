//! Every file of a commit or of the index.

use super::{GitError, Oid, Repo};

/// A file as a tree or the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path, relative to the root, any bytes.
    pub path: Vec<u8>,
    /// Its content; of a submodule its commit.
    pub oid: Oid,
    /// Whether it is an ordinary file rather than a link or a submodule.
    pub is_file: bool,
    /// Whether it is one side of a conflict that nobody has settled.
    pub is_unmerged: bool,
}

impl Repo {
    /// The files of a commit.
    pub fn files_of(&self, commit: Oid) -> Result<Vec<Entry>, GitError> {
        let commit = commit.to_string();
        let out = self.git_here(&["ls-tree", "-r", "-z", "--full-tree", &commit, "--"], None)?;
        // MODE TYPE OID TAB PATH
        self.entries(&out.unwrap_or_default(), 2, None)
    }

    /// The files of the index that git named to the hook.
    pub fn files_staged(&self) -> Result<Vec<Entry>, GitError> {
        let out = self.git_here(&["ls-files", "-s", "-z", "--full-name", "--", ":/"], None)?;
        // MODE OID STAGE TAB PATH
        self.entries(&out.unwrap_or_default(), 1, Some(2))
    }

    fn entries(&self, out: &[u8], oid: usize, stage: Option<usize>) -> Result<Vec<Entry>, GitError> {
        let mut entries = Vec::new();
        for record in out.split(|&b| b == 0).filter(|record| !record.is_empty()) {
            let tab = record.iter().position(|&b| b == b'\t').ok_or_else(|| self.unexpected("ls-tree"))?;
            let head = std::str::from_utf8(&record[..tab]).map_err(|_| self.unexpected("ls-tree"))?;
            let fields: Vec<&str> = head.split(' ').collect();
            let field = |at: usize| fields.get(at).copied().ok_or_else(|| self.unexpected("ls-tree"));
            entries.push(Entry {
                path: record[tab + 1..].to_vec(),
                oid: self.parse_oid(field(oid)?)?,
                is_file: field(0)?.starts_with("100"),
                is_unmerged: match stage {
                    Some(stage) => field(stage)? != "0",
                    None => false,
                },
            });
        }
        Ok(entries)
    }
}
