//! Small trees, and what each import in them leads to.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::super::files::{Content, Files};
use super::super::{Options, Resolver};
use crate::syntax::{self, Import, Language};

/// A tree in memory.
struct Texts(BTreeMap<String, String>);

impl Content for Texts {
    fn imports(&self, path: &str) -> Vec<Import> {
        let text = self.0.get(path).map(String::as_str).unwrap_or_default();
        syntax::imports(Language::Rust, text.as_bytes()).unwrap()
    }
    fn script(&self, _: &str) -> Option<Vec<Import>> {
        Some(Vec::new())
    }
    fn setting(&self, path: &str) -> Vec<u8> {
        self.0.get(path).cloned().unwrap_or_default().into_bytes()
    }
}

/// The edges of a tree, each as `from:line import -> target`, without those
/// to what comes with the language.
fn edges(tree: &[(&str, &str)]) -> Vec<String> {
    let texts = Texts(tree.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
    let files = Files::new(texts.0.keys().cloned().collect(), &texts);
    let resolver = Resolver::new(&files, &Options { is_whole: true, ..Options::default() });
    let mut told = Vec::new();
    for (path, _) in files.sources() {
        for edge in resolver.edges_of(path) {
            let to = match edge.target.kind() {
                "builtin" => continue,
                "file" => edge.target.name().to_owned(),
                kind => format!("{kind} {}", edge.target.name()).trim_end().to_owned(),
            };
            told.push(format!("{}:{} {} -> {to}", edge.from, edge.import.line, edge.import.specifier));
        }
    }
    assert_eq!(resolver.notes(), [], "{tree:?}");
    told
}

#[track_caller]
fn check(tree: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(edges(tree), expected);
}

const MANIFEST: &str = "[package]\nname = 'own-name'\nedition = '2021'\n[dependencies]\nserde = '1'\nrenamed = { package = 'real-name', version = '1' }\n";

#[test]
fn modules_lie_where_rustc_looks_for_them() {
    check(
        &[
            ("Cargo.toml", MANIFEST),
            (
                "src/lib.rs",
                "mod a;\nmod b;\nmod inline { mod c; #[path = \"p.rs\"] mod d; }\nmod gone;\n#[cfg(loom)] mod gone;",
            ),
            ("src/a.rs", "mod x;\n#[path = \"other.rs\"] mod y;\nmod i { mod z; #[path = \"w.rs\"] mod w; }"),
            ("src/a/x.rs", "use super::y::Y; use crate::inline::d::D;"),
            ("src/other.rs", "mod under;"),
            ("src/under.rs", "use super::super::x::f;"),
            ("src/a/i/z.rs", ""),
            ("src/a/i/w.rs", ""),
            ("src/b/mod.rs", "mod x;"),
            ("src/b/x.rs", "use super::super::a::x::X;"),
            ("src/inline/c.rs", "use super::d::D;"),
            ("src/inline/p.rs", ""),
        ],
        &[
            "src/a.rs:1 x -> src/a/x.rs",
            "src/a.rs:2 \"other.rs\" -> src/other.rs",
            "src/a.rs:3 \"w.rs\" -> src/a/i/w.rs",
            "src/a.rs:3 z -> src/a/i/z.rs",
            "src/a/x.rs:1 crate::inline::d::D -> src/inline/p.rs",
            "src/a/x.rs:1 super::y::Y -> src/other.rs",
            "src/b/mod.rs:1 x -> src/b/x.rs",
            "src/b/x.rs:1 super::super::a::x::X -> src/a/x.rs",
            "src/inline/c.rs:1 super::d::D -> src/inline/p.rs",
            "src/lib.rs:1 a -> src/a.rs",
            "src/lib.rs:2 b -> src/b/mod.rs",
            "src/lib.rs:3 \"p.rs\" -> src/inline/p.rs",
            "src/lib.rs:3 c -> src/inline/c.rs",
            "src/lib.rs:4 gone -> missing",
            "src/other.rs:1 under -> src/under.rs",
            "src/under.rs:1 super::super::x::f -> src/a/x.rs",
        ],
    );
}

#[test]
fn names_mean_what_is_imported_or_near() {
    check(
        &[
            ("Cargo.toml", MANIFEST),
            (
                "src/lib.rs",
                "mod a; mod b; mod serde;\nuse self::serde::X;\nuse ::serde::Y;\nfn f() { serde::x(); renamed::x(); nobody::x() }",
            ),
            ("src/a.rs", "pub mod deep; pub use crate::b as other;"),
            ("src/a/deep.rs", ""),
            (
                "src/b.rs",
                "use crate::a as al;\nfn f() { al::f(); al::deep::g(); }\nuse al::deep;\nuse super::*;\nfn g() { a::deep::f(); serde::x() }\nuse crate::a::other::z;",
            ),
            ("src/serde.rs", "fn f() { use crate::b as renamed; renamed::f() }\nfn g() { renamed::g() }"),
        ],
        &[
            "src/a.rs:1 crate::b -> src/b.rs",
            "src/a.rs:1 deep -> src/a/deep.rs",
            "src/b.rs:1 crate::a -> src/a.rs",
            "src/b.rs:2 al::deep::g -> src/a/deep.rs",
            "src/b.rs:3 al::deep -> src/a/deep.rs",
            "src/b.rs:4 super -> src/lib.rs",
            "src/b.rs:5 a::deep::f -> src/a/deep.rs",
            "src/b.rs:5 serde::x -> src/serde.rs",
            "src/b.rs:6 crate::a::other::z -> src/a.rs",
            "src/lib.rs:1 a -> src/a.rs",
            "src/lib.rs:1 b -> src/b.rs",
            "src/lib.rs:1 serde -> src/serde.rs",
            "src/lib.rs:2 self::serde::X -> src/serde.rs",
            "src/lib.rs:3 ::serde::Y -> package serde",
            "src/lib.rs:4 renamed::x -> package real-name",
            "src/lib.rs:4 serde::x -> src/serde.rs",
            "src/serde.rs:1 crate::b -> src/b.rs",
            "src/serde.rs:2 renamed::g -> package real-name",
        ],
    );
}

#[test]
fn a_workspace_shares_names_and_folders() {
    check(
        &[
            (
                "Cargo.toml",
                "[workspace]\nmembers = ['crates/*']\n[workspace.dependencies]\nshort = { path = 'crates/long', package = 'long-name' }\nout = '1'\n[workspace.package]\nedition = '2021'\n[patch.crates-io]\npatched = { path = 'crates/patched' }",
            ),
            (
                "crates/a/Cargo.toml",
                "[package]\nname = 'a'\nedition.workspace = true\n[dependencies]\nshort.workspace = true\nout.workspace = true\npatched = '1'\nlong-name = '2'\n[lib]\nname = 'a_lib'\npath = 'lib.rs'\n[[bin]]\nname = 'tool'\npath = 'tool.rs'",
            ),
            ("crates/a/lib.rs", "use short::m::X;\nuse out::Y;\nuse patched::Z;\nuse long_name::W;"),
            ("crates/a/tool.rs", "use a_lib::X;"),
            ("crates/a/tests/t.rs", "mod common;\nuse a_lib::X;"),
            ("crates/a/tests/common/mod.rs", "use crate::x; use short::Z;"),
            ("crates/a/tests/u/main.rs", "#[path = \"../common/mod.rs\"] mod common;"),
            ("crates/long/Cargo.toml", "[package]\nname = 'long-name'"),
            ("crates/long/src/lib.rs", "pub mod m;"),
            ("crates/long/src/m.rs", "use m::X; use own::Y; extern crate own;"),
            ("crates/patched/Cargo.toml", "[package]\nname = 'patched'"),
            ("crates/patched/src/lib.rs", ""),
        ],
        &[
            "crates/a/lib.rs:1 short::m::X -> crates/long/src/m.rs",
            "crates/a/lib.rs:2 out::Y -> package out",
            "crates/a/lib.rs:3 patched::Z -> crates/patched/src/lib.rs",
            "crates/a/lib.rs:4 long_name::W -> package long-name",
            "crates/a/tests/common/mod.rs:1 crate::x -> crates/a/tests/t.rs",
            "crates/a/tests/common/mod.rs:1 crate::x -> crates/a/tests/u/main.rs",
            "crates/a/tests/common/mod.rs:1 short::Z -> crates/long/src/lib.rs",
            "crates/a/tests/t.rs:1 common -> crates/a/tests/common/mod.rs",
            "crates/a/tests/t.rs:2 a_lib::X -> crates/a/lib.rs",
            "crates/a/tests/u/main.rs:1 \"../common/mod.rs\" -> crates/a/tests/common/mod.rs",
            "crates/a/tool.rs:1 a_lib::X -> crates/a/lib.rs",
            "crates/long/src/lib.rs:1 m -> crates/long/src/m.rs",
            "crates/long/src/m.rs:1 m::X -> crates/long/src/m.rs",
        ],
    );
}

#[test]
fn included_code_stands_where_it_is_included() {
    check(
        &[
            ("Cargo.toml", MANIFEST),
            (
                "src/lib.rs",
                "mod a; mod code { include!(\"parts/code.in.rs\"); }\nconst A: &str = include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/README.md\"));\nconst B: &str = include_str!(\"gone.txt\");",
            ),
            ("src/a.rs", "use crate::code::below::X;"),
            ("src/parts/code.in.rs", "mod below; use super::a::Y; use crate::a::Z;"),
            ("src/parts/below.rs", "use super::super::a;"),
            ("README.md", ""),
        ],
        &[
            "src/a.rs:1 crate::code::below::X -> src/parts/below.rs",
            "src/lib.rs:1 \"parts/code.in.rs\" -> src/parts/code.in.rs",
            "src/lib.rs:1 a -> src/a.rs",
            "src/lib.rs:2 \"$CARGO_MANIFEST_DIR/README.md\" -> README.md",
            "src/lib.rs:3 \"gone.txt\" -> missing",
            "src/parts/below.rs:1 super::super::a -> src/a.rs",
            "src/parts/code.in.rs:1 below -> src/parts/below.rs",
            "src/parts/code.in.rs:1 crate::a::Z -> src/a.rs",
            "src/parts/code.in.rs:1 super::a::Y -> src/a.rs",
        ],
    );
}

#[test]
fn the_first_edition_begins_paths_at_the_root() {
    check(
        &[
            ("Cargo.toml", "[package]\nname = 'x'\n[dependencies]\nlog = '1'\nother = '1'"),
            ("src/lib.rs", "extern crate log as l;\nmod a;\nmod b;"),
            ("src/a.rs", "use b::X;\nuse l::Y;\nfn f() { ::b::f(); l::g(); b::h() }\nmod b {}"),
            ("src/b.rs", ""),
        ],
        &[
            "src/a.rs:1 b::X -> src/b.rs",
            "src/a.rs:2 l::Y -> package log",
            "src/a.rs:3 ::b::f -> src/b.rs",
            "src/a.rs:3 l::g -> package log",
            "src/lib.rs:1 ::log -> package log",
            "src/lib.rs:2 a -> src/a.rs",
            "src/lib.rs:3 b -> src/b.rs",
        ],
    );
}

#[test]
fn a_file_that_several_packages_have_means_each_of_them() {
    check(
        &[
            ("Cargo.toml", MANIFEST),
            (
                "src/lib.rs",
                "#[path = \"../other/src/x.rs\"] mod x; mod own { include!(\"../other/src/y.rs\"); } mod secret;",
            ),
            ("src/secret.rs", ""),
            ("other/Cargo.toml", "[package]\nname = 'other'"),
            ("other/src/lib.rs", "mod x; mod y; mod secret;"),
            ("other/src/secret.rs", ""),
            ("other/src/x.rs", "use crate::secret::f;"),
            ("other/src/y.rs", "fn f() { super::secret::f() }"),
        ],
        &[
            "other/src/lib.rs:1 secret -> other/src/secret.rs",
            "other/src/lib.rs:1 x -> other/src/x.rs",
            "other/src/lib.rs:1 y -> other/src/y.rs",
            "other/src/x.rs:1 crate::secret::f -> other/src/secret.rs",
            "other/src/x.rs:1 crate::secret::f -> src/secret.rs",
            "other/src/y.rs:1 super::secret::f -> other/src/secret.rs",
            "other/src/y.rs:1 super::secret::f -> src/secret.rs",
            "src/lib.rs:1 \"../other/src/x.rs\" -> other/src/x.rs",
            "src/lib.rs:1 \"../other/src/y.rs\" -> other/src/y.rs",
            "src/lib.rs:1 secret -> src/secret.rs",
        ],
    );
}

#[test]
fn roundabout_names_lead_to_what_they_mean() {
    check(
        &[
            ("Cargo.toml", MANIFEST),
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "pub mod deep;"),
            ("src/a/deep.rs", ""),
            (
                "src/b.rs",
                "use self::super::a::X;\nfn f() { self::super::a::deep::g() }\nextern crate self as me;\nfn g() { me::a::deep::h(); self::me::a::i() }",
            ),
        ],
        &[
            "src/a.rs:1 deep -> src/a/deep.rs",
            "src/b.rs:1 self::super::a::X -> src/a.rs",
            "src/b.rs:2 self::super::a::deep::g -> src/a/deep.rs",
            "src/b.rs:4 me::a::deep::h -> src/a/deep.rs",
            "src/b.rs:4 self::me::a::i -> src/a.rs",
            "src/lib.rs:1 a -> src/a.rs",
            "src/lib.rs:1 b -> src/b.rs",
        ],
    );
}

