//! Patterns over names, such as `ui-*`.

use std::path::Path;
use std::str::FromStr;

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

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

impl InvalidPattern {
    fn new(text: &str, reason: &str) -> Self {
        Self { text: escape::clipped(text, 80), reason: escape::clipped(reason, 160) }
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = |reason: String| InvalidPattern::new(text, &reason);
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

/// Names of files and directories, wherever they lie: `node_modules`, `*.o`,
/// `.husky/_`.
#[derive(Clone, Debug)]
pub struct Names(GlobSet);

impl Names {
    /// Reads each word as a name or a pattern for one.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidPattern> {
        let mut set = GlobSetBuilder::new();
        for word in words {
            let glob =
                GlobBuilder::new(&format!("**/{}", word.trim_matches('/'))).literal_separator(true).build();
            set.add(glob.map_err(|error| InvalidPattern::new(word, &error.kind().to_string()))?);
        }
        set.build().map(Self).map_err(|error| InvalidPattern::new("", &error.kind().to_string()))
    }

    /// Whether a path ends in one of the names.
    pub fn matches(&self, path: &Path) -> bool {
        self.0.is_match(path)
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
    fn names_match_wherever_they_lie() {
        let names = Names::new(["target", "*.o", ".husky/_"]).unwrap();
        for path in ["target", "a/target", "a/x.o", ".husky/_", "a/.husky/_"] {
            assert!(names.matches(Path::new(path)), "{path}");
        }
        for path in ["", "targets", "target/x", ".husky", "a_", "x.o/y"] {
            assert!(!names.matches(Path::new(path)), "{path}");
        }
        assert!(Names::new(["[a"]).is_err());
    }

    #[test]
    fn what_can_match_no_name_is_refused() {
        for text in ["", "UI", "a b", "[a", "{a", "\u{1b}"] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
        assert!(!"\u{1b}[".parse::<Pattern>().unwrap_err().to_string().contains('\u{1b}'));
    }
}
