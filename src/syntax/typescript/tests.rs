use super::super::{Import, Unreadable};
use super::{by_full_parse, imports};

/// What is imported, by the slices and by a parse of all, in both dialects.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    for jsx in [false, true] {
        check_one(text, jsx, expected);
    }
}

#[track_caller]
fn check_one(text: &str, jsx: bool, expected: &[&str]) {
    let told = |found: Result<Vec<Import>, Unreadable>| -> Vec<String> {
        let mut found = found.unwrap();
        found.sort();
        found.dedup();
        let mut told: Vec<String> = found.iter().map(Import::told).collect();
        told.sort_unstable();
        told
    };
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(told(imports(text, jsx)), expected, "slices, jsx {jsx}: {text}");
    assert_eq!(told(by_full_parse(text, jsx)), expected, "full parse, jsx {jsx}: {text}");
}

/// That the scanner knows this text.
#[track_caller]
fn check_sliced(text: &str) {
    assert!(super::scan::scan(text, true).is_ok(), "{text}");
    check_one(text, true, &[]);
}

#[test]
fn imports_in_all_their_shapes() {
    check("import a, { b, c as d } from './m'", &["1:static ./m default,b,c"]);
    check("import * as a from \"m\";\nimport 'side';", &["1:static m *", "2:static side"]);
    check(
        "import type { A } from './t'\nimport { type B, c } from './u'",
        &["1:type ./t A", "2:type ./u B", "2:static ./u c"],
    );
    check(
        "import a = require('./r')\nimport data from './d.json' with { type: 'json' }",
        &["1:static ./r *", "2:static ./d.json default"],
    );
    check("import { 'odd name' as x } from './o'", &["1:static ./o odd name"]);
}

#[test]
fn exports_in_all_their_shapes() {
    check(
        "export * from './a'\nexport * as n from './b'\nexport { x, default as y } from './c'",
        &["1:static ./a *", "2:static ./b *", "3:static ./c x,default"],
    );
    check("export type { T } from './t'\nexport const z = 1\nexport { z as q }", &["1:type ./t T"]);
}

#[test]
fn calls_that_load() {
    check(
        "const a = require('./a'), b = await import(/* chunk */ './b')\nrequire.resolve(`./c`)",
        &["1:static ./a", "1:dynamic ./b", "2:dynamic ./c"],
    );
    check(
        "jest.mock('./m', () => ({}))\nvi.importActual('./n')\nimport(`./${x}`)",
        &["1:mock ./m", "2:mock ./n"],
    );
    check("new Worker(new URL('./w.js', import.meta.url))", &["1:dynamic ./w.js url"]);
    check("const t: import('./t').T = 1\ntype U = typeof import('./u')", &["1:type ./t", "2:type ./u"]);
    check(
        "/// <reference path=\"x.d.ts\" />\n/// <reference types='node'/>",
        &["1:type ./x.d.ts", "2:type node"],
    );
}

#[test]
fn calls_that_load_many_files() {
    check(
        "const a = import.meta.glob<A>(['./x/*.ts', '!./x/no.ts'], { eager: true })\nimport.meta.glob('../**/*.vue')",
        &["1:static ./x/*.ts *", "2:dynamic ../**/*.vue *"],
    );
    check(
        "require.context('./a', false, /\\.stories\\.js$/)\nrequire.context('./b', true, /\\.(j|t)s$/)\nrequire.context('../c')\nrequire.context('./d', true, /a|\\.js$/)",
        &["1:static ./a/*.stories.js *", "2:static ./b/**/*s *", "3:static ../c/** *", "4:static ./d/** *"],
    );
}

#[test]
fn what_is_tried_may_find_nothing() {
    let text = "try { require('./a'); f(() => { import('./b') }) } catch { require('./c') } finally { require('./d') }\nx.try = { y: require('./e') }\ntry { jest.mock('./f') } catch {}";
    for found in [imports(text, true).unwrap(), by_full_parse(text, true).unwrap()] {
        let tried = found.iter().filter(|import| !import.within.is_empty());
        let tried: Vec<&str> = tried.map(|import| import.specifier.as_str()).collect();
        assert_eq!(tried, ["./a", "./b"]);
    }
}

