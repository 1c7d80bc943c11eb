//! What an answer costs an agent that reads it.

use crate::board;
use crate::measure::Effort;
use crate::report::{Bound, Row};
use crate::support::Run;

/// Bytes of English and JSON to a token, as models count them.
const BYTES_PER_TOKEN: f64 = 3.6;

/// Agents pay for every token that a command prints.
pub(crate) fn all(_: &Effort) -> Vec<Row> {
    let board = board::with_tasks(20);
    let ready = board.as_agent("ada", "ready").succeeds();
    assert_eq!(ready.stdout.lines().count(), 11, "ten tasks and a count");
    let claim = board.as_agent("ada", "claim bd-5").succeeds();
    let refusal = board.as_agent("bob", "claim bd-5").exits(1);
    let close = board.as_agent("ada", "close bd-5").succeeds();
    let next = board.as_agent("ada", "next").succeeds();
    vec![
        row("ready, 10 entries", &ready, 200.0),
        row("claim", &claim, 40.0),
        row("next", &next, 40.0),
        row("close", &close, 40.0),
        row("a refused claim", &refusal, 100.0),
    ]
}

/// What each session of an agent starts with: role, rules, unread messages,
/// what it holds, and the best of what is ready.
pub(crate) fn prime(effort: &Effort) -> Vec<Row> {
    let board = effort.thousand();
    board.as_agent("ada", "agent register --domain api --role 'Writes the parser'").succeeds();
    board.as_agent("ada", "claim bd-5").succeeds();
    board.as_agent("bob", "msg send --to ada 'Look at the lexer first'").succeeds();
    let prime = board.as_agent("ada", "prime").succeeds();
    for part in ["you are ada", "Writes the parser", "you hold bd-5", "1 unread message", "749 ready for you"]
    {
        assert!(prime.stdout.contains(part), "`{part}` is missing in\n{}", prime.stdout);
    }
    board.as_agent("ada", "release bd-5").succeeds();
    vec![row("prime, 1,000 tasks", &prime, 400.0)]
}

fn row(figure: &str, run: &Run, bound: f64) -> Row {
    let bytes = u32::try_from(run.stdout.len() + run.stderr.len()).unwrap();
    let tokens = f64::from(bytes) / BYTES_PER_TOKEN;
    Row {
        figure: format!("{figure}, tokens"),
        measured: format!("{tokens:.0}"),
        baseline: String::new(),
        value: tokens,
        bound: Bound::Figure(bound, ""),
    }
}
