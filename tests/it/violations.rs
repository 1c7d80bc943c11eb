//! What gates refused is on the record, by agent and by domain.

use crate::commits::{git_as, write};
use crate::support::Sandbox;

const RULES: &str = "[domains.api]
path = 'api'
agent = 'ada'
forbidden_imports = ['web/**']

[domains.web]
path = 'web'
agent = 'bob'

[domains.docs]
path = 'docs'

[commit]
people = ['kai@example.com']
";

#[test]
fn the_log_lists_violations_by_agent_and_by_domain() {
    let s = Sandbox::new();
    write(&s, "comm.toml", RULES);
    write(&s, "api/a.ts", "");
    write(&s, "web/w.ts", "");
    write(&s, "docs/d.md", "");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m start").succeeds();

    write(&s, "api/a.ts", "import '../web/w'\n");
    git_as(&s, Some("ada"), "commit -q -a -m crossed").exits(1);
    git_as(&s, None, "reset -q --hard").succeeds();
    write(&s, "docs/d.md", "mine now\n");
    git_as(&s, Some("bob"), "commit -q -a -m taken").exits(1);
    git_as(&s, None, "reset -q --hard").succeeds();
    s.as_agent("bob", "log note 'no violation'").succeeds();

    let told = |words: &str| -> Vec<String> {
        let log = s.comm(&format!("log --kind violation {words} --json")).succeeds().json();
        let told = |event: &serde_json::Value| {
            let findings = &event["event"]["findings"];
            format!("{} {} {}", event["agent"], event["event"]["gate"], findings[0]["code"]).replace('"', "")
        };
        log["events"].as_array().unwrap().iter().map(told).collect()
    };
    assert_eq!(told(""), ["ada boundary B001", "bob scope scope"]);
    assert_eq!(told("--by ada"), ["ada boundary B001"]);
    // As the one that the agent works for, and as the one that was touched.
    assert_eq!(told("--domain api"), ["ada boundary B001"]);
    assert_eq!(told("--domain web"), ["ada boundary B001", "bob scope scope"]);
    assert_eq!(told("--domain docs"), ["bob scope scope"]);
    assert_eq!(told("--domain nothing"), [""; 0]);
    let log = s.comm("log --kind violation --by ada --json").succeeds().json();
    let finding = &log["events"][0]["event"]["findings"][0];
    assert_eq!((&finding["line"], &finding["target"]), (&1.into(), &"web/w.ts".into()), "{log}");
    let text = s.comm("log --kind violation").succeeds().stdout;
    assert!(text.contains("ada  refused  boundary: B001 api/a.ts -> web/w.ts"), "{text}");
    assert!(text.contains("bob  refused  scope: docs/d.md") && text.contains("2 events"), "{text}");
}
