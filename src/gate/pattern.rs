//! Patterns of `comm.toml` over what is imported: files by a glob, packages as
//! `pkg:GLOB`, all of a domain as `domain:NAME`.

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::model::names::DomainName;

/// What stands before the name of a package.
pub const PACKAGE: &str = "pkg:";
/// What stands before the name of a domain.
pub const DOMAIN: &str = "domain:";

/// One glob, in the syntax that all of `comm.toml` uses: `*` and `?` stay
/// within a folder, `**` crosses folders, `{a,b}` and `[a-z]` as usual.
pub fn glob(text: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build()
}

/// Kinds of imports that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// The words for them, as imports have them.
    pub const WORDS: [&'static str; 4] = ["static", "type", "dynamic", "mock"];
    /// Every kind.
    pub const ALL: Self = Self(0b1111);

    /// The kinds that these words name; none if one names none.
    pub fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Self> {
        let mut kinds = 0;
        for word in words {
            kinds |= 1 << Self::WORDS.iter().position(|known| *known == word)?;
        }
        Some(Self(kinds))
    }

    /// Whether this kind is among them.
    pub fn has(self, word: &str) -> bool {
        Self::WORDS.iter().position(|known| *known == word).is_some_and(|bit| self.0 & (1 << bit) != 0)
    }

    /// Whether all of `other` are among them.
    pub fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Default for Kinds {
    fn default() -> Self {
        Self::ALL
    }
}

/// What a pattern is over.
#[derive(Clone, Debug)]
enum Over {
    Files(GlobMatcher),
    Packages(GlobMatcher),
    Domain(DomainName),
}

/// An entry of a list of imports.
#[derive(Clone, Debug)]
pub struct Rule {
    /// As it is written.
    pub text: String,
    /// Its line of `comm.toml`.
    pub line: usize,
    /// The kinds of imports that it is about.
    pub kinds: Kinds,
    /// Whether it is also about what is reached through other files.
    pub is_transitive: bool,
    /// Why there is this entry.
    pub reason: String,
    over: Over,
}

impl Rule {
    /// A pattern; a glob over files is `full`, relative to the root.
    pub fn new(text: String, line: usize, full: &str) -> Result<Self, globset::Error> {
        let over = match text.strip_prefix(PACKAGE) {
            Some(package) => Over::Packages(glob(package)?.compile_matcher()),
            None => Over::Files(glob(full)?.compile_matcher()),
        };
        Ok(Self::over(text, line, over))
    }

    /// Everything that a domain owns.
    pub fn domain(text: String, line: usize, name: DomainName) -> Self {
        Self::over(text, line, Over::Domain(name))
    }

    fn over(text: String, line: usize, over: Over) -> Self {
        Self { text, line, kinds: Kinds::ALL, is_transitive: false, reason: String::new(), over }
    }

    /// Whether it covers a file of a domain, or a package as `pkg:NAME`.
    pub fn covers(&self, name: &str, domain: Option<&DomainName>) -> bool {
        match (&self.over, name.strip_prefix(PACKAGE)) {
            (Over::Files(glob), None) => glob.is_match(name),
            (Over::Packages(glob), Some(package)) => glob.is_match(package),
            (Over::Domain(own), None) => domain == Some(own),
            _ => false,
        }
    }

    /// The domain that it names.
    pub fn named_domain(&self) -> Option<&DomainName> {
        match &self.over {
            Over::Domain(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it is over packages.
    pub fn is_package(&self) -> bool {
        matches!(self.over, Over::Packages(_))
    }
}

/// Whether everything that the glob `inner` matches is known to be matched by
/// `outer`. Not knowing is no.
pub fn is_within(inner: &str, outer: &str) -> bool {
    if inner == outer || outer == "**" {
        return true;
    }
    let special = |text: &str| text.contains(['*', '?', '[', '{', '\\']);
    match outer.strip_suffix("**") {
        Some(folder) if folder.ends_with('/') && !special(folder) => inner.starts_with(folder),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, domain: Option<&str>, expected: bool) {
        let rule = match text.strip_prefix(DOMAIN) {
            Some(name) => Rule::domain(text.into(), 1, name.parse().unwrap()),
            None => Rule::new(text.into(), 1, text).unwrap(),
        };
        let domain: Option<DomainName> = domain.map(|name| name.parse().unwrap());
        assert_eq!(rule.covers(name, domain.as_ref()), expected, "{text} {name}");
    }

    #[test]
    fn a_pattern_is_over_files_packages_or_a_domain() {
        check("api/**", "api/a/b.ts", None, true);
        check("api/*", "api/a/b.ts", None, false);
        check("pkg:@acme/*", "pkg:@acme/ui", None, true);
        check("pkg:*", "pkg:@acme/ui", None, false);
        check("pkg:**", "pkg:@acme/ui", None, true);
        check("pkg:**", "pkg:left-pad", None, true);
        check("**", "pkg:left-pad", None, false);
        check("**", "left-pad", None, true);
        check("domain:api", "x/y", Some("api"), true);
        check("domain:api", "x/y", Some("web"), false);
        check("domain:api", "x/y", None, false);
    }

    #[test]
    fn kinds_are_words() {
        let kinds = Kinds::of(["type", "mock"]).unwrap();
        assert!(kinds.has("type") && kinds.has("mock") && !kinds.has("static") && !kinds.has("part"));
        assert!(Kinds::of(["types"]).is_none());
        assert!(Kinds::ALL.holds(kinds) && !kinds.holds(Kinds::ALL));
    }

    #[test]
    fn a_glob_is_within_another_where_that_is_certain() {
        for (inner, outer, expected) in [
            ("api/x/**", "api/**", true),
            ("api/x.ts", "api/**", true),
            ("api/**", "api/**", true),
            ("apis/**", "api/**", false),
            ("api/**", "api/x/**", false),
            ("a/b/c", "*/b/**", false),
            ("x", "**", true),
            ("pkg:@a/b", "pkg:@a/**", true),
        ] {
            assert_eq!(is_within(inner, outer), expected, "{inner} in {outer}");
        }
    }
}
