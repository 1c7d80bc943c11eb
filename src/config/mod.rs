//! `comm.toml`: the rules that a repository carries with it.
//!
//! Parsed with positions, so that every error says line and column and what
//! was perhaps meant. All errors of a file are reported at once.

mod boundary;
mod domains;
mod imports;
pub mod keys;
mod reader;
pub mod schema;

use std::sync::Arc;

use reader::Reader;

use crate::boundary::rules::Rules;
use crate::gate::scope::{Domain, Domains};

/// The rules.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Whose which files are.
    pub domains: Domains,
    /// What a commit must show.
    pub commit: Commit,
    /// What may import what, beside what each domain says.
    pub boundary: Rules,
    /// What it was read from: equal texts are equal rules.
    text: Arc<[u8]>,
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
        let mut config = Self { text: text.into(), ..Self::default() };
        if let Some(root) = root {
            reader.known_keys(&root, schema::ROOT);
            let tables = reader.tables(&root, "domains");
            let mut names = imports::Names::default();
            let found: Vec<Domain> = tables
                .iter()
                .filter_map(|(name, table)| domains::domain(&mut reader, name, table, &mut names))
                .collect();
            if let Some(table) = reader.table(&root, "commit") {
                reader.known_keys(&table, schema::COMMIT);
                config.commit.require_claim = reader.bool(&table, "require_claim").unwrap_or(false);
                config.commit.people =
                    reader.strings(&table, "people").unwrap_or_default().into_iter().map(|s| s.1).collect();
            }
            config.boundary = boundary::rules(&mut reader, &root, &mut names);
            names.check(&mut reader, tables.iter().map(|(name, _)| name.1.as_str()));
            match Domains::new(found) {
                Ok(domains) => config.domains = domains,
                Err(error) => reader.fault(0, format!("the scopes together: {error}"), None),
            }
        }
        reader.finish(config)
    }

    /// Whether both say the same, at the same places.
    pub fn is_same(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Whether these rules say anything about imports.
    pub fn has_boundaries(&self) -> bool {
        self.boundary.say_something(&self.domains)
    }
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
        assert!(allowed.rules[0].covers("api/a/b.ts", None) && allowed.rules[1].covers("pkg:@acme/ui", None));
        assert!(!allowed.rules[1].covers("pkg:@other/ui", None));
        assert_eq!((web.forbidden_imports[0].line, web.forbidden_imports[0].text.as_str()), (7, "api/x"));
        assert!(web.public[0].covers("web/index.ts", None) && !web.public[0].covers("index.ts", None));
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
            "comm.toml:2:19: `allowed_imports` is an integer, not a string or a list of strings and tables",
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
        check_fault(
            "[boundary]\nunowned = 'forbit'\nmocks = 'ignore'\nbaseline = '../x'\n",
            "comm.toml:2:11: `unowned` is `ignore`, `warn` or `forbid` (meant forbid)\ncomm.toml:3:9: `mocks` is `allow`, `warn` or `judge`\ncomm.toml:4:12: `baseline` holds `.` or `..`",
        );
        check_fault(
            "[domains.web]\nforbidden_imports = [{ import = 'x/**', transitiv = true }, { kinds = ['types'] }]\n",
            "comm.toml:2:41: unknown key `transitiv` (meant transitive)\ncomm.toml:2:61: it needs `import`",
        );
        check_fault(
            "[domains.web]\nallowed_imports = [{ import = 'x/**', kinds = ['types'] }, 'domain:wbe', 3]\n",
            "comm.toml:2:48: `types` is no kind of import (meant type)\ncomm.toml:2:60: there is no domain `wbe` (meant web)\ncomm.toml:2:74: `allowed_imports` is an integer, not a string or a list of strings and tables",
        );
        check_fault(
            "[domains.web]\n[domains.api]\n[[layers]]\norder = ['web', ['ap', 'web'], 'x/[z-a]']\n",
            "comm.toml:4:18: there is no domain `ap` (meant api)\ncomm.toml:4:24: `web` stands here twice\ncomm.toml:4:32: no glob: invalid range; 'z' > 'a'",
        );
        check_fault(
            "[domains.web]\n[[layers]]\nname = 'a'\n[[layers]]\norder = ['web']\n[[independent]]\nmembers = 'web'\n",
            "comm.toml:2:1: it needs `order`, the layers from high to low\ncomm.toml:5:1: `order` needs two layers at least, the higher first\ncomm.toml:7:1: `members` needs two parts at least",
        );
        check_fault(
            "[layers]\norder = []\n",
            "comm.toml:1:1: `layers` is a table, not a list of tables: write [[layers]]",
        );
        check_fault(
            "[[exceptions]]\nfrom = 'a'\nto = 'pkg:b'\nreason = '...'\n[[exceptions]]\nfrom = 'pkg:a'\nto = 'b'\n",
            "comm.toml:4:10: an exception needs a reason in words\ncomm.toml:5:1: it needs `reason`\ncomm.toml:6:8: a package imports nothing here; `from` is files or a domain",
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