#[test]
fn roots_are_those_that_cargo_finds() {
    let own = |package: &str, expected: &[&str]| {
        let paths = ["src/lib.rs", "src/main.rs", "build.rs", "examples/e.rs", "examples/f/main.rs"];
        let mut tree: Vec<(&str, &str)> = paths.iter().map(|path| (*path, "use crate::x;")).collect();
        tree.push(("Cargo.toml", package));
        let roots: Vec<String> = edges(&tree)
            .into_iter()
            .filter_map(|edge| {
                let (from, to) = (edge.split(':').next()?, edge.rsplit("-> ").next()?);
                (from == to).then(|| from.to_owned())
            })
            .collect();
        assert_eq!(roots, expected, "{package}");
    };
    let all = ["build.rs", "examples/e.rs", "examples/f/main.rs", "src/lib.rs", "src/main.rs"];
    own("[package]\nname = 'a'\nedition = '2021'\nbuild = true", &all);
    own(
        "[package]\nname = 'a'\nedition = '2021'\nbuild = false\nautolib = false",
        &all[1..].iter().copied().filter(|path| *path != "src/lib.rs").collect::<Vec<_>>(),
    );
    own(
        "[package]\nname = 'a'\nedition = '2021'\n[[bin]]\nname = 'a'\npath = 'build.rs'\n[[example]]\nname = 'e'\npath = 'examples/f/main.rs'",
        &["build.rs", "examples/f/main.rs", "src/lib.rs"],
    );
}

