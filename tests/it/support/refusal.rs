//! What every refusal has in common.

use git_comm::text::escape::is_unsafe;

use super::Run;

/// It refused as it should.
#[track_caller]
pub(crate) fn is_refusal(run: &Run, code: i32, says: &str, what: &str) {
    assert_eq!(run.code, code, "{what}\n{}{}", run.stdout, run.stderr);
    assert_eq!(run.stdout, "", "{what}");
    is_clean(run, what);
    let Some((error, hint)) = run.stderr.split_once("\n\n") else { panic!("{what}: {}", run.stderr) };
    assert!(error.starts_with("error: ") && !error.contains('\n'), "{what}: {}", run.stderr);
    assert!(error.contains(says), "{what}: {}", run.stderr);
    assert!(hint.starts_with("hint: ") && hint.len() > 10 && hint.ends_with('\n'), "{what}: {}", run.stderr);
    for way_around in ["--as-person", "comm steal", "--no-verify", "--force", "PERSON_SECRET"] {
        assert!(!run.stderr.contains(way_around), "{what}: {}", run.stderr);
    }
}

/// Nothing printed reaches a terminal as anything but text.
#[track_caller]
pub(crate) fn is_clean(run: &Run, what: &str) {
    for text in [&run.stdout, &run.stderr] {
        let found = text.chars().find(|&c| is_unsafe(c) && c != '\n');
        assert_eq!(found, None, "{what}: {text:?}");
        assert!(!text.contains("panicked"), "{what}: {text}");
    }
}
