//! The check-up.

use clap::Args;
use serde_json::{Value, json};

use super::app::{App, Outcome};
use crate::ops::doctor::{self, Asked, Level};
use crate::ops::error::Exit;
use crate::ops::identity::Claimed;
use crate::render::Answer;
use crate::render::columns::aligned;
use crate::text::escape;

/// Check the whole set-up
#[derive(Args)]
pub(super) struct DoctorArgs {
    /// Mend what can be mended without a choice
    #[arg(long)]
    fix: bool,
    /// Check as an agent: it must have a name and be able to write
    #[arg(long)]
    as_agent: bool,
    /// Bring the records to the newest format
    #[arg(long)]
    migrate: bool,
}

pub(super) fn doctor(args: DoctorArgs, app: &mut App<'_>) -> Outcome {
    let claimed = Claimed { agent: app.global.agent.clone(), as_person: app.global.as_person };
    // There is one format so far, so a board is always at the newest.
    let asked = Asked { fix: args.fix || args.migrate, as_agent: args.as_agent };
    let checks = doctor::doctor(&app.dir()?, app.env, &claimed, asked);
    let mut text = String::new();
    let rows: Vec<Vec<String>> = checks
        .iter()
        .map(|c| {
            let word = if c.fixed { "fixed" } else { c.level.as_str() };
            vec![word.to_owned(), c.name.to_owned(), escape::clipped(&c.what, 200)]
        })
        .collect();
    for (line, check) in aligned(&rows).lines().zip(&checks) {
        text.push_str(&format!("{line}\n"));
        if !check.remedy.is_empty() {
            text.push_str(&format!("       -> {}\n", escape::line(&check.remedy)));
        }
    }
    let red = checks.iter().filter(|c| c.level == Level::Red).count();
    text.push_str(&match red {
        0 => format!("{} ok\n", crate::ops::error::plural(checks.len(), "check")),
        n => format!("{n} of {} red\n", crate::ops::error::plural(checks.len(), "check")),
    });
    let objects: Vec<Value> = checks
        .iter()
        .map(|c| json!({ "name": c.name, "status": c.level.as_str(), "what": c.what, "remedy": c.remedy, "fixed": c.fixed }))
        .collect();
    app.show(&Answer { text, json: json!({ "checks": objects, "red": red }) })?;
    Ok(if red == 0 { Exit::Done } else { Exit::No })
}