#[test]
fn types_that_the_grammar_does_not_know_are_imports() {
    check(
        "export declare function f<T>(x: T): import(\"../o\").O<T>;\nexport type { P } from './p';",
        &["1:type ../o", "2:type ./p P"],
    );
}

#[test]
fn what_only_looks_like_an_import_is_none() {
    check(
        "// import './a'\nconst s = \"import './b'\", t = `import './c' ${1 / 2} require('./d')`, r = /import '.\\/e'/",
        &[],
    );
    check("obj.require('./a'); obj.import('./b')", &[]);
}

#[test]
fn what_is_no_typescript_is_said() {
    assert_eq!(imports("const a = 1\n\nimport { a from", false).unwrap_err(), Unreadable::Syntax { line: 3 });
    check("import a from './a'\n\nconst = (", &["1:static ./a default"]);
}

#[test]
fn each_form_is_read_in_both_ways() {
    for (text, expected) in [
        ("export import a = require('./a')", &["1:static ./a *"][..]),
        ("import type A = require('./a')", &["1:type ./a *"]),
        ("import type from './a'", &["1:static ./a default"]),
        ("import type, { x } from './a'", &["1:static ./a default,x"]),
        ("import { type } from './a'", &["1:static ./a type"]),
        ("import { type as x } from './a'", &["1:static ./a type"]),
        ("import { type type } from './a'", &["1:type ./a type"]),
        ("import { default as x } from './a'", &["1:static ./a default"]),
        ("import { delete as x, import as y } from './a'", &["1:static ./a delete,import"]),
        ("import {} from './a'", &["1:static ./a"]),
        ("import { a, } from './a'", &["1:static ./a a"]),
        ("export { a, } from './a'", &["1:static ./a a"]),
        ("export {} from './a'", &["1:static ./a"]),
        ("export { x as import, import } from './a'", &["1:static ./a x,import"]),
        ("export type * from './a'", &["1:type ./a *"]),
        ("export type * as ns from './a'", &["1:type ./a *"]),
        ("export * as default from './a'", &["1:static ./a *"]),
        ("export * as 'odd' from './a'", &["1:static ./a *"]),
        ("export a from './a'", &["1:static ./a default"]),
        ("export default from './a'", &["1:static ./a default"]),
        ("export a, { b } from './a'", &["1:static ./a default,b"]),
        ("export { type A, b } from './a'", &["1:static ./a b", "1:type ./a A"]),
        ("import defer * as a from './a'", &["1:static ./a *"]),
        ("import source a from './a'", &["1:static ./a default"]),
        ("import.defer('./a'); import.source('./b')", &["1:dynamic ./a", "1:dynamic ./b"]),
        ("import a from './a' assert { type: 'json' }", &["1:static ./a default"]),
        (
            "import a from './a' with { type: 'json' };\nimport b from './b'",
            &["1:static ./a default", "2:static ./b default"],
        ),
        ("import './a'\nimport './b'", &["1:static ./a", "2:static ./b"]),
        ("let a: import('./a')", &["1:type ./a"]),
        ("let a: Promise<import('./a').A | import('./b').B[]>", &["1:type ./a", "1:type ./b"]),
        ("const x = y as import('./a').A", &["1:type ./a"]),
        ("const x = y as typeof import('./a')", &["1:type ./a"]),
        ("type A = typeof import('./a')['b']", &["1:type ./a"]),
        ("type A = keyof typeof import('./a', { with: { 'resolution-mode': 'import' } })", &["1:type ./a"]),
        ("class A extends B<import('./a').A> implements import('./b').B {}", &["1:type ./a", "1:type ./b"]),
        ("const x = { a: import('./a') }", &["1:dynamic ./a"]),
        ("const x = c ? import('./a') : import('./b')", &["1:dynamic ./a", "1:dynamic ./b"]),
        ("import('./a').then((m) => m.x)", &["1:dynamic ./a"]),
        ("void import('./a').x", &["1:dynamic ./a"]),
        ("const f = (): import('./a').A => import('./b')", &["1:dynamic ./b", "1:type ./a"]),
        ("const x = await import('./a'), { y } = await import(\"./b\")", &["1:dynamic ./a", "1:dynamic ./b"]),
        ("import('./a', { with: { type: 'json' } })", &["1:dynamic ./a"]),
        ("import((('./a')))", &["1:dynamic ./a"]),
        ("import('./a' + x); import(y); import(`./${z}`)", &[]),
        ("import(/* @vite-ignore */ /* b */ `./a`)", &["1:dynamic ./a"]),
        ("import('./\\u0061\\x62\\\nc')", &["1:dynamic ./abc"]),
        (
            "require?.('./a'); module.require('./b'); require('./c', 1)",
            &["1:static ./a", "1:static ./b", "1:static ./c"],
        ),
        ("r\\u0065quire('./a')", &["1:static ./a"]),
        ("const x = vi.importActual<typeof import('./a')>('./a')", &["1:type ./a", "1:mock ./a"]),
        (
            "jest\n  .mock('./a', () => ({ b: 1 }))\n  .mock('./b')\n  .doMock('./c')",
            &["2:mock ./a", "3:mock ./b", "4:mock ./c"],
        ),
        ("vi.mock(import('./a'), () => 1)", &["1:dynamic ./a"]),
        ("mock.module('./a', x); angular.mock.module('b')", &["1:mock ./a"]),
        ("import.meta.resolve('./a'); import.meta.url", &["1:dynamic ./a"]),
        (
            "new URL('a.js', import.meta.url); new URL('./', import.meta.url); new URL('https://x', import.meta.url)",
            &["1:dynamic ./a.js url"],
        ),
        (
            "x = { import: 1, export: 2, require: 3 }; x.import('./a'); x?.require('./b'); class A { import() {} static export = 1 }",
            &[],
        ),
        ("[...require('./a')]; f(...import('./b'))", &["1:static ./a", "1:dynamic ./b"]),
        (
            "declare module 'x' {\n  import a from './a'\n  export * from './b'\n}",
            &["2:static ./a default", "3:static ./b *"],
        ),
        ("import a = N.M.O; import b from './b'", &["1:static ./b default"]),
        ("import\u{a0}a from './a'", &["1:static ./a default"]),
        ("// c\u{2028}import './a'", &["1:static ./a"]),
        ("// c\rimport './a'", &["1:static ./a"]),
        ("#!/usr/bin/env node\r\nimport './a'\r\nimport './b'", &["2:static ./a", "3:static ./b"]),
        ("if (x) /'/.test(y); a++ / 2; b = c / d / e; import './a'", &["1:static ./a"]),
        ("const a = b! / c; import './a' // it's", &["1:static ./a"]),
        ("`${`${require('./a')}'` + \"`\"}`; require('./b')", &["1:static ./a", "1:static ./b"]),
        ("x = /[/'\"`]/g; y = a / b; require('./b')", &["1:static ./b"]),
        (
            "accessor; using; class A { accessor x = require('./a'); static { import('./b') } }",
            &["1:static ./a", "1:dynamic ./b"],
        ),
        ("@dec() export class A { @input() a = require('./a') }", &["1:static ./a"]),
        ("using x = require('./a')", &["1:static ./a"]),
        (
            "/// <amd-dependency path='./a' name='b'/>\n/// <reference preserve='true' types=\"c\" />\nx\n/// <reference path='./d' />",
            &["1:type ./a", "2:type c"],
        ),
        ("export default require('./a')", &["1:static ./a"]),
        ("export = require('./a')", &["1:static ./a"]),
        ("export const a = 1, b = require('./b')", &["1:static ./b"]),
        ("import a, * as b from './a'", &["1:static ./a default,*"]),
        ("import(\n  './a'\n)", &["1:dynamic ./a"]),
        ("import {\n  a,\n  // b\n  c\n} from './a'", &["1:static ./a a,c"]),
    ] {
        check(text, expected);
    }
}

