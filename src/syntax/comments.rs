//! Which words of a source stand in its comments.
//!
//! By a parse of the whole file: a line within a string or template looks as a
//! comment does.

use memchr::memmem;
use tree_sitter::Tree;

use super::{LIMIT, Language, python, text_of, tree, typescript};

/// For each place that a word in ASCII stands at, in their order, whether that
/// is in a comment. Nothing for a source that cannot be read.
pub fn in_comments(language: Language, source: &[u8], word: &str) -> Vec<bool> {
    let found = match language {
        Language::Python if source.len() > LIMIT => None,
        Language::Python => python::parsed(source, |tree, text| among(tree, text, word, usize::MAX)),
        Language::Rust => text_of(source).ok().and_then(|text| {
            let tree = tree::parse(&tree_sitter_rust::LANGUAGE.into(), text).ok()?;
            Some(among(&tree, text, word, usize::MAX))
        }),
        Language::TypeScript | Language::Tsx => text_of(source).ok().and_then(|text| {
            let (tree, doubt) = typescript::parsed(text, language == Language::Tsx)?;
            Some(among(&tree, text, word, doubt.unwrap_or(usize::MAX)))
        }),
    };
    // In some encodings a word may be parts of other characters.
    let places = memmem::find_iter(source, word).count();
    found.filter(|found| found.len() == places).unwrap_or_default()
}

/// Whether each word is in a comment that ends before a place.
fn among(tree: &Tree, text: &str, word: &str, before: usize) -> Vec<bool> {
    let mut comments = Vec::new();
    tree::walk(tree, |node| {
        let is_comment = node.kind().ends_with("comment");
        if is_comment && node.end_byte() <= before {
            comments.push(node.byte_range());
        }
        !is_comment
    });
    let is_in = |at: usize| {
        let first = comments.partition_point(|comment| comment.end <= at);
        comments.get(first).is_some_and(|comment| comment.start <= at)
    };
    memmem::find_iter(text.as_bytes(), word).map(is_in).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: Language, text: &str, expected: &[bool]) {
        assert_eq!(in_comments(language, text.as_bytes(), "W"), expected, "{text}");
    }

    #[test]
    fn words_in_strings_are_in_no_comment() {
        for language in [Language::TypeScript, Language::Tsx] {
            check(language, "// W\nf(`\n// W\n${1 /* W */}`) // W\n", &[true, false, true, true]);
            check(language, "x = 'a\\\n// W'\n/* a\n * W */", &[false, true]);
            check(language, "\u{feff}// W\nlet é = \"W\"", &[true, false]);
            check(language, "import {\n  a, // W\n} from 'x'", &[true]);
        }
        check(Language::Tsx, "x = <a>\n// W\n{/* W */}</a>", &[false, true]);
        // A regex, or a division and a comment.
        check(Language::Tsx, "x\n/'/; // W'\n`", &[false]);
        check(Language::Python, "\"\"\"\n# W\n\"\"\"\nx = 1 # W\n", &[false, true]);
        check(Language::Python, "x = 'a\\\n# W'\r# W\r", &[false, true]);
        check(Language::Rust, "const X: &str = \"\n// W\n\"; // W\n", &[false, true]);
        check(
            Language::Rust,
            "x!(r#\"\n// W\"\n// W\"#); /* /* W */ W */ /// W",
            &[false, false, true, true, true],
        );
    }

    #[test]
    fn what_cannot_be_read_has_no_comments() {
        for language in [Language::Python, Language::Rust, Language::TypeScript] {
            assert!(in_comments(language, b"# W\xff\n// W", "W").is_empty());
            assert!(in_comments(language, b"# W\0\n// W", "W").is_empty());
        }
        assert_eq!(in_comments(Language::Python, b"# coding: latin1\n# W\xff", "W"), [true]);
    }
}
