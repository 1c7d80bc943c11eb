//! Every form that an import has, read both ways.

use proptest::prelude::*;

use super::super::{Import, Kind, Unreadable};
use super::{by_full_parse, imports};

/// What both ways of reading say, in one line for each import.
#[track_caller]
fn told(text: &str) -> Vec<String> {
    let sorted = |found: Result<Vec<Import>, Unreadable>| {
        let mut found = found.unwrap();
        found.sort();
        found.dedup();
        found
    };
    let found = sorted(super::slices::imports(text).unwrap_or_else(|| by_full_parse(text)));
    assert_eq!(found, sorted(by_full_parse(text)), "{text}");
    let one = |i: &Import| {
        let within = if i.within.is_empty() { String::new() } else { format!(" in {}", i.within.join("::")) };
        let last = i.specifier.rsplit("::").next().unwrap_or_default();
        let names = if i.names.is_empty() || i.names == [last] {
            String::new()
        } else {
            format!(" ({})", i.names.join(", "))
        };
        let kind = if i.kind == Kind::Part { "part " } else { "" };
        let exported = if i.exported { "pub " } else { "" };
        format!("{}: {exported}{kind}{}{names}{within}", i.line, i.specifier)
    };
    found.iter().map(one).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(told(text), expected, "{text}");
}

#[test]
fn use_in_all_its_shapes() {
    check("use a::b;", &["1: a::b"]);
    check(
        "use crate::a::{self, b::{c, d as e}, f::*};",
        &["1: crate::a", "1: crate::a::b::c", "1: crate::a::b::d (as e)", "1: crate::a::f (*)"],
    );
    check("pub(crate) use super::super::r#type as t;", &["1: pub super::super::type (as t)"]);
    check("pub(self) use a::b;\npub use c::d as _;", &["1: a::b", "2: pub c::d (as _)"]);
    check("use ::serde::{de, ser::*};", &["1: ::serde::de", "1: ::serde::ser (*)"]);
    check("use {a::b, crate::c};\nuse ::{d, e::f};", &["1: a::b", "1: crate::c", "2: ::d", "2: ::e::f"]);
    check("use a;\nextern crate r#b as c;", &["1: a", "2: ::b (crate as c)"]);
    check(
        "use a /* x */ :: b // y\n;\nuse c::{\n  d, // e\n  /* f */ g\n};",
        &["1: a::b", "3: c::d", "3: c::g"],
    );
    check("use *;\nuse ::*;\nuse a::{*};\nuse b::{};", &["1: :: (*)", "2: :: (*)", "3: a (*)"]);
    check(
        "extern crate self as me;\n#[macro_use]\npub extern crate log;",
        &["1: ::self (crate as me)", "3: ::log (crate as log)"],
    );
}

#[test]
fn paths_stand_anywhere() {
    check("fn f() -> crate::a::B { super::c::d(1) }", &["1: crate::a::B", "1: super::c::d"]);
    check("type A = Vec<crate::x::Y<self::z::W>>;", &["1: crate::x::Y", "1: self::z::W"]);
    check(
        "impl<T: a::B + ?Sized> ::c::D<e::F> for g::H where T: for<'x> i::J<'x> {}",
        &["1: ::c::D", "1: a::B", "1: e::F", "1: g::H", "1: i::J"],
    );
    check("impl<T>::a::B for C where for<'x>::d::E<'x>: F {}", &["1: ::a::B", "1: ::d::E"]);
    check(
        "fn f() { match x { a::B { y } | c::D(_) => e::F { y: g::h }, i::J..=k::L => {} } }",
        &["1: a::B", "1: c::D", "1: e::F", "1: g::h", "1: i::J", "1: k::L"],
    );
    check("fn f() { Self::new(); <T as a::U>::x(); <b::V>::y::z(); }", &["1: a::U", "1: b::V"]);
    check(
        "fn f() { a::b::<c::D>::e(); Vec::<g::H>::new(); i . j::<k::L>(); }",
        &["1: a::b", "1: c::D", "1: g::H", "1: k::L"],
    );
    check("fn f() { x < y && z > ::a::b; 1 >> 2; c::d }", &["1: ::a::b", "1: c::d"]);
    check("struct S(pub(crate) ::a::B, pub(in crate::c) d::E);", &["1: ::a::B", "1: d::E"]);
    check("fn f() -> impl Sized + use<'_> { r#a::r#b }", &["1: a::b"]);
    check("fn f() { a\n  ::b /* c */\n  ::d() }", &["1: a::b::d"]);
    check("fn f() { #[cfg(x)]\n<T as a::U>::x(); if y {} <T as b::V>::z(); }", &["2: a::U", "2: b::V"]);
    check("fn f<'a>(x: &'a <T as a::U<'a>>::X, y: [u8; 1]) { y[0] < x; }", &["1: a::U"]);
    check("fn f() -> A<b::C>::D { e::F::<g::H> { x: 1 } }", &["1: b::C", "1: e::F", "1: g::H"]);
    check("fn f() { g(a<b, c>::d::e) }", &["1: ::d::e"]);
}

