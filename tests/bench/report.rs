//! The table.

use std::process::Command;

use crate::measure::Comparison;

/// One figure.
pub(crate) struct Row {
    pub(crate) figure: String,
    pub(crate) measured: String,
    pub(crate) baseline: String,
    /// What the bound is about: the ratio, or the figure itself.
    pub(crate) value: f64,
    pub(crate) bound: Bound,
}

/// What must hold.
pub(crate) enum Bound {
    /// The ratio is at most this.
    Ratio(f64),
    /// The ratio is at least this.
    RatioFloor(f64),
    /// The figure itself is at most this, in this unit.
    Figure(f64, &'static str),
}

impl Row {
    /// A row about milliseconds and a ratio.
    pub(crate) fn of_times(figure: &str, compared: &Comparison, bound: f64) -> Self {
        Self {
            figure: figure.to_owned(),
            measured: format!("{:.2} ms", compared.ours * 1e3),
            baseline: format!("{:.2} ms", compared.baseline * 1e3),
            value: compared.ratio,
            bound: Bound::Ratio(bound),
        }
    }
}

/// What the figures were measured on.
pub(crate) fn print_machine() {
    let git = Command::new("git").arg("--version").output().unwrap().stdout;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, {}", String::from_utf8_lossy(&git).trim());
    println!("{:<52} {:>12} {:>12} {:>7}  {:<9} held", "figure", "measured", "baseline", "ratio", "bound");
}

/// Prints rows as soon as they are there: measuring all takes minutes.
pub(crate) fn print_rows(rows: &[Row]) {
    for row in rows {
        let (ratio, bound, held) = match row.bound {
            Bound::Ratio(limit) => (format!("{:.2}x", row.value), format!("<= {limit}x"), row.value <= limit),
            Bound::RatioFloor(limit) => {
                (format!("{:.2}x", row.value), format!(">= {limit}x"), row.value >= limit)
            }
            Bound::Figure(limit, unit) => (String::new(), format!("<= {limit}{unit}"), row.value <= limit),
        };
        let held = if held { "within" } else { "OVER" };
        println!(
            "{:<52} {:>12} {:>12} {:>7}  {:<9} {held}",
            row.figure, row.measured, row.baseline, ratio, bound
        );
    }
}
