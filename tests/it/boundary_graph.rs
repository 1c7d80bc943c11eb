//! The graph of imports, in every form.

use std::path::Path;

use serde_json::Value;

use crate::commits::{git_as, write};
use crate::support::Sandbox;

/// Two domains that import each other, once against the rules.
fn bordered() -> Sandbox {
    let s = Sandbox::with_init(&[]);
    write(
        &s,
        "comm.toml",
        "[domains.web]\npath = 'web'\n[domains.api]\npath = 'api'\nallowed_imports = []\n",
    );
    write(&s, "web/a.ts", "import '../api/x'\nimport '../api/y'\nimport './b'\n");
    write(&s, "web/b.ts", "import '../api/x'\n");
    write(&s, "api/x.ts", "import '../web/b'\n");
    write(&s, "api/y.ts", "import 'left-pad'\n");
    write(&s, "tools/t.ts", "import '../web/a'\n");
    git_as(&s, None, "add -A").succeeds();
    s
}

fn graph(s: &Sandbox, words: &str) -> String {
    s.comm(&format!("boundary graph {words}")).succeeds().stdout
}

#[test]
fn domains_are_the_default_where_there_are_any() {
    let s = bordered();
    let text = graph(&s, "");
    assert_eq!(
        text,
        "api  -> web  1 import   1 violation  closes a cycle\n\
         web  -> api  3 imports\n\
         cycle among api, web\n\
         2 domains, 2 links; 1 source in none\n"
    );
    assert_eq!(text, graph(&s, "--domains"));
    let told = s.comm("boundary graph --domains --json").succeeds().json();
    assert_eq!(
        told["edges"][1],
        serde_json::json!({
            "from": "web", "to": "api", "imports": 3, "violations": 0, "in_cycle": true, "closes_cycle": false,
        })
    );
    assert_eq!((&told["cycles"], &told["level"]), (&serde_json::json!([["api", "web"]]), &"domain".into()));

    git_as(&s, None, "rm -q --cached comm.toml").succeeds();
    let folders = graph(&s, "");
    assert!(folders.contains("tools  -> web") && folders.contains("3 folders, 3 links\n"), "{folders}");
    assert_eq!(folders, graph(&s, "--folders"));
    let none = s.comm("boundary graph --domains").exits(1);
    assert!(none.stderr.contains("comm.toml has no domains"), "{}", none.stderr);
}

