//! `[boundary]`, `[[layers]]`, `[[independent]]`, `[[acyclic]]`,
//! `[[exceptions]]`.

use super::imports::{self, Names, required};
use super::reader::{Item, Reader, Table};
use super::{bad_path, schema};
use crate::boundary::rules::{Acyclic, Exception, Independent, Layers, Member, Rules, Weight};
use crate::gate::scope::RULES;

pub(super) fn rules<'t>(reader: &mut Reader<'t>, root: &Table<'t>, names: &mut Names) -> Rules {
    let mut rules = Rules::default();
    if let Some(table) = reader.table(root, "boundary") {
        options(reader, &table, &mut rules);
    }
    for table in reader.list_of_tables(root, "layers") {
        rules.layers.extend(layers(reader, &table, names));
    }
    for table in reader.list_of_tables(root, "independent") {
        rules.independent.extend(independent(reader, &table, names));
    }
    for table in reader.list_of_tables(root, "acyclic") {
        rules.acyclic.extend(acyclic(reader, &table, names));
    }
    for table in reader.list_of_tables(root, "exceptions") {
        rules.exceptions.extend(exception(reader, &table, names));
    }
    rules
}

fn options<'t>(reader: &mut Reader<'t>, table: &Table<'t>, rules: &mut Rules) {
    reader.known_keys(table, schema::BOUNDARY);
    let written = |reader: &mut Reader<'t>, key: &str, words: &[&str; 3]| {
        let word = reader.word(table, key, words)?;
        let place = words.iter().position(|known| *known == word)?;
        Some([Weight::Nothing, Weight::Warn, Weight::Forbid][place])
    };
    let weight = |reader: &mut Reader<'t>, key: &str, words: &[&str; 3], default: Weight| {
        written(reader, key, words).unwrap_or(default)
    };
    rules.unowned = weight(reader, "unowned", &schema::WEIGHTS, rules.unowned);
    if let Some(weight) = written(reader, "unresolved", &schema::WEIGHTS) {
        (rules.unresolved, rules.unresolved_elsewhere) = (weight, weight);
    }
    rules.unused = weight(reader, "unused", &schema::WEIGHTS, rules.unused);
    rules.type_imports = weight(reader, "type_imports", &schema::JUDGED, rules.type_imports);
    rules.dynamic_imports = weight(reader, "dynamic_imports", &schema::JUDGED, rules.dynamic_imports);
    rules.mocks = weight(reader, "mocks", &schema::JUDGED, rules.mocks);
    for (at, folder) in reader.strings(table, "python_roots").unwrap_or_default() {
        let folder = folder.trim_end_matches('/');
        let folder = if folder == "." { "" } else { folder };
        match bad_path(folder) {
            Some(why) => reader.fault(at, format!("the folder {why}"), None),
            None => rules.python_roots.push(folder.to_owned()),
        }
    }
    if let Some((at, path)) = reader.string(table, "baseline") {
        let why = match bad_path(&path) {
            _ if path.is_empty() || path.ends_with('/') => Some("names no file"),
            _ if path == RULES => Some("is the rules themselves"),
            other => other,
        };
        match why {
            Some(why) => reader.fault(at, format!("`baseline` {why}"), None),
            None => rules.baseline = path,
        }
    }
}

fn text(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> String {
    reader.string(table, key).map(|text| text.1).unwrap_or_default()
}

fn layers<'t>(reader: &mut Reader<'t>, table: &Table<'t>, names: &mut Names) -> Option<Layers> {
    reader.known_keys(table, schema::LAYERS);
    let expected = "a list of domains and globs, in which a list within stands for one layer";
    let mut order: Vec<Vec<Member>> = Vec::new();
    let Some(items) = reader.items(table, "order", expected) else {
        reader.fault(table.at, "it needs `order`, the layers from high to low".to_owned(), None);
        return None;
    };
    let mut seen = Vec::new();
    for (at, item) in items {
        let texts = match item {
            Item::Text(text) => vec![(at, text)],
            Item::List(texts) => texts,
            Item::Table(_) => {
                reader.fault(at, format!("`order` holds a table, not {expected}"), None);
                continue;
            }
        };
        if texts.is_empty() {
            reader.fault(at, "a layer without parts".to_owned(), None);
        }
        order.push(members(reader, texts, &mut seen, names));
    }
    if order.len() < 2 {
        let at = reader.at(table, "order");
        reader.fault(at, "`order` needs two layers at least, the higher first".to_owned(), None);
    }
    let siblings = reader.word(table, "siblings", &schema::SIBLINGS);
    Some(Layers {
        line: reader.line(table.at),
        name: text(reader, table, "name"),
        order,
        is_strict: reader.bool(table, "strict").unwrap_or(false),
        siblings_may: siblings.is_some_and(|word| word == schema::SIBLINGS[1]),
        is_transitive: reader.bool(table, "transitive").unwrap_or(false),
        kinds: imports::kinds(reader, table),
        reason: text(reader, table, "reason"),
    })
}

