//! The demo, told on the terminal.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::app::{App, Outcome, write_out};
use crate::ops::demo::{self, Beat};
use crate::ops::error::{Error, Exit};
use crate::render::demo as view;
use crate::text::time::Span;

/// See it all happen, in a temporary repository
#[derive(Args)]
pub(super) struct DemoArgs {
    /// Leave repository and worktrees in DIR, which must be absent or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Be an agent of the story: take the best task and renew its lease
    #[arg(long, value_name = "SPAN", hide = true, conflicts_with = "keep")]
    work: Option<Span>,
}

/// Time to read the last act before the next, where somebody reads.
const BREATH: Duration = Duration::from_millis(300);

pub(super) fn demo(args: DemoArgs, app: &mut App<'_>) -> Outcome {
    if let Some(ttl) = args.work {
        return work(ttl, app);
    }
    let keep = match args.keep {
        Some(dir) => Some(app.dir()?.join(dir)),
        None => None,
    };
    let (env, quiet) = (app.env, app.json());
    let (coloured, read) = (env.stdout_is_coloured(), env.stdout_is_terminal());
    let mut told = Ok(true);
    let mut tell = |beat: Beat<'_>| {
        if quiet {
            return;
        }
        if let (true, Beat::Act { number: 2.., .. } | Beat::End(_)) = (read, beat) {
            env.wait(BREATH);
        }
        // Whoever closes the output has seen enough; the exit code still
        // says whether all of it held.
        if matches!(told, Ok(true)) {
            told = write_out(&view::beat(beat, coloured));
        }
    };
    let played = demo::play(env, keep.as_deref(), &mut tell)?;
    told.map_err(|source| Error::Unanswered { source })?;
    if quiet {
        app.show(&view::played(&played))?;
    }
    Ok(Exit::Done)
}

fn work(ttl: Span, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    demo::work(app.env, &dir, ttl.0, &mut |ended| {
        // Nobody hears an agent whose demo is gone; its input has ended too.
        let _ = write_out(&ended.stdout);
        super::eprint(&ended.stderr);
    })?;
    Ok(Exit::Done)
}