#[test]
fn one_name_stands_for_a_package_on_each_platform() {
    check(
        &[
            (
                "Cargo.toml",
                "[package]\nname = 'a'\nedition = '2021'\n[target.'cfg(unix)'.dependencies]\nsys = { path = 'unix', package = 'unix' }\n[target.'cfg(windows)'.dependencies]\nsys = { path = 'windows', package = 'windows' }\n[build-dependencies]\nsys = '1'\n[dependencies]\nold = '1'\nolder = '1'\n[replace]\n'old:1.0.0' = { path = 'unix' }\n'https://host/index#older@1.0.0' = { path = 'windows' }",
            ),
            ("src/lib.rs", "use sys::m::X;\nuse old::m::Y;\nuse older::m::Z;"),
            ("unix/Cargo.toml", "[package]\nname = 'unix'"),
            ("unix/src/lib.rs", "mod m;"),
            ("unix/src/m.rs", ""),
            ("windows/Cargo.toml", "[package]\nname = 'windows'"),
            ("windows/src/lib.rs", "mod m;"),
            ("windows/src/m.rs", ""),
        ],
        &[
            "src/lib.rs:1 sys::m::X -> unix/src/m.rs",
            "src/lib.rs:1 sys::m::X -> windows/src/m.rs",
            "src/lib.rs:1 sys::m::X -> package sys",
            "src/lib.rs:2 old::m::Y -> unix/src/m.rs",
            "src/lib.rs:3 older::m::Z -> windows/src/m.rs",
            "unix/src/lib.rs:1 m -> unix/src/m.rs",
            "windows/src/lib.rs:1 m -> windows/src/m.rs",
        ],
    );
}

