//! Whose a file is.
//!
//! A file belongs to the domain whose scope matches it; in two scopes, to the
//! one with the longest literal beginning. A file that two scopes claim with
//! equal right is nobody's, and an error in the rules. `comm.toml` itself is
//! in no agent's scope: nobody widens the gate that judges it.

use std::collections::BTreeMap;
use std::path::Path;

use globset::{Candidate, GlobSet, GlobSetBuilder};

use super::pattern::{Rule, glob};
use crate::model::names::{AgentName, DomainName};

/// The file that holds the rules, at the root of the repository.
pub const RULES: &str = "comm.toml";

/// A part of the code with an owner.
#[derive(Clone, Debug, Default)]
pub struct Domain {
    /// Its name; empty only in a default.
    pub name: Option<DomainName>,
    /// Its line of `comm.toml`.
    pub line: usize,
    /// The folder that its globs are relative to; empty for the root.
    pub path: String,
    /// Its globs, relative to the root.
    pub scope: Vec<String>,
    /// The line of `scope`; that of the domain if it has none.
    pub scope_line: usize,
    /// The agent that works on it.
    pub agent: Option<AgentName>,
    /// What that agent does, in a few words.
    pub role: String,
    /// Whom to ask about it: a person or a team.
    pub owner: String,
    /// What a refused agent should do, in the owner's words.
    pub hint: String,
    /// What its files may import beside each other; none: anything.
    pub allowed_imports: Option<Allowed>,
    /// What its files may never import.
    pub forbidden_imports: Vec<Rule>,
    /// Those of its files that others may import; none: all.
    pub public: Vec<Rule>,
    /// The kinds of artifact that it publishes.
    pub exports: Vec<String>,
    /// The kinds of artifact that it uses, by the domain that publishes them.
    pub imports: BTreeMap<DomainName, Vec<String>>,
}

/// What a domain may import.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// The line of `comm.toml` that says so.
    pub line: usize,
    /// One of these must match.
    pub rules: Vec<Rule>,
}

impl Domain {
    /// Its name for printing.
    pub fn shown(&self) -> &str {
        self.name.as_ref().map_or("", DomainName::as_str)
    }
}

/// Whose a file is.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'a> {
    /// This domain's.
    Domain(&'a Domain),
    /// No scope matches it, or it is the rules themselves.
    Nobody,
    /// Two scopes claim it with equal right.
    Tie(&'a Domain, &'a Domain),
}

/// All domains, ready to say whose a file is.
#[derive(Clone, Debug, Default)]
pub struct Domains {
    domains: Vec<Domain>,
    set: GlobSet,
    /// For each glob of the set: its domain and its literal beginning's length.
    globs: Vec<(usize, usize)>,
}

impl Domains {
    /// Prepares `domains`. The globs were checked before with [`glob`].
    pub fn new(domains: Vec<Domain>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        let mut globs = Vec::new();
        for (i, domain) in domains.iter().enumerate() {
            for text in &domain.scope {
                set.add(glob(text)?);
                globs.push((i, literal_length(text)));
            }
        }
        Ok(Self { set: set.build()?, domains, globs })
    }

    /// The domains, in the order of their names.
    pub fn all(&self) -> &[Domain] {
        &self.domains
    }

    /// The domain with this name.
    pub fn get(&self, name: &DomainName) -> Option<&Domain> {
        self.domains.iter().find(|d| d.name.as_ref() == Some(name))
    }

    /// The place among [`Domains::all`] of a domain.
    pub fn index_of(&self, name: &DomainName) -> Option<usize> {
        self.domains.iter().position(|domain| domain.name.as_ref() == Some(name))
    }

    /// Whose the file at `path` is, as git has the path: relative to the
    /// root, with `/`, any bytes.
    pub fn owner(&self, path: &[u8]) -> Owner<'_> {
        if path == RULES.as_bytes() {
            return Owner::Nobody;
        }
        let Some(path) = as_path(path) else { return Owner::Nobody };
        let mut best: Option<(usize, usize)> = None;
        let mut tie = None;
        for index in self.set.matches_candidate(&Candidate::new(path)) {
            let Some(&(domain, length)) = self.globs.get(index) else { continue };
            match best {
                Some((other, longest)) if length == longest && other != domain => tie = Some((other, domain)),
                Some((_, longest)) if length <= longest => {}
                _ => (best, tie) = (Some((domain, length)), None),
            }
        }
        match (tie, best) {
            (Some((one, two)), _) => Owner::Tie(&self.domains[one], &self.domains[two]),
            (None, Some((domain, _))) => Owner::Domain(&self.domains[domain]),
            (None, None) => Owner::Nobody,
        }
    }
}

/// Length of what a glob starts with before its first special character.
fn literal_length(text: &str) -> usize {
    text.bytes().position(|b| b"*?[{\\".contains(&b)).unwrap_or(text.len())
}

/// A glob of a domain, relative to the root.
pub fn below(path: &str, glob: &str) -> String {
    let path = escape_glob(path.trim_end_matches('/'));
    if path.is_empty() { glob.to_owned() } else { format!("{path}/{glob}") }
}

/// A folder's name as a glob that matches just it.
fn escape_glob(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "*?[]{}\\,".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(unix)]
fn as_path(bytes: &[u8]) -> Option<&Path> {
    use std::os::unix::ffi::OsStrExt;
    Some(Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn as_path(bytes: &[u8]) -> Option<&Path> {
    std::str::from_utf8(bytes).ok().map(Path::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str, scope: &[&str]) -> Domain {
        let scope = scope.iter().map(|s| (*s).to_owned()).collect();
        Domain { name: name.parse().ok(), scope, ..Domain::default() }
    }

    #[track_caller]
    fn check(path: &[u8], expected: &str) {
        let domains = Domains::new(vec![
            domain("api", &["src/api/**", "shared/*.rs"]),
            domain("auth", &["src/api/auth/**"]),
            domain("docs", &["**/*.md", "docs/**"]),
            domain("site", &["docs/**"]),
        ])
        .unwrap();
        let found = match domains.owner(path) {
            Owner::Domain(domain) => domain.shown().to_owned(),
            Owner::Nobody => "nobody".into(),
            Owner::Tie(one, two) => format!("{} or {}", one.shown(), two.shown()),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_longest_literal_beginning_owns() {
        check(b"src/api/users.rs", "api");
        check(b"src/api/auth/token.rs", "auth");
        check(b"src/api/README.md", "api");
        check(b"README.md", "docs");
        check(b"shared/a.rs", "api");
        check(b"shared/deep/a.rs", "nobody");
        check(b"docs/a.txt", "docs or site");
        check(b"comm.toml", "nobody");
    }

    #[test]
    fn any_bytes_are_a_path() {
        check(b"src/api/\xff\n-x", "api");
        check(b"src/api/../../etc", "api");
        check(b"SRC/api/x", "nobody");
    }

    #[test]
    fn special_characters_of_a_folder_are_meant_literally() {
        assert_eq!(below("app/[id]", "**"), "app/\\[id\\]/**");
        let domains = Domains::new(vec![domain("a", &[&below("app/[id]", "**")])]).unwrap();
        assert!(matches!(domains.owner(b"app/[id]/x"), Owner::Domain(_)));
        assert!(matches!(domains.owner(b"app/i/x"), Owner::Nobody));
    }
}
