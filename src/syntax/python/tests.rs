//! What is read of Python sources, by slices and by a parse of the whole.

use proptest::prelude::*;

use super::super::{Import, Kind, Unreadable};
use super::{by_full_parse, imports, scan};

#[cfg(test)]
mod calls;

fn sorted(mut imports: Vec<Import>) -> Vec<Import> {
    imports.sort();
    imports.dedup();
    imports
}

fn told(import: &Import) -> String {
    let ready = if import.within.is_empty() { "" } else { "?" };
    import.told() + ready
}

/// Checks what both ways read, and that slices were enough.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    check_scan(text, expected);
    let full = sorted(by_full_parse(text.as_bytes()).unwrap());
    assert_eq!(full.iter().map(told).collect::<Vec<_>>(), expected, "by a full parse: {text}");
}

/// Checks what is read where slices are not enough.
#[track_caller]
fn check_whole(text: &str, expected: &[&str]) {
    let found = sorted(imports(text.as_bytes()).unwrap());
    assert_eq!(found.iter().map(told).collect::<Vec<_>>(), expected, "{text}");
    assert!(scan::scan(text).and_then(|slices| super::statements::read(&slices)).is_none(), "{text}");
}

/// Checks what slices say where the grammar lags behind the language.
#[track_caller]
fn check_scan(text: &str, expected: &[&str]) {
    let found = sorted(imports(text.as_bytes()).unwrap());
    assert_eq!(found.iter().map(told).collect::<Vec<_>>(), expected, "{text}");
    assert!(scan::scan(text).is_some(), "slices are not enough: {text}");
}

#[test]
fn statements_in_all_their_shapes() {
    check("import a, b.c as d", &["1:static a", "1:static b.c"]);
    check("from a.b import (c,\n  d as e, # f\n)", &["1:static a.b c,d"]);
    check(
        "from . import a\nfrom .. b import *\nfrom ...c.d import e",
        &["1:static . a", "2:static ..b *", "3:static ...c.d e"],
    );
    check("from __future__ import annotations\nimport a \\\n  , b", &["2:static a", "2:static b"]);
    check("from \\\n  .\\\n  a \\\n  import b", &["1:static .a b"]);
    check(
        "def f():\n  for x in y:\n    import a\n  class C: from b import c",
        &["3:static a", "4:static b c"],
    );
    check("x = 1; import a; y()\nif x: import b; import c", &["1:static a", "2:static b", "2:static c"]);
    check("import a\r\nfrom b import (\r\n  c)\r\n", &["1:static a", "2:static b c"]);
    check("\u{c}import a\n\u{c}\n\tif x:\n\t\timport b", &["1:static a", "4:static b"]);
    check(
        "from a import(b)\nfrom.import c\nfrom.d import*",
        &["1:static a b", "2:static . c", "3:static .d *"],
    );
    check("from type import match, case, _\nimport print", &["1:static type match,case,_", "2:static print"]);
    check("raise A from B\nyield_from = 1\nimport a", &["3:static a"]);
}

#[test]
fn what_is_no_code_imports_nothing() {
    check("x = 'import a'\n# import b\n\"\"\"\nimport c\n\"\"\"\ny = rb'\\' import d'", &[]);
    check("x = 'it''s'; y = \"\"; import a\nz = r'\\'' ; import b", &["1:static a", "2:static b"]);
    check("x = 'a\\\nimport b'\n'''\\''' import c'''\nimport d", &["4:static d"]);
    check("imports = reimport = important = 1\nx.important()", &[]);
}

#[test]
fn fields_of_f_strings_are_code() {
    check("y = f'{f\"{1}\"} import d'", &[]);
    check("f'{{import a}} {x!r:>{width}} {y:%H:%M}'\nimport b", &["2:static b"]);
    check("f'{__import__(\"a\").b:{__import__(\"c\").d}}'", &["1:dynamic a", "1:dynamic c"]);
    check("f\"{x[\"a\"]} {'}'}\"\nimport b", &["2:static b"]);
    check("f'''{\n  x # it's\n}'''\nimport b", &["4:static b"]);
    check("f'\\N{BULLET}\\{x}'; rf'\\{y}'\nimport b", &["2:static b"]);
    check("f'{x:{\"{\"}}}'\nimport b", &["2:static b"]);
}

