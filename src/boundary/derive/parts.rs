//! The parts of a code base, as its folders show them.
//!
//! A workspace has a part for each of its packages. Else the way goes down
//! from the root as long as one folder holds nearly everything, and the folders
//! where it branches are the parts; files on the way are parts of their own, as
//! are tests, documents and scripts beside the code.

use std::collections::{BTreeMap, BTreeSet};

use crate::boundary::files::folder_of;
use crate::gate::scope::below;
use crate::text::name::slug;

/// More parts than this are joined by the folder that they lie in.
const MOST: usize = 40;
/// A folder with this share of the files, in tenths, is gone into.
const SHARE: usize = 8;

/// Folders beside the code, at the root: tests, documents, and what is made
/// from the code or brought in.
const BESIDE: &str = "tests test __tests__ spec specs e2e doc docs example examples sample samples bench benches \
                      benchmark benchmarks script scripts tool tools ci fixtures fuzz js_tests integration website \
                      dist build out vendor third_party";
/// Files that stand for their folder.
const ENTRIES: &[&str] =
    &["lib", "main", "mod", "index", "__init__", "__main__", "build", "setup", "conftest"];
/// More files than these on the way are not looked at one by one.
const SINGLE: usize = 6;
/// What lies in the root of a package.
const MANIFESTS: &[&str] = &["Cargo.toml", "package.json", "pyproject.toml", "setup.py", "setup.cfg"];
/// Folders that name no part: what lies right in them is the main thing.
const NAMELESS: &[&str] = &["", "src", "lib", "python", "source"];

/// A part: a domain to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name, as domains are named.
    pub(super) name: String,
    /// Its folder.
    pub(super) path: String,
    /// Its globs, relative to the root.
    pub(super) scope: Vec<String>,
    /// Whether it may import anything: it is beside the code.
    pub(super) is_free: bool,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Everything below its folder, and these files that bear its name: `a.rs`
    /// of `a/`.
    Whole(Vec<String>),
    /// The files right in its folder that end so.
    Loose(BTreeSet<String>),
    /// One file.
    File(String),
}

impl Part {
    fn whole(path: &str, is_free: bool) -> Self {
        let scope = vec![below(path, "**")];
        Self { name: String::new(), path: path.to_owned(), scope, is_free, kind: Kind::Whole(Vec::new()) }
    }

    fn loose(path: &str, files: &[&str]) -> Self {
        let endings: BTreeSet<String> = files.iter().map(|file| ending(file).to_owned()).collect();
        let scope = endings.iter().map(|ending| below(path, &format!("*.{ending}"))).collect();
        Self { name: String::new(), path: path.to_owned(), scope, is_free: false, kind: Kind::Loose(endings) }
    }
}

/// The parts, sorted by their folders.
pub(super) fn find(paths: &[String], sources: &[String]) -> Vec<Part> {
    let first = |path: &str| path.split_once('/').map_or("", |(folder, _)| folder).to_owned();
    let (beside, main): (Vec<&str>, Vec<&str>) =
        sources.iter().map(String::as_str).partition(|path| is_beside(&first(path)));
    // Where there is nothing else, they are the code.
    let (beside, main) = if main.is_empty() { (Vec::new(), beside) } else { (beside, main) };
    let mut packages = packages(paths, &main);
    let in_package = |path: &&str| packages.iter().any(|package| is_below(path, package));
    let (inside, rest): (Vec<&str>, Vec<&str>) = main.iter().partition(|path| in_package(path));
    let mut parts: Vec<Part> = Vec::new();
    if packages.len() == 1 && inside.len() * 10 >= main.len() * SHARE {
        // One package in a folder of its own is gone into as the root is.
        packages.clear();
        parts.extend(branches(&main));
    } else {
        parts.extend(packages.iter().map(|package| Part::whole(package, false)));
        parts.extend(branches(&rest));
    }
    if parts.len() > MOST {
        parts = joined(parts);
    }
    let free: BTreeSet<String> = beside.iter().map(|path| first(path)).collect();
    parts.extend(free.iter().map(|folder| Part::whole(folder, true)));
    adopt(&mut parts, &main);
    parts.sort_by(|a, b| (&a.path, &a.scope).cmp(&(&b.path, &b.scope)));
    parts.dedup_by(|a, b| a.path == b.path && a.kind == b.kind);
    name(&mut parts);
    parts
}

/// Which part a file is in: as the rules will have it, the nearest.
pub(super) fn owner(parts: &[Part], path: &str) -> Option<usize> {
    let fits = |part: &Part| match &part.kind {
        Kind::Whole(beside) if beside.iter().any(|file| file == path) => Some(usize::MAX),
        Kind::Whole(_) => is_below(path, &part.path).then_some(part.path.len() + 1),
        Kind::Loose(endings) => {
            (folder_of(path) == part.path && endings.contains(ending(path))).then_some(part.path.len() + 1)
        }
        Kind::File(file) => (file == path).then_some(usize::MAX),
    };
    let fitting = parts.iter().enumerate().filter_map(|(i, part)| Some((fits(part)?, i)));
    fitting.max().map(|(_, i)| i)
}

