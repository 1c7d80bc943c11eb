//! Parses every Rust source below a folder as a whole, and prints how many
//! files and bytes that were.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_rust::LANGUAGE.into())?;
    let (mut files, mut bytes) = (0, 0);
    let mut queue: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    while let Some(path) = queue.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                queue.push(entry?.path());
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read(&path)?;
            parser.parse(&text, None).ok_or("not parsed")?;
            files += 1;
            bytes += text.len();
        }
    }
    println!("{files} {bytes}");
    Ok(())
}
