//! Settings with the place that each was read from.

use std::path::PathBuf;

use gix::config::Source;

use super::Repo;
use super::settings::parse;

/// Where a setting was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// For every user of the machine.
    System,
    /// For every repository of the user.
    Global,
    /// For every worktree of the repository.
    Local,
    /// For one worktree.
    Worktree,
    /// By a variable or an argument of this call.
    Command,
}

impl Scope {
    /// The option of `git config` that means it; none for a setting in no file.
    pub fn option(self) -> Option<&'static str> {
        match self {
            Self::System => Some("--system"),
            Self::Global => Some("--global"),
            Self::Local => Some("--local"),
            Self::Worktree => Some("--worktree"),
            Self::Command => None,
        }
    }
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key as git compares it: section and name in lower case.
    pub key: String,
    /// Its value; `true` where only the key stands.
    pub value: String,
    /// Where it was made.
    pub scope: Scope,
    /// The file that it stands in.
    pub path: Option<PathBuf>,
}

impl Repo {
    /// Every setting of a section, in the order in which git reads them: of
    /// several with one key the last counts.
    pub fn settings_of(&self, section: &str) -> Vec<Setting> {
        let config = self.gix.config_snapshot();
        let mut found = Vec::new();
        for part in config.plumbing().sections_by_name(section).into_iter().flatten() {
            let scope = match part.meta().source {
                Source::GitInstallation | Source::System => Scope::System,
                Source::Git | Source::User => Scope::Global,
                Source::Local => Scope::Local,
                Source::Worktree => Scope::Worktree,
                _ => Scope::Command,
            };
            let between = part.header().subsection_name().map(|name| format!("{name}.")).unwrap_or_default();
            let mut names: Vec<String> = part.value_names().map(|name| name.to_ascii_lowercase()).collect();
            names.sort();
            names.dedup();
            for name in names {
                for value in part.values(&name) {
                    let key = format!("{section}.{between}{name}");
                    // Where only the key stands there is no value to read.
                    let is_implicit = part.value_implicit(&name) == Some(None);
                    let value = if is_implicit { "true".to_owned() } else { value.to_string() };
                    found.push(Setting { key, value, scope, path: part.meta().path.clone() });
                }
            }
        }
        found.extend(self.handed_down(section));
        found
    }

    /// What `git -c` said, which counts more than every file.
    fn handed_down(&self, section: &str) -> impl Iterator<Item = Setting> {
        let pairs = self.env.var("GIT_CONFIG_PARAMETERS").map(parse).unwrap_or_default();
        pairs.into_iter().filter_map(move |(key, value)| {
            let (first, rest) = key.split_once('.')?;
            let rest = match rest.rsplit_once('.') {
                Some((between, name)) => format!("{between}.{}", name.to_ascii_lowercase()),
                None => rest.to_ascii_lowercase(),
            };
            let is_of = first.eq_ignore_ascii_case(section);
            let key = format!("{section}.{rest}");
            is_of.then_some(Setting { key, value, scope: Scope::Command, path: None })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    fn settings_are_told_with_their_place() {
        let f = Fixture::new();
        f.git(&["config", "comm.TTL", "2h"]);
        f.git(&["config", "--add", "comm.ttl", "3h"]);
        f.git(&["config", "comm.Hooks.onFailure", "block"]);
        f.git(&["config", "extensions.worktreeConfig", "true"]);
        f.git(&["config", "--worktree", "comm.agent", "ada"]);
        std::fs::write(f.root().join("extra"), "[comm]\n\tflag\n").unwrap();
        f.git(&["config", "include.path", "../extra"]);
        let found = f.open().settings_of("comm");
        let told: Vec<(&str, &str, Scope)> =
            found.iter().map(|s| (s.key.as_str(), s.value.as_str(), s.scope)).collect();
        for expected in [
            ("comm.ttl", "2h", Scope::Local),
            ("comm.ttl", "3h", Scope::Local),
            ("comm.Hooks.onfailure", "block", Scope::Local),
            ("comm.flag", "true", Scope::Local),
            ("comm.agent", "ada", Scope::Worktree),
        ] {
            assert!(told.contains(&expected), "{expected:?} {told:?}");
        }
        assert_eq!(told.len(), 5, "{told:?}");
        let agent = found.iter().find(|s| s.key == "comm.agent").unwrap();
        assert!(agent.path.as_ref().unwrap().ends_with("config.worktree"), "{agent:?}");
    }
}
