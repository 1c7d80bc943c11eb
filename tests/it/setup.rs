//! What is installed beside the program.

use crate::support::{Sandbox, has_tool};

#[test]
fn the_man_page_is_installed_where_man_finds_it() {
    let s = Sandbox::with_init(&[]);
    let home = s.root().join("home");
    let installed = s.comm("setup man").succeeds();
    let page = home.join(".local/share/man/man1/git-comm.1");
    assert!(installed.stdout.contains(page.to_str().unwrap()), "{}", installed.stdout);
    let text = std::fs::read_to_string(&page).unwrap();
    assert_eq!(text, s.comm("setup man --stdout").succeeds().stdout);
    assert!(text.contains(".TH \"GIT\\-COMM\" \"1\""), "{text}");

    s.comm("setup man --dir pages").succeeds();
    assert!(s.repo().join("pages/man1/git-comm.1").is_file(), "--dir is from where one is");
    s.comm("setup man --dir pages --stdout").exits(129);

    if has_tool("man", &["--version"]) {
        let mut man = s.bare_command("man", s.root());
        let path = home.join(".local/share/man");
        let found = man.args(["-w", "git-comm"]).env("MANPATH", path).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout).trim(), page.to_str().unwrap());
    }
}

#[test]
fn there_are_completions_for_every_shell() {
    let s = Sandbox::with_init(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = s.comm(&format!("setup completions {shell}")).succeeds().stdout;
        assert!(text.contains("git-comm") && text.contains("claim"), "{shell}: {text}");
    }
    s.comm("setup completions dos").exits(129);
}

#[test]
fn bash_completes_verbs_and_their_options() {
    let s = Sandbox::with_init(&[]);
    let script = s.comm("setup completions bash").succeeds().stdout;
    for (typed, expected) in
        [("cl", "claim"), ("claim --t", "--ttl"), ("dep a", "add"), ("dep add --j", "--json")]
    {
        let words: Vec<&str> = typed.split(' ').collect();
        let (last, before) = words.split_last().unwrap();
        let ask = format!(
            "{script}\nCOMP_WORDS=(git-comm {typed}); COMP_CWORD={}\n\
             function=$(complete -p git-comm | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n\
             $function git-comm {last} {}\necho ${{COMPREPLY[@]}}",
            words.len(),
            before.last().unwrap_or(&"git-comm"),
        );
        // git's own completion asks in another way.
        let as_verb = format!(
            "{script}\nCOMP_WORDS=(git -C . comm {typed}); COMP_CWORD={}\n_git_comm\necho ${{COMPREPLY[@]}}",
            words.len() + 3,
        );
        for ask in [ask, as_verb] {
            let answer = s.bare_command("bash", s.root()).args(["-c", &ask]).output().unwrap();
            let answer = String::from_utf8_lossy(&answer.stdout);
            assert!(answer.split_whitespace().any(|word| word == expected), "{typed}: {answer}");
        }
    }
}
