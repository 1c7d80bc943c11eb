//! Puts our handlers into a settings text and takes them out again, without
//! another byte changed.
//!
//! Taking out must know what putting in had to make: the list of an event,
//! the object of all hooks, the whole file. No field may be added for that (a
//! harness may refuse a file with fields that it does not know), so the order
//! of the keys of our own handler says it; see [`ORDERS`].

use serde_json::{Map, Value};

use super::jsonc::{self, Item, Node};
use super::{Format, Moment};

/// What had to be made for a handler, and the order of its keys that says so.
const ORDERS: [[&str; 3]; 4] = [
    // Nothing: the event had a list.
    ["type", "command", "timeout"],
    // The event's list.
    ["type", "timeout", "command"],
    // That, and the object of all hooks.
    ["command", "type", "timeout"],
    // That, and the file.
    ["timeout", "type", "command"],
];
pub(super) const HOOKS: &str = "hooks";

/// The command that a hook runs.
pub(super) fn command(format: &Format, moment: Moment) -> String {
    format!("{} --harness {}", prefix(moment), format.name)
}

fn prefix(moment: Moment) -> String {
    format!("git comm hook {}", moment.verb())
}

fn is_ours(command: &str, moment: Moment) -> bool {
    let rest = command.trim().strip_prefix(&prefix(moment));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// The entry of an event's list.
fn entry(format: &Format, moment: Moment, made: usize) -> Value {
    let mut handler = Map::new();
    for key in ORDERS[made] {
        let value: Value = match key {
            "type" => "command".into(),
            "command" => command(format, moment).into(),
            _ => format.timeout.into(),
        };
        handler.insert(key.into(), value);
    }
    let (_, matcher) = (format.events)(moment);
    let mut entry = Map::new();
    if let Some(matcher) = matcher {
        entry.insert("matcher".into(), matcher.into());
    }
    if format.flat {
        entry.extend(handler);
    } else {
        entry.insert(HOOKS.into(), Value::Array(vec![handler.into()]));
    }
    entry.into()
}

/// The text with our handlers in it; none of it is a file that is not there.
pub(super) fn add(format: &Format, text: Option<&str>) -> Result<String, String> {
    let mut text = match text {
        Some(text) => text.to_owned(),
        None => return Ok(fresh(format)),
    };
    for moment in Moment::ALL {
        text = add_one(format, moment, text)?;
    }
    Ok(text)
}

/// A file of our own.
fn fresh(format: &Format) -> String {
    let mut root: Map<String, Value> =
        (format.preamble)().into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    let mut hooks = Map::new();
    for (nth, moment) in Moment::ALL.into_iter().enumerate() {
        let made = if nth == 0 { 3 } else { 1 };
        hooks.insert((format.events)(moment).0.into(), Value::Array(vec![entry(format, moment, made)]));
    }
    root.insert(HOOKS.into(), hooks.into());
    let mut text = render(&root.into(), &Style { newline: "\n", unit: "  ".into() }, "");
    text.push('\n');
    text
}

fn add_one(format: &Format, moment: Moment, text: String) -> Result<String, String> {
    let root = jsonc::parse(&text)?;
    let style = Style::of(&text, &root);
    let (event, _) = (format.events)(moment);
    if !root.is_object() {
        return Err("it is no object".into());
    }
    let Some(hooks) = only(&root, HOOKS)? else {
        let value = serde_json::json!({ event: [entry(format, moment, 2)] });
        return Ok(style.insert(&text, &root, Some(HOOKS), &value));
    };
    if !hooks.value.is_object() {
        return Err(format!("`{HOOKS}` is no object"));
    }
    let Some(list) = only(&hooks.value, event)? else {
        let value = Value::Array(vec![entry(format, moment, 1)]);
        return Ok(style.insert(&text, &hooks.value, Some(event), &value));
    };
    if !list.value.is_array() {
        return Err(format!("`{HOOKS}.{event}` is no list"));
    }
    if list.value.items().iter().any(|item| handler_of(&item.value, moment).is_some()) {
        return Ok(text);
    }
    Ok(style.insert(&text, &list.value, None, &entry(format, moment, 0)))
}

/// The member of this name; several are an error, because readers differ in
/// which they take.
fn only<'n>(node: &'n Node, key: &'n str) -> Result<Option<&'n Item>, String> {
    let mut found = node.named(key);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(format!("`{key}` is there twice")),
        (one, None) => Ok(one),
    }
}

