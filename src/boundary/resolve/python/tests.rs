//! Where imports lead, in trees that are written down as lists of paths.

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::super::files::{Content, Files};
use super::super::super::{Note, Target};
use super::Roots;
use crate::syntax::{self, Import, Language};

/// Files with their content; a path alone is empty.
#[derive(Default)]
struct Tree(HashMap<String, String>);

impl Content for Tree {
    fn imports(&self, path: &str) -> Vec<Import> {
        let text = self.0.get(path).cloned().unwrap_or_default();
        syntax::imports(Language::Python, text.as_bytes()).unwrap_or_default()
    }

    fn script(&self, _: &str) -> Option<Vec<Import>> {
        Some(Vec::new())
    }
    fn setting(&self, path: &str) -> Vec<u8> {
        self.0.get(path).cloned().unwrap_or_default().into_bytes()
    }
}

fn tree(files: &[&str]) -> Tree {
    let pair = |file: &&str| {
        let (path, content) = file.split_once(": ").unwrap_or((file, ""));
        (path.to_owned(), content.to_owned())
    };
    Tree(files.iter().map(pair).collect())
}

fn told(target: &Target) -> String {
    match target {
        Target::File(path) => path.clone(),
        Target::Package(name) => format!("pkg:{name}"),
        other => other.kind().to_owned(),
    }
}

fn resolve(files: &[&str], from: &str, code: &str) -> (Vec<String>, Vec<Note>) {
    let tree = tree(files);
    let mut paths: Vec<String> = tree.0.keys().cloned().collect();
    paths.push(from.to_owned());
    let files = Files::new(paths, &tree);
    let roots = Roots::new(&files, &[]);
    let imports = syntax::imports(Language::Python, code.as_bytes()).unwrap();
    let targets = imports.iter().flat_map(|import| roots.resolve(from, import));
    let told = targets.map(|target| told(&target)).collect();
    (told, roots.notes())
}

/// Checks what the imports in `code` lead to, in any order, if it stands in
/// `from`.
#[track_caller]
fn check(files: &[&str], from: &str, code: &str, expected: &[&str]) {
    let mut found = resolve(files, from, code).0;
    let mut expected = expected.to_vec();
    found.sort();
    expected.sort_unstable();
    assert_eq!(found, expected, "{code} in {from}");
}

#[test]
fn modules_are_found_as_python_finds_them() {
    let files = ["a/__init__.py", "a/b.py", "a/c/__init__.py", "a/c/d.py", "a/b/__init__.py", "e.py"];
    check(
        &files,
        "a/x.py",
        "import a.c.d, a.b, a, e",
        &["a/c/d.py", "a/b/__init__.py", "a/__init__.py", "e.py"],
    );
    check(
        &files,
        "a/x.py",
        "from a import c, name\nfrom a.c.d import f",
        &["a/c/__init__.py", "a/__init__.py", "a/c/d.py"],
    );
    check(
        &files,
        "a/c/d.py",
        "from . import x\nfrom .. import c, e\nfrom ...a import b\nfrom .. import *",
        &["a/c/__init__.py", "a/c/__init__.py", "a/__init__.py", "a/b/__init__.py", "a/__init__.py"],
    );
    check(
        &files,
        "a/x.py",
        "import a.gone\nfrom a.gone import b\nfrom .gone import c\nfrom ....a import b",
        &["missing", "missing", "missing", "missing"],
    );
    check(&files, "a/x.py", "import numpy.linalg\nfrom e.f import g", &["pkg:numpy", "missing"]);
}

