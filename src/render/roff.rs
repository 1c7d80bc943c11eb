//! A reference text as a man page, in the `man` macros that both groff and
//! mandoc know.

use super::document::{Block, Document, Piece};

/// The page.
pub fn page(document: &Document) -> String {
    let name = &document.name;
    let mut out = String::from(".\\\" Made by `git comm setup man`; do not edit.\n");
    out.push_str(&format!(
        ".TH \"{}\" \"1\" \"\" \"{}\" \"Git Manual\"\n",
        escaped(&name.to_uppercase()),
        escaped(&format!("{name} {}", document.version))
    ));
    // Neither hyphenate nor justify: what is typed must be found by searching.
    out.push_str(".nh\n.ad l\n.SH NAME\n");
    out.push_str(&format!("{} \\- {}\n", escaped(name), escaped(&document.about)));
    let mut is_first = false;
    for block in &document.blocks {
        // A heading starts a paragraph by itself.
        if matches!(block, Block::Usage(_) | Block::Text(_) | Block::Literal(_)) && !is_first {
            out.push_str(".PP\n");
        }
        is_first = matches!(block, Block::Section(_) | Block::Subsection(_));
        match block {
            Block::Section(title) => out.push_str(&format!(".SH \"{}\"\n", escaped(&title.to_uppercase()))),
            Block::Subsection(title) => out.push_str(&format!(".SS \"{}\"\n", escaped(title))),
            Block::Usage(pieces) => out.push_str(&format!("{}\n", line(&styled(pieces)))),
            Block::Text(text) => out.push_str(&format!("{}\n", line(&marked(text)))),
            Block::Term(term, text) => {
                out.push_str(&format!(".TP\n{}\n{}\n", line(&styled(term)), line(&marked(text))));
            }
            Block::Literal(text) => {
                out.push_str(".RS 4\n.nf\n");
                for row in text.lines() {
                    out.push_str(&format!("{}\n", line(&escaped(row))));
                }
                out.push_str(".fi\n.RE\n");
            }
        }
    }
    out
}

fn styled(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Word(text) => format!("\\fB{}\\fR", escaped(text)),
            Piece::Placeholder(text) => format!("\\fI{}\\fR", escaped(text)),
            Piece::Plain(text) => escaped(text),
        })
        .collect()
}

/// Running text with its backticks made bold.
fn marked(text: &str) -> String {
    let part = |(i, part): (usize, &str)| {
        if i % 2 == 1 { format!("\\fB{}\\fR", escaped(part)) } else { escaped(part) }
    };
    text.split('`').enumerate().map(part).collect()
}

/// Text that means itself: roff would set other characters for some.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\(rs"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '"' => out.push_str("\\(dq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!("\\[u{:04X}]", u32::from(c))),
        }
    }
    out
}

/// A line of text, never read as a request.
fn line(text: &str) -> String {
    if text.starts_with('.') || text.is_empty() { format!("\\&{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_a_request_and_keeps_its_characters() {
        assert_eq!(line(&escaped(".SH it's -C \\n \"x\"")), "\\&.SH it\\(aqs \\-C \\(rsn \\(dqx\\(dq");
        assert_eq!(marked("see `git log`."), "see \\fBgit log\\fR.");
        assert_eq!(escaped("…"), "\\[u2026]");
    }
}