#[test]
fn what_changes_no_value_hides_no_call() {
    for (text, expected) in [
        ("(require)('./a')", &["1:static ./a"][..]),
        ("((require))('./a')", &["1:static ./a"]),
        ("(0, require)('./a')", &["1:static ./a"]),
        ("require!('./a')", &["1:static ./a"]),
        ("(require as any)('./a')", &["1:static ./a"]),
        ("require('./a' as any)", &["1:static ./a"]),
        ("require(('./a')!)", &["1:static ./a"]),
        ("import('./a' as string)", &["1:dynamic ./a"]),
        ("import('./a' satisfies string)", &["1:dynamic ./a"]),
        ("f(require)(a); if (require != null) b(require)", &[]),
    ] {
        check(text, expected);
    }
}

#[test]
fn elements_are_not_read_as_code() {
    for text in [
        "const a = <p className='x'>don't {'`'} <b/> it's // no comment</p>",
        "f(<A.B<string> c={<d/>} {...e} f-g='h\ni'>'</A.B>, <>\"</>)",
        "return <a>{/* ' */}{b ? <c>'</c> : null}{d && <e>`</e>}</a>",
        "const f = <T,>(x: T) => x < y, g = <T extends object>(x: T) => x > 2",
        "type F = <T>(x: T) => void; const a: <U>() => U = b",
        "const a = x < y && z > w; const b = c as Array<d>",
        "const a = 1 << b, c = /!important|(?:export\\s)|import|require$/.test(d)",
        "switch (a) { case <b/>: default: <c>'</c> }",
    ] {
        check_sliced(text);
    }
}