/// Looks one by one at the few files of parts that are just what lies on the
/// way, but for those that stand for their folder. False: there is nothing.
pub(super) fn split(parts: &mut Vec<Part>, of: &[usize], sources: &[String]) -> bool {
    let mut more = Vec::new();
    let mut empty = Vec::new();
    for &index in of {
        let Some(part) = parts.get(index).filter(|part| matches!(part.kind, Kind::Loose(_))) else {
            continue;
        };
        let own: Vec<&String> = sources.iter().filter(|path| owner(parts, path) == Some(index)).collect();
        let is_entry = |path: &str| ENTRIES.contains(&stem(path));
        let single: Vec<&String> = own.iter().copied().filter(|path| !is_entry(path)).collect();
        if single.is_empty() || single.len() > SINGLE || own.len() == 1 {
            continue;
        }
        if single.len() == own.len() {
            empty.push(index);
        }
        more.extend(single.into_iter().map(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let scope = vec![below(&part.path, below(name, "").trim_end_matches('/'))];
            let path_of = path.strip_suffix(&format!(".{}", ending(path))).unwrap_or(path);
            Part {
                name: String::new(),
                path: path_of.to_owned(),
                scope,
                is_free: false,
                kind: Kind::File(path.clone()),
            }
        }));
    }
    if more.is_empty() {
        return false;
    }
    let mut index = 0;
    parts.retain(|_| {
        index += 1;
        !empty.contains(&(index - 1))
    });
    parts.extend(more);
    parts.sort_by(|a, b| (&a.path, &a.scope).cmp(&(&b.path, &b.scope)));
    name(parts);
    true
}

/// The name of a file without its ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn is_beside(name: &str) -> bool {
    !name.is_empty() && BESIDE.split_whitespace().any(|known| known == name)
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn ending(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path).rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// The outermost folders that are packages with sources, but for the root.
fn packages(paths: &[String], main: &[&str]) -> Vec<String> {
    let is_beside = |folder: &str| folder.split('/').any(|part| is_beside(part) || part.starts_with('.'));
    let mut found: Vec<String> = paths
        .iter()
        .filter(|path| path.rsplit('/').next().is_some_and(|name| MANIFESTS.contains(&name)))
        .map(|path| folder_of(path).to_owned())
        .filter(|folder| !folder.is_empty() && !is_beside(folder))
        .filter(|folder| main.iter().any(|path| is_below(path, folder)))
        .collect();
    found.sort();
    found.dedup();
    let mut outer: Vec<String> = Vec::new();
    for folder in found {
        if !outer.last().is_some_and(|last| is_below(&folder, last)) {
            outer.push(folder);
        }
    }
    outer
}

/// Goes down while one folder holds nearly everything; gives the folders where
/// it branches, and what lies on the way.
fn branches(sources: &[&str]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = String::new();
    let mut here: Vec<&str> = sources.to_vec();
    while !here.is_empty() {
        let start = if at.is_empty() { 0 } else { at.len() + 1 };
        let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut direct = Vec::new();
        for path in here {
            match path.get(start..).and_then(|rest| rest.split_once('/')) {
                Some((folder, _)) => folders.entry(folder).or_default().push(path),
                None => direct.push(path),
            }
        }
        if !direct.is_empty() {
            parts.push(Part::loose(&at, &direct));
        }
        let below = |folder: &str| if at.is_empty() { folder.to_owned() } else { format!("{at}/{folder}") };
        let total: usize = folders.values().map(Vec::len).sum();
        let main = folders.iter().find(|(folder, files)| {
            let start = below(folder).len() + 1;
            let has_folders =
                files.iter().any(|path| path.get(start..).is_some_and(|rest| rest.contains('/')));
            files.len() * 10 >= total * SHARE && has_folders
        });
        let main = main.map(|(folder, _)| *folder);
        parts.extend(folders.keys().filter(|f| Some(**f) != main).map(|f| Part::whole(&below(f), false)));
        let Some(next) = main else { break };
        here = folders.remove(next).unwrap_or_default();
        at = below(next);
    }
    parts
}

/// Too many parts, joined where many lie in one folder.
fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut folders: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for part in parts {
        folders.entry(folder_of(&part.path).to_owned()).or_default().push(part);
    }
    let mut joined: Vec<Part> = Vec::new();
    for (folder, parts) in folders {
        match folder.is_empty() || parts.len() == 1 {
            true => joined.extend(parts),
            false => joined.push(Part::whole(&folder, false)),
        }
    }
    joined
}

/// Gives each whole part the files beside it that bear its name.
fn adopt(parts: &mut [Part], main: &[&str]) {
    for part in parts {
        let Kind::Whole(beside) = &mut part.kind else { continue };
        for file in
            main.iter().filter(|file| file.strip_suffix(ending(file)) == Some(&format!("{}.", part.path)))
        {
            beside.push((*file).to_owned());
            part.scope.insert(0, below(folder_of(file), &below(file.rsplit('/').next().unwrap_or(file), "")));
        }
        for glob in &mut part.scope {
            let trimmed = glob.trim_end_matches('/').len();
            glob.truncate(trimmed);
        }
    }
}

/// Names them after their folders, with as much before as it takes.
fn name(parts: &mut [Part]) {
    let mut taken = BTreeSet::new();
    for part in parts {
        let mut words: Vec<&str> = part.path.rsplit('/').collect();
        if matches!(part.kind, Kind::Loose(_)) && NAMELESS.contains(&words[0]) {
            words[0] = "main";
        }
        let candidates = (1..=words.len()).map(|count| {
            let some: Vec<&str> = words[..count].iter().rev().copied().collect();
            slug(&some.join("-"))
        });
        let numbered = (2..).map(|n| slug(&format!("{}-{n}", words[0])));
        let free = candidates.chain(numbered).find(|name| !name.is_empty() && !taken.contains(name));
        part.name = free.unwrap_or_default();
        taken.insert(part.name.clone());
    }
}
