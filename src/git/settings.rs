//! Configuration as git sees it, and what a worktree's own file says.
//!
//! gix reads the files and `GIT_CONFIG_COUNT`. It does not read
//! `GIT_CONFIG_PARAMETERS`, which is how `git -c KEY=VALUE` reaches the
//! programs that git starts; git lets that win over everything.

use gix::config::Source;

use super::Repo;

impl Repo {
    /// The last value of a configuration key such as `comm.agent`, from
    /// every file and variable that git reads. A key without value is `true`.
    pub fn config(&self, key: &str) -> Option<String> {
        if let Some(value) = self.parameters(key).pop() {
            return Some(value);
        }
        let config = self.gix.config_snapshot();
        match config.string(key) {
            Some(value) => String::from_utf8(value.into()).ok(),
            None => config.boolean(key).map(|value| value.to_string()),
        }
    }

    /// All values of a configuration key, in the order in which git reads them.
    pub fn config_all(&self, key: &str) -> Vec<String> {
        let config = self.gix.config_snapshot();
        let values = config.plumbing().strings(key).unwrap_or_default();
        let files = values.into_iter().filter_map(|value| String::from_utf8(value.into()).ok());
        files.chain(self.parameters(key)).collect()
    }

    /// The value of `comm.KEY` in the repository's files, whatever the
    /// environment says: what binds a worktree is not for its agent to choose.
    /// Empty counts as none.
    pub fn bound(&self, key: &str) -> Option<String> {
        self.comm_value(key, &[Source::Local, Source::Worktree])
    }

    /// As [`Repo::bound`], of this worktree's own file alone.
    pub fn own_bound(&self, key: &str) -> Option<String> {
        self.comm_value(key, &[Source::Worktree])
    }

    fn comm_value(&self, key: &str, sources: &[Source]) -> Option<String> {
        let config = self.gix.config_snapshot();
        let own = |meta: &gix::config::file::Metadata| sources.contains(&meta.source);
        let sections = config.plumbing().sections_by_name_and_filter("comm", own)?;
        let values = sections.filter(|section| section.header().subsection_name().is_none());
        let last = values.filter_map(|section| section.value(key)).last()?;
        String::from_utf8(last.into()).ok().filter(|value| !value.is_empty())
    }

    fn parameters(&self, key: &str) -> Vec<String> {
        let Some(text) = self.env.var("GIT_CONFIG_PARAMETERS") else { return Vec::new() };
        let same = |(name, value): (String, String)| is_same(&name, key).then_some(value);
        parse(text).into_iter().filter_map(same).collect()
    }
}

/// Sections and variables are the same in either case, subsections are not.
fn is_same(one: &str, other: &str) -> bool {
    fn parts(key: &str) -> Option<(&str, &str, &str)> {
        let (section, rest) = key.split_once('.')?;
        let (subsection, name) = rest.rsplit_once('.').unwrap_or(("", rest));
        Some((section, subsection, name))
    }
    match (parts(one), parts(other)) {
        (Some(a), Some(b)) => a.0.eq_ignore_ascii_case(b.0) && a.1 == b.1 && a.2.eq_ignore_ascii_case(b.2),
        _ => false,
    }
}

/// Keys and values from what git hands down: `'KEY'='VALUE'` with spaces
/// between them, or from before git 2.31 `'KEY=VALUE'`. What does not follow
/// that form ends the list; git itself refuses to run then.
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((key, after)) = quoted(rest) {
        let value = after.strip_prefix('=');
        let (entry, after) = match value {
            Some(value) if value.starts_with('\'') => match quoted(value) {
                Some((value, after)) => ((key, value), after),
                None => break,
            },
            Some(after) => ((key, "true".to_owned()), after),
            None => match key.split_once('=') {
                Some((name, value)) => ((name.to_owned(), value.to_owned()), after),
                None => ((key, "true".to_owned()), after),
            },
        };
        found.push(entry);
        rest = after.trim_start();
    }
    found
}

/// One word in the quotes of a shell, and what follows: `'it'\''s'`.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (inside, after) = rest.split_once('\'')?;
        word.push_str(inside);
        let escaped = ["\\''", "\\!'"].into_iter().find(|e| after.starts_with(e));
        match escaped {
            Some(escape) => {
                word.push_str(&escape[1..2]);
                rest = &after[escape.len()..];
            }
            None => return Some((word, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    fn what_git_hands_down_is_read() {
        #[track_caller]
        fn check(text: &str, expected: &[(&str, &str)]) {
            let found = parse(text);
            let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
        check("", &[]);
        check("'comm.agent'='ada'", &[("comm.agent", "ada")]);
        check("'a.b'='it'\\''s' 'c.d'=''", &[("a.b", "it's"), ("c.d", "")]);
        check("'a.b'='no'\\!'w'", &[("a.b", "no!w")]);
        check("'a.b=old style' 'c.d'", &[("a.b", "old style"), ("c.d", "true")]);
        check("'a.b'= 'c.d'='x'", &[("a.b", "true"), ("c.d", "x")]);
        check("'a.b'='x' nonsense 'c.d'='y'", &[("a.b", "x")]);
        for broken in ["'", "'a.b", "'a.b'='", "''\\'", "é'"] {
            parse(broken);
        }
    }

    #[test]
    fn keys_are_the_same_as_git_has_them() {
        for (one, other, same) in [
            ("comm.agent", "COMM.Agent", true),
            ("remote.A.fetch", "Remote.A.FETCH", true),
            ("remote.A.fetch", "remote.a.fetch", false),
            ("comm.agent", "comm.x.agent", false),
            ("comm", "comm", false),
        ] {
            assert_eq!(is_same(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_worktrees_own_file_binds() {
        let f = Fixture::new();
        f.git(&["config", "comm.agent", "everybody"]);
        assert_eq!(f.open().own_bound("agent"), None);
        assert_eq!(f.open().bound("agent").as_deref(), Some("everybody"));
        f.git(&["config", "extensions.worktreeConfig", "true"]);
        f.git(&["config", "--worktree", "comm.agent", "ada"]);
        f.git(&["config", "--worktree", "comm.task", ""]);
        f.git(&["config", "--worktree", "comm.x.domain", "api"]);
        let repo = f.open();
        assert_eq!(repo.own_bound("agent").as_deref(), Some("ada"));
        assert_eq!(repo.bound("agent").as_deref(), Some("ada"));
        assert_eq!((repo.bound("task"), repo.bound("domain")), (None, None));
    }
}