#[test]
fn a_local_module_hides_that_of_the_library() {
    check(
        &["a/__init__.py", "logging.py"],
        "a/x.py",
        "import logging, json, sys",
        &["logging.py", "builtin", "builtin"],
    );
    // Loaded before any path is searched.
    check(&["sys.py", "os/__init__.py"], "x.py", "import sys, os.path", &["builtin", "builtin"]);
    // Nobody but its neighbours sees it.
    check(
        &["src/a/__init__.py", "tools/json.py", "lib/email/__init__.py"],
        "src/a/x.py",
        "import json, email.mime",
        &["builtin", "builtin"],
    );
    check(&["tools/json.py"], "tools/x.py", "import json", &["tools/json.py"]);
    // In a namespace it is no neighbour.
    let files = ["pyproject.toml", "src/org/team/logging.py"];
    check(
        &files,
        "src/org/team/x.py",
        "import logging, org.team.logging",
        &["builtin", "src/org/team/logging.py"],
    );
    check(&["platform/win/x.py"], "y.py", "import platform, urllib2", &["builtin", "builtin"]);
    check(&["commands.py"], "y.py", "import commands", &["commands.py"]);
}

#[test]
fn projects_say_where_their_packages_lie() {
    for settings in [
        "pyproject.toml: [tool.setuptools]\npackage-dir = {'' = 'lib'}",
        "pyproject.toml: [tool.setuptools.packages.find]\nwhere = ['lib']",
        "pyproject.toml: [tool.poetry]\npackages = [{ include = 'n', from = 'lib' }]",
        "pyproject.toml: [tool.hatch.build.targets.wheel]\npackages = ['lib/n']",
        "pyproject.toml: [tool.hatch.build.targets.wheel]\nsources = ['lib']",
        "pyproject.toml: [tool.hatch.build.targets.wheel.sources]\nlib = ''",
        "pyproject.toml: [tool.pdm.build]\npackage-dir = 'lib'",
        "pyproject.toml: [tool.uv.build-backend]\nmodule-root = 'lib'",
        "pyproject.toml: [tool.maturin]\npython-source = 'lib'",
        "pyproject.toml: [tool.pytest.ini_options]\npythonpath = ['.', 'lib']",
        "pyproject.toml: [tool.pytest.ini_options]\npythonpath = 'lib'",
        "pyproject.toml: [tool.pyright]\nexecutionEnvironments = [{ root = '.', extraPaths = ['lib'] }]",
        "pyproject.toml: [tool.mypy]\nmypy_path = '$MYPY_CONFIG_FILE_DIR/lib:x'",
        "setup.cfg: [options]\npackage_dir =\n    = lib\n",
        "setup.cfg: [options]\npackage_dir = =lib",
        "setup.cfg: [options.packages.find]\nwhere = lib",
        "setup.py: from setuptools import setup\nsetup(package_dir={'': 'lib'})",
        "setup.py: setup(packages=find_packages(where='lib'))",
        "pyrightconfig.json: { // roots\n \"extraPaths\": [\"lib\"], \"strict\": [null, 1], }",
        "pyrightconfig.json: {\"executionEnvironments\": [{\"root\": \".\", \"extraPaths\": [\"./lib/\"]}]}",
        "pyrefly.toml: search-path = ['lib']",
        "ty.toml: [environment]\nextra-paths = ['lib']",
        "hatch.toml: [build.targets.wheel]\npackages = ['lib/n', 'lib/o.py']",
        "pytest.toml: [pytest]\npythonpath = ['lib']",
        "ruff.toml: src = ['lib']",
    ] {
        let (name, content) = settings.split_once(": ").unwrap();
        let file = format!("p/{name}: {content}");
        check(
            &[&file, "p/lib/n/m.py", "p/lib/o.py"],
            "q/x.py",
            "import n.m, n.gone, o",
            &["p/lib/n/m.py", "missing", "p/lib/o.py"],
        );
    }
    for settings in ["p/pytest.ini: [pytest]\npythonpath = lib", "p/mypy.ini: [mypy]\nmypy_path = lib"] {
        let files = ["p/pyproject.toml", settings, "p/lib/n/m.py"];
        check(&files, "q/x.py", "import n.m", &["p/lib/n/m.py"]);
    }
    let renamed = "pyproject.toml: [tool.setuptools.package-dir]\n'a.b' = 'source/of_b'\nc = 'source'";
    check(
        &[renamed, "source/of_b/d.py", "source/__init__.py"],
        "x.py",
        "import a.b.d, c, c.of_b.d",
        &["source/of_b/d.py", "source/__init__.py", "source/of_b/d.py"],
    );
    let renamed = "setup.py: setup(package_dir={'a': 'source'})";
    check(&[renamed, "source/d.py"], "x.py", "import a.d", &["source/d.py"]);
    let forced = "hatch.toml: [build.targets.wheel.force-include]\n'source' = 'a/b'";
    check(&[forced, "source/d.py"], "x.py", "import a.b.d", &["source/d.py"]);
    // What is built by its package is no project.
    let files = ["n/setup.py: setup()", "n/__init__.py", "n/random/__init__.py"];
    check(&files, "n/x.py", "import random", &["builtin"]);
    let (_, notes) = resolve(&["pyrightconfig.json: {"], "x.py", "import a");
    assert_eq!(
        notes.iter().map(|n| (n.path.as_str(), n.stops)).collect::<Vec<_>>(),
        [("pyrightconfig.json", true)]
    );
    let (_, notes) = resolve(&["pyproject.toml: [a]\nb = ="], "x.py", "import a");
    assert_eq!(
        notes.iter().map(|n| (n.path.as_str(), n.line, n.stops)).collect::<Vec<_>>(),
        [("pyproject.toml", 2, true)]
    );
}

