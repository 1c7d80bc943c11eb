//! What a workspace puts in place of dependencies: `overrides` of npm and
//! pnpm, `resolutions` of yarn.

use serde_json::Value;

/// The most that is read of one manifest.
const MOST: usize = 10_000;

/// Each dependency that a manifest replaces, with what it says instead.
pub(super) fn of(manifest: &Value) -> Vec<(String, String)> {
    let pnpm = manifest.get("pnpm").and_then(|pnpm| pnpm.get("overrides"));
    let tables = [manifest.get("overrides"), manifest.get("resolutions"), pnpm];
    let mut stack: Vec<(&str, &Value)> = tables.into_iter().flatten().map(|table| ("", table)).collect();
    let mut found = Vec::new();
    while let Some((key, value)) = stack.pop().filter(|_| found.len() < MOST) {
        match value {
            Value::String(said) => found.push((key.to_owned(), said.clone())),
            Value::Object(inner) => {
                // `.` is the package that the others are below.
                let named = |name| if name == "." { key } else { dependency(name) };
                stack.extend(inner.iter().map(|(name, value)| (named(name), value)));
            }
            _ => {}
        }
    }
    found
}

/// The same of `pnpm-workspace.yaml`.
pub(super) fn of_yaml(text: &str) -> Vec<(String, String)> {
    let lines =
        text.lines().skip_while(|line| line.split('#').next().unwrap_or_default().trim_end() != "overrides:");
    let below = lines.skip(1).take_while(|line| line.is_empty() || line.starts_with([' ', '\t', '#', '\r']));
    let plain = |text: &str| text.trim().trim_matches(['\'', '"']).to_owned();
    let pairs = below.filter_map(|line| {
        let line = line.split(" #").next().unwrap_or_default();
        // A quoted key or value may have colons of its own.
        let (key, said) = line.split_once(": ")?;
        Some((dependency(&plain(key)).to_owned(), plain(said)))
    });
    pairs.take(MOST).collect()
}

/// The dependency that a key is about: of `a>b@1`, `**/b`, `a/b` it is `b`.
fn dependency(key: &str) -> &str {
    // `>` may be part of a version.
    let is_step = |at: usize| key.get(..at).is_some_and(|a| !a.is_empty() && !a.ends_with([' ', '|', '@']));
    let step = key.match_indices('>').map(|(at, _)| at).rfind(|at| is_step(*at));
    let last = step.and_then(|at| key.get(at + 1..)).unwrap_or(key).trim();
    // The name of a package with a scope has a slash.
    let mut start = last.rfind('/').map_or(0, |at| at + 1);
    if let Some(above) = start.checked_sub(1).and_then(|end| last.get(..end)) {
        let scope = above.rfind('/').map_or(0, |at| at + 1);
        if above.get(scope..).is_some_and(|part| part.starts_with('@')) {
            start = scope;
        }
    }
    let name = last.get(start..).unwrap_or(last);
    match name.rfind('@') {
        Some(at @ 1..) => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_a_dependency() {
        for (key, expected) in [
            ("a", "a"),
            ("a@^1", "a"),
            ("@s/a", "@s/a"),
            ("@s/a@1", "@s/a"),
            ("x>a@2", "a"),
            ("a@>=1 <2 || >3", "a"),
            ("x@1>@s/a", "@s/a"),
            ("**/a", "a"),
            ("x/**/@s/a", "@s/a"),
            ("@s/x/a", "a"),
            ("@s/x/@s/a", "@s/a"),
            ("", ""),
        ] {
            assert_eq!(dependency(key), expected, "{key}");
        }
    }

    #[test]
    fn replacements_are_read_from_each_manifest() {
        let manifest = serde_json::json!({
            "overrides": { "a": { ".": "file:./a", "b": "1" }, "c@2": "$d" },
            "resolutions": { "**/e": "portal:./e" },
            "pnpm": { "overrides": { "x>f": "link:./f" } },
        });
        let mut found = of(&manifest);
        found.sort();
        let told: Vec<String> = found.iter().map(|(key, said)| format!("{key} {said}")).collect();
        assert_eq!(told, ["a file:./a", "b 1", "c $d", "e portal:./e", "f link:./f"]);
        let yaml = "packages:\n  - a\noverrides: # c\n  'a': link:./a # d\n\n  \"x>@s/b@1\": 'npm:c@1'\ncatalog:\n  d: 1\n";
        let told: Vec<String> = of_yaml(yaml).iter().map(|(key, said)| format!("{key} {said}")).collect();
        assert_eq!(told, ["a link:./a", "@s/b npm:c@1"]);
    }
}