#[test]
fn a_guess_that_would_hide_an_import_is_checked() {
    check_one("x = {} / 2; require('./a'); y = 3 / 1", true, &["1:static ./a"]);
    check_one("type A = { <b>(): void }; import './a'; const z = 1 </b>/.x", false, &["1:static ./a"]);
    check_one("let of = 4, g = 2; x = of /g; import('./a'); b /g", true, &["1:dynamic ./a"]);
}

/// That an import is found, or the text is refused: never is it passed over.
#[track_caller]
fn check_not_hidden(text: &str) {
    for jsx in [false, true] {
        for found in [imports(text, jsx), by_full_parse(text, jsx)] {
            let is_seen = found.as_ref().map_or(true, |found| found.iter().any(|i| i.specifier == "./a"));
            assert!(is_seen, "jsx {jsx}: {text}\n{found:?}");
        }
    }
}

#[test]
fn what_can_be_read_in_two_ways_hides_nothing() {
    // Each runs the import, and a reader that takes the slash or the comment
    // for something else finds it in a string or comment.
    for text in [
        "let x\n/'/.test(1); require(\"./a\"); '/1//'",
        "let\nx\n/'/.test(1); require(\"./a\"); '/1//'",
        "let x /*\n*/ /'/.test(1); require(\"./a\"); '/1//'",
        "let x\u{2028}/'/.test(1); require(\"./a\"); '/1//'",
        "let x\n/'/.test(1); r\\u0065quire(\"./a\"); '/1//'",
        "let x\n/'/.test(1); require?.(\"./a\"); '/1//'",
        "let x\n/'/.test(1); import\u{a0}\"./a\"; '/1//'",
        "var \\u0061 = 1; let x\n/'/.test(1); require(\"./a\"); '/1//'",
        "let a = b\n!/'/.test(a); require(\"./a\"); '/1//'",
        "let a = b\n++/'/.lastIndex; require(\"./a\"); '/1//'",
        "debugger\n/'/.test(1); require(\"./a\"); '/1//'",
        "debugger\n/[/*]/.test(''); require('./a'); // */]",
        "for (;0;) { continue\n/`/.test(1) } require('./a'); `/1//`",
        "type A = B\n/'/.test(1); import(\"./a\"); '/1//'",
        "type A = B[]\n/'/.test(1); import(\"./a\"); '/1//'",
        "let x: B\n/'/.test(1); import(\"./a\"); '/1//'",
        "declare module 'x'\n/'/.test(1); import(\"./a\"); '/1//'",
        "class A extends /'/.constructor {}; require(\"./a\"); '/1//'",
        "x => {}\n/'/.test(1); require(\"./a\"); '/1//'",
        "export default function () {}/'/.test(1); require(\"./a\"); '/1//'",
        "yield /1; require('./a'); 1/1",
        "f<a>/'/; require(\"./a\"); '/1//'",
        "<!-- /*\nrequire('./a') // */",
        "<!-- `\nrequire('./a') // `",
        "var a; //*/\n--> /*\nrequire('./a') // */",
        "/*\n*/ --> /*\nrequire('./a') // */",
    ] {
        check_not_hidden(text);
    }
    // What only looks so is read.
    check("const a = b\n  / f('./x/y') / c['d']\nimport './a'", &["3:static ./a"]);
    check("const a = b\n  / c / d; // import './no'\n!e && require('./a')", &["3:static ./a"]);
    check("if (a) /'/.test(b); const c = \"import './no'\"; x--\ny --> 0; import './a'", &["2:static ./a"]);
}

