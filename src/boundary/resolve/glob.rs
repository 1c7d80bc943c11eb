//! Patterns over paths, as `include`, `workspaces` and `.gitignore` have them:
//! `*` and `?` within a part, `**` for any number of parts.

/// The most alternatives that braces may stand for.
const ALTERNATIVES: usize = 64;

/// Whether the whole path matches.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let path: Vec<&str> = path.split('/').collect();
    wild(&pattern, &path, |part| *part == "**", |part, name| is_part(part, name))
}

/// Whether one part of a path matches.
pub(super) fn is_part(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '?', '[', '\\']) {
        return pattern == name;
    }
    let (pattern, name): (Vec<Atom>, Vec<char>) = (atoms(pattern), name.chars().collect());
    wild(&pattern, &name, |atom| matches!(atom, Atom::Any), |atom, c| atom.has(*c))
}

/// Matches with a wildcard that takes any number, without recursion: only the
/// last wildcard need ever be tried again.
fn wild<P, N>(pattern: &[P], names: &[N], any: impl Fn(&P) -> bool, one: impl Fn(&P, &N) -> bool) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while n < names.len() {
        match pattern.get(p) {
            Some(part) if any(part) => {
                again = Some((p, n));
                p += 1;
            }
            Some(part) if one(part, &names[n]) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((wildcard, taken)) = again else { return false };
                again = Some((wildcard, taken + 1));
                p = wildcard + 1;
                n = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(any)
}

/// A piece of a pattern for one part.
enum Atom {
    Any,
    One,
    Is(char),
    /// `[a-z]`, or `[!a-z]`.
    Set(bool, Vec<(char, char)>),
}

impl Atom {
    fn has(&self, c: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Is(own) => *own == c,
            Self::Set(yes, ranges) => *yes == ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)),
        }
    }
}

fn atoms(pattern: &str) -> Vec<Atom> {
    let chars: Vec<char> = pattern.chars().collect();
    let (mut atoms, mut at) = (Vec::new(), 0);
    while let Some(&c) = chars.get(at) {
        at += 1;
        atoms.push(match c {
            '*' => Atom::Any,
            '?' => Atom::One,
            '\\' if at < chars.len() => {
                at += 1;
                Atom::Is(chars[at - 1])
            }
            '[' => match chars[at..].iter().skip(1).position(|&c| c == ']') {
                Some(len) => {
                    let set = &chars[at..at + len + 1];
                    at += len + 2;
                    let (yes, set) = match set {
                        ['!' | '^', rest @ ..] => (false, rest),
                        set => (true, set),
                    };
                    Atom::Set(yes, ranges(set))
                }
                None => Atom::Is('['),
            },
            c => Atom::Is(c),
        });
    }
    atoms
}

fn ranges(set: &[char]) -> Vec<(char, char)> {
    let (mut ranges, mut at) = (Vec::new(), 0);
    while let Some(&low) = set.get(at) {
        match (set.get(at + 1), set.get(at + 2)) {
            (Some('-'), Some(&high)) => {
                ranges.push((low, high));
                at += 3;
            }
            _ => {
                ranges.push((low, low));
                at += 1;
            }
        }
    }
    ranges
}

/// What braces stand for: `{a,b}/*` is `a/*` and `b/*`.
pub(super) fn expanded(pattern: &str) -> Vec<String> {
    let (mut done, mut queue) = (Vec::new(), vec![pattern.to_owned()]);
    while let Some(pattern) = queue.pop() {
        // The innermost braces first.
        let braces = pattern.find('}').and_then(|close| Some((pattern[..close].rfind('{')?, close)));
        match braces {
            Some((open, close)) if done.len() + queue.len() < ALTERNATIVES => {
                for choice in pattern[open + 1..close].split(',') {
                    queue.push(format!("{}{choice}{}", &pattern[..open], &pattern[close + 1..]));
                }
            }
            _ => done.push(pattern),
        }
    }
    done.sort();
    done.dedup();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path, expected) in [
            ("packages/*", "packages/a", true),
            ("./packages/*", "packages/a", true),
            ("packages/*", "packages/a/b", false),
            ("packages/**", "packages/a/b", true),
            ("**/*", "a/b/c.ts", true),
            ("**/test/**", "a/b/test/c", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/c", false),
            ("*.?s", "a.ts", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("\\*", "*", true),
            ("[", "[", true),
            ("a*b*c", "axxbxxbc", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
        assert_eq!(expanded("{a,b{1,2}}/*"), ["a/*", "b1/*", "b2/*"]);
        assert!(expanded(&"{a,b}".repeat(1000)).len() <= 2 * ALTERNATIVES);
    }
}