#[test]
fn a_setting_does_not_hide_what_lies_there() {
    let renamed = "web/pyproject.toml: [tool.setuptools.package-dir]\ncore = 'fake'";
    check(
        &[renamed, "web/fake/x.py", "core/x.py", "core/__init__.py"],
        "web/a.py",
        "import core.x\nfrom core import x",
        &["web/fake/x.py", "core/x.py", "web/fake/x.py", "core/x.py"],
    );
}

#[test]
fn several_projects_see_each_other_but_their_own_first() {
    let files = [
        "one/pyproject.toml",
        "one/src/one/__init__.py",
        "one/tests/__init__.py",
        "one/tests/help.py",
        "two/pyproject.toml",
        "two/src/two/m.py",
        "two/tests/__init__.py",
        "two/tests/help.py",
    ];
    check(
        &files,
        "one/tests/x.py",
        "import two.m, tests.help, one",
        &["two/src/two/m.py", "one/tests/help.py", "one/src/one/__init__.py"],
    );
    check(&files, "two/tests/x.py", "import tests.help", &["two/tests/help.py"]);
    // Without any setting.
    let files = ["libs/core/corelib/__init__.py", "libs/core/corelib/a.py", "svc/main.py"];
    check(&files, "svc/main.py", "import corelib.a, corelib.gone", &["libs/core/corelib/a.py", "missing"]);
}

#[test]
fn material_is_no_module_of_those_who_do_not_lie_with_it() {
    let files = ["examples/requests/__init__.py", "tests/helpers/__init__.py", "src/a/__init__.py"];
    check(&files, "src/a/x.py", "import requests.adapters, helpers", &["pkg:requests", "pkg:helpers"]);
    check(&files, "tests/unit/x.py", "import helpers", &["tests/helpers/__init__.py"]);
    for depends in [
        "pyproject.toml: [project]\ndependencies = ['Foo-Bar>=1']",
        "requirements.txt: # what is used\n-r more.txt\nother\n  foo_bar[x]==2",
        "requirements/extras/web.in: foo.bar",
    ] {
        let files = [depends, "lib/foo_bar/__init__.py"];
        check(&files, "x.py", "import foo_bar, foo_bar.other", &["lib/foo_bar/__init__.py", "pkg:foo_bar"]);
    }
}