#[test]
fn programs_get_every_import_unless_they_ask_for_parts() {
    let s = bordered();
    let all = s.comm("boundary graph --json").succeeds().json();
    assert_eq!(all, s.comm("boundary graph --files --json").succeeds().json());
    let edges = all["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 7, "{all}");
    let pad = edges.iter().find(|edge| edge["target"] == "package").unwrap();
    assert_eq!((&pad["from"], &pad["line"], &pad["to"]), (&"api/y.ts".into(), &1.into(), &"left-pad".into()));
    let text = graph(&s, "--files");
    assert!(text.contains("web/a.ts    -> web/b.ts  1 import\n"), "{text}");
}

#[test]
fn pictures_mark_violations_and_are_the_same_each_time() {
    let s = bordered();
    let dot = graph(&s, "--format dot");
    assert!(
        dot.starts_with("digraph imports {\n")
            && dot.contains("n0 -> n1 [label=\"1\", color=red, style=dashed"),
        "{dot}"
    );
    let mermaid = graph(&s, "--format mermaid");
    assert!(mermaid.starts_with("flowchart TD\n") && mermaid.contains("  n0 -.->|1| n1\n"), "{mermaid}");
    let svg = graph(&s, "--format svg");
    assert!(
        svg.starts_with("<svg ") && svg.contains("<title>api -&gt; web: 1 import, 1 violation</title>"),
        "{svg}"
    );
    assert!(svg.contains("edge violation"), "{svg}");
    assert_eq!(svg, graph(&s, "--format svg"));
    let plain = graph(&s, "--format svg --no-counts");
    write(&s, "web/b.ts", "import '../api/x'\nimport '../api/y'\n");
    git_as(&s, None, "add -A").succeeds();
    assert_ne!(svg, graph(&s, "--format svg"));
    assert_eq!(plain, graph(&s, "--format svg --no-counts"));
    // A tag that is open is closed.
    for svg in [svg, plain] {
        for tag in ["svg", "g", "text", "title", "path", "style", "defs", "marker"] {
            let start = format!("<{tag} ");
            let opened = svg.matches(&start).count() + svg.matches(&format!("<{tag}>")).count();
            let own = svg.split(&start).skip(1).filter(|rest| rest.split('>').next().unwrap().ends_with('/'));
            assert_eq!(opened - own.count(), svg.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}

/// The edges of a tree, each as `from:line import -> to`.
#[track_caller]
fn check_edges(files: &[(&str, &str)], expected: &[&str]) {
    let s = Sandbox::with_init(&[]);
    files.iter().for_each(|(path, text)| write(&s, path, text));
    git_as(&s, None, "add -A").succeeds();
    let told = s.comm("boundary graph --files --json").succeeds().json();
    let word = |edge: &Value, key: &str| edge[key].as_str().unwrap_or_default().to_owned();
    let edge = |edge: &Value| {
        let (from, import, to) = (word(edge, "from"), word(edge, "import"), word(edge, "to"));
        format!("{from}:{} {import} -> {to}", edge["line"])
    };
    let found: Vec<String> = told["edges"].as_array().unwrap().iter().map(edge).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_target_of_cargo_is_a_crate_of_its_own() {
    let user = "use own::m::X;\n";
    let main = "mod h;\nuse own::m::X;\n";
    let helper = "use crate::h::Y;\n";
    check_edges(
        &[
            ("Cargo.toml", "[package]\nname = 'own'\nedition = '2021'\n"),
            ("b2.rs", ""),
            ("benches/b.rs", user),
            ("build.rs", "mod b2;\n"),
            ("examples/e.rs", user),
            ("examples/ex/h.rs", helper),
            ("examples/ex/main.rs", main),
            ("src/bin/one.rs", user),
            ("src/bin/two/h.rs", helper),
            ("src/bin/two/main.rs", main),
            ("src/lib.rs", "pub mod m;\n"),
            ("src/m.rs", ""),
            ("src/main.rs", user),
            ("tests/t.rs", user),
        ],
        &[
            "benches/b.rs:1 own::m::X -> src/m.rs",
            "build.rs:1 b2 -> b2.rs",
            "examples/e.rs:1 own::m::X -> src/m.rs",
            "examples/ex/h.rs:1 crate::h::Y -> examples/ex/h.rs",
            "examples/ex/main.rs:1 h -> examples/ex/h.rs",
            "examples/ex/main.rs:2 own::m::X -> src/m.rs",
            "src/bin/one.rs:1 own::m::X -> src/m.rs",
            "src/bin/two/h.rs:1 crate::h::Y -> src/bin/two/h.rs",
            "src/bin/two/main.rs:1 h -> src/bin/two/h.rs",
            "src/bin/two/main.rs:2 own::m::X -> src/m.rs",
            "src/lib.rs:1 m -> src/m.rs",
            "src/main.rs:1 own::m::X -> src/m.rs",
            "tests/t.rs:1 own::m::X -> src/m.rs",
        ],
    );
}

#[test]
fn the_types_of_a_package_of_a_workspace_are_found() {
    check_edges(
        &[
            ("package.json", "{\"workspaces\": {\"packages\": [\"p/*\"]}}"),
            ("p/q/package.json", "{\"name\": \"q\", \"types\": \"./src/t.ts\"}"),
            ("p/q/src/t.ts", ""),
            ("p/z/a.ts", "import type { T } from 'q'\n"),
        ],
        &["p/z/a.ts:1 q -> p/q/src/t.ts"],
    );
}

#[test]
fn every_mock_is_seen() {
    let calls = "jest.mock jest.unmock jest.doMock jest.dontMock jest.setMock jest.requireActual jest.requireMock jest.createMockFromModule jest.unstable_mockModule vi.mock vi.unmock vi.doMock vi.doUnmock vi.importActual vi.importMock";
    let text: String = calls.split(' ').map(|call| format!("{call}('./x')\n")).collect();
    let expected: Vec<String> =
        (1..=calls.split(' ').count()).map(|line| format!("m.ts:{line} ./x -> x.ts")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check_edges(&[("m.ts", &text), ("x.ts", "")], &expected);
}

#[test]
fn every_level_is_drawn_in_every_form() {
    let s = bordered();
    for (level, nodes, edges) in [("--domains", 2, 2), ("--folders", 3, 3), ("--files", 5, 6)] {
        let dot = graph(&s, &format!("{level} --format dot"));
        let lines = |text: &str, has: &str| text.lines().filter(|line| line.contains(has)).count();
        assert_eq!((lines(&dot, " -> n"), lines(&dot, " [label=")), (edges, nodes + edges), "{level}\n{dot}");
        let mermaid = graph(&s, &format!("{level} --format mermaid"));
        assert_eq!((lines(&mermaid, ">|"), lines(&mermaid, "[\"")), (edges, nodes), "{level}\n{mermaid}");
        let svg = graph(&s, &format!("{level} --format svg"));
        assert_eq!(svg.matches(" -&gt; ").count(), edges, "{level}\n{svg}");
        let json: Value = s.comm(&format!("boundary graph {level} --json")).succeeds().json();
        assert!(json["edges"].as_array().unwrap().len() >= edges, "{level}\n{json}");
    }
}

#[test]
fn what_cannot_be_read_or_seen_is_said() {
    let s = bordered();
    write(&s, "web/broken.ts", "import {\n");
    for i in 0..500 {
        write(&s, &format!("many/f{i}.ts"), "");
    }
    git_as(&s, None, "add -A").succeeds();
    let run = s.comm("boundary graph --domains").succeeds();
    assert!(run.stderr.contains("warning: 1 file could not be read: web/broken.ts"), "{}", run.stderr);
    let run = s.comm("boundary graph --files --format svg").exits(129);
    assert!(run.stderr.contains("nobody can see 506 files in a picture"), "{}", run.stderr);
}

/// The files of this project, staged.
pub(crate) fn this_project() -> Sandbox {
    let s = Sandbox::with_init(&[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["comm.toml", "Cargo.toml", "Cargo.lock"] {
        std::fs::copy(root.join(name), s.repo().join(name)).unwrap();
    }
    let mut queue: Vec<std::path::PathBuf> = vec!["src".into(), "hooks".into()];
    while let Some(folder) = queue.pop() {
        std::fs::create_dir_all(s.repo().join(&folder)).unwrap();
        for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root.join(&path).is_dir() {
                queue.push(path);
            } else {
                std::fs::copy(root.join(&path), s.repo().join(&path)).unwrap();
            }
        }
    }
    git_as(&s, None, "add -A").succeeds();
    s
}

#[test]
fn the_picture_of_this_project_is_true() {
    let s = this_project();
    let fresh = graph(&s, "--domains --format svg --no-counts");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/boundaries-graph.svg");
    let kept = std::fs::read_to_string(kept).unwrap_or_default();
    let links = |svg: &str| -> Vec<String> {
        svg.split("<title>").skip(1).map(|rest| rest.split("</title>").next().unwrap().to_owned()).collect()
    };
    assert_eq!(links(&kept), links(&fresh), "make it again with docs/make-boundaries-svg");
    assert!(kept == fresh, "make it again with docs/make-boundaries-svg");
    let told: Value = s.comm("boundary graph --domains --json").succeeds().json();
    assert_eq!(told["cycles"], serde_json::json!([]));
}
