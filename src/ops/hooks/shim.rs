//! The text of our hooks, and which files it can be put into.

use std::path::Path;

use super::block;

/// The hooks that are installed: every way to a commit passes one of them.
///
/// `git commit` runs pre-commit and commit-msg; `git merge` only commit-msg;
/// `git cherry-pick` and `git revert` only prepare-commit-msg; `git am` the
/// two of its own.
pub(super) const HOOKS: [&str; 5] =
    ["pre-commit", "prepare-commit-msg", "commit-msg", "applypatch-msg", "pre-applypatch"];

/// Name of the block in git's configuration.
pub(super) const CONFIG: &str = "hooks";

const SHIM: &str = include_str!("../../../hooks/shim.sh");
const SHEBANG: &str = "#!/bin/sh\n";

/// The name of a hook in git's configuration.
pub(super) fn friendly(hook: &str) -> String {
    format!("git-comm-{hook}")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn shim(hook: &str, program: &Path, by_hand: &str) -> String {
    let hint = format!(
        "hint: install it (in its source: cargo install --path .), then, if it is not wanted here: git comm init --remove; or {by_hand}"
    );
    let program = quoted(&program.to_string_lossy());
    SHIM.replace("@HOOK@", hook).replace("@HINT@", &quoted(&hint)).replace("@PROGRAM@", &program)
}

/// The lines of the block in a hook file. In a subshell, so that nothing of
/// them is left for the lines below.
pub(super) fn file_body(hook: &str, program: &Path, file: &Path, runs_alone: bool) -> String {
    let shown = crate::text::escape::bytes(file.as_os_str().as_encoded_bytes());
    let shim = shim(hook, program, &format!("delete the lines between >>> and <<< in {shown}"));
    let last = if runs_alone { "# What follows was not executable, and stays so.\nexit 0\n" } else { "" };
    format!(
        "# Asks git-comm first; what follows is not touched.\n(\n{} \"$@\"\n) || exit\n{last}",
        shim.trim_end()
    )
}

/// The lines of the block in git's configuration, which runs the value in a
/// shell and passes the hook's arguments on itself.
pub(super) fn config_body(program: &Path) -> String {
    let mut body = String::new();
    for hook in HOOKS {
        let name = friendly(hook);
        let shim = shim(hook, program, &format!("git config --remove-section hook.{name}"));
        let mut value = String::new();
        for c in shim.trim_end().chars() {
            match c {
                '\\' => value.push_str(r"\\"),
                '"' => value.push_str("\\\""),
                '\n' => value.push_str(r"\n"),
                '\t' => value.push_str(r"\t"),
                c => value.push(c),
            }
        }
        body.push_str(&format!("[hook \"{name}\"]\n\tevent = {hook}\n\tcommand = \"{value}\"\n"));
    }
    body
}

/// Where a block goes in an existing hook, and what it notes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// Behind the first line, or before it if that names no interpreter.
    At(usize),
    /// Before everything, with an interpreter of our own and an end of its
    /// own: git does not run this file now and is not to run it then.
    Alone,
    /// Nowhere, because of this.
    Nowhere(String),
}

/// Where a block goes in a hook with this content.
pub(super) fn spot(bytes: &[u8], is_executable: bool) -> Spot {
    if !is_executable {
        return Spot::Alone;
    }
    let end = bytes.iter().position(|&b| b == b'\n').map_or(bytes.len(), |i| i + 1);
    let Some(line) = bytes[..end].strip_prefix(b"#!") else {
        // git hands a program without interpreter to the shell.
        return if bytes.iter().take(8_000).any(|&b| b == 0) {
            Spot::Nowhere("it is no script".into())
        } else {
            Spot::At(0)
        };
    };
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end_matches('\n');
    if line.ends_with('\r') {
        return Spot::Nowhere("its first line ends in a carriage return, so that git cannot run it".into());
    }
    match interpreter(line) {
        Some(name) if is_shell(name) => Spot::At(end),
        Some(name) => Spot::Nowhere(format!(
            "it is a script for {}, not for a shell",
            crate::text::escape::clipped(name, 40)
        )),
        None => Spot::Nowhere("its first line names no interpreter".into()),
    }
}

/// The program that a `#!` line runs, `env` looked through.
fn interpreter(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let base = |word: &'_ str| word.rsplit('/').next().map(str::len).unwrap_or(0);
    let first = words.next()?;
    let name = &first[first.len() - base(first)..];
    if name != "env" && name != "busybox" {
        return Some(name);
    }
    let next = words.find(|w| !w.starts_with('-') && !w.contains('='))?;
    Some(&next[next.len() - base(next)..])
}