#[test]
fn what_type_checkers_alone_see_is_for_types() {
    check(
        "if TYPE_CHECKING:\n  import a\nelif typing.TYPE_CHECKING:\n  import b\nelse:\n  import c\nif not TYPE_CHECKING:\n  import d",
        &["2:type a", "4:type b", "6:static c", "8:static d"],
    );
    check(
        "import typing as t\nif (t.TYPE_CHECKING):\n  if x:\n    from . import a\nx: t.Any # isn't t",
        &["1:static typing", "4:type . a"],
    );
    check(
        "if not TYPE_CHECKING: import a\nelse: import b\nimport c",
        &["1:static a", "2:type b", "3:static c"],
    );
    check(
        "if x: import a\nelif TYPE_CHECKING:\n  import b\n# c\n  import d\nimport e",
        &["1:static a", "3:type b", "5:type d", "6:static e"],
    );
    check(
        "if TYPE_CHECKING and x: import a\nif TYPE_CHECKING or x: import b\nif not (TYPE_CHECKING or False): import c",
        &["1:type a", "2:static b", "3:static c"],
    );
    check_whole(
        "from typing import TYPE_CHECKING as T\nif T:\n  import a\nif U:\n  import b",
        &["1:static typing TYPE_CHECKING", "3:type a", "5:static b"],
    );
    check("if MYPY:\n\timport a\n        import b\nimport c", &["2:type a", "3:type b", "4:static c"]);
    check_whole(
        "if (TYPE_CHECKING # x: y\n    ):\n  import a\n\n\n  '''\nb'''\n  import c",
        &["3:type a", "8:type c"],
    );
    check_whole("x = [\nTYPE_CHECKING\n]\nif TYPE_CHECKING == x:\n  import a", &["5:static a"]);
    check(
        "class C:\n  if TYPE_CHECKING:\n    def f():\n      import a\n  import b",
        &["4:type a", "5:static b"],
    );
}

#[test]
fn a_constant_of_typing_is_known_however_it_comes() {
    for given in [
        "from typing import TYPE_CHECKING",
        "from typing_extensions import (Any, # TYPE_CHECKING = True\n  TYPE_CHECKING,)",
        "from typing import *",
        "TYPE_CHECKING = False",
        "try:\n  from typing import TYPE_CHECKING\nexcept ImportError:\n  TYPE_CHECKING = False # old",
    ] {
        let text = format!("{given}\nif x.y() or (not TYPE_CHECKING): import a\nelse: import b\n");
        let found = imports(text.as_bytes()).unwrap();
        assert!(found.iter().any(|import| import.specifier == "b" && import.kind == Kind::Type), "{text}");
        assert!(found.iter().any(|import| import.specifier == "a" && import.kind == Kind::Static), "{text}");
        assert!(scan::scan(&text).is_some(), "{text}");
    }
    for given in [
        "import typing as t; z = t.Any",
        "import typing_extensions as t\nprint(t)",
        "import typing as t, sys",
        "from typing import TYPE_CHECKING as T\nimport typing as t",
    ] {
        let text = format!("{given}\nif t.TYPE_CHECKING: import b\n");
        let found = by_full_parse(text.as_bytes()).unwrap();
        assert!(found.iter().any(|import| import.specifier == "b" && import.kind == Kind::Type), "{text}");
        assert_eq!(imports(text.as_bytes()).map(sorted), Ok(sorted(found)), "{text}");
    }
    for read in [
        "if TYPE_CHECKING: pass\nelif x[TYPE_CHECKING]: pass",
        "assert not TYPE_CHECKING",
        "x = (1 if TYPE_CHECKING else 2, TYPE_CHECKING)",
        "def f(x=TYPE_CHECKING): return TYPE_CHECKING",
        "TYPE_CHECKING: bool = False",
        "TYPE_CHECKING: bool",
        "print(f'{TYPE_CHECKING}', [y for y in x if not TYPE_CHECKING], sep=TYPE_CHECKING)",
    ] {
        let text = format!("from typing import TYPE_CHECKING\n{read}\nif TYPE_CHECKING: import b\n");
        let found = imports(text.as_bytes()).unwrap();
        assert!(found.iter().any(|import| import.kind == Kind::Type), "{text}");
    }
}

