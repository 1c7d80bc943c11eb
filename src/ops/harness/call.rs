//! What a harness tells a hook: JSON on standard input, of which nothing can
//! be relied on.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{ALL, Format, patch};

/// How deep texts are looked for in a tool's input.
const DEPTH: usize = 8;

/// A call of a hook.
#[derive(Debug)]
pub struct Call {
    /// The harness that made it.
    pub format: &'static Format,
    /// The folder that the harness works in, if it said.
    pub dir: Option<PathBuf>,
    /// The files that are about to be written, each with the folder that it
    /// is relative to (empty: that of the call).
    pub(super) files: Vec<(PathBuf, PathBuf)>,
    /// Why the call could not be read.
    pub broken: Option<String>,
}

impl Call {
    /// Reads a call. `installed` is the harness that the hook was installed
    /// for; what the call looks like decides where it can be told.
    pub fn read(input: &[u8], installed: &'static Format) -> Self {
        let text = String::from_utf8_lossy(input);
        let value = serde_json::from_str::<Value>(&text).or_else(|first| {
            // A name may be half of a character pair, which is no text.
            mended(&text).map_or(Err(first), |mended| serde_json::from_str(&mended))
        });
        let call = match value {
            Ok(value @ Value::Object(_)) => value,
            // Some versions hand over the bare patch.
            _ if patch::is_in(&text) => serde_json::json!({ "tool_name": "apply_patch", "tool_input": text }),
            Ok(_) => return Self::unread(installed, "its input is no JSON object".into()),
            Err(_) if text.trim().is_empty() => return Self::unread(installed, "it got no input".into()),
            Err(error) => return Self::unread(installed, format!("its input is no JSON: {error}")),
        };
        let format = ALL.into_iter().find(|f| (f.owns)(&call)).unwrap_or(installed);
        let text_at = |key: &str| call.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let roots = call.get("workspace_roots").and_then(|r| r.get(0)).and_then(Value::as_str);
        let dir = text_at("cwd").or(roots).map(PathBuf::from).filter(|dir| dir.is_absolute());
        let files = files(format, text_at("tool_name").unwrap_or_default(), call.get("tool_input"));
        Self { format, dir, files, broken: None }
    }

    fn unread(format: &'static Format, why: String) -> Self {
        Self { format, dir: None, files: Vec::new(), broken: Some(why) }
    }
}

fn files(format: &Format, tool: &str, input: Option<&Value>) -> Vec<(PathBuf, PathBuf)> {
    let Some(input) = input else { return Vec::new() };
    let parsed = input.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let input = parsed.as_ref().filter(|v| v.is_object()).unwrap_or(input);
    let mut files = Vec::new();
    for (_, keys) in format.edits.iter().filter(|(name, _)| *name == tool) {
        for path in keys.iter().filter_map(|key| input.get(key)).filter_map(Value::as_str) {
            files.push((PathBuf::new(), PathBuf::from(path)));
        }
    }
    if format.patches.contains(&tool) || tool.eq_ignore_ascii_case("apply_patch") {
        let of_patch = |key: &&str| input.get(key).and_then(Value::as_str);
        let dir = ["workdir", "cwd", "working_directory"].iter().find_map(of_patch).unwrap_or_default();
        let mut texts = Vec::new();
        collect(input, DEPTH, &mut texts);
        // In a shell line, only what is applied is a patch.
        let is_shell = !matches!(tool, "apply_patch" | "ApplyPatch");
        let applies = texts.iter().any(|t| t.contains("apply_patch") || t.contains("applypatch"));
        if !is_shell || applies {
            for text in texts.iter().filter(|text| patch::is_in(text)) {
                let folders = patch::folders_before(text);
                let from = folders.iter().fold(PathBuf::from(dir), |at, next| at.join(next));
                files.extend(patch::files(text).into_iter().map(|path| (from.clone(), PathBuf::from(path))));
            }
        }
    }
    files
}

/// Every text in a value.
fn collect<'v>(value: &'v Value, depth: usize, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(values) if depth > 0 => values.iter().for_each(|v| collect(v, depth - 1, texts)),
        Value::Object(fields) if depth > 0 => fields.values().for_each(|v| collect(v, depth - 1, texts)),
        _ => {}
    }
}

