use proptest::prelude::*;

use super::super::jsonc::Kind;
use super::super::{ALL, Format, named};
use super::*;

/// The settings as a harness reads them.
fn value(text: &str) -> Value {
    fn of(node: &Node, text: &str) -> Value {
        match &node.kind {
            Kind::Object(items) => {
                items.iter().map(|i| (i.key.clone(), of(&i.value, text))).collect::<Map<_, _>>().into()
            }
            Kind::Array(items) => items.iter().map(|i| of(&i.value, text)).collect(),
            Kind::Text(text) => text.clone().into(),
            Kind::Other => serde_json::from_str(&text[node.start..node.end]).unwrap(),
        }
    }
    of(&jsonc::parse(text).unwrap(), text)
}

#[track_caller]
fn check(format: &Format, text: &str) {
    let added = add(format, Some(text)).unwrap();
    assert_eq!(found(format, &added).unwrap().len(), 4, "{added}");
    assert_eq!(add(format, Some(&added)).as_ref(), Ok(&added), "twice is once");
    assert_eq!(remove(format, &added).unwrap().as_deref(), Some(text), "{added}");
    // Everything that was there is still there, in its order.
    let (before, mut after) = (value(text), value(&added));
    for moment in Moment::ALL {
        let (event, _) = (format.events)(moment);
        let list = after["hooks"][event].as_array_mut().unwrap();
        let ours = list.pop().unwrap().to_string();
        assert!(ours.contains(&command(format, moment)), "{ours}");
        let had = before.get("hooks").and_then(|h| h.get(event)).is_some();
        if !had {
            assert!(list.is_empty());
            after["hooks"].as_object_mut().unwrap().shift_remove(event);
        }
    }
    if before.get("hooks").is_none() {
        after.as_object_mut().unwrap().shift_remove("hooks");
    }
    assert_eq!(before.to_string(), after.to_string());
}

#[test]
fn usual_files_keep_every_byte() {
    let texts = [
        "{}",
        "{}\n",
        "{\n}\n",
        "{\r\n}\r\n",
        "{ }",
        "{\"a\":1}",
        "{\"a\": 1, \"b\": [1, 2]}\n",
        "{\n  \"permissions\": {\n    \"allow\": [\"Bash(ls)\"]\n  }\n}\n",
        "{\n\t\"hooks\": {\n\t\t\"Stop\": []\n\t}\n}",
        "{\r\n    \"hooks\": {},\r\n    \"x\": true\r\n}",
        "{\"hooks\":{}}",
        "{\"hooks\":{\"PreToolUse\":[],\"preToolUse\":[],\"BeforeTool\":[]}}",
        "{\n  \"hooks\": {\n    \"PreToolUse\": [\n    ],\n    \"preToolUse\": [\n\n    ],\n    \"BeforeTool\": [ /* none */ ]\n  }\n}\n",
        "// mine\n{\n  \"a\": 1, // one\n  \"hooks\": { // here\n    \"SessionStart\": [\n      { \"x\": 1 }, // last\n    ],\n  },\n}\n// end",
        "\u{feff}{\n  \"version\": 1,\n  \"hooks\": {\"stop\": [{\"command\": \"x\"}]}\n}",
        "{\n  \"a\": 1 // no comma\n}",
        "{\n  \"a\": 1 /* block */ }",
        "{\n}",
    ];
    for format in ALL {
        for text in texts {
            check(format, text);
        }
    }
}

#[test]
fn a_new_file_goes_as_it_came() {
    for format in ALL {
        let text = add(format, None).unwrap();
        assert_eq!(add(format, Some(&text)).as_ref(), Ok(&text));
        assert_eq!(remove(format, &text).unwrap(), None, "{text}");
        let kept = text.replacen("{\n", "{\n  \"mine\": 1,\n", 1);
        let left = remove(format, &kept).unwrap().unwrap();
        assert!(left.contains("\"mine\": 1") && !left.contains("git comm"), "{left}");
    }
}

#[test]
fn what_others_added_to_ours_stays() {
    let claude = named("claude").unwrap();
    let text = add(claude, Some("{}\n")).unwrap();
    let theirs = text.replace("\"timeout\": 10\n", "\"timeout\": 10,\n          \"mine\": 1\n");
    let handler = "{ \"type\": \"command\", \"command\": \"other\" }";
    let beside = text.replacen("\"hooks\": [\n", &format!("\"hooks\": [\n          {handler},\n"), 1);
    assert_eq!(remove(claude, &theirs).unwrap().as_deref(), Some("{}\n"));
    let left = remove(claude, &beside).unwrap().unwrap();
    assert!(left.contains(handler) && !left.contains("git comm"), "{left}");
    value(&left);
}

