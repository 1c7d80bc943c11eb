//! Append-only chains: one agent's entries in one clone.
//!
//! Only one clone ever writes a chain, so that appending never conflicts with
//! another machine; within the clone the swap decides.

use serde_json::Value;

use super::{Author, Decision, Store, StoreError, Version};
use crate::git::{Oid, RefName};
use crate::model::entry::{Chain, Entry};
use crate::text::time::Timestamp;

/// One entry of a chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// The chain's ref.
    pub chain: RefName,
    /// The version that holds it.
    pub version: Version<Chain>,
}

impl Link {
    /// What was written; `Unknown` for an entry of a newer writer.
    pub fn entry(&self) -> Entry {
        serde_json::from_value(self.version.head.event.clone()).unwrap_or(Entry::Unknown)
    }

    /// Id of the entry: the start of its nonce, with a letter for its kind.
    pub fn id(&self) -> String {
        let letter = if self.chain.as_str().contains("/messages/") { 'm' } else { 'n' };
        let nonce = &self.version.head.nonce;
        format!("{letter}-{}", nonce.get(..10).unwrap_or(nonce))
    }
}

/// What the chains of a family hold beyond their cursors.
#[derive(Debug, Default)]
pub struct Unread {
    /// The entries, oldest first within each chain.
    pub links: Vec<Link>,
    /// The tips that were read.
    pub tips: Vec<(RefName, Oid)>,
    /// Why some chains could not be read.
    pub damaged: Vec<StoreError>,
}

/// What the refs of all chains of a family (`messages`, `log`) start with.
pub fn chain_ref_prefix(family: &str) -> String {
    format!("{}{family}/", super::PREFIX)
}

impl Store<'_> {
    /// Appends an entry to this author's chain of `family` in this clone.
    ///
    /// `is_retry` is asked of the author's entries from the newest back to
    /// `since`; where it says yes, nothing is written and that entry is the
    /// answer.
    pub fn append(
        &self,
        family: &str,
        author: &Author,
        entry: &Entry,
        summary: &str,
        since: Timestamp,
        is_retry: impl Fn(&Entry) -> bool,
    ) -> Result<(Link, bool), StoreError> {
        let id = format!("{family}/{}/{}.1", author.agent, self.clone);
        let event = serde_json::to_value(entry).unwrap_or(Value::Null);
        let name = <Chain as super::Cell>::ref_name(&id)?;
        let updated = self.update(&id, author, self.durability, |before: Option<&Version<Chain>>, _| {
            for link in before.map(|tip| self.walk(&name, tip.clone())).into_iter().flatten() {
                let link = link?;
                if link.version.head.at < since {
                    break;
                }
                if is_retry(&link.entry()) {
                    return Ok::<_, StoreError>(Decision::Keep(Some(link)));
                }
            }
            let mut state = before.map(|v| v.state.clone()).unwrap_or_default();
            state.entries = state.entries.saturating_add(1);
            Ok(Decision::Write {
                event: event.clone(),
                state,
                summary: summary.to_owned(),
                guards: Vec::new(),
                result: None,
            })
        })?;
        match (updated.result, updated.version) {
            (Some(link), _) => Ok((link, false)),
            (None, Some(version)) => Ok((Link { chain: name, version }, true)),
            (None, None) => {
                Err(StoreError::Damaged { name: name.to_string(), reason: "nothing was appended".into() })
            }
        }
    }

    /// The entries from `tip` back to the first.
    pub fn walk<'s>(
        &'s self,
        name: &RefName,
        tip: Version<Chain>,
    ) -> impl Iterator<Item = Result<Link, StoreError>> + use<'s> {
        let name = name.clone();
        let mut next = Some(Ok(tip));
        std::iter::from_fn(move || {
            let version = match next.take()? {
                Ok(version) => version,
                Err(error) => return Some(Err(error)),
            };
            let id = name.as_str().strip_prefix(super::PREFIX).unwrap_or_default().to_owned();
            next = version.parents.first().map(|&parent| self.version(&name, &id, parent));
            Some(Ok(Link { chain: name.clone(), version }))
        })
    }

    /// The entries of every chain of `family` that come after its cursor,
    /// with the tips that were read and why some could not be.
    pub fn unread(
        &self,
        family: &str,
        cursor: impl Fn(&RefName) -> Option<Oid>,
    ) -> Result<Unread, StoreError> {
        let mut unread = Unread::default();
        for (name, tip) in self.repo.list_refs(&chain_ref_prefix(family))? {
            let read = tip.map_err(StoreError::from).and_then(|tip| {
                let seen = cursor(&name);
                let mut new = Vec::new();
                if seen == Some(tip) {
                    return Ok((tip, new));
                }
                let id = name.as_str().strip_prefix(super::PREFIX).unwrap_or_default();
                for link in self.walk(&name, self.version(&name, id, tip)?) {
                    let link = link?;
                    if seen == Some(link.version.oid) {
                        break;
                    }
                    new.push(link);
                }
                new.reverse();
                Ok((tip, new))
            });
            match read {
                Ok((tip, new)) => {
                    unread.links.extend(new);
                    unread.tips.push((name, tip));
                }
                Err(error) => unread.damaged.push(error),
            }
        }
        Ok(unread)
    }
}