/// Parts of which none stands twice in a rule.
fn members(
    reader: &mut Reader<'_>,
    texts: Vec<(usize, String)>,
    seen: &mut Vec<String>,
    names: &mut Names,
) -> Vec<Member> {
    let mut members = Vec::new();
    for (at, text) in texts {
        if seen.contains(&text) {
            let text = crate::text::escape::clipped(&text, 60);
            reader.fault(at, format!("`{text}` stands here twice"), None);
            continue;
        }
        seen.push(text.clone());
        members.extend(imports::member(reader, at, text, names));
    }
    members
}

fn independent<'t>(reader: &mut Reader<'t>, table: &Table<'t>, names: &mut Names) -> Option<Independent> {
    reader.known_keys(table, schema::INDEPENDENT);
    if !reader.has(table, "members") {
        reader.fault(table.at, "it needs `members`, the parts that are independent".to_owned(), None);
        return None;
    }
    let texts = reader.strings(table, "members")?;
    if texts.len() < 2 {
        let at = reader.at(table, "members");
        reader.fault(at, "`members` needs two parts at least".to_owned(), None);
    }
    Some(Independent {
        line: reader.line(table.at),
        name: text(reader, table, "name"),
        members: members(reader, texts, &mut Vec::new(), names),
        is_transitive: reader.bool(table, "transitive").unwrap_or(false),
        kinds: imports::kinds(reader, table),
        reason: text(reader, table, "reason"),
    })
}

fn acyclic<'t>(reader: &mut Reader<'t>, table: &Table<'t>, names: &mut Names) -> Option<Acyclic> {
    reader.known_keys(table, schema::ACYCLIC);
    let between = reader.word(table, "between", &schema::BETWEEN);
    let is_of_files = between.is_some_and(|word| word == schema::BETWEEN[1]);
    let texts = reader.strings(table, "members").unwrap_or_default();
    let least = if is_of_files { 1 } else { 2 };
    if reader.has(table, "members") && texts.len() < least {
        let at = reader.at(table, "members");
        reader.fault(at, format!("`members` needs {least} at least; leave it out for all"), None);
    }
    Some(Acyclic {
        line: reader.line(table.at),
        name: text(reader, table, "name"),
        members: members(reader, texts, &mut Vec::new(), names),
        is_of_files,
        kinds: imports::kinds(reader, table),
        reason: text(reader, table, "reason"),
    })
}

fn exception<'t>(reader: &mut Reader<'t>, table: &Table<'t>, names: &mut Names) -> Option<Exception> {
    reader.known_keys(table, schema::EXCEPTION);
    let from = required(reader, table, "from");
    let to = required(reader, table, "to");
    let reason = required(reader, table, "reason");
    if let Some((at, reason)) = &reason
        && !reason.chars().any(char::is_alphabetic)
    {
        reader.fault(*at, "an exception needs a reason in words".to_owned(), None);
    }
    if let Some((at, text)) = &from
        && text.starts_with(crate::gate::pattern::PACKAGE)
    {
        reader.fault(*at, "a package imports nothing here; `from` is files or a domain".to_owned(), None);
    }
    let (from, to, (_, reason)) = (from?, to?, reason?);
    let from = imports::rule(reader, from.0, from.1, names);
    let to = imports::rule(reader, to.0, to.1, names);
    Some(Exception { line: reader.line(table.at), from: from?, to: to?, reason })
}
