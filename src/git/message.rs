//! The message of a commit that is about to be made.

use std::io::{Read, Write};
use std::path::Path;

use super::{GitError, Repo};

/// What follows in a message is cut off; a comment's sign stands before it.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

/// What becomes of trailers of the same keys that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// They are replaced.
    Replaced,
    /// They stay as they are.
    Kept,
}

impl Repo {
    /// Sets trailers of the message in `file`, whatever git's settings make of
    /// other trailers. An empty message stays empty: git makes no commit of it.
    pub fn set_trailers(
        &self,
        file: &Path,
        trailers: &[(&str, &str)],
        present: Present,
    ) -> Result<(), GitError> {
        let text = end_line(file).map_err(|err| GitError::write(file, err))?;
        let cut = text.split(|&b| b == b'\n').find_map(|line| line.strip_suffix(SCISSORS));
        if is_empty(&text, cut) {
            return Ok(());
        }
        let exists = match present {
            Present::Replaced => "--if-exists=replace",
            Present::Kept => "--if-exists=doNothing",
        };
        // Settings of this one commit do not reach us; its template tells.
        let sign = cut.map(|sign| format!("core.commentChar={}", String::from_utf8_lossy(sign)));
        let mut args = vec!["-c", "trailer.separators=:"];
        args.extend(sign.iter().flat_map(|sign| ["-c", sign]));
        args.extend(["interpret-trailers", "--no-divider", "--in-place"]);
        args.extend(["--where=end", "--if-missing=add", exists]);
        let trailers: Vec<String> =
            trailers.iter().map(|(key, value)| format!("--trailer={key}: {value}")).collect();
        args.extend(trailers.iter().map(String::as_str));
        let file = file.to_string_lossy();
        args.extend(["--", &file]);
        self.git_here(&args, None).map(|_| ())
    }
}

/// Whether nothing but git's own comments is left of a message. Their sign is
/// before the cut, or else alone on a line, which no message begins with.
fn is_empty(text: &[u8], cut: Option<&[u8]>) -> bool {
    let lines = text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
    let lines: Vec<&[u8]> =
        lines.take_while(|line| !line.ends_with(SCISSORS)).filter(|line| !line.is_empty()).collect();
    let sign = cut.or_else(|| lines.iter().copied().min_by_key(|line| line.len()));
    sign.is_none_or(|sign| {
        let is_sign = !sign.iter().any(|b| b.is_ascii_alphanumeric() || !b.is_ascii());
        is_sign && lines.iter().all(|line| line.starts_with(sign))
    })
}

/// Ends the last line of a message, and returns the message. Merges leave it
/// open, and git 2.39 then puts trailers right below it, where they are none.
fn end_line(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut message = std::fs::OpenOptions::new().read(true).append(true).open(file)?;
    let mut text = Vec::new();
    message.read_to_end(&mut text)?;
    if text.last().is_some_and(|&last| last != b'\n') {
        message.write_all(b"\n")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_comments_is_empty_and_one_that_looks_so_is_not() {
        for (text, cut, expected) in [
            ("", None, true),
            ("\n \n", None, true),
            ("\n# Please enter the message\n#\n# On branch main\n", None, true),
            ("word\n# Please enter the message\n#\n", None, false),
            ("#12: mend the parser\n", None, false),
            ("; ------------------------ >8 ------------------------\n+word\n", Some(";"), true),
            ("word\n; ------------------------ >8 ------------------------\n", Some(";"), false),
        ] {
            assert_eq!(is_empty(text.as_bytes(), cut.map(str::as_bytes)), expected, "{text:?}");
        }
    }
}