fn is_shell(name: &str) -> bool {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    matches!(
        name,
        "sh" | "bash" | "dash" | "ash" | "ksh" | "ksh93" | "mksh" | "oksh" | "yash" | "zsh" | "posh"
    )
}

/// The content of a hook file with the block in it.
pub(super) fn with_block(
    hook: &str,
    program: &Path,
    file: &Path,
    before: Option<(&[u8], u32)>,
    folders: usize,
) -> Result<Vec<u8>, String> {
    let Some((bytes, mode)) = before else {
        let made = block::folders(folders);
        let attributes: &[&str] = if folders > 0 { &[block::NEW, &made] } else { &[block::NEW] };
        let body = file_body(hook, program, file, false);
        return Ok(block::insert(SHEBANG.as_bytes(), SHEBANG.len(), hook, attributes, &body));
    };
    match spot(bytes, mode & crate::git::RUNS != 0) {
        Spot::Nowhere(why) => Err(why),
        Spot::At(offset) => {
            Ok(block::insert(bytes, offset, hook, &[], &file_body(hook, program, file, false)))
        }
        Spot::Alone => {
            let was = format!("{WAS}{mode:o}");
            let body = file_body(hook, program, file, true);
            let mut out = SHEBANG.as_bytes().to_vec();
            out.extend_from_slice(block::render(hook, &[&was], &body).as_bytes());
            out.extend_from_slice(bytes);
            Ok(out)
        }
    }
}

/// Attribute of a block in a file that had this mode and was not run.
const WAS: &str = "was=";

/// The mode that a file had before the block, where it was another one.
pub(super) fn mode_before(block: &block::Block) -> Option<u32> {
    let mode = block.attributes.iter().find_map(|a| a.strip_prefix(WAS))?;
    u32::from_str_radix(mode, 8).ok().map(|m| m & 0o7777)
}

/// What is left of a hook file without the block; none if it was made for it
/// and nothing else came in.
pub(super) fn without_block(bytes: &[u8], found: &block::Block) -> Option<Vec<u8>> {
    let rest = block::strip(bytes, found);
    if mode_before(found).is_some() {
        return Some(rest.strip_prefix(SHEBANG.as_bytes()).map_or(rest.clone(), <[u8]>::to_vec));
    }
    if found.has(block::NEW) && (rest.is_empty() || rest == SHEBANG.as_bytes()) { None } else { Some(rest) }
}

/// Whether a script calls our hook outside any block of ours.
pub(super) fn calls_by_hand(bytes: &[u8], hook: &str) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::trim_start).filter(|l| !l.starts_with('#')).any(|line| {
        [format!("git-comm hook {hook}"), format!("git comm hook {hook}")]
            .iter()
            .any(|call| line.contains(call))
    })
}

/// The hook manager that wrote a hook file.
pub(super) fn manager(bytes: &[u8], path: &Path) -> Option<&'static str> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(64 << 10)]);
    if text.contains("File generated by pre-commit") {
        Some("pre-commit")
    } else if text.contains("File generated by prek") {
        Some("prek")
    } else if text.contains("call_lefthook") || text.contains("lefthook run") {
        Some("lefthook")
    } else if path.parent().is_some_and(|p| p.ends_with(".husky/_")) {
        Some("husky")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_take_a_block_and_other_programs_do_not() {
        for text in [
            "#!/bin/sh",
            "#!/bin/sh -e\n",
            "#! /usr/bin/env bash\n",
            "#!/usr/bin/env -S FOO=1 zsh -f\n",
            "#!/bin/busybox ash\n",
        ] {
            assert_eq!(spot(text.as_bytes(), true), Spot::At(text.len()), "{text}");
        }
        assert_eq!(spot(b"echo", true), Spot::At(0));
        assert_eq!(spot(b"", true), Spot::At(0));
        for text in ["#!/usr/bin/env python3\n", "#!/bin/sh\r\n", "#!\n", "\u{7f}ELF\0", "#!/usr/bin/fish\n"]
        {
            assert!(matches!(spot(text.as_bytes(), true), Spot::Nowhere(_)), "{text}");
            assert_eq!(spot(text.as_bytes(), false), Spot::Alone);
        }
    }
}
