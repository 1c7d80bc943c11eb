//! What other repositories this one knows.

use super::Repo;

impl Repo {
    /// Whether any remote is configured.
    pub fn has_remotes(&self) -> bool {
        self.gix
            .config_snapshot()
            .sections_by_name("remote")
            .is_some_and(|mut s| s.any(|s| s.header().subsection_name().is_some()))
    }
}
