//! Patterns over names, such as `ui-*`.

use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use super::{escape, name};

/// A pattern as shells have it: `*`, `?`, `[a-c]`, `{a,b}`. Without any of
/// these it is a name and matches only itself.
#[derive(Clone, Debug)]
pub struct Pattern(GlobMatcher);

/// A text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no name and no pattern such as ui-*: {reason}")]
pub struct InvalidPattern {
    text: String,
    reason: String,
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = |reason: String| InvalidPattern {
            text: escape::clipped(text, 80),
            reason: escape::clipped(&reason, 160),
        };
        if !text.contains(['*', '?', '[', '{']) {
            // A typing error in a plain name must not look like an empty answer.
            name::check(text).map_err(|fault| invalid(fault.to_string()))?;
        }
        match Glob::new(text) {
            Ok(glob) => Ok(Self(glob.compile_matcher())),
            Err(error) => Err(invalid(error.kind().to_string())),
        }
    }
}

impl Pattern {
    /// Whether the whole of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: bool) {
        assert_eq!(pattern.parse::<Pattern>().unwrap().matches(name), expected, "{pattern} on {name}");
    }

    #[test]
    fn patterns_match_whole_names() {
        check("ui", "ui", true);
        check("ui", "ui-forms", false);
        check("ui-*", "ui-forms", true);
        check("ui-*", "gui-forms", false);
        check("v?", "v1", true);
        check("[ab]-1", "c-1", false);
        check("{api,db}", "db", true);
        check("a.c", "abc", false);
    }

    #[test]
    fn what_can_match_no_name_is_refused() {
        for text in ["", "UI", "a b", "[a", "{a", "\u{1b}"] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
        assert!(!"\u{1b}[".parse::<Pattern>().unwrap_err().to_string().contains('\u{1b}'));
    }
}
