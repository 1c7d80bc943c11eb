//! A reference text as markdown.

use super::document::{Block, Document, Piece};

/// The page.
pub fn page(document: &Document) -> String {
    let mut out = String::from("<!-- Generated; see tests/it/docs.rs. -->\n\n");
    out.push_str(&format!("# {}\n\n{}\n", document.name, escaped(&document.about)));
    let mut in_list = false;
    for block in &document.blocks {
        if !(in_list && matches!(block, Block::Term(..))) {
            out.push('\n');
        }
        in_list = matches!(block, Block::Term(..));
        match block {
            Block::Section(title) => out.push_str(&format!("## {title}\n")),
            Block::Subsection(title) => out.push_str(&format!("### {title}\n")),
            Block::Usage(pieces) => out.push_str(&format!("    {}\n", plain(pieces))),
            Block::Text(text) => out.push_str(&format!("{}\n", escaped(text))),
            Block::Term(term, text) => {
                out.push_str(&format!("- `{}`: {}\n", plain(term), escaped(text)));
            }
            Block::Literal(text) => {
                for row in text.lines() {
                    out.push_str(format!("    {row}").trim_end());
                    out.push('\n');
                }
            }
        }
    }
    out
}

fn plain(pieces: &[Piece]) -> String {
    pieces.iter().map(Piece::as_str).collect()
}

/// Text outside of backticks that means itself.
fn escaped(text: &str) -> String {
    let part = |(i, part): (usize, &str)| {
        if i % 2 == 1 { format!("`{part}`") } else { part.replace('<', "\\<").replace('*', "\\*") }
    };
    text.split('`').enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_code_is_escaped() {
        assert_eq!(escaped("ui-* and `a*b<c>` <d>"), "ui-\\* and `a*b<c>` \\<d>");
    }
}
