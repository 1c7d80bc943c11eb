use super::*;
use crate::boundary::picture::group::{Part, Parts};

fn part(name: &str, files: usize, in_cycle: bool) -> Part {
    Part { name: name.to_owned(), files, in_cycle }
}

fn link(from: usize, to: usize, violations: usize, closes: bool) -> Link {
    Link { from, to, imports: 3, violations, in_cycle: closes, closes }
}

/// Names that mean something in every one of the languages.
fn hostile() -> Graph {
    let parts = Parts {
        parts: vec![
            part("a\"]; x -> y; <b>&", 1, false),
            part("b`#|{}\\\n\u{202e}", 2, true),
            part("c--><script>", 2, true),
        ],
        links: vec![link(0, 1, 0, false), link(1, 2, 1, false), link(2, 1, 0, true)],
        cycles: vec![vec![1, 2]],
    };
    Graph { level: Level::Domains, parts, left_out: 4 }
}

#[test]
fn names_stay_names_in_every_language() {
    let dot = draw(&hostile(), Format::Dot, true).unwrap();
    assert!(dot.contains(r#"n0 [label="a\"]; x -> y; <b>&\n1 file"];"#), "{dot}");
    assert!(dot.contains(r#"n1 [label="b`#|{}\\\\n\\u{202e}\n2 files", color=darkorange];"#), "{dot}");
    assert_eq!(dot.lines().filter(|line| line.contains(" -> n")).count(), 3);

    let mermaid = draw(&hostile(), Format::Mermaid, true).unwrap();
    assert!(mermaid.contains("n0[\"a#34;#93;#59; x -#62; y#59; #60;b#62;#38;<br/>1 file\"]"), "{mermaid}");
    assert!(mermaid.contains("  n0 -->|3| n1\n  n1 -.->|3| n2\n  n2 -.->|3| n1\n"), "{mermaid}");
    assert!(
        mermaid.contains("  linkStyle 1 stroke:#cf222e") && mermaid.contains("  linkStyle 2 stroke:#bf8700")
    );

    let svg = draw(&hostile(), Format::Svg, true).unwrap();
    assert!(svg.contains(">a&quot;]; x -&gt; y; &lt;b&gt;&amp;</text>"), "{svg}");
    assert!(!svg.contains("<script") && !svg.contains('\u{202e}'));
}

#[test]
fn marks_differ_in_colour_and_in_dashes() {
    let svg = draw(&hostile(), Format::Svg, true).unwrap();
    for class in ["edge plain", "edge cycle", "edge violation"] {
        assert!(svg.contains(&format!("class=\"{class}\"")), "{class}");
    }
    for words in ["breaks a rule", "closes a cycle", "1 violation"] {
        assert!(svg.contains(words), "{words}");
    }
    assert!(STYLES.iter().all(|style| svg.contains(style)));
}

const STYLES: [&str; 3] = ["stroke-dasharray:2 4", "stroke-dasharray:8 4", "prefers-color-scheme:dark"];

#[test]
fn without_counts_only_links_change_the_picture() {
    let mut more = hostile();
    more.parts.links[0].imports = 900;
    more.parts.parts[0].files = 77;
    for format in [Format::Dot, Format::Mermaid, Format::Svg] {
        let plain = |graph: &Graph| draw(graph, format, false).unwrap().replace(" violation\"", "");
        assert_eq!(plain(&hostile()), plain(&more), "{format:?}");
        assert_ne!(draw(&hostile(), format, true), draw(&more, format, true), "{format:?}");
    }
}

#[test]
fn the_table_says_what_is_in_no_part() {
    let text = table(&hostile()).text;
    assert!(text.ends_with("3 domains, 3 links; 4 sources in none\n"), "{text}");
    assert!(text.contains("closes a cycle") && text.contains("1 violation"), "{text}");
    assert!(!text.contains('\u{202e}'));
}
