//! What strings are that a program spells out.

use tree_sitter::Node;

use super::super::tree::{children, text_of};

/// The content of a string that is just text, in one part or several.
pub(super) fn string(node: Node<'_>, text: &str) -> Option<String> {
    let mut content = String::new();
    let mut parts = vec![node];
    while let Some(part) = parts.pop() {
        match part.kind() {
            "comment" => {}
            "string" => content += &plain_string(part, text)?,
            "concatenated_string" => parts.extend(children(part).into_iter().rev()),
            "parenthesized_expression" => {
                parts.push(children(part).into_iter().find(|inner| inner.kind() != "comment")?);
            }
            "binary_operator" if operator(part, text) == "+" => {
                parts.push(part.child_by_field_name("right")?);
                parts.push(part.child_by_field_name("left")?);
            }
            _ => return None,
        }
    }
    Some(content)
}

fn operator<'s>(node: Node<'_>, text: &'s str) -> &'s str {
    node.child_by_field_name("operator").map_or("", |operator| text_of(operator, text))
}

fn plain_string(node: Node<'_>, text: &str) -> Option<String> {
    let parts = children(node);
    let start = parts.first().map(|part| text_of(*part, text))?;
    let is_plain = |part: &Node<'_>| matches!(part.kind(), "string_start" | "string_content" | "string_end");
    if !parts.iter().all(is_plain) || start.contains(['b', 'B', 't', 'T']) {
        return None;
    }
    let content = parts.iter().filter(|part| part.kind() == "string_content");
    let content: String = content.map(|part| text_of(*part, text)).collect();
    if start.contains(['r', 'R']) || !content.contains('\\') { Some(content) } else { unescaped(&content) }
}

/// What a text with backslashes means.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at)?);
        rest = rest.get(at + 1..)?;
        let kind = rest.chars().next()?;
        let mut length = kind.len_utf8();
        let digits = |from: usize, count: usize| {
            let number = u32::from_str_radix(rest.get(from..from + count)?, 16).ok()?;
            Some((char::from_u32(number)?, from + count))
        };
        let (character, end) = match kind {
            'x' => digits(1, 2)?,
            'u' => digits(1, 4)?,
            'U' => digits(1, 8)?,
            'N' => {
                let (name, _) = rest.strip_prefix("N{")?.split_once('}')?;
                (named(name)?, name.len() + 3)
            }
            '0'..='7' => {
                length = rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                (char::from_u32(u32::from_str_radix(rest.get(..length)?, 8).ok()?)?, length)
            }
            // The line goes on.
            '\n' | '\r' => {
                rest = rest.strip_prefix("\r\n").or_else(|| rest.get(1..))?;
                continue;
            }
            '\\' | '\'' | '"' => (kind, length),
            // Nothing of these stands in a name.
            _ => return None,
        };
        out.push(character);
        rest = rest.get(end..)?;
    }
    out.push_str(rest);
    Some(out)
}

/// The characters that names of modules are made of, by their names.
fn named(name: &str) -> Option<char> {
    let name = name.to_ascii_uppercase();
    let letter = |prefix: &str| name.strip_prefix(prefix).filter(|rest| rest.len() == 1)?.chars().next();
    match name.as_str() {
        "LOW LINE" => Some('_'),
        "FULL STOP" => Some('.'),
        _ => letter("LATIN SMALL LETTER ")
            .map(|c| c.to_ascii_lowercase())
            .or_else(|| letter("LATIN CAPITAL LETTER ")),
    }
}

/// The strings in a list or tuple.
pub(super) fn strings(node: Option<Node<'_>>, text: &str) -> Vec<String> {
    match node {
        Some(node) if matches!(node.kind(), "list" | "tuple") => children(node)
            .into_iter()
            .filter_map(|item| string(item, text))
            .filter(|s| !s.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}
