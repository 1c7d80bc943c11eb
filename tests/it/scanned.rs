//! What the scanners find on real sources is what a parse of all of it finds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use git_comm::syntax::{self, Import, Language};

/// The sources below the folder that `GIT_COMM_SOURCES` names; else those of
/// this repository.
fn sources() -> Vec<PathBuf> {
    #[allow(clippy::disallowed_methods)]
    let root = std::env::var_os("GIT_COMM_SOURCES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), PathBuf::from);
    let (mut found, mut queue) = (Vec::new(), vec![root]);
    while let Some(path) = queue.pop() {
        let meta = std::fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            queue.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if meta.is_file() && Language::of(path.as_os_str().as_encoded_bytes()).is_some() {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn scanned_is_as_parsed() {
    let sources = sources();
    assert!(!sources.is_empty());
    let (mut wrong, mut records, mut bytes) = (Vec::new(), BTreeMap::<Language, usize>::new(), 0);
    let (mut fast, mut slow) = (0.0, 0.0);
    for path in &sources {
        let text = std::fs::read(path).unwrap();
        bytes += text.len();
        let language = Language::of(path.as_os_str().as_encoded_bytes()).unwrap();
        let started = Instant::now();
        let scanned = syntax::imports(language, &text);
        fast += started.elapsed().as_secs_f64();
        let started = Instant::now();
        let parsed = syntax::by_full_parse(language, &text);
        slow += started.elapsed().as_secs_f64();
        *records.entry(language).or_default() += parsed.as_ref().map_or(0, Vec::len);
        match (scanned, parsed) {
            (Ok(scanned), Ok(parsed)) if scanned != parsed => {
                let differs = |some: &[Import], others: &[Import]| -> Vec<String> {
                    some.iter().filter(|i| !others.contains(i)).map(|i| format!("{i:?}")).collect()
                };
                wrong.push(format!(
                    "{}: missing {:#?}, extra {:#?}",
                    path.display(),
                    differs(&parsed, &scanned),
                    differs(&scanned, &parsed)
                ));
            }
            (Err(_), Ok(_)) => wrong.push(format!("{}: only parsed", path.display())),
            // A file that is no source in places that import nothing.
            (Ok(_), Err(_)) | (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
        }
    }
    println!("{} files, {bytes} bytes, records {records:?}", sources.len());
    println!("scanned in {fast:.3} s, parsed in {slow:.3} s, ratio {:.1}", slow / fast);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
