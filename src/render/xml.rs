//! Text as XML 1.0 and SVG have it.

use std::borrow::Cow;

use crate::text::escape;

/// Text between tags or in an attribute in double quotes, on one line. What
/// is unsafe to print, or no character of XML at all, is shown escaped.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let text = escape::line(text);
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'' | '\u{fffe}' | '\u{ffff}');
    if !text.contains(special) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // The two that no XML document may hold, not even by number.
            '\u{fffe}' | '\u{ffff}' => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_what_xml_cannot_hold_is_text() {
        assert_eq!(escaped("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&apos;");
        assert_eq!(escaped("a\u{1b}\n\u{ffff}\0"), "a\\u{1b}\\n\\u{ffff}\\u{0}");
        assert_eq!(escaped("]]>"), "]]&gt;");
        assert_eq!(escaped("plain é 漢"), "plain é 漢");
    }
}
