//! Worktrees.

use serde_json::{Value, json};

use super::Answer;
use super::columns::aligned;
use crate::ops::error::plural;
use crate::ops::worktree::{Added, Line, Listing, Pruned, Removed, shown};
use crate::text::escape;
use crate::text::time::{Span, Timestamp};

/// After `worktree add`.
pub fn added(added: &Added, now: Timestamp) -> Answer {
    let head = added.head.to_string();
    let branch = escape::line(&added.branch);
    let base = escape::clipped(&added.base, 60);
    let mut rows = vec![
        vec!["added".to_owned(), shown(&added.path)],
        vec!["branch".into(), format!("{branch} off {base} ({})", short(&head))],
    ];
    if let Some(agent) = &added.agent {
        let domain = added.domain.as_ref().map(|d| format!(", domain {d}")).unwrap_or_default();
        rows.push(vec!["agent".into(), format!("{agent}{domain}")]);
    }
    if let Some(granted) = &added.granted {
        let token = granted.version.state.phase.fence.token;
        let text = format!("{} until {}, token {token}", granted.id, granted.until.short(now));
        rows.push(vec!["task".into(), text]);
    }
    let hook = if added.hook { "fires" } else { "no hook fires: git comm init" };
    rows.push(vec!["hook".into(), hook.into()]);
    let worktree = json!({
        "path": added.path.to_string_lossy(),
        "name": added.name,
        "branch": added.branch,
        "base": added.base,
        "head": head,
        "agent": added.agent,
        "domain": added.domain,
        "task": added.granted.as_ref().map(|g| &g.id),
        "expires_at": added.granted.as_ref().map(|g| g.until),
        "token": added.granted.as_ref().map(|g| g.version.state.phase.fence.token),
        "session": added.session,
        "hook": added.hook,
    });
    let next = format!("cd {}", quoted(&shown(&added.path)));
    let text = format!("{}next: {next}\n", aligned(&rows));
    Answer { text, json: json!({ "worktree": worktree, "next": next }) }
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

fn short(head: &str) -> &str {
    head.get(..10).unwrap_or(head)
}

/// All worktrees, a line each.
pub fn list(listing: &Listing) -> Answer {
    let rows: Vec<Vec<String>> = listing.lines.iter().map(|line| cells(line, listing.now)).collect();
    let mut text = aligned(&rows);
    text.push_str(&plural(rows.len(), "worktree"));
    if let Some(trunk) = &listing.trunk {
        text.push_str(&format!("; trunk {}", escape::clipped(trunk.shown(), 60)));
    }
    text.push('\n');
    let worktrees: Vec<Value> = listing.lines.iter().map(json_of).collect();
    let json = json!({
        "worktrees": worktrees,
        "total": rows.len(),
        "trunk": listing.trunk.as_ref().map(|trunk| trunk.shown()),
    });
    Answer { text, json }
}

fn cells(line: &Line, now: Timestamp) -> Vec<String> {
    let task = line.task.as_deref().map(|task| escape::clipped(task, 24)).unwrap_or_default();
    let lease = line.expires_at.map(|until| format!("{} left", Span(until.since(now)))).unwrap_or_default();
    let mut state = Vec::new();
    if line.worktree.missing {
        state.push("folder gone".to_owned());
    }
    if line.worktree.locked.is_some() {
        state.push("locked".into());
    }
    match line.dirty {
        Some(0) => state.push("clean".into()),
        Some(count) => state.push(format!("{count} dirty")),
        None => {}
    }
    match line.ahead_behind {
        Some((0, 0)) | None => {}
        Some((ahead, behind)) => state.push(format!("+{ahead} -{behind}")),
    }
    vec![
        escape::clipped(&line.worktree.name(), 40),
        match (&line.binding.branch, line.worktree.missing) {
            (Some(branch), _) => escape::clipped(branch, 40),
            (None, true) => String::new(),
            (None, false) => "(detached)".into(),
        },
        line.agent.as_deref().map(|agent| escape::clipped(agent, 24)).unwrap_or_default(),
        task,
        lease,
        state.join(", "),
    ]
}

fn json_of(line: &Line) -> Value {
    json!({
        "path": line.worktree.path.to_string_lossy(),
        "name": line.worktree.name(),
        "branch": line.binding.branch,
        "agent": line.agent,
        "domain": line.domain,
        "task": line.task,
        "expires_at": line.expires_at,
        "dirty": line.dirty,
        "ahead": line.ahead_behind.map(|counts| counts.0),
        "behind": line.ahead_behind.map(|counts| counts.1),
        "head": line.binding.head.map(|head| head.to_string()),
        "locked": line.worktree.locked.is_some(),
        "missing": line.worktree.missing,
        "main": line.worktree.is_main,
    })
}

/// After `worktree remove`.
pub fn removed(removed: &Removed) -> Answer {
    Answer { text: removed_line(removed), json: json!({ "worktree": removed_json(removed) }) }
}

fn removed_line(removed: &Removed) -> String {
    let mut text = format!("removed {}", escape::line(&removed.worktree.name()));
    if let Some((branch, commit)) = &removed.kept {
        let commit = commit.to_string();
        text.push_str(&format!("; kept on {} ({})", escape::line(branch), short(&commit)));
    }
    if let Some(dir) = &removed.copied {
        text.push_str(&format!("; ignored files in {}", shown(dir)));
    }
    if let Some(saved) = &removed.saved {
        let what = match saved.commits {
            0 => "what only it named".to_owned(),
            commits => plural(commits, "commit") + " of its reflog",
        };
        text.push_str(&format!("; {what} in {}", saved.name.as_str()));
    }
    match &removed.branch {
        Some(_) if removed.branch_deleted => text.push_str("; its branch held nothing of its own"),
        Some(branch) => text.push_str(&format!("; branch {} stays", escape::line(branch))),
        None => {}
    }
    for task in &removed.released {
        text.push_str(&format!("; released {task}"));
    }
    text.push('\n');
    text
}

fn removed_json(removed: &Removed) -> Value {
    json!({
        "path": removed.worktree.path.to_string_lossy(),
        "name": removed.worktree.name(),
        "branch": removed.branch,
        "branch_deleted": removed.branch_deleted,
        "kept": removed.kept.as_ref().map(|kept| &kept.0),
        "commit": removed.kept.as_ref().map(|kept| kept.1.to_string()),
        "copied": removed.copied.as_ref().map(|dir| dir.to_string_lossy()),
        "saved": removed.saved.as_ref().map(|saved| saved.name.as_str()),
        "saved_commits": removed.saved.as_ref().map_or(0, |saved| saved.commits),
        "released": removed.released,
    })
}

/// After `worktree prune`.
pub fn pruned(pruned: &Pruned) -> Answer {
    let mut text: String = pruned.removed.iter().map(removed_line).collect();
    let rows: Vec<Vec<String>> = pruned
        .left
        .iter()
        .map(|(worktree, reasons)| {
            let name = escape::clipped(&worktree.name(), 40);
            vec!["left".into(), name, escape::clipped(&reasons.join("; "), 160)]
        })
        .collect();
    text.push_str(&aligned(&rows));
    text.push_str(&format!("{} removed, {} left\n", pruned.removed.len(), pruned.left.len()));
    let left: Vec<Value> = pruned
        .left
        .iter()
        .map(|(worktree, reasons)| {
            let path = worktree.path.to_string_lossy();
            json!({ "path": path, "name": worktree.name(), "reasons": reasons })
        })
        .collect();
    let removed: Vec<Value> = pruned.removed.iter().map(removed_json).collect();
    Answer { text, json: json!({ "removed": removed, "left": left }) }
}
