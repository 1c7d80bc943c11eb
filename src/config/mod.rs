//! `comm.toml`: the rules that a repository carries with it.
//!
//! Parsed with positions, so that every error says line and column and what
//! was perhaps meant. All errors of a file are reported at once.

pub mod keys;
mod reader;

use std::collections::BTreeMap;

use reader::{Reader, Table};

use crate::gate::scope::{self, Allowed, Domain, Domains, Rule};
use crate::model::names::DomainName;

/// The rules.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Whose which files are.
    pub domains: Domains,
    /// What a commit must show.
    pub commit: Commit,
}

/// What a commit must show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// An agent commits only while it holds a task.
    pub require_claim: bool,
    /// Authors (name or mail address) who are people: their commits need no
    /// trailers and no scope.
    pub people: Vec<String>,
}

/// Something wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("comm.toml:{line}:{column}: {what}")]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What was perhaps meant.
    pub meant: Option<String>,
}

impl Config {
    /// Reads the file's content.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(text);
        let root = reader.root();
        let mut config = Self::default();
        if let Some(root) = root {
            reader.known_keys(&root, &["domains", "commit"]);
            let domains = reader.tables(&root, "domains");
            let domains: Vec<Domain> =
                domains.iter().filter_map(|(name, table)| domain(&mut reader, name, table)).collect();
            if let Some(table) = reader.table(&root, "commit") {
                reader.known_keys(&table, &["require_claim", "people"]);
                config.commit.require_claim = reader.bool(&table, "require_claim").unwrap_or(false);
                config.commit.people =
                    reader.strings(&table, "people").unwrap_or_default().into_iter().map(|s| s.1).collect();
            }
            match Domains::new(domains) {
                Ok(domains) => config.domains = domains,
                Err(error) => reader.fault(0, format!("the scopes together: {error}"), None),
            }
        }
        reader.finish(config)
    }
}

fn domain<'t>(reader: &mut Reader<'t>, name: &(usize, String), table: &Table<'t>) -> Option<Domain> {
    reader.known_keys(table, &DOMAIN);
    let parsed: Option<DomainName> = reader.name(name);
    let (path_at, path) = reader.string(table, "path").unwrap_or((table.at, String::new()));
    let path = path.trim_matches('/').to_owned();
    if let Some(why) = bad_path(&path) {
        reader.fault(path_at, format!("`path` {why}"), None);
    }
    let scope = match reader.strings(table, "scope") {
        None => vec![(path_at, "**".to_owned())],
        Some(globs) => globs,
    };
    let mut full = Vec::new();
    for (at, text) in scope {
        if let Some(why) = bad_path(&text) {
            reader.fault(at, format!("the glob `{}` {why}", crate::text::escape::clipped(&text, 80)), None);
            continue;
        }
        let glob = scope::below(&path, &text);
        match scope::glob(&glob) {
            Ok(_) => full.push(glob),
            Err(error) => reader.fault(at, format!("no glob: {}", error.kind()), None),
        }
    }
    let allowed_imports = reader.strings(table, "allowed_imports").map(|list| {
        let at = reader.at(table, "allowed_imports");
        Allowed { line: reader.line(at), rules: rules(reader, "", list) }
    });
    let forbidden_imports = reader.strings(table, "forbidden_imports").unwrap_or_default();
    let forbidden_imports = rules(reader, "", forbidden_imports);
    let public = reader.strings(table, "public").unwrap_or_default();
    let public = rules(reader, &path, public);
    let exports = reader.strings(table, "exports").unwrap_or_default().into_iter().map(|s| s.1).collect();
    let imports = kinds_by_domain(reader, table);
    let text = |reader: &mut Reader<'_>, key| reader.string(table, key).map(|s| s.1).unwrap_or_default();
    let agent = reader.string(table, "agent");
    Some(Domain {
        name: Some(parsed?),
        path,
        scope: full,
        agent: agent.and_then(|agent| reader.name(&agent)),
        role: text(reader, "role"),
        owner: text(reader, "owner"),
        hint: text(reader, "hint"),
        allowed_imports,
        forbidden_imports,
        public,
        exports,
        imports,
    })
}

/// What stands in the table of a domain.
const DOMAIN: [&str; 11] = [
    "path",
    "scope",
    "agent",
    "role",
    "owner",
    "hint",
    "exports",
    "imports",
    "allowed_imports",
    "forbidden_imports",
    "public",
];

/// Patterns over files below `base`, and over packages.
fn rules(reader: &mut Reader<'_>, base: &str, list: Vec<(usize, String)>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (at, text) in list {
        let is_package = text.starts_with("pkg:");
        if !is_package && let Some(why) = bad_path(&text) {
            reader.fault(at, format!("the glob `{}` {why}", crate::text::escape::clipped(&text, 80)), None);
            continue;
        }
        let pattern = if is_package { text.clone() } else { scope::below(base, &text) };
        match Rule::new(text, reader.line(at), &pattern) {
            Ok(rule) => rules.push(rule),
            Err(error) => reader.fault(at, format!("no glob: {}", error.kind()), None),
        }
    }
    rules
}

/// `imports = { domain = [kinds] }`.
fn kinds_by_domain<'t>(reader: &mut Reader<'t>, table: &Table<'t>) -> BTreeMap<DomainName, Vec<String>> {
    let Some(table) = reader.table(table, "imports") else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for name in table.names() {
        let kinds = reader.strings(&table, &name.1).unwrap_or_default();
        if let Some(domain) = reader.name(&name) {
            found.insert(domain, kinds.into_iter().map(|kind| kind.1).collect());
        }
    }
    found
}