#[test]
fn attributes_and_derives_name_paths() {
    check(
        "#[tokio::main]\n#[derive(serde::Serialize, Debug)]\n#[cfg_attr(x, derive(a::B), c::d(e = f::G))]\nstruct S;",
        &["1: tokio::main", "2: serde::Serialize", "3: a::B", "3: c::d", "3: f::G"],
    );
    check(
        "#![allow(clippy::all, rustdoc::x)]\n#[rustfmt::skip]\n#[cfg_attr(x, rustfmt::skip)]\nfn f() {}",
        &[],
    );
    check("#[doc = include_str!(\"../a.md\")]\nstruct S;", &["1: \"../a.md\""]);
}

#[test]
fn attributes_name_paths_in_strings() {
    check(
        "#[serde(with = \"crate::a::b\", default = \"c::d\", skip_serializing_if = \"Option::is_none\")]\nstruct S;",
        &["1: c::d", "1: crate::a::b"],
    );
    check(
        "#[cfg_attr(x, serde(bound(serialize = r#\"T: a::B<::c::D> + Send\"#), as = \"Vec<(_, crate::e::F)>\"))]\nstruct S;",
        &["1: ::c::D", "1: a::B", "1: crate::e::F"],
    );
    check("#[a(b = \"dyn c::D + 'a\", e = \"<F as g::H>::I\")] struct S;", &["1: c::D", "1: g::H"]);
    check(
        "#[doc = \"a::b\"]\n#[doc(alias = \"c::d\")]\n#[deprecated(note = \"e::f\")]\n#[error(\"g::h\")]\n#[x(y = \"see i::j for more\", rename = \"k::l\", z = \"m::n! {}\")]\nstruct S;",
        &[],
    );
}

#[test]
fn arguments_that_say_nothing_hide_nothing() {
    let found = |text: &str| imports(text).unwrap().into_iter().map(|i| i.specifier).collect::<Vec<_>>();
    assert_eq!(
        found("fn f(x: crate::a<>::b::C) { crate::<>::d::<>::e(); g::h::<>() }"),
        ["crate::a::b::C", "crate::d::e", "g::h"]
    );
}

#[test]
fn macros_of_a_known_name_are_read_if_they_are_others() {
    check("macro_rules! quote { ($($t:tt)*) => { $($t)* } }\nquote! { use a::b; }", &["2: a::b"]);
    check(
        "use crate::pass as stringify;\nstringify! { c::d }",
        &["1: crate::pass (as stringify)", "2: c::d"],
    );
    check("stringify! { c::d }\nuse super::stringify;", &["1: c::d", "2: super::stringify"]);
    check("use quote::quote;\nquote! { a::b }", &["1: quote::quote"]);
}

#[test]
fn names_are_compared_as_unicode_composes_them() {
    check("mod e\u{301} { mod a; }\nuse e\u{301}::b as i\u{301};", &["1: part a in é", "2: é::b (as í)"]);
}

#[test]
fn what_macros_are_given_is_read() {
    check("fn f() { vec![crate::a::b(), c::d!(e::f)]; }", &["1: c::d", "1: crate::a::b", "1: e::f"]);
    check(
        "cfg_if! {\n  if #[cfg(x)] {\n    mod y;\n    pub use crate::z;\n  }\n}",
        &["3: part y", "4: pub crate::z"],
    );
    check(
        "cfg_rt! {\n  #[path = \"p.rs\"]\n  pub(crate) mod a;\n  mod b { use super::c; }\n}",
        &["3: part \"p.rs\" (as a)", "4: super::c in b"],
    );
    check("other! { mod a; }", &["1: part a (?)"]);
    check(
        "macro_rules! m {\n  (a::b $x:ident) => { $crate::c::d(e::$x, $x::f, $crate::$x) };\n  ($($y:ident)::*) => { $($y)::*::z; use $crate::g::{h, i}; mod $x; };\n}",
        &["2: $crate", "2: $crate::c::d", "2: e", "3: $crate::g::h", "3: $crate::g::i"],
    );
    check("fn f() { quote! { use a::b; mod c; ::d::e } ; stringify!(f::g); h!(parse_quote!(i::j)) }", &[]);
    check("m!('a, 'b', b'c', \"d::e\", r#\"f\"::g\"#, h::i, 1.0, 0..j::k);", &["1: h::i", "1: j::k"]);
    check("m! { use x y; a::b }", &["1: a::b"]);
}

