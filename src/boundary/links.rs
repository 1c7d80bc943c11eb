//! Symbolic links: a file behind one is judged as the file that it is.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{folder_of, join};

/// Links that lead through each other at most.
const STEPS: usize = 16;
/// Names behind links to folders at most; a link to its own folder, and
/// links to links, would make ever more.
const NAMES: usize = 200_000;

/// Where links lead.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The files that they name, each with the file that it is.
    pub aliases: BTreeMap<String, String>,
    /// Those that lead out of the tree, to nothing or in a circle.
    pub astray: BTreeSet<String>,
}

/// Follows links. `files` are the ordinary ones, sorted; `links` say what each
/// holds.
pub fn follow(files: &[&str], links: &BTreeMap<&str, String>) -> Links {
    let mut found = Links::default();
    let mut folders = Vec::new();
    for (link, target) in links {
        let place = settled(link, target, links);
        let Some(place) = place else {
            found.astray.insert((*link).to_owned());
            continue;
        };
        if files.binary_search(&place.as_str()).is_ok() {
            found.aliases.insert((*link).to_owned(), place);
            continue;
        }
        let start = if place.is_empty() { String::new() } else { format!("{place}/") };
        let first = files.partition_point(|file| *file < start.as_str());
        let inside = files.get(first..).unwrap_or_default().iter();
        let mut inside = inside.take_while(|file| file.starts_with(&start)).peekable();
        if inside.peek().is_none() {
            found.astray.insert((*link).to_owned());
        }
        for file in inside {
            if found.aliases.len() >= NAMES {
                return found;
            }
            found.aliases.insert(format!("{link}/{}", &file[start.len()..]), (*file).to_owned());
        }
        folders.push((*link, start));
    }
    // What lies there behind another link.
    let direct = found.aliases.clone();
    for (link, start) in folders {
        for (name, file) in direct.range(start.clone()..).take_while(|(name, _)| name.starts_with(&start)) {
            if found.aliases.len() >= NAMES {
                return found;
            }
            let behind = format!("{link}/{}", &name[start.len()..]);
            if !name.starts_with(&format!("{link}/")) {
                found.aliases.entry(behind).or_insert_with(|| file.clone());
            }
        }
    }
    found
}

/// Where a link leads in the end; none if out of the tree or in a circle.
fn settled(link: &str, target: &str, links: &BTreeMap<&str, String>) -> Option<String> {
    let at = |link: &str, target: &str| {
        (!target.starts_with('/')).then(|| join(folder_of(link), target)).flatten()
    };
    let mut place = at(link, target)?;
    for _ in 0..STEPS {
        // The first part of the way that is itself a link.
        let ends = place.match_indices('/').map(|(end, _)| end).chain([place.len()]);
        let Some((through, next)) =
            ends.filter_map(|end| place.get(..end)).find_map(|part| Some((part, links.get(part)?)))
        else {
            return Some(place);
        };
        let rest = place[through.len()..].trim_start_matches('/');
        place = join(&at(through, next)?, rest)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(links: &[(&str, &str)], expected: &[(&str, &str)]) {
        let files = ["a/x.ts", "b/deep/z.ts", "b/y.ts"];
        let links = links.iter().map(|(link, target)| (*link, (*target).to_owned())).collect();
        let found = follow(&files, &links).aliases;
        let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn links_lead_to_files_and_folders() {
        check(&[("a/l.ts", "../b/y.ts")], &[("a/l.ts", "b/y.ts")]);
        check(&[("a/in", "../b")], &[("a/in/deep/z.ts", "b/deep/z.ts"), ("a/in/y.ts", "b/y.ts")]);
        check(
            &[("a/one", "two"), ("a/two", "../b/deep")],
            &[("a/one/z.ts", "b/deep/z.ts"), ("a/two/z.ts", "b/deep/z.ts")],
        );
        // Through two.
        check(
            &[("a/self", "."), ("a/y.ts", "../b/y.ts")],
            &[("a/self/x.ts", "a/x.ts"), ("a/self/y.ts", "b/y.ts"), ("a/y.ts", "b/y.ts")],
        );
        check(
            &[("a/in", "../b"), ("l.ts", "a/in/y.ts")],
            &[("a/in/deep/z.ts", "b/deep/z.ts"), ("a/in/y.ts", "b/y.ts"), ("l.ts", "b/y.ts")],
        );
    }

    #[test]
    fn what_leads_nowhere_names_no_file() {
        check(&[("a/l", "l")], &[]);
        check(&[("a/l", "m"), ("a/m", "l")], &[]);
        check(&[("a/l", "../../outside"), ("a/m", "/etc/passwd"), ("a/n", "gone")], &[]);
        check(&[("a/l", "")], &[("a/l/x.ts", "a/x.ts")]);
    }

    #[test]
    fn links_that_multiply_end() {
        let files: Vec<String> = (0..2_000).map(|n| format!("f{n:05}")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let names: Vec<String> = (0..500).map(|n| format!("l{n:03}")).collect();
        let links = names.iter().map(|name| (name.as_str(), ".".to_owned())).collect();
        assert_eq!(follow(&files, &links).aliases.len(), NAMES);
    }
}
