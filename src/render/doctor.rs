//! The check-up: a line for each finding, what to do below it.

use serde_json::{Value, json};

use super::Answer;
use super::columns::aligned;
use crate::ops::doctor::{Check, Level};
use crate::ops::error::plural;
use crate::text::escape;

/// What is shown of many lines about one subject; JSON has them all.
const SHOWN: usize = 5;

/// The whole board.
pub fn board(checks: &[Check]) -> Answer {
    let count = |level: Level| checks.iter().filter(|check| check.level == level).count();
    let (red, notes) = (count(Level::Red), count(Level::Yellow));
    let mut text = lines(checks);
    let of = plural(checks.len(), "check");
    text.push_str(&match (red, notes) {
        (0, 0) => format!("{of} ok\n"),
        (0, n) => format!("{of}, none red, {}\n", plural(n, "note")),
        (n, 0) => format!("{n} of {of} red\n"),
        (n, m) => format!("{n} of {of} red, {}\n", plural(m, "note")),
    });
    let objects: Vec<Value> = checks
        .iter()
        .map(|c| json!({ "name": c.name, "status": c.level.as_str(), "what": c.what, "remedy": c.remedy, "fixed": c.fixed }))
        .collect();
    Answer { text, json: json!({ "checks": objects, "red": red, "notes": notes }) }
}

fn lines(checks: &[Check]) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut remedies: Vec<String> = Vec::new();
    for subject in checks.chunk_by(|a, b| a.name == b.name) {
        let (shown, rest) = subject.split_at(subject.len().min(SHOWN));
        for check in shown {
            let word = if check.fixed { "fixed" } else { check.level.as_str() };
            rows.push(vec![word.to_owned(), check.name.to_owned(), escape::clipped(&check.what, 200)]);
            remedies.push(check.remedy.clone());
        }
        if let Some(worst) = rest.iter().map(|check| check.level).max() {
            let what = format!("{} more", rest.len());
            rows.push(vec![worst.as_str().to_owned(), subject[0].name.to_owned(), what]);
            remedies.push("git comm doctor --json".into());
        }
    }
    let mut text = String::new();
    for (at, line) in aligned(&rows).lines().enumerate() {
        text.push_str(&format!("{line}\n"));
        let remedy = remedies.get(at).map(String::as_str).unwrap_or_default();
        // Said once for lines that share it.
        let is_repeated = remedies.get(at + 1).is_some_and(|next| next == remedy)
            && rows.get(at).map(|row| &row[1]) == rows.get(at + 1).map(|row| &row[1]);
        if !remedy.is_empty() && !is_repeated {
            text.push_str(&format!("       -> {}\n", escape::line(remedy)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, level: Level, what: &str, remedy: &str) -> Check {
        Check { name, level, what: what.into(), remedy: remedy.into(), fixed: false }
    }

    #[test]
    fn many_lines_of_a_subject_stay_few_and_share_their_remedy() {
        let mut checks = vec![check("git", Level::Green, "2.47.3", "")];
        checks.extend((0..9).map(|n| check("records", Level::Red, &format!("fault {n}"), "mend it")));
        checks.push(check("state", Level::Yellow, "a\u{1b}[31m", "rm x"));
        let answer = board(&checks);
        let expected = "\
ok    git      2.47.3
red   records  fault 0
red   records  fault 1
red   records  fault 2
red   records  fault 3
red   records  fault 4
       -> mend it
red   records  4 more
       -> git comm doctor --json
note  state    a\\u{1b}[31m
       -> rm x
9 of 11 checks red, 1 note
";
        assert_eq!(answer.text, expected);
        assert_eq!(answer.json["checks"].as_array().unwrap().len(), 11);
        assert_eq!((&answer.json["red"], &answer.json["notes"]), (&9.into(), &1.into()));
        assert_eq!(board(&checks[..1]).text, "ok  git  2.47.3\n1 check ok\n");
    }
}
