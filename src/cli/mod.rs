//! What people type: arguments to one operation to one answer.
//!
//! Only the chosen verb's argument tree is built, so that starting costs the
//! same however many verbs there are.

mod agents;
mod app;
mod board;
mod boundary;
mod ci;
mod claims;
mod demo;
mod deps;
mod doctor;
mod global;
mod harness;
mod hook;
mod hooks;
mod input;
mod log;
mod manual;
mod messages;
mod prime;
mod setup;
mod sync;
mod table;
mod tasks;
mod worktree;

use std::ffi::OsString;
use std::io::Write;

use app::App;
use clap::error::ErrorKind;
use global::Global;
use table::{VERBS, Verb};

use crate::env::Env;
use crate::ops::error::{Error, Exit};
use crate::render;
use crate::text::escape;

pub use manual::manual;
pub use table::command;

/// Runs one command line, without the program's name, and says with which
/// code the process is to end.
pub fn run(args: Vec<OsString>, env: &Env) -> u8 {
    start_log(env);
    let (leading, rest) = global::split(args);
    let words: Vec<&str> = rest.iter().take(2).filter_map(|a| a.to_str()).collect();
    match words.as_slice() {
        ["--version" | "-V", ..] => return print(concat!("git-comm ", env!("CARGO_PKG_VERSION"), "\n")),
        ["--help" | "-h" | "help"] | ["--help" | "-h", ..] => return print(&table::overview()),
        ["help", verb, ..] => return help(verb, rest.get(2).and_then(|a| a.to_str())),
        [] => {
            eprint(&table::overview());
            return Exit::Usage.code();
        }
        _ => {}
    }
    let Some((verb, taken)) = table::find(&words) else {
        return unknown(words.first().copied().unwrap_or_default(), words.get(1).copied());
    };
    let mut command = verb.command();
    let argv =
        std::iter::once(OsString::from(verb.name)).chain(rest.into_iter().skip(taken)).collect::<Vec<_>>();
    let argv = global::insert(argv, leading, verb.names_another_agent());
    let wants_json = argv.iter().any(|word| word == "--json");
    let matches = match command.try_get_matches_from_mut(argv) {
        Ok(matches) => matches,
        Err(error) => return misuse(&error, verb, wants_json),
    };
    let global = Global::of(&matches);
    let mut app = App::new(env, global);
    let result = (verb.run)(&matches, &mut app);
    app.finish(result)
}

fn help(verb: &str, second: Option<&str>) -> u8 {
    let words: Vec<&str> = std::iter::once(verb).chain(second).collect();
    match table::find(&words) {
        Some((verb, _)) => print(&verb.command().render_long_help().to_string()),
        None => unknown(verb, second),
    }
}

/// A call that clap refuses, told in this program's shape.
fn misuse(error: &clap::Error, verb: &Verb, wants_json: bool) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return print(&error.render().to_string());
    }
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    let what = first.strip_prefix("error: ").unwrap_or(first);
    // clap lists missing arguments on lines of their own.
    let listed: Vec<&str> = text.lines().skip(1).take_while(|l| l.starts_with("  ")).map(str::trim).collect();
    let listed = if listed.is_empty() || listed[0].starts_with("tip:") {
        String::new()
    } else {
        format!(" {}", listed.join(" "))
    };
    let error = Error::usage(format!("{what}{listed}"), format!("git comm {} -h", verb.name));
    if wants_json {
        return print(&render::error::json(&error)).max(Exit::Usage.code());
    }
    eprint(&render::error::text(&error));
    Exit::Usage.code()
}

fn unknown(word: &str, second: Option<&str>) -> u8 {
    let group: Vec<&str> = VERBS
        .iter()
        .filter(|v| v.name.split(' ').next() == Some(word))
        .filter_map(|v| v.name.split(' ').nth(1))
        .collect();
    let shown = escape::clipped(word, 40);
    if group.is_empty() {
        let meant = table::nearest(word)
            .map_or_else(|| "git comm -h".to_owned(), |m| format!("did you mean `git comm {m}`?"));
        eprint(&format!("error: there is no command `{shown}`\n\nhint: {meant}\n"));
    } else {
        let what = match second {
            Some(second) => format!("`{shown}` has no command `{}`", escape::clipped(second, 40)),
            None => format!("`{shown}` needs a command"),
        };
        eprint(&format!("error: {what}\n\nhint: git comm {shown} {}\n", group.join("|")));
    }
    Exit::Usage.code()
}

/// Writes to standard output, whole; a closed one is the reader's choice.
fn print(text: &str) -> u8 {
    match app::write_out(text) {
        Ok(_) => Exit::Done.code(),
        Err(source) => {
            let error = Error::Unanswered { source };
            eprint(&crate::render::error::text(&error));
            error.exit().code()
        }
    }
}

fn eprint(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Spans and events on standard error, where `GIT_COMM_LOG` asks for them.
fn start_log(env: &Env) {
    let level = match env.var("GIT_COMM_LOG") {
        None | Some("0" | "off") => return,
        Some("error") => tracing::Level::ERROR,
        Some("warn") => tracing::Level::WARN,
        Some("debug" | "2") => tracing::Level::DEBUG,
        Some("trace" | "3") => tracing::Level::TRACE,
        Some(_) => tracing::Level::INFO,
    };
    let spans = tracing_subscriber::fmt::format::FmtSpan::CLOSE;
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_span_events(spans)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}
