//! How the harness files of a worktree stand. Only looks.

use std::path::Path;

use super::block::{self, AGENTS, CLAUDE, Standing};
use super::files::Planned;
use super::jsonc::{self, Node};
use super::merge::{self, HOOKS};
use super::{ALL, Format, Moment};

/// A file of the worktree that `setup` wrote into.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Its name, relative to the top.
    pub name: &'static str,
    /// Whether other worktrees are to have it too.
    pub is_shared: bool,
    /// Whether it calls this program.
    pub is_called: bool,
    /// What is wrong with it.
    pub faults: Vec<String>,
    /// What to type about them.
    pub remedy: String,
}

/// The files of the worktree at `root` that `setup` wrote into, and those of
/// a harness that no program could read.
pub fn files(root: &Path) -> Vec<Installed> {
    let settings = ALL.into_iter().flat_map(|format| {
        [(format, format.settings, true)].into_iter().chain(format.local_settings.map(|n| (format, n, false)))
    });
    let mut found: Vec<Installed> =
        settings.filter_map(|(format, name, is_shared)| of_settings(root, format, name, is_shared)).collect();
    found.extend(of_texts(root));
    found
}

fn of_settings(root: &Path, format: &Format, name: &'static str, is_shared: bool) -> Option<Installed> {
    let local = if is_shared { "" } else { " --local" };
    let setup = format!("git comm setup harness {}{local}", format.name);
    let unreadable = |why: String| {
        let faults = vec![format!("cannot be read: {why}")];
        Some(Installed { name, is_shared, is_called: false, faults, remedy: "mend it by hand".into() })
    };
    let file = match Planned::read(root, name) {
        Ok(file) => file,
        Err(error) => return unreadable(error.to_string()),
    };
    let text = match file.text() {
        Ok(text) => text?,
        Err(error) => return unreadable(error.to_string()),
    };
    let parsed = jsonc::parse(text);
    let parsed = match parsed {
        // A harness takes an empty file for none.
        Err(_) if text.trim().is_empty() => return None,
        Err(why) => return unreadable(why),
        Ok(node) => node,
    };
    let mut faults = Vec::new();
    let (mut missing, mut any) = (Vec::new(), false);
    for moment in Moment::ALL {
        let ours = entries(format, &parsed, moment);
        any |= !ours.is_empty();
        match ours.as_slice() {
            [] => missing.push(moment.verb()),
            [one] => faults.extend(changed(format, moment, text, one)),
            several => faults.push(format!("calls {} {} times", moment.verb(), several.len())),
        }
    }
    if !any {
        return None;
    }
    let is_changed = !faults.is_empty();
    if !missing.is_empty() {
        faults.push(format!("does not call {}", missing.join(", ")));
    }
    let mut remedy = match (is_changed, missing.is_empty()) {
        (true, _) => format!("{setup} --remove, then {setup}"),
        (false, false) => setup,
        (false, true) => String::new(),
    };
    let switch = parsed.named(SWITCH).last();
    if switch.is_some_and(|item| text.get(item.value.start..item.value.end) == Some("true")) {
        faults.push(format!("switches all hooks off by `{SWITCH}`"));
        remedy = format!("take `{SWITCH}` out of it");
    }
    Some(Installed { name, is_shared, is_called: true, faults, remedy })
}

/// A setting of Claude Code's that stops every hook.
const SWITCH: &str = "disableAllHooks";

/// The entries of a moment that call us.
fn entries<'n>(format: &Format, root: &'n Node, moment: Moment) -> Vec<&'n Node> {
    let (event, _) = (format.events)(moment);
    let mut found = Vec::new();
    for hooks in root.items().iter().filter(|item| item.key == HOOKS) {
        for list in hooks.value.items().iter().filter(|item| item.key == event) {
            let items = list.value.items().iter().map(|item| &item.value);
            found.extend(items.filter(|entry| merge::handler_of(entry, moment).is_some()));
        }
    }
    found
}

/// What is not as `setup` writes it.
fn changed(format: &Format, moment: Moment, text: &str, entry: &Node) -> Option<String> {
    let (handler, _) = merge::handler_of(entry, moment)?;
    let (_, matcher) = (format.events)(moment);
    let raw = |node: &Node, key: &str| {
        let value = &node.items().iter().find(|item| item.key == key)?.value;
        Some(text.get(value.start..value.end)?.to_owned())
    };
    let quoted = |text: &str| format!("\"{text}\"");
    let what = if entry.text("matcher") != matcher {
        "for other tools"
    } else if handler.text("command") != Some(merge::command(format, moment).as_str()) {
        "by another command"
    } else if raw(handler, "type") != Some(quoted("command"))
        || raw(handler, "timeout") != Some(format.timeout.to_string())
    {
        "in another way"
    } else {
        return None;
    };
    Some(format!("calls {} {what} than setup writes", moment.verb()))
}

fn of_texts(root: &Path) -> Vec<Installed> {
    const SETUP: &str = "git comm setup agents-md";
    let of = |name, fault: Option<&str>, remedy: &str| {
        let faults: Vec<String> = fault.map(str::to_owned).into_iter().collect();
        let remedy = if faults.is_empty() { String::new() } else { remedy.to_owned() };
        Installed { name, is_shared: true, is_called: false, faults, remedy }
    };
    let read = |name: &str| {
        let file = Planned::read(root, name).ok()?;
        let text = file.text().ok()??.to_owned();
        Some((file.path().to_owned(), text))
    };
    let Some((path, text)) = read(AGENTS) else { return Vec::new() };
    let (fault, remedy) = match block::standing(&text) {
        Standing::Absent => return Vec::new(),
        Standing::Current => (None, ""),
        Standing::Older => (Some("has the block of another version"), SETUP),
        Standing::Edited => (
            Some("has a block that was edited"),
            "keep your words outside of it; delete it, then: git comm setup agents-md",
        ),
        Standing::Broken => {
            (Some("has a block without an end"), "delete what is left of it, then: git comm setup agents-md")
        }
    };
    let mut found = vec![of(AGENTS, fault, remedy)];
    if let Some((other, text)) = read(CLAUDE)
        && other != path
    {
        let fault = (!block::imports(&text)).then_some("does not import AGENTS.md");
        found.push(of(CLAUDE, fault, SETUP));
    }
    found
}