/// Our handler in an entry of a list, and whether the entry is nothing else.
pub(super) fn handler_of(entry: &Node, moment: Moment) -> Option<(&Node, bool)> {
    let ours = |node: &Node| node.text("command").is_some_and(|c| is_ours(c, moment));
    if ours(entry) {
        return Some((entry, true));
    }
    let list = entry.named(HOOKS).find(|item| item.value.is_array())?;
    let items = list.value.items();
    let found = items.iter().find(|item| ours(&item.value))?;
    Some((&found.value, items.len() == 1))
}

/// Which of our handlers are in a text.
pub(super) fn found(format: &Format, text: &str) -> Result<Vec<Moment>, String> {
    let root = jsonc::parse(text)?;
    let has = |moment: &Moment| {
        let (event, _) = (format.events)(*moment);
        let lists = root.named(HOOKS).flat_map(|hooks| hooks.value.named(event));
        lists.flat_map(|list| list.value.items()).any(|item| handler_of(&item.value, *moment).is_some())
    };
    Ok(Moment::ALL.into_iter().filter(has).collect())
}

/// The text without our handlers; none if there would be no file without
/// them.
pub(super) fn remove(format: &Format, text: &str) -> Result<Option<String>, String> {
    let mut text = text.to_owned();
    let mut made = 0;
    // What was put in last goes first: what was made for all of them can go
    // once nothing else is in it.
    for moment in Moment::ALL.into_iter().rev() {
        while let Some((without, was_made)) = remove_one(format, moment, &text)? {
            text = without;
            made = made.max(was_made);
        }
    }
    let root = jsonc::parse(&text)?;
    if made >= 2
        && let Some(hooks) = root.named(HOOKS).next()
        && hooks.value.items().is_empty()
        && !has_comment(&text, &hooks.value)
    {
        text = cut(&text, &root, hooks);
    }
    let root = jsonc::parse(&text)?;
    let preamble = (format.preamble)();
    let ours = |item: &Item| preamble.iter().any(|(key, _)| *key == item.key);
    if made == 3 && root.items().iter().all(ours) && !has_comment(&text, &root) {
        return Ok(None);
    }
    Ok(Some(text))
}

fn remove_one(format: &Format, moment: Moment, text: &str) -> Result<Option<(String, usize)>, String> {
    let root = jsonc::parse(text)?;
    let (event, _) = (format.events)(moment);
    for hooks in root.named(HOOKS) {
        for list in hooks.value.named(event) {
            for item in list.value.items() {
                let Some((handler, is_all)) = handler_of(&item.value, moment) else { continue };
                let made = made_of(handler);
                let without = if !is_all {
                    // Somebody put a handler beside ours.
                    let group = item.value.named(HOOKS).find(|i| i.value.is_array()).map(|i| &i.value);
                    let own =
                        |group: &Node| group.items().iter().position(|i| i.value.start == handler.start);
                    match group.and_then(|g| Some((g, own(g)?))) {
                        Some((group, at)) => cut(text, group, &group.items()[at]),
                        None => return Err("it changed while it was read".into()),
                    }
                } else if made >= 1 && list.value.items().len() == 1 && !has_comment(text, &list.value) {
                    cut(text, &hooks.value, list)
                } else {
                    cut(text, &list.value, item)
                };
                return Ok(Some((without, made)));
            }
        }
    }
    Ok(None)
}

fn made_of(handler: &Node) -> usize {
    let keys: Vec<&str> =
        handler.items().iter().map(|i| i.key.as_str()).filter(|k| ORDERS[0].contains(k)).collect();
    ORDERS.iter().position(|order| keys == *order).unwrap_or(0)
}

/// Whether a comment stands directly in a list or object.
fn has_comment(text: &str, node: &Node) -> bool {
    let mut at = node.start + 1;
    let mut between = String::new();
    for item in node.items() {
        between.push_str(text.get(at..item.start).unwrap_or_default());
        at = item.value.end;
    }
    between.push_str(text.get(at..node.end.saturating_sub(1)).unwrap_or_default());
    between.contains('/')
}

/// How a text is written.
struct Style {
    newline: &'static str,
    unit: String,
}

impl Style {
    fn of(text: &str, root: &Node) -> Self {
        let newline = match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let first = root.items().first().map(|item| own_indent(text, item.start)).unwrap_or_default();
        let unit = first.filter(|i| !i.is_empty()).unwrap_or("  ").to_owned();
        Self { newline, unit }
    }

