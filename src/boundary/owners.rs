//! Whose each file of a tree is, looked up once.

use crate::boundary::HashMap;
use std::cell::RefCell;

use crate::gate::scope::{Domain, Domains, Owner};

/// Remembers whose files are.
pub(super) struct Owners<'r, 'e> {
    domains: &'r Domains,
    known: RefCell<HashMap<&'e str, Owner<'r>>>,
}

impl<'r, 'e> Owners<'r, 'e> {
    pub(super) fn new(domains: &'r Domains) -> Self {
        Self { domains, known: RefCell::default() }
    }

    /// Whose a file is.
    pub(super) fn of(&self, path: &'e str) -> Owner<'r> {
        let domains = self.domains;
        *self.known.borrow_mut().entry(path).or_insert_with(|| domains.owner(path.as_bytes()))
    }

    /// The domain of a file; none if it has none, or two.
    pub(super) fn domain(&self, path: &'e str) -> Option<&'r Domain> {
        match self.of(path) {
            Owner::Domain(domain) => Some(domain),
            _ => None,
        }
    }
}