#[test]
fn a_name_that_may_be_true_when_the_program_runs_hides_nothing() {
    for given in [
        "TYPE_CHECKING = True",
        "TYPE_CHECKING = not False",
        "from typing import TYPE_CHECKING\nTYPE_CHECKING = True",
        "if x: TYPE_CHECKING = True",
        "TYPE_CHECKING, y = True, 1",
        "y = TYPE_CHECKING = True",
        "(TYPE_CHECKING) = True",
        "[TYPE_CHECKING] = [True]",
        "TYPE_CHECKING |= True",
        "TYPE_CHECKING: bool = True",
        "TYPE_CHECKING = False; TYPE_CHECKING = True",
        "if (TYPE_CHECKING := True): pass",
        "for TYPE_CHECKING in [True]: pass",
        "with x as TYPE_CHECKING: pass",
        "with x as (TYPE_CHECKING): pass",
        "def TYPE_CHECKING(): pass",
        "class TYPE_CHECKING: pass",
        "def f():\n  global TYPE_CHECKING\n  TYPE_CHECKING = True",
        "match True:\n  case TYPE_CHECKING: pass",
        "try: pass\nexcept E as TYPE_CHECKING: pass",
        "import os as TYPE_CHECKING",
        "from .compat import TYPE_CHECKING",
        "from .typing import TYPE_CHECKING",
        "from typing import Any as TYPE_CHECKING",
        "from .compat import *",
        "globals()['TYPE_CHECKING'] = True",
        "setattr(m, r\"TYPE_CHECKING\", True)",
        "globals().update(TYPE_CHECKING=True)",
        "import typing; typing.TYPE_CHECKING = True",
        "(x).TYPE_CHECKING = True",
        "\u{ff34}YPE_CHECKING = True",
        "TYPE_CHECKING \\\n = True",
    ] {
        let text = format!("{given}\nif TYPE_CHECKING: import b\n");
        for found in [imports(text.as_bytes()).unwrap(), by_full_parse(text.as_bytes()).unwrap()] {
            let kinds: Vec<Kind> =
                found.iter().filter(|import| import.specifier == "b").map(|import| import.kind).collect();
            assert_eq!(kinds, [Kind::Static], "{text}");
        }
    }
    for (given, condition) in [
        ("import settings as t", "t.TYPE_CHECKING"),
        ("import typing as t\nt = settings", "t.TYPE_CHECKING"),
        ("import typing as t\ndef f(t): pass", "t.TYPE_CHECKING"),
        ("from . import typing", "typing.TYPE_CHECKING"),
        ("import typing\nfor typing in x: pass", "typing.TYPE_CHECKING"),
        ("from . import settings", "settings.TYPE_CHECKING"),
        ("import typing", "settings.typing.TYPE_CHECKING"),
        ("import typing", "f(typing).TYPE_CHECKING"),
        ("# from typing import TYPE_CHECKING as DEBUG", "DEBUG"),
        ("x = 'TYPE_CHECKING as DEBUG '", "DEBUG"),
        ("from settings import MYPY", "MYPY"),
        ("from typing import TYPE_CHECKING", "TYPE_CHECKING or True"),
        ("from typing import TYPE_CHECKING", "not (TYPE_CHECKING and x)"),
        ("from typing import TYPE_CHECKING", "TYPE_CHECKING is False"),
        ("from typing import TYPE_CHECKING", "x if TYPE_CHECKING else y"),
    ] {
        let text = format!("{given}\nif {condition}:\n  import b\n");
        for found in [imports(text.as_bytes()).unwrap(), by_full_parse(text.as_bytes()).unwrap()] {
            let is_static = |import: &Import| import.specifier != "b" || import.kind == Kind::Static;
            assert!(found.iter().all(is_static), "{text}");
        }
    }
}

#[test]
fn an_import_that_may_fail_says_so() {
    check(
        "try:\n  import a\n  def f(): import b\nexcept ImportError:\n  import c\nelse:\n  import d\nfinally: import e",
        &["2:static a?", "3:static b?", "5:static c", "7:static d", "8:static e"],
    );
    check("try: import a\nexcept: pass", &["1:static a?"]);
    check("try: import a\nexcept (x.ModuleNotFoundError, E) as e: pass", &["1:static a?"]);
    check(
        "try: import a\nexcept KeyError: pass\nexcept Exception: pass\nimport b",
        &["1:static a?", "4:static b"],
    );
    check("try:\n  import a\nexcept ValueError: # ImportError\n  pass", &["2:static a"]);
    check("try:\n  import a\nexcept ImportError:\n  # why\n  raise X", &["2:static a"]);
    check("try:\n  import a\nexcept ImportError: raise", &["2:static a"]);
    check("try:\n  import a\nexcept ImportError:\n  if x:\n    raise\n  y", &["2:static a?"]);
    check("try:\n  import a\nfinally:\n  import b", &["2:static a", "4:static b"]);
    check("with contextlib.suppress(ImportError):\n  import a\nimport b", &["2:static a?", "3:static b"]);
    check("with suppress(KeyError), x:\n  import a", &["2:static a"]);
    check(
        "try:\n  try:\n    import a\n  except KeyError:\n    pass\n  import b\nexcept ImportError:\n  pass",
        &["3:static a?", "6:static b?"],
    );
}