#[test]
fn what_cannot_be_edited_safely_is_refused() {
    let claude = named("claude").unwrap();
    for text in [
        "",
        " ",
        "[]",
        "null",
        "{",
        "{\"hooks\":[]}",
        "{\"hooks\":null}",
        "{\"hooks\":{\"PreToolUse\":{}}}",
        "{\"hooks\":{},\"hooks\":{}}",
        "{\"hooks\":{\"PreToolUse\":[],\"PreToolUse\":[]}}",
    ] {
        assert!(add(claude, Some(text)).is_err(), "{text}");
    }
}

/// Blanks, comments and line ends, as people leave them.
fn blank() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(String::new()),
        3 => Just(" ".to_owned()),
        4 => "\n {0,6}",
        2 => "\n\t{0,3}",
        1 => "\n\n {0,4}",
        1 => " ?/\\* [a-z,\\]}{]{0,5} \\*/ ?",
        1 => " ?// [a-z,\\]}{\"]{0,5}\n {0,4}",
    ]
}

fn json(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("null".to_owned()),
        Just("\"a\\\"b // é\"".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
    ];
    leaf.prop_recursive(depth, 12, 3, |inner| {
        prop_oneof![list('[', ']', inner.clone()), object(Just("\"k\"".to_owned()).boxed(), inner)]
    })
    .boxed()
}

fn list(open: char, close: char, item: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    (prop::collection::vec((blank(), item, blank()), 0..3), blank(), any::<bool>())
        .prop_map(move |(items, end, trailing)| {
            let mut out = String::from(open);
            let count = items.len();
            for (nth, (before, item, after)) in items.into_iter().enumerate() {
                let comma = if nth + 1 < count || trailing { "," } else { "" };
                out.push_str(&format!("{before}{item}{after}{comma}"));
            }
            out.push_str(&end);
            out.push(close);
            out
        })
        .boxed()
}

fn object(
    key: BoxedStrategy<String>,
    item: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<String> {
    list('{', '}', (key, blank(), blank(), item).prop_map(|(k, a, b, v)| format!("{k}{a}:{b}{v}")))
}

/// Settings with or without hooks, with or without the events.
fn settings() -> impl Strategy<Value = String> {
    let entry = prop_oneof![json(2), Just(r#"{"hooks":[{"type":"command","command":"x"}]}"#.to_owned())];
    let lists = list('[', ']', entry).boxed();
    let events = prop::sample::subsequence(
        vec!["PreToolUse", "SessionStart", "BeforeTool", "preToolUse", "postToolUse", "Other"],
        0..4,
    );
    let hooks = (events, prop::collection::vec((blank(), lists, blank(), blank()), 4), any::<bool>())
        .prop_map(|(events, parts, trailing)| {
            let mut out = String::from("{");
            let count = events.len();
            for (nth, (event, (before, list, colon, after))) in events.into_iter().zip(parts).enumerate() {
                let comma = if nth + 1 < count || (trailing && count > 0) { "," } else { "" };
                out.push_str(&format!("{before}\"{event}\":{colon}{list}{after}{comma}"));
            }
            out.push('}');
            out
        });
    let member = (blank(), json(3), blank());
    (
        prop::collection::vec(member, 0..3),
        prop::option::of((blank(), hooks, blank())),
        any::<prop::sample::Index>(),
        (any::<bool>(), any::<bool>()),
        (blank(), blank(), blank()),
    )
        .prop_map(|(members, hooks, at, (trailing, crlf), (start, inner, end))| {
            let mut items: Vec<String> = members
                .into_iter()
                .enumerate()
                .map(|(n, (a, v, b))| format!("{a}\"m{n}\": {v}{b}"))
                .collect();
            if let Some((a, hooks, b)) = hooks {
                items.insert(at.index(items.len() + 1), format!("{a}\"hooks\": {hooks}{b}"));
            }
            let comma = if trailing && !items.is_empty() { "," } else { "" };
            let text = format!("{start}{{{}{comma}{inner}}}{end}", items.join(","));
            if crlf { text.replace('\n', "\r\n") } else { text }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn every_text_comes_back_byte_for_byte(text in settings(), which in 0..ALL.len()) {
        check(ALL[which], &text);
    }

    #[test]
    fn no_text_makes_it_fail(text in "[\\[\\]{},:\"/*\\\\ \n1a]{0,24}") {
        let _ = add(ALL[0], Some(&text)).map(|text| remove(ALL[0], &text));
    }
}
