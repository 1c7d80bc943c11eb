//! `[domains.NAME]`.

use std::collections::BTreeMap;

use super::imports::{self, Names};
use super::reader::{Reader, Table};
use super::{bad_path, schema};
use crate::gate::scope::{self, Allowed, Domain};
use crate::model::names::DomainName;
use crate::text::escape;

pub(super) fn domain<'t>(
    reader: &mut Reader<'t>,
    name: &(usize, String),
    table: &Table<'t>,
    names: &mut Names,
) -> Option<Domain> {
    reader.known_keys(table, schema::DOMAIN);
    let parsed: Option<DomainName> = reader.name(name);
    let (path_at, path) = reader.string(table, "path").unwrap_or((table.at, String::new()));
    let path = path.trim_matches('/').to_owned();
    if let Some(why) = bad_path(&path) {
        reader.fault(path_at, format!("`path` {why}"), None);
    }
    let (globs, scope_at) = match reader.strings(table, "scope") {
        None => (vec![(path_at, "**".to_owned())], path_at),
        Some(globs) => (globs, reader.at(table, "scope")),
    };
    let mut full = Vec::new();
    for (at, text) in globs {
        if let Some(why) = bad_path(&text) {
            reader.fault(at, format!("the glob `{}` {why}", escape::clipped(&text, 80)), None);
            continue;
        }
        let glob = scope::below(&path, &text);
        match crate::gate::pattern::glob(&glob) {
            Ok(_) => full.push(glob),
            Err(error) => reader.fault(at, format!("no glob: {}", error.kind()), None),
        }
    }
    let allowed_imports = imports::rules(reader, table, "allowed_imports", names).map(|rules| {
        let at = reader.at(table, "allowed_imports");
        Allowed { line: reader.line(at), rules }
    });
    let forbidden_imports = imports::rules(reader, table, "forbidden_imports", names).unwrap_or_default();
    let public = imports::public(reader, table, &path);
    let exports = reader.strings(table, "exports").unwrap_or_default().into_iter().map(|s| s.1).collect();
    let artifacts = kinds_by_domain(reader, table);
    let text = |reader: &mut Reader<'_>, key| reader.string(table, key).map(|s| s.1).unwrap_or_default();
    let agent = reader.string(table, "agent");
    Some(Domain {
        name: Some(parsed?),
        line: reader.line(name.0),
        path,
        scope: full,
        scope_line: reader.line(scope_at),
        agent: agent.and_then(|agent| reader.name(&agent)),
        role: text(reader, "role"),
        owner: text(reader, "owner"),
        hint: text(reader, "hint"),
        allowed_imports,
        forbidden_imports,
        public,
        exports,
        imports: artifacts,
    })
}

/// `imports = { domain = [kinds] }`.
fn kinds_by_domain<'t>(reader: &mut Reader<'t>, table: &Table<'t>) -> BTreeMap<DomainName, Vec<String>> {
    let Some(table) = reader.table(table, "imports") else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for name in table.names() {
        let kinds = reader.strings(&table, &name.1).unwrap_or_default();
        if let Some(domain) = reader.name(&name) {
            found.insert(domain, kinds.into_iter().map(|kind| kind.1).collect());
        }
    }
    found
}