/// Why a path or glob cannot lie below the root.
fn bad_path(text: &str) -> Option<&'static str> {
    if text.starts_with('/') {
        return Some("starts with `/`; it is relative");
    }
    if text.split('/').any(|part| part == ".." || part == ".") {
        return Some("holds `.` or `..`");
    }
    if text.contains('\0') {
        return Some("holds a NUL");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::scope::Owner;

    #[test]
    fn a_registry_says_whose_files_are() {
        let config = Config::parse(
            b"[domains.api]\npath = 'src/api'\nagent = 'ada'\nowner = 'Team API'\n\n[domains.docs]\nscope = ['docs/**', '*.md']\n[commit]\nrequire_claim = true\npeople = ['kai@example.com']\n",
        )
        .unwrap();
        let owner = |path: &[u8]| match config.domains.owner(path) {
            Owner::Domain(domain) => domain.shown().to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(owner(b"src/api/deep/x.rs"), "api");
        assert_eq!(owner(b"README.md"), "docs");
        assert_eq!(owner(b"src/README.md"), "Nobody");
        assert!(config.commit.require_claim);
    }

    #[test]
    fn rules_about_imports_know_their_line() {
        let text = "[domains.web]\npath = 'web'\nallowed_imports = [\n  'api/**',\n  'pkg:@acme/*',\n]\nforbidden_imports = 'api/x'\npublic = ['index.ts']\nexports = ['Docs']\nimports = { api = ['ApiContract'] }\n[domains.core]\nallowed_imports = []\n";
        let config = Config::parse(text.as_bytes()).unwrap();
        let [core, web] = config.domains.all() else { panic!() };
        let allowed = web.allowed_imports.as_ref().unwrap();
        assert_eq!((allowed.line, allowed.rules[0].line, allowed.rules[1].line), (3, 4, 5));
        assert!(allowed.rules[0].matches("api/a/b.ts") && allowed.rules[1].matches("pkg:@acme/ui"));
        assert!(!allowed.rules[1].matches("pkg:@other/ui"));
        assert_eq!((web.forbidden_imports[0].line, web.forbidden_imports[0].text.as_str()), (7, "api/x"));
        assert!(web.public[0].matches("web/index.ts") && !web.public[0].matches("index.ts"));
        assert_eq!((&web.exports[..], web.imports.len()), (&["Docs".to_owned()][..], 1));
        assert!(core.allowed_imports.as_ref().unwrap().rules.is_empty() && core.public.is_empty());
    }

    #[test]
    fn a_scope_may_be_one_string() {
        let config = Config::parse(b"[domains.api]\nscope = 'api/**'\n").unwrap();
        assert!(matches!(config.domains.owner(b"api/x"), Owner::Domain(_)));
    }

    #[track_caller]
    fn check_fault(text: &str, expected: &str) {
        let faults = Config::parse(text.as_bytes()).unwrap_err();
        let told: Vec<String> = faults
            .iter()
            .map(|f| match &f.meant {
                Some(meant) => format!("{f} (meant {meant})"),
                None => f.to_string(),
            })
            .collect();
        assert_eq!(told.join("\n"), expected);
    }

    #[test]
    fn every_error_says_where_and_what_was_meant() {
        check_fault("[domains.api]\nscop = 'x'\n", "comm.toml:2:1: unknown key `scop` (meant scope)");
        check_fault("[domain.api]\n", "comm.toml:1:2: unknown key `domain` (meant domains)");
        check_fault(
            "[domains.API]\n",
            "comm.toml:1:10: `API` cannot name a domain: it does not start with a lower-case letter or digit",
        );
        check_fault("[domains.a]\npath = 3\n", "comm.toml:2:8: `path` is an integer, not a string");
        check_fault(
            "[domains.a]\nscope = ['ok/**', '[z-a]']\n",
            "comm.toml:2:19: no glob: invalid range; 'z' > 'a'",
        );
        check_fault("[domains.a]\npath = '../x'\n", "comm.toml:2:8: `path` holds `.` or `..`");
        check_fault(
            "[domains.a]\nallowed_imports = 1\n",
            "comm.toml:2:19: `allowed_imports` is an integer, not a string or a list of strings",
        );
        check_fault(
            "[domains.a]\npublic = ['/x']\n",
            "comm.toml:2:11: the glob `/x` starts with `/`; it is relative",
        );
        check_fault(
            "[domains.a]\nallowd_imports = []\n",
            "comm.toml:2:1: unknown key `allowd_imports` (meant allowed_imports)",
        );
        check_fault(
            "[commit]\nrequire_claim = 'yes'\n",
            "comm.toml:2:17: `require_claim` is a string, not true or false",
        );
        check_fault("x = \n", "comm.toml:1:5: string values must be quoted, expected literal string");
    }

    #[test]
    fn all_errors_are_told_at_once_and_columns_count_characters() {
        check_fault(
            "[domains.a]\nrole = 'é' \nhnt = 1\n[domains.b]\nagent = 'é é'\n",
            "comm.toml:3:1: unknown key `hnt` (meant hint)\ncomm.toml:5:9: `é é` cannot name an agent: it does not start with a lower-case letter or digit",
        );
    }

    #[test]
    fn any_bytes_are_answered() {
        assert!(Config::parse(b"\xff").is_err());
        assert!(Config::parse(&[b'['; 100_000]).is_err());
        assert!(Config::parse(b"").is_ok());
    }
}
