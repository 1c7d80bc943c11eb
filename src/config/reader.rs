//! Reads a TOML document with positions, collecting every fault.

use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Fault;
use super::schema::Key;
use crate::text::{escape, similar};

/// A table and where it starts.
#[derive(Clone, Debug)]
pub(super) struct Table<'t> {
    pub(super) at: usize,
    table: DeTable<'t>,
}

impl Table<'_> {
    /// Its keys, each with its place.
    pub(super) fn names(&self) -> Vec<(usize, String)> {
        self.table.keys().map(|key| (key.span().start, key.get_ref().clone().into_owned())).collect()
    }
}

/// An element of a list that may hold more than texts.
#[derive(Clone, Debug)]
pub(super) enum Item<'t> {
    Text(String),
    List(Vec<(usize, String)>),
    Table(Table<'t>),
}

/// A document being read.
pub(super) struct Reader<'t> {
    text: &'t str,
    faults: Vec<(usize, String, Option<String>)>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: text.strip_prefix('\u{feff}').unwrap_or(text), faults: Vec::new() },
            Err(error) => {
                let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                let faults = vec![(text.len(), "it is not UTF-8".to_owned(), None)];
                Self { text, faults }
            }
        }
    }

    /// The whole document; none if it is no TOML.
    pub(super) fn root(&mut self) -> Option<Table<'t>> {
        if !self.faults.is_empty() {
            return None;
        }
        match DeTable::parse(self.text) {
            Ok(table) => Some(Table { at: 0, table: table.into_inner() }),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                self.fault(at, error.message().to_owned(), None);
                None
            }
        }
    }

    pub(super) fn fault(&mut self, at: usize, what: String, meant: Option<String>) {
        self.faults.push((at, what, meant));
    }

    /// Where a key stands; the table's own place if it has none.
    pub(super) fn at(&self, table: &Table<'_>, key: &str) -> usize {
        table.table.get_key_value(key).map_or(table.at, |(key, _)| key.span().start)
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }

    /// Faults every key that is not among `known`.
    pub(super) fn known_keys(&mut self, table: &Table<'_>, known: &[Key]) {
        for key in table.table.keys() {
            let name = key.get_ref().as_ref();
            if !known.iter().any(|known| known.name == name) {
                let meant = similar::nearest(name, known.iter().map(|key| key.name)).map(str::to_owned);
                self.fault(key.span().start, format!("unknown key `{}`", escape::clipped(name, 60)), meant);
            }
        }
    }

    /// The tables below `key`, each with its name.
    pub(super) fn tables(&mut self, table: &Table<'t>, key: &str) -> Vec<((usize, String), Table<'t>)> {
        let Some(outer) = self.table(table, key) else { return Vec::new() };
        let mut tables = Vec::new();
        for (name, value) in &outer.table {
            let at = name.span().start;
            match value.get_ref() {
                DeValue::Table(inner) => {
                    let named = (at, name.get_ref().clone().into_owned());
                    tables.push((named, Table { at, table: inner.clone() }));
                }
                _ => self.wrong(value, &format!("{key}.{}", name.get_ref()), "a table"),
            }
        }
        tables
    }

    pub(super) fn table(&mut self, table: &Table<'t>, key: &str) -> Option<Table<'t>> {
        let value = table.table.get(key)?;
        match value.get_ref() {
            DeValue::Table(inner) => Some(Table { at: value.span().start, table: inner.clone() }),
            _ => {
                self.wrong(value, key, "a table");
                None
            }
        }
    }

    pub(super) fn string(&mut self, table: &Table<'_>, key: &str) -> Option<(usize, String)> {
        let value = table.table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((value.span().start, text.clone().into_owned())),
            _ => {
                self.wrong(value, key, "a string");
                None
            }
        }
    }

    /// A list of strings, or one string alone.
    pub(super) fn strings(&mut self, table: &Table<'_>, key: &str) -> Option<Vec<(usize, String)>> {
        let value = table.table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(vec![(value.span().start, text.clone().into_owned())]),
            DeValue::Array(values) => {
                let mut strings = Vec::new();
                for value in values.iter() {
                    match value.get_ref() {
                        DeValue::String(text) => {
                            strings.push((value.span().start, text.clone().into_owned()))
                        }
                        _ => self.wrong(value, key, "a list of strings"),
                    }
                }
                Some(strings)
            }
            _ => {
                self.wrong(value, key, "a string or a list of strings");
                None
            }
        }
    }

    /// The tables of a list of tables.
    pub(super) fn list_of_tables(&mut self, table: &Table<'t>, key: &str) -> Vec<Table<'t>> {
        let Some(value) = table.table.get(key) else { return Vec::new() };
        let DeValue::Array(values) = value.get_ref() else {
            self.wrong(value, key, &format!("a list of tables: write [[{key}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for value in values.iter() {
            match value.get_ref() {
                DeValue::Table(inner) => tables.push(Table { at: value.span().start, table: inner.clone() }),
                _ => self.wrong(value, key, &format!("a list of tables: write [[{key}]]")),
            }
        }
        tables
    }

    /// A list of texts and whatever else `expected` names, or one text alone.
    pub(super) fn items(
        &mut self,
        table: &Table<'t>,
        key: &str,
        expected: &str,
    ) -> Option<Vec<(usize, Item<'t>)>> {
        let value = table.table.get(key)?;
        let values: Vec<&Spanned<DeValue<'t>>> = match value.get_ref() {
            DeValue::Array(values) => values.iter().collect(),
            DeValue::String(_) => vec![value],
            _ => {
                self.wrong(value, key, expected);
                return Some(Vec::new());
            }
        };
        let mut items = Vec::new();
        for value in values {
            let at = value.span().start;
            match value.get_ref() {
                DeValue::String(text) => items.push((at, Item::Text(text.clone().into_owned()))),
                DeValue::Table(inner) => items.push((at, Item::Table(Table { at, table: inner.clone() }))),
                DeValue::Array(inner) => {
                    let mut texts = Vec::new();
                    for value in inner.iter() {
                        match value.get_ref() {
                            DeValue::String(text) => {
                                texts.push((value.span().start, text.clone().into_owned()))
                            }
                            _ => self.wrong(value, key, expected),
                        }
                    }
                    items.push((at, Item::List(texts)));
                }
                _ => self.wrong(value, key, expected),
            }
        }
        Some(items)
    }

    /// One of a few words.
    pub(super) fn word(&mut self, table: &Table<'_>, key: &str, words: &[&str]) -> Option<String> {
        let (at, text) = self.string(table, key)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let meant = similar::nearest(&text, words.iter().copied()).map(str::to_owned);
        self.fault(at, format!("`{key}` is {}", either(words)), meant);
        None
    }

    /// Whether a table has a key.
    pub(super) fn has(&self, table: &Table<'_>, key: &str) -> bool {
        table.table.contains_key(key)
    }

    pub(super) fn bool(&mut self, table: &Table<'_>, key: &str) -> Option<bool> {
        let value = table.table.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => {
                self.wrong(value, key, "true or false");
                None
            }
        }
    }

    /// A text as a name of its kind.
    pub(super) fn name<N: FromStr<Err: std::fmt::Display>>(&mut self, text: &(usize, String)) -> Option<N> {
        match text.1.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                self.fault(text.0, error.to_string(), None);
                None
            }
        }
    }

    fn wrong(&mut self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a truth value",
            DeValue::Datetime(_) => "a time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.fault(value.span().start, format!("`{key}` is {found}, not {expected}"), None);
    }

    /// The result, or every fault in the order of the file.
    pub(super) fn finish<T>(mut self, value: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() {
            return Ok(value);
        }
        self.faults.sort_by_key(|f| f.0);
        let faults = std::mem::take(&mut self.faults);
        Err(faults.into_iter().map(|(at, what, meant)| self.place(at, what, meant)).collect())
    }

    fn place(&self, at: usize, what: String, meant: Option<String>) -> Fault {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Fault { line, column, what, meant }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [start @ .., last] => {
            let start: Vec<String> = start.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", start.join(", "))
        }
    }
}