#[test]
fn namespaces_join_their_portions() {
    let files = ["a/pyproject.toml", "a/src/org/one/m.py", "b/pyproject.toml", "b/src/org/two/m.py"];
    check(
        &files,
        "a/src/org/one/x.py",
        "import org.two.m\nfrom org import one, two\nfrom org.one import m, gone",
        &["b/src/org/two/m.py", "a/src/org/one/m.py", "missing"],
    );
    // More of it may be installed.
    check(&files, "x.py", "import org.three.m\nfrom org import three", &["pkg:org", "pkg:org"]);
    // A folder is no module just by its name.
    check(&["redis/redis.conf"], "x.py", "import redis", &["pkg:redis"]);
    // Examples in a folder that is named after what they use.
    let examples = ["pyproject.toml", "examples/django/manage.py", "examples/django/proj/urls.py"];
    check(
        &examples,
        "examples/django/manage.py",
        "import django.core\nfrom django import forms, proj\nfrom django.proj import urls",
        &["pkg:django", "pkg:django", "examples/django/proj/urls.py"],
    );
    for shares in
        ["from pkgutil import extend_path", "__import__('pkg_resources').declare_namespace(__name__)"]
    {
        let init = format!("org/__init__.py: {shares}");
        check(
            &[&init, "org/a/__init__.py"],
            "x.py",
            "import org.b, org.a, org.a.gone",
            &["pkg:org", "org/a/__init__.py", "missing"],
        );
    }
}

#[test]
fn stubs_stand_for_what_has_no_source() {
    let files =
        ["a/__init__.py", "a/b.py", "a/b.pyi", "a/_c.pyi", "typings/yaml/__init__.pyi", "a/d.pyx", "a/d.pyi"];
    check(
        &files,
        "a/x.py",
        "from a import b, _c, d\nimport yaml",
        &["a/b.py", "a/_c.pyi", "a/d.pyx", "pkg:yaml"],
    );
    check(
        &files,
        "a/x.pyi",
        "from a import b, d\nimport yaml",
        &["a/b.pyi", "a/d.pyi", "typings/yaml/__init__.pyi"],
    );
    let files = ["foo-stubs/__init__.pyi", "foo-stubs/bar.pyi"];
    check(
        &files,
        "foo-stubs/x.pyi",
        "import foo.bar\nfrom . import bar",
        &["foo-stubs/bar.pyi", "foo-stubs/bar.pyi"],
    );
    check(&files, "x.py", "import foo.bar", &["pkg:foo"]);
}

#[test]
fn extension_modules_are_what_they_are_built_from() {
    let files = [
        "a/__init__.py",
        "a/x.cpython-311-x86_64-linux-gnu.so",
        "a/y.pyx.in",
        "a/_z.c",
        "a/wmodule.c",
        "a/v.pyd",
        "a/u.abi3.so",
        "setup.c",
    ];
    check(
        &files,
        "a/m.py",
        "from a import x, y, _z, w, v, u\nimport setup",
        &[
            "a/x.cpython-311-x86_64-linux-gnu.so",
            "a/y.pyx.in",
            "a/_z.c",
            "a/wmodule.c",
            "a/v.pyd",
            "a/u.abi3.so",
            "pkg:setup",
        ],
    );
    let files = ["pyproject.toml: [tool.maturin]\nmodule-name = 'a._rust'", "a/__init__.py"];
    check(&files, "a/m.py", "import a._rust\nfrom ._rust import b\nfrom ._gone import c", &["missing"]);
}

#[test]
fn what_a_build_writes_need_not_be_there() {
    for setting in [
        "[tool.hatch.build.hooks.vcs]\nversion-file = 'src/a/_version.py'",
        "[tool.setuptools_scm]\nwrite_to = 'src/a/_version.py'",
        "[tool.setuptools_scm]\nversion_file = 'src/a/_version.py'",
        "[tool.pdm.version]\nwrite_to = 'a/_version.py'",
    ] {
        let file = format!("pyproject.toml: {setting}");
        check(
            &[&file, "src/a/__init__.py"],
            "src/a/x.py",
            "from ._version import v\nimport a._version",
            &["src/a/_version.py", "src/a/_version.py"],
        );
    }
    check(
        &[".gitignore: _version.py\n*_gen.py\n!b_gen.py\n", "a/__init__.py"],
        "a/x.py",
        "from ._version import v\nimport a.c_gen, a.b_gen",
        &["a/_version.py", "a/c_gen.py", "missing"],
    );
    check(
        &["a/__init__.py", "proto/m.proto"],
        "a/x.py",
        "from a import b\nfrom a.m_pb2 import M\nimport a.m_pb2_grpc",
        &["a/__init__.py", "proto/m.proto", "proto/m.proto"],
    );
}

