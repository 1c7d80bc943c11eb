//! The project that the demo's agents share.

use std::io;
use std::path::Path;

macro_rules! files {
    ($($path:literal)*) => {
        /// Path below the repository's root, and content.
        const FILES: &[(&str, &str)] =
            &[$(($path, include_str!(concat!("../../../fixtures/demo/", $path)))),*];
    };
}

files! {
    "README.md"
    "api/menu.json"
    "api/orders.py"
    "api/server.py"
    "comm.toml"
    "docs/orders.md"
    "kitchen/__init__.py"
    "kitchen/stock.py"
    "web/client.js"
    "web/index.html"
    "web/shop.js"
}

/// Writes the project's files below `root`.
pub(super) fn write(root: &Path) -> io::Result<()> {
    for (path, content) in FILES {
        let path = root.join(path);
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::write(path, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_project_is_embedded() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
        assert_eq!(listed(dir.path()), listed(&source));
    }

    fn listed(root: &Path) -> Vec<std::path::PathBuf> {
        let (mut found, mut todo) = (Vec::new(), vec![root.to_owned()]);
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    todo.push(path);
                } else {
                    found.push(path.strip_prefix(root).unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }
}
