//! Text that a verb takes as an argument, from a file or from standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::ops::error::Error;
use crate::text::escape;

/// More than any text may have: what is over its own limit is refused with
/// its size, what is over this is not even read.
const MOST: u64 = 2 * 1024 * 1024;

/// Words on the command line, or `-F`.
#[derive(Args, Clone, Debug)]
pub(super) struct Body {
    /// The text
    #[arg(value_name = "TEXT")]
    pub(super) words: Vec<String>,
    /// Take the text from FILE, or from standard input with -
    #[arg(short = 'F', long = "file", value_name = "FILE", conflicts_with = "words")]
    pub(super) file: Option<PathBuf>,
}

impl Body {
    /// The text.
    pub(super) fn read(&self, dir: &Path) -> Result<String, Error> {
        match &self.file {
            Some(file) => read(dir, file),
            None => Ok(self.words.join(" ")),
        }
    }
}

/// What is in `file`, or for `-` what standard input gives.
pub(super) fn read(dir: &Path, file: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let shown = escape::bytes(file.to_string_lossy().as_bytes());
    let result = if file == Path::new("-") {
        std::io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(dir.join(file)).and_then(|f| f.take(MOST + 1).read_to_end(&mut bytes))
    };
    if let Err(source) = result {
        return Err(Error::usage(
            format!("`{shown}` cannot be read: {source}"),
            "name a file, or - for standard input",
        ));
    }
    if bytes.len() as u64 > MOST {
        return Err(Error::usage(format!("`{shown}` has more than {MOST} bytes"), "shorten it, or split it"));
    }
    String::from_utf8(bytes).map_err(|_| Error::usage(format!("`{shown}` is not UTF-8"), "give text"))
}