#[test]
fn a_file_that_is_ready_for_it_may_miss_a_module() {
    check(
        &["a/__init__.py"],
        "a/x.py",
        "try: from ._fast import f\nexcept ImportError: from ._slow import f",
        &["missing"],
    );
}

#[test]
fn calls_lead_to_what_they_load() {
    let files =
        ["a/__init__.py", "a/b.py", "a/run/__main__.py", "a/run/__init__.py", "tool/x.py", "n/m/k.py"];
    for (code, expected) in [
        ("from unittest import mock\nmock.patch('a.b.C.method')", vec!["builtin", "a/b.py"]),
        ("from unittest import mock\nmock.patch('a.gone')", vec!["builtin", "a/__init__.py"]),
        ("mocker.patch('requests.get')\nmocker.patch('os.path')\nmocker.patch('n.m')", vec![]),
        ("import_string('a.b.C')\nimport_string('other.C')", vec!["a/b.py", "pkg:other"]),
        (
            "import pkgutil\npkgutil.resolve_name('a.b:C')\npkgutil.resolve_name('a:b')",
            vec!["builtin", "a/b.py", "a/b.py"],
        ),
        (
            "import importlib.util as u\nu.find_spec('a.b')\nu.find_spec('a.gone')\nu.find_spec('torch')",
            vec!["builtin", "a/b.py"],
        ),
        (
            "import runpy\nrunpy.run_module('a.run')\nrunpy.run_module('a.b')",
            vec!["builtin", "a/run/__main__.py", "a/b.py"],
        ),
        (
            "import runpy\nrunpy.run_path('tool/x.py')\nrunpy.run_path('../a/b.py')\nrunpy.run_path('a/run')",
            vec!["builtin", "tool/x.py", "a/b.py", "a/run/__main__.py"],
        ),
        (
            "import pytest\npytest.importorskip('a.b')\npytest.importorskip('a.gone')",
            vec!["pkg:pytest", "a/b.py"],
        ),
        ("from importlib import resources\nresources.files('a')", vec!["builtin", "a/__init__.py"]),
    ] {
        check(&files, "t/x.py", code, &expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_and_import_are_answered(
        paths in proptest::collection::vec("[a-c./_]{1,12}(/__init__)?\\.(py|pyi|so|pyx)", 0..20),
        from in "[a-c/]{0,8}x\\.pyi?",
        specifier in "[.]{0,4}[a-c.]{0,8}",
        names in proptest::collection::vec("[a-c*]{1,2}", 0..3),
        settings in "(\\[tool\\.(setuptools|poetry|hatch\\.build)\\]\n)?(packages|package-dir|sources) = [\\[\\]{}'/.a-c=]{0,12}",
    ) {
        let settings = format!("pyproject.toml: {settings}");
        let files: Vec<&str> = paths.iter().map(String::as_str).chain([settings.as_str()]).collect();
        let tree = tree(&files);
        let mut paths: Vec<String> = tree.0.keys().cloned().collect();
        paths.push(from.clone());
        let files = Files::new(paths, &tree);
        let roots = Roots::new(&files, &[]);
        let import = Import {
            line: 1, specifier, names, kind: syntax::Kind::Static, exported: false, within: Vec::new(),
        };
        for target in roots.resolve(&from, &import) {
            prop_assert!(!matches!(&target, Target::File(path) if !files.has(path)), "{:?}", target);
        }
    }
}
