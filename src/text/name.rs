//! The grammar of names: task ids, agents, domains.
//!
//! One component of a ref, on every file system: no case twins, no device
//! names, nothing that git or a shell reads as something else.

/// Longest name, in bytes.
pub const MAX: usize = 64;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// More than [`MAX`] bytes.
    #[error("it is longer than 64 characters")]
    TooLong,
    /// The first character is not a lower-case letter or digit.
    #[error("it does not start with a lower-case letter or digit")]
    Start,
    /// Some character is outside `[a-z0-9._-]`.
    #[error("it may hold only a-z, 0-9, `.`, `_` and `-`")]
    Character,
    /// Ends in `.` or `.lock`, or holds `..`.
    #[error("git allows no `..`, no final `.` and no final `.lock` in a ref")]
    Dots,
    /// A device name on some systems (`nul`, `com1`, …).
    #[error("it is a device name on some systems")]
    Device,
}

/// Checks `text` against `[a-z0-9][a-z0-9._-]{0,63}` and the exceptions.
pub fn check(text: &str) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return Err(Fault::Empty) };
    if bytes.len() > MAX {
        return Err(Fault::TooLong);
    }
    if !first.is_ascii_lowercase() && !first.is_ascii_digit() {
        return Err(Fault::Start);
    }
    if !bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(b)) {
        return Err(Fault::Character);
    }
    if text.contains("..") || text.ends_with('.') || text.ends_with(".lock") {
        return Err(Fault::Dots);
    }
    if is_device(text) {
        return Err(Fault::Device);
    }
    Ok(())
}

/// Windows opens a device for these, whatever extension follows.
fn is_device(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or(text);
    match stem {
        "con" | "prn" | "aux" | "nul" => true,
        _ => {
            stem.len() == 4
                && (stem.starts_with("com") || stem.starts_with("lpt"))
                && stem.as_bytes().last().is_some_and(u8::is_ascii_digit)
        }
    }
}

/// The closest name to free text such as a person's name: lower case, other
/// characters become single dashes. Empty when nothing is left.
pub fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() == MAX {
            break;
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    if is_device(&out) { format!("{out}-1") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_ref_component_everywhere() {
        for good in ["a", "bd-12", "a.b_c", "9x", &"a".repeat(64), "company", "comet"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, fault) in [
            ("", Fault::Empty),
            ("-x", Fault::Start),
            (".a", Fault::Start),
            ("..", Fault::Start),
            ("BD-1", Fault::Start),
            ("a/b", Fault::Character),
            ("a b", Fault::Character),
            ("aé", Fault::Character),
            ("a..b", Fault::Dots),
            ("a.", Fault::Dots),
            ("a.lock", Fault::Dots),
            ("nul", Fault::Device),
            ("com1.txt", Fault::Device),
        ] {
            assert_eq!(check(bad), Err(fault), "{bad}");
        }
        assert_eq!(check(&"a".repeat(65)), Err(Fault::TooLong));
    }

    #[test]
    fn a_slug_is_a_name_or_empty() {
        assert_eq!(slug("Ada Lovelace"), "ada-lovelace");
        assert_eq!(slug("  Łukasz—Ö "), "ukasz");
        assert_eq!(slug("!!"), "");
        assert_eq!(slug("CON"), "con-1");
    }
}
