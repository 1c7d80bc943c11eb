//! What is installed beside the program: completions and the man page.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use super::table;
use crate::env::Env;
use crate::ops::error::{Error, Exit};
use crate::render::{answer, roff};
use crate::text::escape;

/// Print completions for a shell
#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell: bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

/// git's own completion calls `_git_comm` for `git comm`, with its own words
/// in front of ours.
const AS_A_VERB: &str = r#"
_git_comm() {
    local at=1 words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    while [ "$at" -lt "$cword" ] && [ "${words[at]}" != comm ]; do
        at=$((at + 1))
    done
    local COMP_WORDS=(git-comm "${words[@]:at+1}") COMP_CWORD=$((cword - at))
    _git__comm git-comm "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
}
"#;

pub(super) fn completions(args: CompletionsArgs, _: &mut App<'_>) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut table::command(), "git-comm", &mut text);
    // clap_complete spells the dash of our name one way in the states and
    // another in their labels: no verb would offer its options.
    let mut text = String::from_utf8_lossy(&text).replace("git__subcmd__comm", "git__comm");
    if args.shell == clap_complete::Shell::Bash {
        text.push_str(AS_A_VERB);
    }
    super::app::write_out(&text).map_err(|source| Error::Unanswered { source })?;
    Ok(Exit::Done)
}

/// Install the man page
#[derive(Args)]
pub(super) struct ManArgs {
    /// Folder of man pages; man1 below it is made
    // `dir` is the id of -C, which every verb takes.
    #[arg(long = "dir", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Print it instead
    #[arg(long, conflicts_with = "folder")]
    stdout: bool,
}

pub(super) fn man(args: ManArgs, app: &mut App<'_>) -> Outcome {
    let page = roff::page(&super::manual());
    if args.stdout {
        super::app::write_out(&page).map_err(|source| Error::Unanswered { source })?;
        return Ok(Exit::Done);
    }
    let base = match args.folder {
        Some(dir) => app.dir()?.join(dir),
        None => man_dir(app.env).ok_or_else(|| Error::Fatal {
            what: "there is no home directory for man pages".into(),
            hint: "git comm setup man --dir DIR".into(),
        })?,
    };
    let path = base.join("man1").join("git-comm.1");
    let shown = escape::bytes(path.to_string_lossy().as_bytes());
    let dir = path.parent().map(PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(&dir)
        .and_then(|()| std::fs::write(&path, page))
        .map_err(|source| failed(&shown, &source))?;
    let (then, next) = if is_searched(&base, app.env) {
        ("; read it with: git help comm".to_owned(), "git help comm".to_owned())
    } else {
        let base = escape::bytes(base.to_string_lossy().as_bytes());
        // The empty part after the colon keeps what man finds by itself.
        let line = format!("export MANPATH=\"{base}:$MANPATH\"");
        (format!("; for git help comm to find it, add to your shell's profile: {line}"), line)
    };
    app.show(&answer::line(format!("installed {shown}{then}"), json!({ "path": shown, "next": next })))?;
    Ok(Exit::Done)
}

/// Where this user's man pages go: a place that `man` looks at, if the user
/// can have one, else the usual one.
fn man_dir(env: &Env) -> Option<PathBuf> {
    let usual = env.data_dir().map(|dir| dir.join("man"));
    let home = env.path_var("HOME");
    let own = home.into_iter().flat_map(|home| {
        let programs = bin_dirs(env).filter(move |bin| bin.starts_with(&home));
        programs.filter_map(|bin| Some(bin.parent()?.join("share").join("man"))).collect::<Vec<_>>()
    });
    usual.iter().cloned().chain(own).find(|dir| is_searched(dir, env)).or(usual)
}

/// Whether `man` looks into `dir`: it is named by `MANPATH`, or (unless that
/// names everything) is the `share/man` beside a `bin` on `PATH`, as both
/// man-db and the man of the BSDs have it.
fn is_searched(dir: &Path, env: &Env) -> bool {
    let beside =
        || bin_dirs(env).any(|bin| bin.parent().is_some_and(|parent| parent.join("share/man") == dir));
    match env.path_var("MANPATH") {
        None => beside(),
        Some(listed) => std::env::split_paths(&listed)
            .any(|listed| listed == dir || (listed.as_os_str().is_empty() && beside())),
    }
}

/// The folders named `bin` on `PATH`.
fn bin_dirs(env: &Env) -> impl Iterator<Item = PathBuf> {
    let path = env.path_var("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    dirs.into_iter().filter(|dir| dir.is_absolute() && dir.ends_with("bin"))
}

fn failed(what: &str, source: &std::io::Error) -> Error {
    Error::Fatal {
        what: format!("`{what}` cannot be written: {source}"),
        hint: "git comm setup man --dir DIR".into(),
    }
}