#[test]
fn modules_and_included_files() {
    check("mod a;\nmod b { mod c; use super::d; }", &["1: part a", "2: part c in b", "2: super::d in b"]);
    check("#[cfg(x)]\n#[path = \"other/file.rs\"] // why\nmod a;", &["3: part \"other/file.rs\" (as a, ?)"]);
    check(
        "#[cfg_attr(windows, path = \"w.rs\")]\n#[cfg_attr(all(unix, x), path = r\"u.rs\")]\nmod sys;",
        &["3: part \"u.rs\" (as sys)", "3: part \"w.rs\" (as sys)", "3: part sys (?)"],
    );
    check(
        "#[path = \"x\"]\nmod a {\n  mod b;\n  mod r#type { mod c; }\n}",
        &["3: part b in a \"x\"", "4: part c in a \"x\"::type"],
    );
    check(
        "#[cfg(test)]\nmod a;\n#[cfg(all(not(windows), feature = \"x\"))]\nmod b;\n#[cfg(loom)]\nmod c;\n#[cfg(any())]\nmod d { mod e; }",
        &["2: part a", "4: part b", "6: part c (?)", "8: part e (?) in d"],
    );
    check(
        "const A: &str = include_str!(\"a.txt\");\ninclude!(concat!(\"x\", \"y\"));\nstd::include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/z\"));",
        &["1: part \"a.txt\"", "2: part \"xy\" (*)", "3: \"$CARGO_MANIFEST_DIR/z\"", "3: std::include_bytes"],
    );
    check(
        r#"include!("\x61/\u{62}.rs"); include!("c/\
            d.rs"); #[path = "\x65.rs"] mod e;
include!(concat!("f/", stringify!(g), '.', "r\u{73}")); include!(concat!("h", 1, true, '\x2e', "rs"));
include!(concat!("i/", stringify!(a b))); include!(concat!(1.5, "j"));"#,
        &[
            "1: part \"a/b.rs\" (*)",
            "1: part \"c/d.rs\" (*)",
            "2: part \"e.rs\" (as e)",
            "3: part \"f/g.rs\" (*)",
            "3: part \"h1true.rs\" (*)",
        ],
    );
    check(
        "include!(concat!(env!(\"OUT_DIR\"), \"/x.rs\"));\ninclude!($x);\ninclude_str!(a::B);",
        &["3: a::B"],
    );
}

#[test]
fn names_of_this_file_lead_nowhere() {
    check("enum E { A }\nfn f() { E::A; self::E::A }", &["2: self::E::A"]);
    check("fn f() { enum e {} e::A; }\nfn g() { e::B }", &["2: e::B"]);
    check("mod m { pub struct S; }\nfn f() { m::S; m::x::S }", &[]);
    check("mod m { mod x; }\nfn f() { m::S; m::x::S }", &["1: part x in m", "2: m::x::S"]);
    check(
        "use a::S;\nuse b::m;\nfn f() { S::new(); S::T::new(); m::f() }",
        &["1: a::S", "2: b::m", "3: S::T::new", "3: m::f"],
    );
    check(
        "fn f() { Vec::new(); u8::MAX; String::x() }\nmod t { use super::*; fn f() { Vec::new() } }",
        &["2: Vec::new in t", "2: super (*) in t"],
    );
    check("impl A { type serde = u8; fn f() { serde::x() } }", &["1: serde::x"]);
}

#[test]
fn a_block_with_imports_is_a_scope_of_its_own() {
    check(
        "fn f() { use a::b as c; c::d(); }\nmod m { fn g() { { use e; } c::d() } }",
        &["1: a::b (as c) in {1}", "1: c::d in {1}", "2: c::d in m", "2: e in m::{2}"],
    );
}

#[test]
fn text_that_is_no_code_is_left_out() {
    check("// use a::b;\n/* mod c; /* x */ use y; */ const S: &str = \"use d::e;\";", &[]);
    check(
        "const S: &str = r##\"use a; \"# mod b;\"##; const C: char = '\"'; const D: char = '\\''; use c;",
        &["1: c"],
    );
    check("fn f<'a>(x: &'a str) -> &'static str { 'l: loop { break 'l } }\nuse a;", &["2: a"]);
    check("const A: &[u8] = b\"\\\" use a;\"; const B: &[u8] = br\"\\\"; use b;", &["1: b"]);
    check("/// use a::b;\n//! c::d\n/** e::f */\nfn f() {}", &[]);
    check("#!/usr/bin/env run\nuse a;", &["2: a"]);
    check("#![no_std]\nuse a;", &["2: a"]);
    let found = |text: &str| imports(text).unwrap().into_iter().map(|i| i.specifier).collect::<Vec<_>>();
    assert_eq!(found("#! /* x */ [allow(x)] use a::b;\nuse c;"), ["a::b", "c"]);
    assert_eq!(found("#! /* x */\n// y\n[allow(x)] use a::b;"), ["a::b"]);
    assert_eq!(found("#!/bin/x use a::b;\nuse c;"), ["c"]);
    let blanks = "use\u{85}a\u{2028}::\u{200e}b\u{85};fn f() { c\u{200f}::d\u{85}() }";
    assert_eq!(found(blanks), ["a::b", "c::d"]);
    check("fn ⱥ() { ⱥ::â::b() }", &["1: ⱥ::â::b"]);
}

