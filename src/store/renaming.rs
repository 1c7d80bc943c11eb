//! Two tasks that were given one id where their clones could not ask each
//! other: one of them goes on under another name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::codec::{self, Source};
use super::sharing::Kind;
use super::{Store, StoreError, Version};
use crate::git::{Oid, RefName};
use crate::model::merge::VERSIONS;

/// A history under another name.
#[derive(Clone, Copy, Debug)]
pub struct Renamed {
    /// Its newest version.
    pub tip: Oid,
    /// Its first.
    pub root: Oid,
}

impl Store<'_> {
    /// The first version that `tip` follows.
    pub fn root(&self, name: &RefName, kind: &Kind, tip: Oid) -> Result<Oid, StoreError> {
        let mut version: Version<Value> = self.version_of(name, kind.stored, &kind.id, tip)?;
        while let Some(&parent) = version.parents.first() {
            version = self.version_of(name, kind.stored, &kind.id, parent)?;
        }
        Ok(version.oid)
    }

    /// Writes a history once more with another id, and as it is otherwise:
    /// whoever does so writes the same versions. No ref moves.
    pub fn rename(
        &self,
        name: &RefName,
        kind: &Kind,
        tip: Oid,
        to: &RefName,
        id: &str,
    ) -> Result<Renamed, StoreError> {
        let source = Source { repo: &self.repo, name, kind: kind.stored, id: &kind.id };
        let mut versions: BTreeMap<(u64, Oid), (Version<Value>, String)> = BTreeMap::new();
        let mut known = BTreeMap::from([(tip, ())]);
        let mut waiting = vec![tip];
        while let Some(oid) = waiting.pop() {
            let version: Version<Value> = source.read(oid)?;
            let summary = source.summary(oid)?;
            for &parent in &version.parents {
                if known.insert(parent, ()).is_none() {
                    waiting.push(parent);
                }
            }
            if versions.len() > VERSIONS {
                let reason = "its history is longer than any that is written".to_owned();
                return Err(StoreError::Damaged { name: name.to_string(), reason });
            }
            versions.insert((version.head.seq, oid), (version, summary));
        }
        let mut written: BTreeMap<Oid, Oid> = BTreeMap::new();
        let mut root = None;
        for ((_, oid), (version, summary)) in versions {
            let mut parents: Vec<Oid> =
                version.parents.iter().filter_map(|p| written.get(p).copied()).collect();
            parents.sort_by_key(Oid::to_string);
            let copy = codec::write_again(
                &self.repo,
                (to, kind.stored, id),
                &version,
                &parents,
                &summary,
                self.durability,
            )?;
            root.get_or_insert(copy);
            written.insert(oid, copy);
        }
        match (written.get(&tip).copied(), root) {
            (Some(tip), Some(root)) => Ok(Renamed { tip, root }),
            _ => Err(StoreError::Damaged { name: name.to_string(), reason: "it has no versions".into() }),
        }
    }
}
