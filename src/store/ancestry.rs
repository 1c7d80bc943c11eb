//! The versions of a record from its tip back to the first, whatever merges
//! lie between.

use std::collections::{BTreeMap, HashSet};

use super::{Cell, Store, StoreError, Version};
use crate::git::{Oid, RefName};
use crate::text::time::Timestamp;

/// The place of a version in the total order; a merge, which has the time of
/// one of its parents, comes after that by its number.
type Order = (Timestamp, u64, String, String);

impl Store<'_> {
    /// Every version that `tip` follows, and itself, the latest first. After an
    /// error there are no more.
    pub fn back<'s, S: Cell>(
        &'s self,
        name: &RefName,
        id: &str,
        tip: Version<S>,
    ) -> impl Iterator<Item = Result<Version<S>, StoreError>> + use<'s, S> {
        let (name, id) = (name.clone(), id.to_owned());
        let order = |version: &Version<S>| -> Order {
            let head = &version.head;
            (head.at, head.seq, head.clone.clone(), head.nonce.clone())
        };
        let mut known: HashSet<Oid> = HashSet::from([tip.oid]);
        let mut waiting: BTreeMap<Order, Version<S>> = BTreeMap::from([(order(&tip), tip)]);
        let mut failed = None;
        std::iter::from_fn(move || {
            if let Some(error) = failed.take() {
                waiting.clear();
                return Some(Err(error));
            }
            let (_, version) = waiting.pop_last()?;
            for &parent in &version.parents {
                if !known.insert(parent) {
                    continue;
                }
                match self.version::<S>(&name, &id, parent) {
                    Ok(parent) => {
                        waiting.insert(order(&parent), parent);
                    }
                    Err(error) => failed = Some(error),
                }
            }
            Some(Ok(version))
        })
    }
}