#[test]
fn what_the_grammar_does_not_know_hides_nothing() {
    for text in [
        "use a::b;\nfn f() { let x = c\"a::b\"; let y = cr#\"x\"#; }",
        "use a::b;\nfn f(x: &'r#a u8) {}",
        "use a::b;\nfn f() { if let Some(x) = y && let Some(z) = x {} }",
        "---\n[package]\nuse = \"c::d\"\n---\nuse a::b;",
        "use a::b;\nmacro m($x:ident) { $x }",
        "use a::b;\nfn f() { let y = x.use; let z = use || y; }",
        "use a::b;\nfn f<'a, T>(x: &'a T) -> impl Sized + use<'a, T> { gen { yield 1 } }",
        "use a::b;\nunsafe extern \"C\" { safe fn f(); }\nimpl const X for Y {}",
        "use a::b;\nfn f() { async || 1; async move |x| x; do yeet 1; builtin # offset_of(A, b); }",
        "use a::b;\nconst fn f() where (): ~const X {}",
    ] {
        let found: Vec<String> = imports(text).unwrap().into_iter().map(|import| import.specifier).collect();
        assert_eq!(found, ["a::b"], "{text}");
    }
}

#[test]
fn what_is_no_rust_is_said() {
    assert_eq!(imports("use a::b;\nuse (").unwrap_err(), Unreadable::Syntax { line: 2 });
    assert!(imports("mod 1;").is_err());
    assert!(imports("use a::{b").is_err());
    check("use a::b;\nfn (", &["1: a::b"]);
}

/// Programs that the grammar knows, put together from all that matters here.
fn program() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec![
        "a::b",
        "crate::a::B",
        "self::c",
        "super::super::d",
        "::e::f",
        "Self::g",
        "r#h::r#type",
        "Vec::new",
        "i::J::<k::L>::m",
        "<n::O as p::Q>::r",
        "S::new",
        "m::x::y",
    ]);
    let leaf = path.clone().prop_map(|path| match path.contains('<') {
        true => "use a;".to_owned(),
        false => format!("pub(crate) use {path};"),
    });
    let item = prop_oneof![
        leaf,
        path.clone().prop_map(|path| format!(
            "fn f<'a>(x: &'a str) {{ let c = '\"'; {path}(r#\"use x;\"#, b'}}'); }}"
        )),
        path.clone().prop_map(|path| format!("#[d({path})] struct S;")),
        path.clone()
            .prop_map(|path| format!("fn g() {{ if a < b && c > {path} {{}} m!({path}, \"::z\"); }}")),
        path.prop_map(|path| format!("macro_rules! m {{ ($x:ty) => {{ {path}; $crate::q::$x }} }}")),
        prop::sample::select(vec![
            "mod x;",
            "#[path = \"y.rs\"]\nmod y;",
            "use a::{self, b::{c as d, *},}; // }",
            "extern crate z as w;",
            "cfg_x! { mod k; pub use l::n; }",
            "/* { /* use a; */ */",
            "const A: &str = include_str!(\"a\");",
            "enum i { A }",
            "use S;",
            "quote! { use no::no; }",
            "/// `use a::b`\nconst B: [u8; 1] = [1];",
        ])
        .prop_map(str::to_owned),
    ];
    let items = prop::collection::vec(item, 0..6).prop_map(|items| items.join("\n"));
    items.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}\nmod m {{ {b}\n}}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("fn h() {{ {a}\n}}\n{b}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn both_ways_of_reading_find_the_same(text in program()) {
        told(&text);
    }

    #[test]
    fn any_text_is_answered(parts in prop::collection::vec(prop::sample::select(vec![
        "use ", "mod ", "a", "::", "{", "}", "(", ")", "[", "]", ";", "<", ">", "'", "\"", "r#", "#", "!", "$", "crate", "\n",
        "/*", "*/", "//", "\\", "include_str!", "macro_rules!", "extern ", "pub ", "as ", "*", ",", "=", "é", "→", "quote!", "path",
    ]), 0..60)) {
        let text = parts.concat();
        let _ = imports(&text);
        let _ = by_full_parse(&text);
    }
}
