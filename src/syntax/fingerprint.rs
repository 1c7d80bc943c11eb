//! Which reading of sources this build has: what was kept by another one
//! counts for nothing.

/// Everything that decides about what is read of a source. `Cargo.lock` has
/// the versions of the grammars.
const DECIDES: &[(&str, &[u8])] = &[
    ("../../Cargo.lock", include_bytes!("../../Cargo.lock")),
    ("comments.rs", include_bytes!("comments.rs")),
    ("encoded.rs", include_bytes!("encoded.rs")),
    ("mod.rs", include_bytes!("mod.rs")),
    ("python/blocks.rs", include_bytes!("python/blocks.rs")),
    ("python/calls.rs", include_bytes!("python/calls.rs")),
    ("python/checking.rs", include_bytes!("python/checking.rs")),
    ("python/full.rs", include_bytes!("python/full.rs")),
    ("python/grammar.rs", include_bytes!("python/grammar.rs")),
    ("python/lexer.rs", include_bytes!("python/lexer.rs")),
    ("python/mod.rs", include_bytes!("python/mod.rs")),
    ("python/scan.rs", include_bytes!("python/scan.rs")),
    ("python/setup.rs", include_bytes!("python/setup.rs")),
    ("python/source.rs", include_bytes!("python/source.rs")),
    ("python/statements.rs", include_bytes!("python/statements.rs")),
    ("python/tests.rs", include_bytes!("python/tests.rs")),
    ("python/tests/calls.rs", include_bytes!("python/tests/calls.rs")),
    ("python/text.rs", include_bytes!("python/text.rs")),
    ("rust/assemble.rs", include_bytes!("rust/assemble.rs")),
    ("rust/found.rs", include_bytes!("rust/found.rs")),
    ("rust/full.rs", include_bytes!("rust/full.rs")),
    ("rust/hostile.rs", include_bytes!("rust/hostile.rs")),
    ("rust/items.rs", include_bytes!("rust/items.rs")),
    ("rust/lexer.rs", include_bytes!("rust/lexer.rs")),
    ("rust/mod.rs", include_bytes!("rust/mod.rs")),
    ("rust/node.rs", include_bytes!("rust/node.rs")),
    ("rust/scan.rs", include_bytes!("rust/scan.rs")),
    ("rust/slices.rs", include_bytes!("rust/slices.rs")),
    ("rust/tests.rs", include_bytes!("rust/tests.rs")),
    ("tree.rs", include_bytes!("tree.rs")),
    ("typescript/blind.rs", include_bytes!("typescript/blind.rs")),
    ("typescript/bound.rs", include_bytes!("typescript/bound.rs")),
    ("typescript/cut.rs", include_bytes!("typescript/cut.rs")),
    ("typescript/doubt.rs", include_bytes!("typescript/doubt.rs")),
    ("typescript/lex.rs", include_bytes!("typescript/lex.rs")),
    ("typescript/mod.rs", include_bytes!("typescript/mod.rs")),
    ("typescript/read.rs", include_bytes!("typescript/read.rs")),
    ("typescript/scan.rs", include_bytes!("typescript/scan.rs")),
    ("typescript/scan/elements.rs", include_bytes!("typescript/scan/elements.rs")),
    ("typescript/statement.rs", include_bytes!("typescript/statement.rs")),
    ("typescript/tests.rs", include_bytes!("typescript/tests.rs")),
];

/// A number that changes with any of it.
pub const FINGERPRINT: u64 = {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut file = 0;
    while file < DECIDES.len() {
        sum = mixed(sum, DECIDES[file].1);
        file += 1;
    }
    sum
};

/// As FNV-1a, eight bytes at a time: this runs in the compiler.
const fn mixed(mut sum: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut at = 0;
    while at < words.len() {
        sum = (sum ^ u64::from_le_bytes(words[at])).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
        at += 1;
    }
    let mut at = 0;
    while at < rest.len() {
        sum = (sum ^ rest[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    (sum ^ bytes.len() as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_this_folder_counts() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syntax");
        let (mut folders, mut found) = (vec![folder.clone()], Vec::new());
        while let Some(at) = folders.pop() {
            for entry in std::fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned()),
                }
            }
        }
        found.retain(|name| name != "fingerprint.rs");
        found.push("../../Cargo.lock".to_owned());
        found.sort();
        let mut counted: Vec<&str> = DECIDES.iter().map(|(name, _)| *name).collect();
        counted.sort_unstable();
        assert_eq!(counted, found);
    }

    #[test]
    fn any_change_shows() {
        let sums = [&b""[..], b"a", b"b", b"abcdefgh", b"abcdefgi", b"abcdefgha", b"a\0"];
        let sums: std::collections::BTreeSet<u64> = sums.iter().map(|bytes| mixed(7, bytes)).collect();
        assert_eq!(sums.len(), 7);
    }
}
