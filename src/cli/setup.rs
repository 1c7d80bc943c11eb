//! What is installed beside the program: completions and the man page.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use super::table;
use crate::ops::error::{Error, Exit};
use crate::render::answer;
use crate::text::escape;

/// Print completions for a shell
#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell: bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

pub(super) fn completions(args: CompletionsArgs, _: &mut App<'_>) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut table::command(), "git-comm", &mut text);
    // clap_complete spells the dash of our name one way in the states and
    // another in their labels: no verb would offer its options.
    let text = String::from_utf8_lossy(&text).replace("git__subcmd__comm", "git__comm");
    super::app::write_out(&text).map_err(|source| Error::Fatal {
        what: format!("the completions could not be written: {source}"),
        hint: "try again".into(),
    })?;
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
    let page = page()?;
    if args.stdout {
        super::app::write_out(&page).map_err(|source| failed("the man page", &source))?;
        return Ok(Exit::Done);
    }
    let base = match args.folder {
        Some(dir) => app.dir()?.join(dir),
        None => app.env.data_dir().map(|d| d.join("man")).ok_or_else(|| Error::Fatal {
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
    let text = format!("installed {shown}; if git help comm does not find it, add its folder to MANPATH");
    app.show(&answer::line(text, json!({ "path": shown })))?;
    Ok(Exit::Done)
}

fn failed(what: &str, source: &std::io::Error) -> Error {
    Error::Fatal {
        what: format!("`{what}` cannot be written: {source}"),
        hint: "git comm setup man --dir DIR".into(),
    }
}

/// The man page, made from the table of verbs.
fn page() -> Result<String, Error> {
    let mut roff = Vec::new();
    clap_mangen::Man::new(table::command())
        .render(&mut roff)
        .map_err(|source| failed("the man page", &source))?;
    Ok(String::from_utf8_lossy(&roff).into_owned())
}
