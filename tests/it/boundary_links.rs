//! Symbolic links are judged as what they lead to.

use crate::boundary_hostile::{commits, crossing, start};
use crate::commits::{git_as, write};

#[test]
fn a_link_is_what_it_leads_to() {
    let s = start();
    for (name, to) in [
        ("a/loop.ts", "loop.ts"),
        ("a/one.ts", "two.ts"),
        ("a/two.ts", "one.ts"),
        ("a/gone.ts", "nothing.ts"),
        ("a/out.ts", "../../outside.ts"),
        ("a/self", "."),
        ("a/in", "../b"),
        ("a/thing.ts", "../b/thing.ts"),
        ("a/old2.ts", "old.ts"),
        ("a/py", "../b"),
        ("a/far.py", "/srv/far.py"),
        ("a/away", "/srv/away"),
    ] {
        std::os::unix::fs::symlink(to, s.repo().join(name)).unwrap();
    }
    let user = |name: &str, text: &str, findings: &[&str]| {
        write(&s, name, text);
        git_as(&s, None, "add -A").succeeds();
        commits(&s, findings);
        if !findings.is_empty() {
            git_as(&s, None, &format!("rm -q --cached {name}")).succeeds();
            std::fs::remove_file(s.repo().join(name)).unwrap();
        }
    };
    for name in ["loop", "one", "gone", "out"] {
        let finding = format!("a/user.ts:1: B004 imports `./{name}`: there is no such file here");
        user("a/user.ts", &format!("import './{name}'\n"), &[&finding]);
    }
    // Elsewhere it may lead to anything, which a try finds.
    let finding = "a/user.js:1: B004 imports `./gone`: there is no such file here";
    user("a/user.js", "try { require('./gone') } catch {}\n", &[finding]);
    for import in ["far", "away.x"] {
        let finding = format!("a/user.py:2: B004 imports `{import}`: there is no such file here");
        user(
            "a/user.py",
            &format!("try:\n    import {import}\nexcept ImportError:\n    pass\n"),
            &[&finding],
        );
    }
    for spelled in ["./in/thing", "./thing", "./self/thing"] {
        let text = format!("import '{spelled}'\n");
        user("a/user.ts", &text, &[&crossing("a/user.ts:1", spelled, ".ts")]);
    }
    user("a/user.py", "from a.py import thing\n", &[&crossing("a/user.py:1", "a.py", ".py")]);
    user("a/user.ts", "import './old2'\nimport './self/old'\n", &[]);
}
