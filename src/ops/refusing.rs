//! How a gate says no to an agent: on the record, with whom to ask.

use super::error::Error;
use super::{Context, rules};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::gate::scope::Owner;
use crate::model::entry::{Entry, Refused};
use crate::model::limits;
use crate::model::names::{DomainName, TaskId};
use crate::store::Author;
use crate::text::escape;
use crate::text::time::Timestamp;

/// Whom to ask: who works on the first file's domain now, and how to have it
/// done without touching it.
pub(super) fn hint_for(context: &Context<'_>, rules: &Config, findings: &[Finding]) -> Result<String, Error> {
    let Some(first) = findings.first() else { return Ok(String::new()) };
    let Owner::Domain(domain) = rules.domains.owner(&first.path) else { return Ok(first.how.clone()) };
    let Some(name) = &domain.name else { return Ok(first.how.clone()) };
    let board = super::board::Board::load(&context.store)?;
    // Who registered for the domain, or holds a task from a worktree of it.
    let claims_it = |id: &TaskId| {
        let claim = board.tasks.get(id).and_then(|task| task.state.phase.claim.as_ref());
        claim.is_some_and(|claim| claim.domain.as_ref() == Some(name))
    };
    let holder = super::agents::list(context, &board).into_iter().find(|line| {
        let works_there = line.agent.domain.as_ref() == Some(name)
            || line.holds.iter().any(|(id, until)| until.is_some() && claims_it(id));
        works_there && line.activity == super::agents::Activity::Busy
    });
    let ask = match (&domain.hint, holder) {
        (hint, _) if !hint.is_empty() => hint.clone(),
        (_, Some(line)) => {
            format!("ask {}, who works there: git comm msg send --to {} TEXT", line.name, line.name)
        }
        _ => first.how.clone(),
    };
    Ok(format!("{ask}; or leave it to them: git comm add TITLE --domain {name}"))
}

/// Appends a refusal to the log of whoever was refused. One that cannot be
/// written down is still one.
pub(super) fn on_record(
    context: &Context<'_>,
    author: &Author,
    bound: &[DomainName],
    gate: &str,
    what: &str,
    findings: &[Finding],
) {
    if !context.store.has_board() {
        return;
    }
    let rules = rules::current(context).unwrap_or_default();
    let owner = |path: &[u8]| match rules.domains.owner(path) {
        Owner::Domain(domain) => domain.name.clone(),
        _ => None,
    };
    let refused = |finding: &Finding| {
        let crossing = finding.crossing.as_deref();
        let target = crossing.map_or("", |crossing| crossing.target.as_str());
        Refused {
            code: finding.code.to_owned(),
            path: finding.shown_path(),
            line: (finding.line > 0).then_some(finding.line as u64),
            owner: owner(&finding.path),
            // As long as a path may be.
            target: escape::clipped(target, 4096),
            target_owner: crossing.and_then(|crossing| crossing.domain.parse().ok()),
        }
    };
    let entry = Entry::Refused {
        gate: gate.to_owned(),
        what: what.to_owned(),
        domain: bound.first().cloned(),
        findings: findings.iter().take(limits::FINDINGS).map(refused).collect(),
        total: findings.len(),
    };
    let summary = format!("refused {}: {what}", author.agent);
    let append =
        context.store.append("log", author, &entry, &summary, Timestamp::from_micros(i64::MAX), |_| false);
    if let Err(error) = append {
        tracing::warn!(%error, "refusal not on the record");
    }
}
