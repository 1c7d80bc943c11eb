//! Puts our hooks into a harness's settings, and our block into `AGENTS.md`.
//! These are the person's files: no agent changes them this way.

use std::path::{Path, PathBuf};

use super::files::{Planned, refuse};
use super::{Format, Moment, block, merge};
use crate::ops::Context;
use crate::ops::error::Error;
use crate::ops::identity::Who;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Take out instead of put in.
    pub remove: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Puts the hooks into the settings of a harness, or takes them out.
pub fn hooks(
    context: &Context<'_>,
    format: &Format,
    local: bool,
    asked: Asked,
) -> Result<Vec<Planned>, Error> {
    let root = root(context)?;
    let name = match (local, format.local_settings) {
        (false, _) => format.settings,
        (true, Some(name)) => name,
        (true, None) => {
            return Err(Error::usage(
                format!("{} has no settings that are not shared", format.name),
                format!("git comm setup harness {}", format.name),
            ));
        }
    };
    let mut file = Planned::read(&root, name)?;
    let unusable =
        |what: String| refuse(name, &format!("cannot be edited: {what}"), "mend it, then try again");
    let text = file.text()?;
    let after = match (text, asked.remove) {
        (None, true) => None,
        (Some(text), true) => merge::remove(format, text).map_err(unusable)?,
        (text, false) => {
            let after = merge::add(format, text).map_err(unusable)?;
            let back = merge::remove(format, &after).map_err(unusable)?;
            let had = text.map(|text| merge::found(format, text)).transpose().map_err(unusable)?;
            // What could not be taken out again is not put in.
            if had.unwrap_or_default().is_empty() && back.as_deref() != text {
                return Err(unusable("it could not be restored as it is".into()));
            }
            Some(after)
        }
    };
    file.after = after.map(String::into_bytes);
    carry_out(vec![file], asked)
}

/// Puts the block into `AGENTS.md` and an import into an existing
/// `CLAUDE.md`, or takes both out.
pub fn agents_md(context: &Context<'_>, asked: Asked) -> Result<Vec<Planned>, Error> {
    let plan = block::plan(&root(context)?, asked.remove)?;
    carry_out(plan, asked)
}

/// Which moments of a harness are hooked here; none if its settings cannot
/// be read.
pub fn installed(context: &Context<'_>, format: &Format) -> Option<Vec<Moment>> {
    let root = std::fs::canonicalize(context.store.repo().work_tree()?).ok()?;
    let names = [Some(format.settings), format.local_settings];
    let mut all = Vec::new();
    for name in names.into_iter().flatten() {
        let file = Planned::read(&root, name).ok()?;
        if let Some(text) = file.text().ok()? {
            all.extend(merge::found(format, text).ok()?);
        }
    }
    Some(all)
}

/// What `git comm setup` takes out here again: `agents-md`, or `harness` with
/// a name.
pub fn installed_by(context: &Context<'_>) -> Vec<String> {
    let Some(root) = context.store.repo().work_tree() else { return Vec::new() };
    let texts = [block::AGENTS, block::CLAUDE].iter().any(|name| is_ours(root, name, None));
    let mut found: Vec<String> = texts.then(|| "agents-md".to_owned()).into_iter().collect();
    for format in super::ALL {
        if is_ours(root, format.settings, Some(format)) {
            found.push(format!("harness {}", format.name));
        }
        if format.local_settings.is_some_and(|name| is_ours(root, name, Some(format))) {
            found.push(format!("harness {} --local", format.name));
        }
    }
    found
}

/// Whether a file of a worktree holds something of ours.
fn is_ours(root: &Path, name: &str, format: Option<&Format>) -> bool {
    let root = std::fs::canonicalize(root).unwrap_or_default();
    let Ok(file) = Planned::read(&root, name) else { return false };
    let Ok(Some(text)) = file.text() else { return false };
    match format {
        Some(format) => merge::found(format, text).is_ok_and(|found| !found.is_empty()),
        None => block::is_in(name, text),
    }
}

/// The files in the worktree `from` that hold something of ours, which those
/// of the same name in the worktree `to` lack.
pub fn lacking(from: &Path, to: &Path) -> Vec<&'static str> {
    let settings =
        super::ALL.iter().flat_map(|f| [Some((f.settings, *f)), f.local_settings.map(|s| (s, *f))]);
    let texts = [block::AGENTS, block::CLAUDE].map(|name| (name, None));
    let all = texts.into_iter().chain(settings.flatten().map(|(name, format)| (name, Some(format))));
    all.filter(|(name, format)| is_ours(from, name, *format) && !is_ours(to, name, *format))
        .map(|(name, _)| name)
        .collect()
}

fn carry_out(plan: Vec<Planned>, asked: Asked) -> Result<Vec<Planned>, Error> {
    if !asked.dry_run {
        for file in &plan {
            file.carry_out()?;
        }
    }
    Ok(plan)
}

fn root(context: &Context<'_>) -> Result<PathBuf, Error> {
    let not_the_person = match &context.identity.who {
        Who::Agent(name) => Some(format!("`{name}` is an agent, and these files are the person's")),
        Who::Nobody(why) if !why.contains("user.name") => Some((*why).to_owned()),
        _ => None,
    };
    if let Some(what) = not_the_person {
        let hint = "ask the person: git comm msg send --to person TEXT".into();
        return Err(Error::Identity { what, hint });
    }
    let root = context.store.repo().work_tree().and_then(|root| std::fs::canonicalize(root).ok());
    root.ok_or_else(|| Error::Fatal {
        what: "there is no working tree here".into(),
        hint: "go into a worktree, or name one: git comm -C DIR".into(),
    })
}
