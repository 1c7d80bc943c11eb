//! What the working tree holds that HEAD does not.

use super::{GitError, Repo};

impl Repo {
    /// The files in which index or working tree differ from HEAD, untracked
    /// ones included, ignored ones not.
    pub fn changed_files(&self) -> Result<Vec<Vec<u8>>, GitError> {
        let args = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"];
        let out = self.git_here(&args, None)?.unwrap_or_default();
        // `XY PATH`, each ended by a NUL.
        let paths = out.split(|&b| b == 0).filter_map(|entry| entry.get(3..)).filter(|path| !path.is_empty());
        Ok(paths.map(<[u8]>::to_vec).collect())
    }

    /// Those of these files that are not as HEAD has them, ignored and
    /// untracked ones included. Names are relative to the top.
    pub fn uncommitted(&self, names: &[&str]) -> Result<Vec<String>, GitError> {
        if names.is_empty() || self.work_tree().is_none() {
            return Ok(Vec::new());
        }
        let mut args = vec!["--literal-pathspecs", "status", "--porcelain=v1", "-z", "--untracked-files=all"];
        args.extend(["--ignored=matching", "--no-renames", "--"]);
        args.extend(names);
        let out = self.git_here(&args, None)?.unwrap_or_default();
        let paths = out.split(|&b| b == 0).filter_map(|entry| entry.get(3..));
        let told: Vec<String> = paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect();
        // Of an ignored folder only the folder is told.
        let is_told =
            |name: &str| told.iter().any(|t| t == name || (t.ends_with('/') && name.starts_with(t.as_str())));
        Ok(names.iter().filter(|name| is_told(name)).map(|name| (*name).to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::git::testing::Fixture;

    #[test]
    fn every_kind_of_change_is_listed_whatever_its_name() {
        let f = Fixture::new();
        let write = |name: &str, text: &str| std::fs::write(f.root().join(name), text).unwrap();
        for name in ["kept", "edited", "removed", "moved", ".gitignore"] {
            write(name, "ignored-file\n");
        }
        f.git(&["add", "-A"]);
        f.git(&["commit", "-q", "-m", "one"]);
        assert!(f.open().changed_files().unwrap().is_empty());
        write("edited", "2");
        write("ignored-file", "x");
        std::fs::create_dir(f.root().join("new")).unwrap();
        write("new/-x\ny", "x");
        f.git(&["rm", "-q", "removed"]);
        f.git(&["mv", "moved", "there"]);
        let files = f.open().changed_files().unwrap();
        let mut files: Vec<String> = files.iter().map(|p| crate::text::escape::bytes(p)).collect();
        files.sort();
        assert_eq!(files, ["edited", "moved", "new/-x\\ny", "removed", "there"]);
    }
}
