//! Git's hooks: what was changed, and whether they fire.

use std::path::Path;

use serde_json::{Value, json};

use super::Answer;
use super::columns::aligned;
use crate::ops::error::plural;
use crate::ops::hooks::Done;
use crate::ops::hooks::status::{Hooks, Line};
use crate::ops::init::Left;
use crate::ops::remains::Remnant;
use crate::text::escape;
use crate::text::time::{Span, Timestamp};

fn shown(path: &Path) -> String {
    escape::bytes(path.as_os_str().as_encoded_bytes())
}

/// After installing or removing.
pub fn done(done: &Done) -> Answer {
    Answer { text: changes(done), json: changes_json(done) }
}

/// What was changed and what was not, for people.
pub fn changes(done: &Done) -> String {
    let cells = |c: &crate::ops::hooks::Change| {
        vec![c.action.as_str().to_owned(), shown(&c.path), escape::line(&c.what).into_owned()]
    };
    let mut text = aligned(&done.changes.iter().map(cells).collect::<Vec<_>>());
    for refused in &done.refused {
        text.push_str(&format!(
            "left alone: {}: {}\n  by hand: {}\n",
            shown(&refused.path),
            escape::line(&refused.why),
            escape::line(&refused.by_hand)
        ));
    }
    if done.refused.is_empty() && done.changes.is_empty() {
        text.push_str("hooks: nothing to change\n");
    } else if done.dry_run {
        text.push_str(&format!("{} would be changed\n", plural(done.changes.len(), "file")));
    } else {
        text.push_str(&format!("{} changed\n", plural(done.changes.len(), "file")));
    }
    text
}

/// The same for programs.
pub fn changes_json(done: &Done) -> Value {
    let changes: Vec<Value> = done
        .changes
        .iter()
        .map(|c| json!({ "action": c.action.as_str(), "path": shown(&c.path), "what": c.what }))
        .collect();
    let refused: Vec<Value> = done
        .refused
        .iter()
        .map(|r| json!({ "hook": r.hook, "path": shown(&r.path), "why": r.why, "by_hand": r.by_hand }))
        .collect();
    json!({ "changes": changes, "refused": refused, "dry_run": done.dry_run })
}

/// After leaving.
pub fn left(left: &Left) -> Answer {
    let mut text = changes(&left.hooks);
    let mut json = changes_json(&left.hooks);
    if let Some(refs) = left.refs {
        let (verb, refs_told) =
            (if left.hooks.dry_run { "would delete" } else { "deleted" }, plural(refs, "ref"));
        let secret = left.secret.as_ref().map(|path| format!(", and the person's secret {}", shown(path)));
        text.push_str(&format!(
            "{verb} {refs_told} and {}{}\n",
            shown(&left.state),
            secret.unwrap_or_default()
        ));
        for Remnant { what, how } in &left.remains {
            text.push_str(&format!("left: {what}: {how}\n"));
        }
        json["refs"] = refs.into();
        json["secret"] = left.secret.as_ref().map(|path| shown(path)).into();
        let remnant = |r: &Remnant| json!({ "what": r.what, "how": r.how });
        json["remains"] = left.remains.iter().map(remnant).collect();
    }
    Answer { text, json }
}

/// Whether the hooks fire in this worktree.
pub fn status(hooks: &Hooks, now: Timestamp) -> Answer {
    let mut text = aligned(&hooks.lines.iter().map(|l| cells(l, now)).collect::<Vec<_>>());
    let from = match &hooks.configured {
        Some((value, scope)) => format!(" (core.hooksPath = {}, {scope})", escape::line(value)),
        None => String::new(),
    };
    text.push_str(&format!("git {}, hook files in {}{from}\n", hooks.git, shown(&hooks.folder)));
    let idle = hooks.lines.iter().filter(|l| !l.fires()).count();
    if idle > 0 {
        text.push_str(&format!("{} would not fire; next: git comm init\n", plural(idle, "hook")));
    }
    let json = json!({
        "git": hooks.git,
        "folder": shown(&hooks.folder),
        "hooks_path": hooks.configured.as_ref().map(|(value, scope)| json!({ "value": value, "scope": scope })),
        "hooks": hooks.lines.iter().map(line_json).collect::<Vec<_>>(),
        "all_fire": hooks.all_fire(),
    });
    Answer { text, json }
}

fn cells(line: &Line, now: Timestamp) -> Vec<String> {
    let ways: Vec<&str> = line.ways.iter().map(|w| w.how.as_str()).collect();
    let fires = if line.fires() { "fires".to_owned() } else { format!("does not fire: {}", line.why_not()) };
    vec![
        line.hook.to_owned(),
        if ways.is_empty() { "none".into() } else { ways.join("+") },
        line.manager.map(|m| format!("beside {m}")).unwrap_or_default(),
        line.fired_at.map_or_else(|| "never fired".into(), |at| format!("fired {} ago", Span(now.since(at)))),
        escape::line(&fires).into_owned(),
    ]
}

fn line_json(line: &Line) -> Value {
    let way = |w: &crate::ops::hooks::status::Way| json!({ "how": w.how.as_str(), "path": shown(&w.path), "fires": w.why_not.is_none(), "why_not": w.why_not });
    json!({
        "name": line.hook,
        "installed": line.ways.iter().map(way).collect::<Vec<_>>(),
        "path": shown(&line.path),
        "manager": line.manager,
        "fires": line.fires(),
        "why_not": Some(line.why_not()).filter(|w| !w.is_empty()),
        "fired_at": line.fired_at,
    })
}
