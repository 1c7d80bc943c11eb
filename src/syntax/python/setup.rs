//! Where a `setup.py` says that packages lie, as far as it is spelled out.

use tree_sitter::Node;

use super::super::tree::{children, parse, text_of, walk};
use super::source;
use super::text::string;

/// What a `setup.py` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageFolders {
    /// Packages with the folders that they lie in; the empty name is all.
    pub packages: Vec<(String, String)>,
    /// Folders that packages are looked for in.
    pub roots: Vec<String>,
}

/// Reads a `setup.py`; what is computed in it is not known.
pub(in super::super) fn package_folders(bytes: &[u8]) -> PackageFolders {
    let mut found = PackageFolders::default();
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    if !has("package_dir") && !has("find_packages") && !has("find_namespace") {
        return found;
    }
    let Ok(source) = source::read(bytes) else { return found };
    let text = &*source.text;
    let Ok(tree) = parse(&tree_sitter_python::LANGUAGE.into(), text) else { return found };
    walk(&tree, |node| {
        let of = |field: &str| node.child_by_field_name(field);
        let named = match node.kind() {
            "keyword_argument" => of("name").map(|name| text_of(name, text).to_owned()).zip(of("value")),
            "assignment" => of("left").map(|name| text_of(name, text).to_owned()).zip(of("right")),
            "pair" => of("key").and_then(|key| string(key, text)).zip(of("value")),
            "call" => {
                found.roots.extend(root(node, text));
                None
            }
            _ => None,
        };
        if let Some((_, value)) =
            named.filter(|(name, value)| name == "package_dir" && value.kind() == "dictionary")
        {
            let pairs = children(value).into_iter().filter(|pair| pair.kind() == "pair");
            let of = |pair: Node<'_>, field: &str| string(pair.child_by_field_name(field)?, text);
            found.packages.extend(pairs.filter_map(|pair| of(pair, "key").zip(of(pair, "value"))));
        }
        true
    });
    found
}

/// The folder that `find_packages("src")` or `find_packages(where="src")` names.
fn root(call: Node<'_>, text: &str) -> Option<String> {
    let function = text_of(call.child_by_field_name("function")?, text);
    let is_search = matches!(
        function.rsplit('.').next().unwrap_or_default(),
        "find_packages" | "find_namespace_packages" | "find_namespace"
    );
    let arguments = call.child_by_field_name("arguments").filter(|_| is_search)?;
    let first = children(arguments).into_iter().find_map(|node| match node.kind() {
        "keyword_argument" => {
            let is_it = node.child_by_field_name("name").is_some_and(|name| text_of(name, text) == "where");
            node.child_by_field_name("value").filter(|_| is_it)
        }
        "string" => Some(node),
        _ => None,
    });
    string(first?, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, packages: &[(&str, &str)], roots: &[&str]) {
        let found = package_folders(text.as_bytes());
        let told: Vec<_> = found.packages.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
        assert_eq!(told, packages, "{text}");
        assert_eq!(found.roots, roots, "{text}");
    }

    #[test]
    fn what_is_spelled_out_is_read() {
        check("setup(package_dir={'': 'src', 'a.b': \"lib\" '/b'})", &[("", "src"), ("a.b", "lib/b")], &[]);
        check("package_dir = {'': 'src'}\nsetup(package_dir=package_dir)", &[("", "src")], &[]);
        check("setup(**{'package_dir': {'': 'src'}})", &[("", "src")], &[]);
        check("setup(packages=setuptools.find_packages('src', exclude=['x']))", &[], &["src"]);
        check("find_namespace_packages(exclude=['x'], where='src')\nfind_packages()", &[], &["src"]);
        check("setup(package_dir={'': SRC}, x={'': 'y'})\nfind('z')", &[], &[]);
    }
}
