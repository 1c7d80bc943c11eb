//! What other repositories this one knows.

use super::Repo;

impl Repo {
    /// Whether there is any remote.
    pub fn has_remotes(&self) -> bool {
        !self.remote_names().is_empty()
    }

    /// The names of the remotes that have an address, in their order. Other
    /// settings alone make none: a user may have some for every repository.
    pub(super) fn remote_names(&self) -> Vec<String> {
        let config = self.gix.config_snapshot();
        let sections = config.sections_by_name("remote").into_iter().flatten();
        let named = sections.filter_map(|section| {
            section.value("url")?;
            Some(section.header().subsection_name()?.to_string())
        });
        let mut names: Vec<String> = named.collect();
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use crate::git::testing::Fixture;

    #[test]
    fn a_remote_is_one_with_an_address() {
        let f = Fixture::new();
        f.git(&["config", "remote.origin.prune", "true"]);
        f.git(&["config", "remote.pushDefault", "other"]);
        assert!(!f.open().has_remotes());
        assert_eq!(f.open().default_remote(), None);
        f.git(&["config", "remote.b.url", "../b"]);
        f.git(&["config", "remote.a.url", "../a"]);
        assert_eq!(f.open().remote_names(), ["a", "b"]);
        assert_eq!(f.open().default_remote().as_deref(), Some("a"));
        f.git(&["config", "remote.origin.url", "../origin"]);
        assert_eq!(f.open().default_remote().as_deref(), Some("origin"));
    }
}
