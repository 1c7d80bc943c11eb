//! Calls that import, and what they name.

use super::super::super::{Import, Kind};
use super::super::{by_full_parse, imports};
use super::{check, check_whole, told};

#[test]
fn calls_that_import() {
    check(
        "importlib.import_module('a.b')\n__import__(\"c\")\nimport_module(name)",
        &["1:dynamic a.b", "2:dynamic c"],
    );
    check(
        "import_module('..b', package='p.q')\nimport_module('.c', 'p')\nimport_module(f'a{b}')",
        &["1:dynamic p.b", "2:dynamic p.c"],
    );
    check(
        "import_module('.a', __package__)\nimport_module('.b', p)\nimport_module('.c')\nimport_module(*x, 'd')",
        &["1:dynamic .a"],
    );
    check(
        "import_module(name='a')\nimport_module( # b\n  ('c'\n  ))\nimport_module('d' '.e')",
        &["1:dynamic a", "2:dynamic c", "5:dynamic d.e"],
    );
    check(
        "__import__('a', globals(), locals(), ['b', 'c'], 1)\n__import__('d', fromlist=('e',), level=0)",
        &["1:dynamic .a b,c", "2:dynamic d e"],
    );
    check(
        "import importlib as il\nil.import_module('a')\nx.import_module('b')",
        &["1:static importlib", "2:dynamic a"],
    );
    check(
        "x = [import_module('a'),\n  y(import_module(import_module('b')))]\ndef import_module(name='c'): pass",
        &["1:dynamic a", "2:dynamic b"],
    );
    check("try: import_module('a')\nexcept ImportError: pass", &["1:dynamic a?"]);
    check_whole(
        "x = import_module\nimport_module ('a')\nimportlib . import_module('b')",
        &["2:dynamic a", "3:dynamic b"],
    );
    check_whole(
        "from importlib import import_module as im\nim('a')",
        &["1:static importlib import_module", "2:dynamic a"],
    );
}

#[test]
fn calls_that_import_under_another_name() {
    for code in [
        "(importlib.import_module)('a')",
        "((importlib) . import_module)('a')",
        "f = importlib.import_module\nf('a')",
        "il = importlib\nil.import_module('a')",
        "f = il = 1\nil = importlib\nf = il.import_module\nf('a')",
        "class C:\n  load = __import__\nself.f = import_module; self.f('a')",
        "__import__('importlib').import_module('a')",
        "importlib.import_module.__call__('a')",
        "map(import_module, ('a',))",
        "(f := __import__)('a')",
        "if (f := __import__): f('a')",
        "def load(f=__import__): f('a')",
        "loop.run_in_executor(None, importlib.import_module, 'a')",
        "__builtins__.__import__('a')",
        "import builtins as b; b.__import__('a')",
        "(import_module # b\n('a'))",
    ] {
        for found in [imports(code.as_bytes()).unwrap(), by_full_parse(code.as_bytes()).unwrap()] {
            let is_it = |import: &Import| import.specifier == "a" && import.kind == Kind::Dynamic;
            assert!(found.iter().any(is_it), "{code}: {found:?}");
        }
    }
    check("x.import_module('a')\nfrom .m import patch\npatch('mock.b')", &["2:static .m patch"]);
}

#[test]
fn names_of_modules_are_spelled_in_many_ways() {
    for text in [
        r"'\x61\u002eb'",
        r"'\141\N{FULL STOP}\N{latin small letter b}'",
        "'a' '.b'",
        "(('a' # c\n '.b'))",
        "'a' + '.' + 'b'",
        "f'a.b'",
        "r'a.b'",
        "u'a.' rf'b'",
        "'a\\\n.b'",
        "name='a.b'",
        "package='x', name='a.b'",
    ] {
        check(&format!("__import__({text})"), &["1:dynamic a.b"]);
    }
    for text in ["b'a'", "f'{a}'", "'a' + b", "'a' % b", "'a b'", r"'\N{BULLET}'", "*a, 'b'", "''"] {
        check(&format!("__import__({text})"), &[]);
    }
    check(
        "import_module('.a', package=__package__ or 'p')\nimport_module('.b', (__package__))\n__import__('c', globals(), locals(), [], -1)",
        &["1:dynamic .a", "2:dynamic .b", "3:dynamic c"],
    );
}

#[test]
fn what_tests_replace_is_a_mock() {
    check(
        "from unittest import mock\n@mock.patch('a.b')\ndef f(): pass\nwith mock.patch.dict('c.d', x=1): mock.patch.object(e, 'f')",
        &["1:static unittest mock", "2:mock a.b?", "4:mock c.d?"],
    );
    check(
        "from unittest.mock import patch, Mock\n@patch('a.b', return_value=[1, (2)])\n@patch(target='c')\ndef f(): pass",
        &["1:static unittest.mock patch,Mock", "2:mock a.b?", "3:mock c?"],
    );
    check(
        "def f(mocker, monkeypatch):\n  mocker.patch('a.b')\n  monkeypatch.setattr('c.d', 1)\n  monkeypatch.setattr(x, 'y', 1)\n  session_mocker.patch('e')\n  requests.patch('f')\n  monkeypatch.setenv('G', 'h')",
        &["2:mock a.b?", "3:mock c.d?", "5:mock e?"],
    );
    check("import mock as m\nm.patch('a.b')", &["1:static mock", "2:mock a.b?"]);
    check_whole("from mock import patch as p\np('a.b')", &["1:static mock patch", "2:mock a.b?"]);
}

#[test]
fn calls_that_load_otherwise() {
    for (code, expected) in [
        ("import pytest\npytest.importorskip('a', reason='b')", "2:dynamic a?"),
        ("from pytest import *\nimportorskip('a')", "2:dynamic a?"),
        ("import runpy\nrunpy.run_module('a')", "2:dynamic a __main__"),
        ("from runpy import run_path as r\nr('a/b.py')", "2:dynamic ./a/b.py?"),
        ("import pkgutil\npkgutil.resolve_name('a.b:c.d')", "2:dynamic a.b c"),
        ("from importlib.util import find_spec\nfind_spec('a')", "2:dynamic a?"),
        ("from importlib import resources as r\nr.files('a')", "2:dynamic a"),
        ("from importlib.resources import files\nfiles('a')", "2:dynamic a"),
        ("from django.utils.module_loading import import_string\nimport_string('a.B')", "2:dynamic a.B?"),
    ] {
        for found in [imports(code.as_bytes()).unwrap(), by_full_parse(code.as_bytes()).unwrap()] {
            assert_eq!(found.last().map(told).as_deref(), Some(expected), "{code}");
        }
    }
}