/// The text with every escape of half a character pair as U+FFFD, which is
/// what a harness writes for it; none if there is no such escape.
fn mended(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let unit = |at: usize| {
        let hex = bytes.get(at..at + 6).filter(|b| b.starts_with(b"\\u"))?;
        u16::from_str_radix(std::str::from_utf8(&hex[2..]).ok()?, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let (mut at, mut copied, mut found) = (0, 0, false);
    while at < bytes.len() {
        match (bytes[at], unit(at)) {
            (_, Some(0xd800..=0xdbff)) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            (_, Some(0xd800..=0xdfff)) => {
                out.push_str(text.get(copied..at)?);
                out.push_str("\\ufffd");
                (at, copied, found) = (at + 6, at + 6, true);
            }
            (b'\\', _) => at += 2,
            _ => at += 1,
        }
    }
    out.push_str(text.get(copied..)?);
    found.then_some(out)
}

/// Where a file of a call is: absolute, as named.
pub(super) fn absolute(dir: &Path, from: &Path, path: &Path) -> PathBuf {
    dir.join(from).join(path)
}

#[cfg(test)]
mod tests {
    use super::super::{claude, named};
    use super::*;

    #[track_caller]
    fn check(call: &str, harness: &str, files: &[&str]) {
        let call = Call::read(call.as_bytes(), &claude::FORMAT);
        let shown: Vec<String> =
            call.files.iter().map(|(from, path)| from.join(path).to_string_lossy().into_owned()).collect();
        assert_eq!((call.format.name, shown), (harness, files.iter().map(|f| (*f).to_owned()).collect()));
        assert_eq!(call.broken, None);
    }

    #[test]
    fn every_harness_is_understood() {
        check(
            r#"{"hook_event_name":"PreToolUse","tool_name":"Edit","tool_input":{"file_path":"/r/a"}}"#,
            "claude",
            &["/r/a"],
        );
        check(
            r#"{"hook_event_name":"PreToolUse","tool_name":"NotebookEdit","tool_input":{"notebook_path":"n.ipynb"}}"#,
            "claude",
            &["n.ipynb"],
        );
        check(r#"{"tool_name":"Read","tool_input":{"file_path":"/r/a"}}"#, "claude", &[]);
        let codex = |tool: &str, input: &str| {
            format!(
                r#"{{"turn_id":"t","model":"m","hook_event_name":"PreToolUse","tool_name":"{tool}","tool_input":{input}}}"#
            )
        };
        let patch = r#""*** Begin Patch\n*** Update File: a\n@@\n-x\n*** Delete File: b\n*** End Patch""#;
        check(&codex("apply_patch", &format!(r#"{{"command":{patch}}}"#)), "codex", &["a", "b"]);
        let line =
            r#""cd sub && apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: x\n+1\n*** End Patch\nEOF""#;
        check(
            &codex("Bash", &format!(r#"{{"command":["bash","-lc",{line}],"workdir":"w"}}"#)),
            "codex",
            &["w/sub/x"],
        );
        let doc = r#""cat > doc <<'EOF'\n*** Begin Patch\n*** Add File: x\nEOF""#;
        check(&codex("Bash", &format!(r#"{{"command":{doc}}}"#)), "codex", &[]);
        check(
            r#"{"hook_event_name":"BeforeTool","tool_name":"write_file","tool_input":{"file_path":"g"}}"#,
            "gemini",
            &["g"],
        );
        check(
            r#"{"cursor_version":"3","hook_event_name":"preToolUse","tool_name":"Write","tool_input":"{\"path\":\"c\"}"}"#,
            "cursor",
            &["c"],
        );
        check("*** Begin Patch\n*** Delete File: z\n*** End Patch", "claude", &["z"]);
    }

    #[test]
    fn half_a_character_pair_is_read_as_the_harness_writes_it() {
        let call = br#"{"tool_name":"Write","tool_input":{"file_path":"a\ud800\\ud800\ud83d\ude00"}}"#;
        let call = Call::read(call, &claude::FORMAT);
        assert_eq!(call.files[0].1, PathBuf::from("a\u{fffd}\\ud800\u{1f600}"));
    }

    #[test]
    fn garbage_is_told_not_obeyed() {
        for input in [&b""[..], b"null", b"[1]", b"\xff\xfe{", b"{\"a\":", b"\"*\"", &[b'['; 9999]] {
            let call = Call::read(input, named("codex").unwrap());
            assert!(call.broken.is_some() && call.files.is_empty(), "{input:?}");
            assert_eq!(call.format.name, "codex");
        }
        for input in
            ["{}", r#"{"tool_name":3,"tool_input":[],"cwd":7}"#, r#"{"tool_name":"Edit","tool_input":null}"#]
        {
            let call = Call::read(input.as_bytes(), &claude::FORMAT);
            assert!(call.broken.is_none() && call.files.is_empty(), "{input}");
        }
    }
}
