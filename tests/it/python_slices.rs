//! What slices of Python say, against a parse of each file, on the standard
//! library of this machine's Python.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use git_comm::syntax::{Language, by_full_parse, imports};

use crate::support::is_full;

fn standard_library() -> Option<PathBuf> {
    let code = "import os; print(os.path.dirname(os.__file__))";
    let out = Command::new("python3").args(["-c", code]).output().ok().filter(|out| out.status.success())?;
    Some(PathBuf::from(String::from_utf8(out.stdout).ok()?.trim()))
}

#[test]
fn slices_of_real_sources_say_what_a_parse_of_the_whole_says() {
    let Some(folder) = standard_library() else {
        assert!(!is_full(), "python3 is missing");
        return eprintln!("skipped: python3 is missing");
    };
    let paths = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "py")).collect();
    let (mut records, mut more) = (0, 0);
    for file in files {
        let source = fs::read(&file).unwrap();
        let Ok(full) = by_full_parse(Language::Python, &source) else {
            // The grammar does not know all of the language.
            more += 1;
            continue;
        };
        let found = imports(Language::Python, &source).unwrap();
        assert_eq!(found, full, "{}", file.display());
        records += found.len();
    }
    println!("{records} records are the same; {more} files do not parse as a whole");
    assert!(records > 500, "{records}");
}
