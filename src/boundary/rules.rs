//! What `comm.toml` says about imports, beside the lists of each domain.

use globset::GlobMatcher;

use crate::gate::finding::Severity;
use crate::gate::pattern::{Kinds, Rule};
use crate::gate::scope::{Domain, Domains};
use crate::model::names::DomainName;
use crate::syntax::Kind;

/// The file that holds the known violations unless the rules name another.
pub const BASELINE: &str = "comm.baseline";

/// How much something weighs where it is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing: it is not looked at.
    Nothing,
    /// It is said.
    Warn,
    /// It stops the commit.
    #[default]
    Forbid,
}

impl Weight {
    /// As a finding has it; none if it is not looked at.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Nothing => None,
            Self::Warn => Some(Severity::Warning),
            Self::Forbid => Some(Severity::Error),
        }
    }
}

/// The rules of `[boundary]`, `[[layers]]`, `[[independent]]`, `[[acyclic]]`
/// and `[[exceptions]]`.
#[derive(Clone, Debug)]
pub struct Rules {
    /// A source that no domain owns.
    pub unowned: Weight,
    /// An import that leads nowhere, in a file that some rule is about.
    pub unresolved: Weight,
    /// The same in any other file: nothing, unless the key is written.
    pub unresolved_elsewhere: Weight,
    /// What nothing needs: a rule, a suppression, a baseline entry.
    pub unused: Weight,
    /// An import of types that breaks a rule.
    pub type_imports: Weight,
    /// An import at run time, when the code comes by, that breaks a rule.
    pub dynamic_imports: Weight,
    /// A replacement in a test that breaks a rule.
    pub mocks: Weight,
    /// Folders that Python's module names begin at.
    pub python_roots: Vec<String>,
    /// The file with the known violations.
    pub baseline: String,
    /// High to low.
    pub layers: Vec<Layers>,
    /// Parts that know nothing of each other.
    pub independent: Vec<Independent>,
    /// Parts without cycles between them.
    pub acyclic: Vec<Acyclic>,
    /// Imports that no rule is about.
    pub exceptions: Vec<Exception>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            unowned: Weight::Nothing,
            unresolved: Weight::Forbid,
            unresolved_elsewhere: Weight::Nothing,
            unused: Weight::Warn,
            type_imports: Weight::Forbid,
            dynamic_imports: Weight::Forbid,
            mocks: Weight::Forbid,
            python_roots: Vec::new(),
            baseline: BASELINE.to_owned(),
            layers: Vec::new(),
            independent: Vec::new(),
            acyclic: Vec::new(),
            exceptions: Vec::new(),
        }
    }
}

impl Rules {
    /// How much an import of this kind weighs that breaks a rule. A module of
    /// its own in another file is its author's, and no import.
    pub fn weight_of(&self, kind: Kind) -> Weight {
        match kind {
            Kind::Static => Weight::Forbid,
            Kind::Type => self.type_imports,
            Kind::Dynamic => self.dynamic_imports,
            Kind::Mock => self.mocks,
            Kind::Part => Weight::Nothing,
        }
    }

    /// Whether these rules and the lists of `domains` say anything about
    /// imports.
    pub fn say_something(&self, domains: &Domains) -> bool {
        let listed = domains.all().iter().any(|domain| {
            domain.allowed_imports.is_some()
                || !domain.forbidden_imports.is_empty()
                || !domain.public.is_empty()
        });
        let grouped = self.layers.len() + self.independent.len() + self.acyclic.len() > 0;
        let alone = [self.unowned, self.unresolved_elsewhere];
        listed || grouped || alone.iter().any(|weight| *weight != Weight::Nothing)
    }

    /// Whether what one file imports can break a rule at another file, so that
    /// changed files are not enough to judge a change.
    pub fn need_whole_graph(&self, domains: &Domains) -> bool {
        !self.acyclic.is_empty()
            || self.layers.iter().any(|layers| layers.is_transitive)
            || self.independent.iter().any(|group| group.is_transitive)
            || domains.all().iter().any(|d| d.forbidden_imports.iter().any(|rule| rule.is_transitive))
    }

    /// Whether only all imports together show which rules nothing needs.
    pub fn need_all_imports(&self, domains: &Domains) -> bool {
        !self.exceptions.is_empty() || domains.all().iter().any(|domain| domain.allowed_imports.is_some())
    }
}

/// A part of the code in a rule over several: a domain, or files by a glob.
#[derive(Clone, Debug)]
pub struct Member {
    /// As it is written.
    pub text: String,
    /// Its line of `comm.toml`.
    pub line: usize,
    over: Over,
}

#[derive(Clone, Debug)]
enum Over {
    Domain(DomainName),
    Files(GlobMatcher),
}

impl Member {
    /// A domain.
    pub fn domain(name: DomainName, line: usize) -> Self {
        Self { text: name.to_string(), line, over: Over::Domain(name) }
    }

    /// The files that a glob matches, relative to the root.
    pub fn files(text: String, line: usize) -> Result<Self, globset::Error> {
        let over = Over::Files(crate::gate::pattern::glob(&text)?.compile_matcher());
        Ok(Self { text, line, over })
    }

    /// Whether a file of this domain, or of none, is part of it.
    pub fn has(&self, path: &str, domain: Option<&Domain>) -> bool {
        match &self.over {
            Over::Domain(name) => domain.is_some_and(|domain| domain.name.as_ref() == Some(name)),
            Over::Files(glob) => glob.is_match(path),
        }
    }
}

/// Layers: high ones import low ones, never the other way.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Its line of `comm.toml`.
    pub line: usize,
    /// Its name; empty if it has none.
    pub name: String,
    /// The layers from high to low, each of one part or several side by side.
    pub order: Vec<Vec<Member>>,
    /// Whether a layer imports only the next lower one.
    pub is_strict: bool,
    /// Whether parts side by side may import each other.
    pub siblings_may: bool,
    /// Whether what is reached through files of no layer counts.
    pub is_transitive: bool,
    /// The kinds of imports that it is about.
    pub kinds: Kinds,
    /// Why.
    pub reason: String,
}

/// Parts that know nothing of each other.
#[derive(Clone, Debug, Default)]
pub struct Independent {
    /// Its line of `comm.toml`.
    pub line: usize,
    /// Its name; empty if it has none.
    pub name: String,
    /// The parts.
    pub members: Vec<Member>,
    /// Whether what is reached through files of no part counts.
    pub is_transitive: bool,
    /// The kinds of imports that it is about.
    pub kinds: Kinds,
    /// Why.
    pub reason: String,
}

/// Parts, or files, without cycles between them.
#[derive(Clone, Debug, Default)]
pub struct Acyclic {
    /// Its line of `comm.toml`.
    pub line: usize,
    /// Its name; empty if it has none.
    pub name: String,
    /// The parts; none: all domains, or all files.
    pub members: Vec<Member>,
    /// Whether it is about files rather than the parts as wholes.
    pub is_of_files: bool,
    /// The kinds of imports that it is about.
    pub kinds: Kinds,
    /// Why.
    pub reason: String,
}

/// Imports that no rule is about, for a reason.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Its line of `comm.toml`.
    pub line: usize,
    /// The files that import.
    pub from: Rule,
    /// What they import.
    pub to: Rule,
    /// Why.
    pub reason: String,
}

/// A name of a rule for what is found.
pub fn named(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" `{name}`") }
}
