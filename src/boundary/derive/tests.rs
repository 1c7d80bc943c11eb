use super::*;
use crate::syntax::Import;

fn import(from: &str, target: Target) -> Edge {
    let import = Import {
        line: 1,
        specifier: String::new(),
        names: Vec::new(),
        kind: Kind::Static,
        exported: false,
        within: Vec::new(),
    };
    Edge { from: from.into(), import: import.into(), target }
}

/// The derived rules of these files and imports, without the comment on top.
fn derived(paths: &[&str], edges: &[(&str, &str)]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let sources: Vec<String> =
        paths.iter().filter(|path| crate::syntax::Language::of(path.as_bytes()).is_some()).cloned().collect();
    let target = |to: &str| match to.strip_prefix("pkg:") {
        Some(name) => Target::Package(name.to_owned()),
        None => Target::File(to.to_owned()),
    };
    let edges: Vec<Edge> = edges.iter().map(|(from, to)| import(from, target(to))).collect();
    let text = derive(&paths, &sources, &edges).unwrap();
    text.split_once("some.\n").unwrap().1.to_owned()
}

#[track_caller]
fn check(paths: &[&str], edges: &[(&str, &str)], expected: &str) {
    assert_eq!(derived(paths, edges), expected.trim_start_matches('\n'));
}

const ORDERED: &str = "# From low to high: a domain imports only from those above it in this file.\n";

#[test]
fn one_package_has_a_domain_for_each_folder() {
    let expected = format!(
        "{ORDERED}{}",
        r#"
[domains.text]
path = "src/text"
allowed_imports = []

[domains.model]
scope = ["src/model.rs", "src/model/**"]
allowed_imports = ["domain:text", "pkg:*"]

[domains.main]
scope = ["src/*.rs"]
allowed_imports = ["domain:model"]

[domains.tests]
path = "tests"

# From high to low; side by side in one list.
[[layers]]
order = [
    "main",
    "model",
    "text",
]
"#
    );
    check(
        &["Cargo.toml", "src/main.rs", "src/model.rs", "src/model/a.rs", "src/text/mod.rs", "tests/all.rs"],
        &[
            ("src/main.rs", "src/model.rs"),
            ("src/model.rs", "src/text/mod.rs"),
            ("src/model/a.rs", "pkg:serde"),
            ("tests/all.rs", "src/main.rs"),
        ],
        &expected,
    );
}

#[test]
fn a_workspace_has_a_domain_for_each_package() {
    let expected = format!(
        "{ORDERED}{}",
        r#"
[domains.shared]
path = "packages/shared"
allowed_imports = ["pkg:*"]

[domains.ui]
path = "packages/ui"
allowed_imports = ["domain:shared", "config/theme.json", "pkg:@*/*"]

# From high to low; side by side in one list.
[[layers]]
order = [
    "ui",
    "shared",
]
"#
    );
    check(
        &[
            "package.json",
            "config/theme.json",
            "packages/ui/package.json",
            "packages/ui/src/a.ts",
            "packages/ui/tests/fixtures/package.json",
            "packages/shared/package.json",
            "packages/shared/index.ts",
        ],
        &[
            ("packages/ui/src/a.ts", "packages/shared/index.ts"),
            ("packages/ui/src/a.ts", "config/theme.json"),
            ("packages/ui/src/a.ts", "pkg:@acme/kit"),
            ("packages/shared/index.ts", "pkg:zod"),
        ],
        &expected,
    );
}

#[test]
fn a_circle_is_told() {
    let text = derived(
        &["setup.py", "shop/__init__.py", "shop/a/x.py", "shop/b/y.py"],
        &[("shop/a/x.py", "shop/b/y.py"), ("shop/b/y.py", "shop/a/x.py"), ("shop/a/x.py", "shop/b/z.py")],
    );
    assert!(text.contains("# There is no order from low to high"), "{text}");
    assert!(text.contains("# a, b.\n# It would be open without b -> a (1).\n"), "{text}");
    assert!(text.contains("[domains.shop]\nscope = [\"shop/*.py\"]\n"), "{text}");
    assert!(text.contains("[domains.main]\nscope = [\"*.py\"]\n"), "{text}");
}

#[test]
fn a_file_of_its_own_kind_is_no_reason_for_a_circle() {
    let text = derived(
        &["Cargo.toml", "src/main.rs", "src/env.rs", "src/git/mod.rs", "src/cli/mod.rs"],
        &[
            ("src/main.rs", "src/cli/mod.rs"),
            ("src/cli/mod.rs", "src/git/mod.rs"),
            ("src/git/mod.rs", "src/env.rs"),
        ],
    );
    assert!(text.starts_with(ORDERED), "{text}");
    assert!(text.contains("[domains.env]\nscope = [\"src/env.rs\"]\nallowed_imports = []\n"), "{text}");
    assert!(
        text.contains("[domains.git]\npath = \"src/git\"\nallowed_imports = [\"domain:env\"]\n"),
        "{text}"
    );
}

#[test]
fn names_and_globs_are_always_valid() {
    let text = derived(
        &[
            "app/[id]/a.ts",
            "app/{x}/a.ts",
            "app/Über \"q\"/a.ts",
            "app/X/a.ts",
            "app/x_/a.ts",
            "other/X/a.ts",
        ],
        &[("app/{x}/a.ts", "app/[id]/a.ts"), ("app/X/a.ts", "app/Über \"q\"/a.ts")],
    );
    assert!(text.contains(r#"allowed_imports = ["domain:id"]"#), "{text}");
    assert!(text.contains(r#"path = "app/Über \"q\"""#), "{text}");
    let mut names: Vec<&str> = text.lines().filter(|line| line.starts_with("[domains.")).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((count, names.len()), (6, 6), "{text}");
}

#[test]
fn too_many_packages_are_one_domain() {
    let mut paths: Vec<String> = Vec::new();
    for i in 0..60 {
        paths.push(format!("crates/c{i}/Cargo.toml"));
        paths.push(format!("crates/c{i}/src/lib.rs"));
    }
    paths.push("apps/web/package.json".into());
    paths.push("apps/web/a.ts".into());
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let text = derived(&paths, &[("apps/web/a.ts", "crates/c1/src/lib.rs")]);
    assert!(text.contains("[domains.crates]\npath = \"crates\"\n"), "{text}");
    assert!(
        text.contains("[domains.web]\npath = \"apps/web\"\nallowed_imports = [\"domain:crates\"]\n"),
        "{text}"
    );
}
