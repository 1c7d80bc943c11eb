//! Times processes: what they cost, never what they say.

use std::cell::OnceCell;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::board;
use crate::support::Sandbox;

/// Tasks on the larger board.
pub(crate) const THOUSAND: usize = 1_000;

/// How much is measured of each row, and what rows share.
pub(crate) struct Effort {
    quick: bool,
    thousand: OnceCell<Sandbox>,
}

impl Effort {
    pub(crate) fn new(quick: bool) -> Self {
        Self { quick, thousand: OnceCell::new() }
    }

    /// `count`, or a fifth of it when little is wanted.
    pub(crate) fn of(&self, count: usize) -> usize {
        if self.quick { count.div_ceil(5) } else { count }
    }

    /// A board with [`THOUSAND`] live tasks, all packed. Rows that only look
    /// share it, because making it takes as long as measuring.
    pub(crate) fn thousand(&self) -> &Sandbox {
        self.thousand.get_or_init(|| {
            let board = board::with_tasks(THOUSAND);
            board.git("gc -q").succeeds();
            board
        })
    }
}

/// What a process cost, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// User and system time, of the process and of those that it waited for.
    pub(crate) cpu: f64,
    /// From just before its start until it was reaped.
    pub(crate) wall: f64,
}

/// Runs a command without output; it must succeed. Nothing else may reap
/// children meanwhile.
pub(crate) fn cost_of(command: &mut Command) -> Cost {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (cpu, started) = (children_cpu(), Instant::now());
    let status = command.status().unwrap();
    let wall = started.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?}: {status}");
    Cost { cpu: children_cpu() - cpu, wall }
}

fn children_cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    f64::from(u32::try_from(micros).unwrap()) / 1e6
}

/// What two alternatives cost, and the ratio between them.
pub(crate) struct Comparison {
    /// Median of one run of ours.
    pub(crate) ours: f64,
    /// Median of one run of the baseline.
    pub(crate) baseline: f64,
    /// Median over the batches of (sum of ours / sum of the baseline).
    pub(crate) ratio: f64,
}

/// Runs per batch: enough that the clock's grain does not show in a sum.
const BATCH: usize = 10;

/// Runs both in turn, A B A B, so that a machine that slows down slows both.
/// Each function is given the number of the run; `reset` undoes, unmeasured,
/// what ours did.
pub(crate) fn compare(
    batches: usize,
    which: fn(&Cost) -> f64,
    mut ours: impl FnMut(usize) -> Command,
    mut baseline: impl FnMut(usize) -> Command,
    mut reset: impl FnMut(usize),
) -> Comparison {
    let (mut all_ours, mut all_baseline, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for batch in 0..batches {
        let (mut sum_ours, mut sum_baseline) = (0.0, 0.0);
        for run in batch * BATCH..(batch + 1) * BATCH {
            let cost = which(&cost_of(&mut ours(run)));
            reset(run);
            sum_ours += cost;
            all_ours.push(cost);
            let cost = which(&cost_of(&mut baseline(run)));
            sum_baseline += cost;
            all_baseline.push(cost);
        }
        ratios.push(sum_ours / sum_baseline);
    }
    Comparison { ours: median(all_ours), baseline: median(all_baseline), ratio: median(ratios) }
}

/// The middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
