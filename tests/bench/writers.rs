//! How much sixteen writers get done that never want the same task.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::board::{Pair, free_task};
use crate::measure::{Effort, median};
use crate::report::{Bound, Row};

const WRITERS: usize = 16;
/// Swaps of one writer in one round.
const SWAPS: usize = 12;

/// A fleet at work: what one store-wide lock costs those who never meet.
pub(crate) fn all(effort: &Effort) -> Vec<Row> {
    [("process", 0.5), ("power", 0.3)].map(|(durability, bound)| measure(effort, durability, bound)).into()
}

fn measure(effort: &Effort, durability: &str, bound: f64) -> Row {
    let pair = Pair::with_tasks(free_task(WRITERS), durability);
    // The first claim of a session gives a heartbeat too: not here.
    for writer in 0..WRITERS {
        for verb in ["claim", "release"] {
            quietly(&mut ours(&pair, writer, verb));
        }
    }
    let (mut rates, mut baseline_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..effort.of(9) {
        let rate = rate_of(|writer, swap| ours(&pair, writer, ["claim", "release"][swap % 2]));
        let baseline = rate_of(|writer, swap| pair.update_ref(free_task(writer), round * SWAPS + swap));
        rates.push(rate);
        baseline_rates.push(baseline);
        ratios.push(rate / baseline);
    }
    let versions = pair.ours.git("rev-list --count refs/comm-node/tasks/bd-1").succeeds().stdout;
    assert_eq!(versions.trim(), (3 + rates.len() * SWAPS).to_string(), "each swap is a version");
    Row {
        figure: format!("{WRITERS} writers, {durability} / update-ref, swaps a second"),
        measured: format!("{:.0}/s", median(rates)),
        baseline: format!("{:.0}/s", median(baseline_rates)),
        value: median(ratios),
        bound: Bound::RatioFloor(bound),
    }
}

fn ours(pair: &Pair, writer: usize, verb: &str) -> Command {
    pair.verb(&format!("writer-{writer}"), &format!("{verb} bd-{}", free_task(writer)))
}

/// Swaps a second when all writers work at once, each one command at a time.
fn rate_of(command: impl Fn(usize, usize) -> Command + Sync) -> f64 {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let command = &command;
            scope.spawn(move || (0..SWAPS).for_each(|swap| quietly(&mut command(writer, swap))));
        }
    });
    f64::from(u32::try_from(WRITERS * SWAPS).unwrap()) / started.elapsed().as_secs_f64()
}

fn quietly(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