#[test]
fn old_and_new_python_is_read() {
    check("print 'import a'\nprint >>f, x; import b\nexec 'import c'", &["2:static b"]);
    check("try:\n  import a\nexcept ImportError, e:\n  print e", &["2:static a?"]);
    check("x = 0777L\ny = ur'import a'\nz = `x`\nimport b", &["4:static b"]);
    check(
        "match x:\n  case {'a': 1}:\n    import a\ntype X[T] = int\nimport b",
        &["3:static a", "5:static b"],
    );
    check("def f[T: int](x: T) -> T: import a\nif (n := 1): import b", &["1:static a", "2:static b"]);
    check_scan("try: import a\nexcept A, B: pass\nx = t'{y}'\nimport c", &["1:static a", "4:static c"]);
    check_scan("lazy import a\nlazy from b import c", &["1:static a", "2:static b c"]);
    check_scan("%matplotlib inline\nimport a\nx = <<<\nimport b", &["2:static a", "4:static b"]);
}

#[test]
fn names_are_compared_as_python_compares_them() {
    check("import ａｐｐ.ﬁle\nfrom é import e\u{301}", &["1:static app.file", "2:static é é"]);
}

#[test]
fn the_encoding_is_the_declared_one() {
    let read = |bytes: &[u8]| imports(bytes).map(|found| found.iter().map(told).collect::<Vec<_>>());
    let a = Ok(vec!["2:static a".to_owned()]);
    assert_eq!(read(b"# -*- coding: latin-1 -*-\nimport a # \xe9"), a);
    assert_eq!(read(b"# vim: set fileencoding=cp1252 :\nimport a # \xe9"), a);
    assert_eq!(read(b"#!/usr/bin/python\n# coding: koi8-r\nx = '\xe9'; import a").map(|x| x.len()), Ok(1));
    // The second byte of a character may look like a backslash.
    assert_eq!(read(b"# coding: gbk\nimport a; x = '\x81\x5c'; '''import b'''"), a);
    assert_eq!(read(b"\xef\xbb\xbf# c\nimport a"), a);
    assert_eq!(read(b"# coding: latin-1\nimport \xe9"), Ok(vec!["2:static é".to_owned()]));
    // Which name this is nobody says here.
    assert_eq!(read(b"# coding: koi8-r\nimport \xe9"), Err(Unreadable::Binary));
    for hidden in
        ["utf-7", "unicode_escape", "raw-unicode-escape", "iso-2022-jp", "hz", "rot13", "utf-16", "cp037"]
    {
        let text = format!("# coding: {hidden}\nx = 1\n");
        assert_eq!(read(text.as_bytes()), Err(Unreadable::Binary), "{hidden}");
    }
    assert_eq!(read(b"x = '\xe9'"), Err(Unreadable::Binary));
    assert_eq!(read(b"x = 1\ny = 2\n# coding: utf-7\nimport a").map(|x| x.len()), Ok(1));
}

#[test]
fn a_lone_carriage_return_ends_a_line() {
    check("# a\rimport b\rimport c\n", &["2:static b", "3:static c"]);
}