    /// The text with an item behind the last one of `node`.
    fn insert(&self, text: &str, node: &Node, key: Option<&str>, value: &Value) -> String {
        let close = node.end - 1;
        let inner = &text[node.start + 1..close];
        let tail = close - blank_before(text, close);
        let outer = line_indent(text, node.start);
        let one_line = match node.items().first() {
            Some(_) => !inner.contains('\n'),
            // An empty list in a text of one line stays on it, unless that is
            // all there is.
            None => {
                let before = text[..node.start].trim_start_matches('\u{feff}').trim();
                !text.trim_end().contains('\n') && !before.is_empty()
            }
        };
        let ending = format!("{}{outer}", self.newline);
        let (gap, end, item) = if one_line {
            let gap = if node.items().is_empty() || !text.contains(", ") { "" } else { " " };
            let name = key.map(|k| format!("{}:{gap}", Value::from(k))).unwrap_or_default();
            (gap.to_owned(), String::new(), format!("{name}{value}"))
        } else {
            let indent = match node.items().last().and_then(|last| own_indent(text, last.start)) {
                Some(indent) => indent.to_owned(),
                None => format!("{outer}{}", self.unit),
            };
            let name = key.map(|k| format!("{}: ", Value::from(k))).unwrap_or_default();
            let item = format!("{name}{}", render(value, self, &indent));
            let gap = format!("{}{indent}", self.newline);
            // An empty pair of brackets gets the end of line that it lacks;
            // an empty line before us tells it from one that had it.
            match (node.items().is_empty() && inner.trim().is_empty(), inner) {
                (true, "") => (gap, ending, item),
                (true, inner) if inner == ending => (format!("{}{gap}", self.newline), String::new(), item),
                _ => (gap, String::new(), item),
            }
        };
        let mut out = String::with_capacity(text.len() + item.len() + 64);
        match node.items().last() {
            Some(last) if last.comma.is_none() => {
                out.push_str(&text[..last.value.end]);
                out.push(',');
                out.push_str(&text[last.value.end..tail]);
            }
            _ => out.push_str(&text[..tail]),
        }
        let behind = if node.items().last().is_some_and(|last| last.comma.is_some()) { "," } else { "" };
        for part in [&gap, &item, behind, &end, &text[tail..]] {
            out.push_str(part);
        }
        out
    }
}

/// The text without an item of `node`: what [`Style::insert`] put in, taken
/// out.
fn cut(text: &str, node: &Node, item: &Item) -> String {
    let start = item.start - blank_before(text, item.start);
    let gap = &text[start..item.start];
    let end = item.comma.map_or(item.value.end, |comma| comma + 1);
    let at = node.items().iter().position(|i| i.start == item.start).unwrap_or(0);
    let is_last = at + 1 == node.items().len();
    let mut out = String::with_capacity(text.len());
    let before = at.checked_sub(1).and_then(|at| node.items().get(at));
    match before.and_then(|before| before.comma) {
        // Without an item behind it, its own comma goes.
        Some(comma) if is_last && item.comma.is_none() => {
            out.push_str(&text[..comma]);
            out.push_str(&text[comma + 1..start]);
        }
        _ => out.push_str(&text[..start]),
    }
    let rest = &text[end..];
    let tail_len = node.end - 1 - end;
    let tail = &text[end..node.end - 1];
    let indent = line_indent(text, node.start);
    let ending = tail.strip_prefix("\r\n").or(tail.strip_prefix('\n'));
    let is_our_end = node.items().len() == 1
        && text[node.start + 1..start].is_empty()
        && ending == Some(indent)
        && gap.matches('\n').count() == 1;
    out.push_str(if is_our_end { &rest[tail_len..] } else { rest });
    out
}

/// Length of the blanks that end before `at`.
fn blank_before(text: &str, at: usize) -> usize {
    let before = &text[..at];
    before.len() - before.trim_end_matches([' ', '\t', '\r', '\n']).len()
}

/// The blanks that the line of `at` starts with.
fn line_indent(text: &str, at: usize) -> &str {
    let line = text[..at].rfind('\n').map_or(0, |nl| nl + 1);
    let rest = &text[line..at];
    &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()]
}

/// The blanks before `at`, if nothing else stands before it on its line.
fn own_indent(text: &str, at: usize) -> Option<&str> {
    let line = text[..at].rfind('\n')? + 1;
    let before = &text[line..at];
    before.trim_matches([' ', '\t']).is_empty().then_some(before)
}

/// A value over several lines, the first of which is not indented.
fn render(value: &Value, style: &Style, indent: &str) -> String {
    let inner = format!("{indent}{}", style.unit);
    let lines: Vec<String> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(k, v)| format!("{}: {}", Value::from(k.as_str()), render(v, style, &inner)))
            .collect(),
        Value::Array(values) => values.iter().map(|v| render(v, style, &inner)).collect(),
        other => return other.to_string(),
    };
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    let nl = style.newline;
    format!("{open}{nl}{inner}{}{nl}{indent}{close}", lines.join(&format!(",{nl}{inner}")))
}

#[cfg(test)]
mod tests;
