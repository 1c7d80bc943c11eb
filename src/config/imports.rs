//! Patterns over what is imported, and the names of domains in them.

use super::reader::{Item, Reader, Table};
use super::{bad_path, schema};
use crate::boundary::rules::Member;
use crate::gate::pattern::{self, Kinds, Rule};
use crate::gate::scope;
use crate::text::{escape, similar};

/// Names of domains that rules refer to, each with its place.
#[derive(Default)]
pub(super) struct Names(Vec<(usize, String)>);

impl Names {
    /// Faults every name that no domain has.
    pub(super) fn check<'n>(self, reader: &mut Reader<'_>, known: impl Iterator<Item = &'n str>) {
        let known: Vec<&str> = known.collect();
        for (at, name) in self.0 {
            if !known.contains(&name.as_str()) {
                let meant = similar::nearest(&name, known.iter().copied()).map(str::to_owned);
                reader.fault(at, format!("there is no domain `{}`", escape::clipped(&name, 60)), meant);
            }
        }
    }
}

/// `allowed_imports` or `forbidden_imports`.
pub(super) fn rules<'t>(
    reader: &mut Reader<'t>,
    table: &Table<'t>,
    key: &str,
    names: &mut Names,
) -> Option<Vec<Rule>> {
    let expected = "a string or a list of strings and tables";
    let mut rules = Vec::new();
    for (at, item) in reader.items(table, key, expected)? {
        match item {
            Item::Text(text) => rules.extend(rule(reader, at, text, names)),
            Item::List(_) => {
                reader.fault(at, format!("`{key}` is a list within a list, not {expected}"), None)
            }
            Item::Table(entry) => {
                let known = if key == "forbidden_imports" { schema::FORBIDDEN } else { schema::ALLOWED };
                reader.known_keys(&entry, known);
                let Some((at, text)) = required(reader, &entry, "import") else { continue };
                let kinds = kinds(reader, &entry);
                let is_transitive = reader.bool(&entry, "transitive").unwrap_or(false);
                let reason = reader.string(&entry, "reason").map(|s| s.1).unwrap_or_default();
                if let Some(mut rule) = rule(reader, at, text, names) {
                    (rule.kinds, rule.is_transitive, rule.reason) = (kinds, is_transitive, reason);
                    rules.push(rule);
                }
            }
        }
    }
    Some(rules)
}

/// A pattern over files, relative to the root, packages or a domain.
pub(super) fn rule(reader: &mut Reader<'_>, at: usize, text: String, names: &mut Names) -> Option<Rule> {
    let line = reader.line(at);
    if let Some(name) = text.strip_prefix(pattern::DOMAIN) {
        let parsed = reader.name(&(at, name.to_owned()))?;
        names.0.push((at, name.to_owned()));
        return Some(Rule::domain(text, line, parsed));
    }
    if !text.starts_with(pattern::PACKAGE)
        && let Some(why) = bad_path(&text)
    {
        reader.fault(at, format!("the glob `{}` {why}", escape::clipped(&text, 80)), None);
        return None;
    }
    if text.is_empty() || text == pattern::PACKAGE {
        reader.fault(at, "an empty pattern matches nothing".to_owned(), None);
        return None;
    }
    let full = text.clone();
    match Rule::new(text, line, &full) {
        Ok(rule) => Some(rule),
        Err(error) => {
            reader.fault(at, format!("no glob: {}", error.kind()), None);
            None
        }
    }
}

/// `public`: globs below the domain's path.
pub(super) fn public(reader: &mut Reader<'_>, table: &Table<'_>, path: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (at, text) in reader.strings(table, "public").unwrap_or_default() {
        if let Some(why) = bad_path(&text) {
            reader.fault(at, format!("the glob `{}` {why}", escape::clipped(&text, 80)), None);
            continue;
        }
        if text.starts_with(pattern::PACKAGE) || text.starts_with(pattern::DOMAIN) {
            let what = "`public` lists files of the domain, no packages and no domains".to_owned();
            reader.fault(at, what, None);
            continue;
        }
        let full = scope::below(path, &text);
        match Rule::new(text, reader.line(at), &full) {
            Ok(rule) => rules.push(rule),
            Err(error) => reader.fault(at, format!("no glob: {}", error.kind()), None),
        }
    }
    rules
}

/// A domain by its name, or files by a glob: what holds a `/` or a wildcard is
/// one.
pub(super) fn member(reader: &mut Reader<'_>, at: usize, text: String, names: &mut Names) -> Option<Member> {
    let line = reader.line(at);
    if !text.contains(['/', '*', '?', '[', '{', '\\']) {
        let name = reader.name(&(at, text.clone()))?;
        names.0.push((at, text));
        return Some(Member::domain(name, line));
    }
    if let Some(why) = bad_path(&text) {
        reader.fault(at, format!("the glob `{}` {why}", escape::clipped(&text, 80)), None);
        return None;
    }
    match Member::files(text, line) {
        Ok(member) => Some(member),
        Err(error) => {
            reader.fault(at, format!("no glob: {}", error.kind()), None);
            None
        }
    }
}

/// `kinds`: all if there are none.
pub(super) fn kinds(reader: &mut Reader<'_>, table: &Table<'_>) -> Kinds {
    let Some(words) = reader.strings(table, "kinds") else { return Kinds::ALL };
    if words.is_empty() {
        reader.fault(reader.at(table, "kinds"), "`kinds` is empty; leave it out for all".to_owned(), None);
    }
    for (at, word) in &words {
        if !Kinds::WORDS.contains(&word.as_str()) {
            let meant = similar::nearest(word, Kinds::WORDS).map(str::to_owned);
            let what = format!("`{}` is no kind of import", escape::clipped(word, 40));
            reader.fault(*at, what, meant);
        }
    }
    Kinds::of(words.iter().map(|(_, word)| word.as_str())).unwrap_or_default()
}

/// A text that must be there.
pub(super) fn required(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> Option<(usize, String)> {
    if !reader.has(table, key) {
        reader.fault(table.at, format!("it needs `{key}`"), None);
        return None;
    }
    reader.string(table, key)
}