/// Pieces that programs are made of, each of which ends what it begins.
const STATEMENTS: [&str; 26] = [
    "import a from './1';",
    "import { b as c, type D } from \"./2\";",
    "import type { E } from './3';\n",
    "import './4'\n",
    "export * from './5';",
    "export { f, g } from './6';",
    "export type * from './7';",
    "const h = require('./8');",
    "void import('./9');",
    "import(/* c */ `./10`).then((i) => i);",
    "let j: import('./11').J;",
    "jest.mock('./12', () => ({ k: /'/ })).mock('./13');",
    "new URL('./14', import.meta.url);",
    "const l = \"import './no'\";",
    "const m = `import './no' ${`${n / 2}`} require('./no')`;",
    "// import './no'\n",
    "/* import './no' */",
    "const o = /import '.\\/no'[/]/g.test(p / q / r);",
    "if (s) /'/.test(t);",
    "u = v++ / 2; w = x! / y;",
    "const z = { import: 1, 'export': 2, require() {} };",
    "class A1<T> extends B1<T> { static import = 1; #c1 = 2; d1() { return this.require('./no'); } }",
    "function* e1() { yield f1; }",
    "const g1 = async (h1: number): Promise<void> => { await require('./15'); };",
    "vi.importActual<typeof import('./16')>('./17');",
    "export import i1 = require('./18');",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn programs_are_read_the_same_in_both_ways(
        parts in proptest::collection::vec((0..STATEMENTS.len(), 0..4usize), 0..12),
    ) {
        let mut text = String::new();
        for (part, around) in parts {
            let part = STATEMENTS[part];
            let declares = part.contains("import ") || part.starts_with("export") || part.contains("import type");
            match around {
                1 if !declares => text.push_str(&format!("function f() {{ {part}\n }}\n")),
                2 if !declares => text.push_str(&format!("const x = {{ a: (() => {{ {part}\n }})() }};\n")),
                _ => text.push_str(&format!("{part}\n")),
            }
        }
        let sorted = |found: Result<Vec<Import>, Unreadable>| found.map(|mut found| { found.sort(); found.dedup(); found });
        proptest::prop_assert_eq!(sorted(imports(&text, false)), sorted(by_full_parse(&text, false)), "{}", text);
    }

    #[test]
    fn any_text_is_answered(text in "(import|export|from|require|[a-z ]|[\\(\\)\\[\\]{}<>]|['\"`/\\\\$*!.,;:=\n]|\u{2028}|é|typeof|jest.mock|<a>|</a>|\\$\\{){0,60}") {
        for jsx in [false, true] {
            let scanned = imports(&text, jsx);
            let parsed = by_full_parse(&text, jsx);
            if super::scan::scan(&text, jsx).is_err() {
                proptest::prop_assert_eq!(scanned, parsed);
            }
        }
    }
}

#[test]
fn hostile_texts_are_answered_by_going_forward() {
    let many = |text: &str| text.repeat(100_000);
    let long = "a".repeat(5 << 20);
    for text in [
        format!("x = \"{long}\"; import './a'"),
        format!("/*{long}*/ import './a'"),
        format!("const a = {}1{}; import './a'", many("("), many(")")),
        format!("const a = {}1{}; import './a'", many("["), many("]")),
        format!("x = {}1{}; import './a'", many("`${"), many("}`")),
        format!("{}import './a'", many("require(b);")),
        format!("{}import './a'", many("import.meta.x;")),
        format!("{}import './a'", many("/* c */ ")),
        format!("x = {}{}; import './a'", many("<a>"), many("</a>")),
    ] {
        let slices = super::scan::scan(&text, true).unwrap_or_else(|_| panic!("{}", &text[..40]));
        assert!(slices.text.contains("import './a'"));
    }
    let unfinished = [
        many("("),
        many("<a>"),
        many("`${"),
        many("/*"),
        format!("{}'", many("'")),
        many("import("),
        many("jest.mock<"),
        many("import a,"),
    ];
    for text in unfinished {
        assert!(super::scan::scan(&text, true).is_err(), "{}", &text[..20]);
    }
}