#[test]
fn what_is_no_python_is_said() {
    for (text, line) in [("x = 1\n\nimport (", 3), ("import a b", 1), ("x = '\nimport a", 1)] {
        match imports(text.as_bytes()) {
            Err(Unreadable::Syntax { line: said }) => assert_eq!(said, line, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    check("import a\n\ndef (", &["1:static a"]);
}

/// What programs are made of here: each a statement, or the start of a block.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("import a, b.c as d"),
        Just("from . import (x, # '\n    y)"),
        Just("from ..p import *; z = 'import q'"),
        Just("x = f'{y[\"k\"]:{w}} import {__import__(\"m\")}'"),
        Just("'''import\n  import s'''"),
        Just("z = [1, # import (\n  {2: \"'\"}]"),
        Just("importlib.import_module('n.o')"),
        Just("# import r"),
        Just("from typing import (Any,\n  TYPE_CHECKING)"),
        Just("import typing as t"),
        Just("TYPE_CHECKING = False"),
        Just("TYPE_CHECKING = x"),
        Just("t = x"),
        Just("il = importlib"),
        Just("il.import_module('u')"),
        Just("from unittest.mock import patch"),
        Just("patch('v.w', [1])"),
        Just("raise"),
        Just("pass"),
        Just(""),
    ]
    .prop_map(str::to_owned)
}

fn block() -> impl Strategy<Value = String> {
    let leaf = proptest::collection::vec(line(), 1..4).prop_map(|mut lines| {
        lines.push("pass".into());
        lines.join("\n")
    });
    leaf.prop_recursive(4, 24, 3, |inner| {
        let compound =
            (0..8_usize, inner.clone(), inner.clone(), inner.clone()).prop_map(|(kind, a, b, c)| {
                let heads = match kind {
                    0 => ["if TYPE_CHECKING:", "elif x:", "else:"],
                    1 => ["if x:", "elif not t.TYPE_CHECKING: # else:", "else:"],
                    2 => ["try:", "except ImportError:", "finally:"],
                    3 => ["try:", "except (KeyError, A):", "except:"],
                    4 => ["with suppress(ImportError):", "if TYPE_CHECKING and x:", "else:"],
                    5 => ["def f(x='import y'):", "class C:", "for x in (\n1,\n):"],
                    6 => ["while x:", "if (TYPE_CHECKING or\n  not TYPE_CHECKING):", "else:"],
                    _ => ["if x: import i", "try: import j", "except ImportError: pass"],
                };
                let parts = heads.into_iter().zip([a, b, c]);
                let mut text = String::new();
                for (at, (head, body)) in parts.enumerate() {
                    let is_inline = kind == 7;
                    text.push_str(head);
                    text.push('\n');
                    if !is_inline || at == 2 {
                        let indent = if is_inline { "" } else { "  " };
                        let lines = body.split('\n').map(|line| format!("{indent}{line}"));
                        text.push_str(&lines.collect::<Vec<_>>().join("\n"));
                        text.push('\n');
                    }
                }
                text.trim_end_matches('\n').to_owned()
            });
        (compound, inner).prop_map(|(a, b)| format!("{a}\n{b}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn slices_say_what_a_parse_of_the_whole_says(text in block()) {
        let (slices, full) = (imports(text.as_bytes()), by_full_parse(text.as_bytes()));
        prop_assert_eq!(slices.map(sorted), full.map(sorted), "{}", text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = imports(&bytes);
    }

    #[test]
    fn any_soup_of_words_is_answered(words in proptest::collection::vec(0..SOUP.len(), 0..80)) {
        let text: String = words.iter().filter_map(|at| SOUP.get(*at)).copied().collect();
        let _ = imports(text.as_bytes());
    }
}

const SOUP: [&str; 36] = [
    "import",
    " ",
    "\n",
    "from",
    ".",
    "a",
    "(",
    ")",
    "\"",
    "'",
    "\"\"\"",
    "f'",
    "rf\"",
    "{",
    "}",
    "#",
    "\\",
    "\r",
    "\t",
    ";",
    ":",
    "if TYPE_CHECKING",
    "else",
    "try:",
    "except",
    " ImportError",
    "__import__(",
    "import_module",
    "=",
    "*",
    ",",
    "é",
    "\\N{",
    "[",
    "]",
    "lazy ",
];

#[test]
fn no_input_takes_long() {
    let size = 1_000_000;
    let texts = [
        "import".repeat(size / 6),
        "import ".repeat(size / 7),
        "from ".repeat(size / 5),
        "a.".repeat(size / 2) + "import_module('b')",
        "__import__(".repeat(size / 11),
        "f'{".repeat(size / 3),
        "f'{x:".repeat(size / 5),
        "if TYPE_CHECKING:".repeat(size / 17),
        "if TYPE_CHECKING:\n".repeat(size / 18),
        "try:\nimport a\n".repeat(size / 14),
        "except:\n".repeat(size / 8),
        "with suppress(\n".repeat(size / 15),
        format!("import a # {}", "x".repeat(5 * size)),
        format!("x = '{}'\nimport a", "import ".repeat(size / 7)),
        format!("if {} TYPE_CHECKING: import a", "not ".repeat(size / 4)),
    ];
    for text in texts {
        // Whatever it says, it says it; a scan that looks twice at everything
        // would not come to an end.
        let _ = scan::scan(&text);
    }
    assert_eq!(imports(b"import a").map(|found| found.first().map(|i| i.kind)), Ok(Some(Kind::Static)));
}
