//! The demo's story as lines for a terminal, with colours where they show.

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::Answer;
use crate::ops::demo::{Beat, Played};
use crate::text::escape;

const SAID: Style = Style::new().italic();
const TITLE: Style = Style::new().bold();
const NAME: Style = AnsiColor::Cyan.on_default().bold();
const TYPED: Style = Style::new().bold();
const REFUSED: Style = AnsiColor::Yellow.on_default();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const PLAIN: Style = Style::new();

/// Width of the column that says who typed.
const WHO: usize = 4;

/// One beat of the story, as whole lines.
pub fn beat(beat: Beat<'_>, coloured: bool) -> String {
    let paint = |style: Style, text: &str| match coloured && style != PLAIN {
        true => format!("{style}{text}{style:#}"),
        false => text.to_owned(),
    };
    match beat {
        Beat::Act { number, title } => format!("\n{}\n", paint(TITLE, &format!("{number}. {title}"))),
        Beat::Say(text) => format!("   {}\n", paint(SAID, &escape::line(text))),
        Beat::Ran { who, line, ended } => {
            let name = paint(NAME, who);
            let pad = " ".repeat(WHO.saturating_sub(who.len()));
            let mut out = format!("{pad}{name} $ {}\n", paint(TYPED, &escape::line(line)));
            let good = ended.code == Some(0);
            let mut push = |style, text: &str| {
                for line in escape::block(text).lines().filter(|line| !line.is_empty()) {
                    out.push_str(&format!("{:WHO$}   {}\n", "", paint(style, line)));
                }
            };
            push(PLAIN, &ended.stdout);
            push(if good { PLAIN } else { REFUSED }, &ended.stderr);
            if let (false, Some(code)) = (good, ended.code) {
                push(REFUSED, &format!("(exit {code})"));
            }
            out
        }
        Beat::End(played) => {
            let kept = match &played.kept {
                None => "Its repository is gone again; see one from inside with --keep DIR.".to_owned(),
                Some(dir) => {
                    let dir = escape::bytes(dir.as_os_str().as_encoded_bytes());
                    format!("Its repository is in {dir}; look around there: git comm list --all")
                }
            };
            format!("\n{} {}\n{kept}\n", paint(GOOD, "All of it held:"), counts(played))
        }
    }
}

fn counts(played: &Played) -> String {
    format!(
        "{} checks, {} processes, {}.{} s.",
        played.checks,
        played.processes,
        played.ms / 1_000,
        played.ms % 1_000 / 100
    )
}

/// What is said to programs, after the end.
pub fn played(played: &Played) -> Answer {
    let kept = played.kept.as_ref().map(|dir| escape::bytes(dir.as_os_str().as_encoded_bytes()));
    let json = json!({
        "checks": played.checks,
        "processes": played.processes,
        "ms": u64::try_from(played.ms).unwrap_or(u64::MAX),
        "kept": kept,
    });
    Answer { text: String::new(), json }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::own::Ended;

    fn refused() -> Ended {
        Ended { code: Some(1), stdout: String::new(), stderr: "error: no\n\nhint: \u{1b}[2Jyes\n".into() }
    }

    #[test]
    fn a_refusal_shows_its_words_and_its_code() {
        let ended = refused();
        let text = beat(Beat::Ran { who: "ada", line: "git comm claim bd-1", ended: &ended }, false);
        let expected =
            " ada $ git comm claim bd-1\n       error: no\n       hint: \\u{1b}[2Jyes\n       (exit 1)\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn colours_only_add_escapes() {
        let ended = refused();
        let ran = Beat::Ran { who: "ada", line: "git comm claim bd-1", ended: &ended };
        for told in [ran, Beat::Act { number: 1, title: "begin" }, Beat::Say("so")] {
            let (plain, coloured) = (beat(told, false), beat(told, true));
            let stripped = coloured.split('\u{1b}').map(|part| match part.split_once('m') {
                Some((code, rest)) if code.starts_with('[') => rest,
                _ => part,
            });
            assert_eq!(stripped.collect::<String>(), plain);
        }
        assert!(beat(ran, true).contains('\u{1b}'));
    }
}
