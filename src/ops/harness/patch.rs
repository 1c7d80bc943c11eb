//! The files that a patch in the `apply_patch` format touches.
//!
//! Only headers count: a line of a file's content that looks like one does
//! not. The format: `*** Update File: `, `*** Add File: `, `*** Delete File: `
//! and below an update `*** Move to: `; content lines of an addition start
//! with `+`, those of an update with a blank, `+`, `-` or `@`.

const BEGIN: &str = "*** Begin Patch";
const HEADERS: [(&str, After); 3] = [
    ("*** Update File: ", After::Update),
    ("*** Add File: ", After::Add),
    ("*** Delete File: ", After::Nothing),
];
const MOVE: &str = "*** Move to: ";

/// What the lines below a header are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    Update,
    Add,
}

/// Whether a text holds a patch.
pub(super) fn is_in(text: &str) -> bool {
    text.contains(BEGIN)
}

/// The files that the patch in `text` touches, as it names them.
pub(super) fn files(text: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut after = After::Nothing;
    let body = text.find(BEGIN).map_or(text, |at| &text[at..]);
    for line in body.lines() {
        let is_content = match after {
            After::Nothing => false,
            After::Update => !line.starts_with('*'),
            After::Add => line.starts_with('+'),
        };
        if is_content {
            continue;
        }
        let line = line.trim();
        if let Some((path, next)) = HEADERS.iter().find_map(|(h, next)| Some((line.strip_prefix(h)?, *next)))
        {
            after = next;
            push(&mut files, path);
        } else if let (Some(path), After::Update) = (line.strip_prefix(MOVE), after) {
            push(&mut files, path);
        }
    }
    files
}

/// A name with blanks around it may be read with or without them.
fn push(files: &mut Vec<String>, path: &str) {
    for path in [path, path.trim()] {
        if !files.iter().any(|f| f == path) {
            files.push(path.to_owned());
        }
    }
}

/// The folders that a shell line goes to before it applies a patch, in order.
pub(super) fn folders_before(text: &str) -> Vec<String> {
    let end = text.find("apply_patch").or_else(|| text.find("applypatch")).unwrap_or(0);
    let mut folders = Vec::new();
    for step in text[..end].split(['\n', ';', '&', '|', '(']) {
        if let Some(rest) = step.trim().strip_prefix("cd ") {
            folders.push(unquoted(rest.trim().trim_start_matches("-- ").trim()));
        }
    }
    folders
}

fn unquoted(word: &str) -> String {
    for quote in ['\'', '"'] {
        if let Some(inner) = word.strip_prefix(quote).and_then(|w| w.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    word.replace('\\', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_files_and_content_does_not() {
        let patch = "*** Begin Patch\n*** Update File: a b.txt\n*** Move to: c.txt\n@@\n *** Delete File: context\n-*** Add File: removed\n+*** Add File: added\n*** End of File\n*** Add File: new.txt\n+*** Update File: content\n  *** Delete File: gone.txt  \n*** End Patch\n";
        assert_eq!(files(patch), ["a b.txt", "c.txt", "new.txt", "gone.txt"]);
        assert_eq!(files(&patch.replace('\n', "\r\n")), ["a b.txt", "c.txt", "new.txt", "gone.txt"]);
    }

    #[test]
    fn a_heredoc_is_read_where_the_shell_is() {
        let line = "cd 'web dir' && cd sub; apply_patch <<'EOF'\n*** Begin Patch\n*** Add File:  x\n+1\n*** End Patch\nEOF\n";
        assert_eq!(folders_before(line), ["web dir", "sub"]);
        assert_eq!(files(line), [" x", "x"]);
    }

    #[test]
    fn other_text_names_nothing() {
        for text in ["", "***", "*** Update File:", "ls -la", "\u{0}"] {
            assert_eq!(files(text), [""; 0], "{text:?}");
        }
    }
}
