//! From files that a build makes back to the sources that it makes them of.

use super::super::super::files::join;
use super::config::Made;

/// Where builds put what they make, by custom.
const OUT: [&str; 9] = ["dist", "build", "lib", "out", "output", "es", "esm", "cjs", "types"];
/// Below it, one for each format.
const FORMATS: [&str; 20] = [
    "esm",
    "cjs",
    "es",
    "mjs",
    "umd",
    "iife",
    "types",
    "dts",
    "typings",
    "declarations",
    "module",
    "modules",
    "commonjs",
    "esnext",
    "es6",
    "es2015",
    "es5",
    "node",
    "browser",
    "src",
];
/// Where sources are, by custom.
const SOURCES: [&str; 5] = ["src", "", "lib", "source", "app"];
/// How what is made ends. The longest first.
const ENDINGS: [&str; 15] = [
    ".d.mts", ".d.cts", ".d.ts", ".min.js", ".min.mjs", ".esm.js", ".cjs.js", ".umd.js", ".mjs", ".cjs",
    ".js", ".jsx", ".mts", ".cts", ".ts",
];

/// Where the source of `path` may be, both relative to the root of the tree:
/// the likeliest first, and without an ending where it may have another.
/// `folder` is that of the package.
pub(super) fn sources(folder: &str, path: &str, made: &[(&str, &Made)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut add = |path: Option<String>| {
        if let Some(path) = path.filter(|path| !found.contains(path)) {
            found.push(path);
        }
    };
    let stem = ENDINGS.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
    for (config, made) in made {
        let Some(rest) = below(&made.folder, stem) else { continue };
        if let Some(from) = &made.from {
            add(join(from, rest));
        }
        // Without `rootDir` it is the folder that all sources share.
        for source in SOURCES {
            add(join(config, source).and_then(|from| join(&from, rest)));
        }
    }
    let Some(inside) = below(folder, stem) else { return found };
    let Some((out, mut rest)) = inside.split_once('/').filter(|(out, _)| OUT.contains(out)) else {
        return found;
    };
    loop {
        for source in SOURCES.iter().filter(|source| **source != out) {
            add(join(folder, source).and_then(|from| join(&from, rest)));
        }
        match rest.split_once('/') {
            Some((format, below)) if FORMATS.contains(&format) => rest = below,
            _ => return found,
        }
    }
}

/// Where the source of a package's part may be, where nothing else tells.
pub(super) fn guesses(folder: &str, part: &str) -> Vec<String> {
    let part = part.trim_start_matches("./");
    let part = ENDINGS.iter().find_map(|ending| part.strip_suffix(ending)).unwrap_or(part);
    let part = if part.is_empty() || part == "." { "index" } else { part };
    SOURCES.iter().filter_map(|source| join(&join(folder, source)?, part)).collect()
}

/// The rest of a path below a folder.
pub(super) fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_leads_to_its_source() {
        let made = Made { folder: "p/a/made".into(), from: Some("p/a/code".into()) };
        for (path, expected) in [
            ("p/a/made/x/y.js", "p/a/code/x/y"),
            ("p/a/dist/x.d.ts", "p/a/src/x"),
            ("p/a/dist/esm/x.mjs", "p/a/src/x"),
            ("p/a/build/src/x.js", "p/a/src/x"),
            ("p/a/lib/x.js", "p/a/x"),
        ] {
            let found = sources("p/a", path, &[("p/a", &made)]);
            assert!(found.iter().any(|source| source == expected), "{path}: {found:?}");
        }
        assert!(sources("p/a", "p/a/src/x.js", &[]).is_empty());
        assert_eq!(guesses("p/a", "./x.js")[0], "p/a/src/x");
        assert_eq!(guesses("", ".")[1], "index");
    }
}