#[test]
fn a_file_that_no_crate_has_is_placed_by_its_name() {
    check(
        &[
            ("Cargo.toml", MANIFEST),
            ("src/lib.rs", "mod a;"),
            ("src/a.rs", ""),
            ("src/new.rs", "use crate::a::X; use serde::Y; use super::a::Z; mod gone;"),
            ("tool/main.rs", "use serde::X;"),
        ],
        &[
            "src/lib.rs:1 a -> src/a.rs",
            "src/new.rs:1 crate::a::X -> src/a.rs",
            "src/new.rs:1 serde::Y -> package serde",
            "src/new.rs:1 super::a::Z -> src/a.rs",
            "tool/main.rs:1 serde::X -> package serde",
        ],
    );
}

#[test]
fn files_that_are_parts_of_each_other_end_somewhere() {
    let _ = edges(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "#[path = \"lib.rs\"] mod a; #[path = \"b.rs\"] mod b; include!(\"lib.rs\");"),
        (
            "src/b.rs",
            "#[path = \"c.rs\"] mod c; #[path = \"b.rs\"] mod b; use b::*; use c::*; use b as c; use c as b; use c::x;",
        ),
        ("src/c.rs", "#[path = \"b.rs\"] mod b; use super::*; use b::*; pub use self::*; use x::y;"),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every import of every tree is answered, and all that is found is there.
    #[test]
    fn any_tree_is_answered(texts in prop::collection::vec(prop::collection::vec(prop::sample::select(vec![
        "mod a;", "mod b;", "pub mod a { pub use super::*; mod b; }", "#[path = \"../b.rs\"] mod c;",
        "#[path = \"a/mod.rs\"] mod a;", "include!(\"b.rs\");", "include!(\"../lib.rs\");", "use a::*;",
        "use crate::b as a;", "use self::a as b;", "pub use super::super::b::*;", "extern crate own_name as b;",
        "extern crate self as a;", "fn f() { use b as a; a::b::c(); }", "fn g() { ::a::b::c(); }", "use *;",
    ]), 0..8), 6)) {
        let paths = ["src/lib.rs", "src/a.rs", "src/a/mod.rs", "src/a/b.rs", "src/b.rs", "tests/a.rs"];
        let texts: Vec<String> = texts.iter().map(|parts| parts.join("\n")).collect();
        let mut tree: Vec<(&str, &str)> = paths.into_iter().zip(texts.iter().map(String::as_str)).collect();
        tree.push(("Cargo.toml", MANIFEST));
        for edge in edges(&tree) {
            let to = edge.rsplit("-> ").next().unwrap();
            let is_known = paths.contains(&to) || to.starts_with("package ") || to == "missing";
            prop_assert!(is_known, "{edge}");
        }
    }
}
