//! Reads `packed-refs`: one line `<hex> <name>` per ref, sorted by name
//! where its header says so, `^<hex>` after a tag.
//!
//! git replaces the file by renaming, so an open one is one consistent
//! version. It can hold 100,000 refs and be changed every second by others:
//! a small one is read whole, of a large one only the blocks on the way.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::{GitError, Oid, RefName};
use crate::text::escape;

/// Up to here, one read is cheaper than a search.
const WHOLE: u64 = 64 * 1024;
const BLOCK: u64 = 4 * 1024;
/// No ref name is longer; a longer line is damage.
const MAX_LINE: usize = 64 * 1024;

/// An open `packed-refs`.
pub(super) struct Packed {
    path: PathBuf,
    file: File,
    len: u64,
    is_sorted: bool,
    hex_len: usize,
    /// Blocks that were read, by number.
    blocks: RefCell<HashMap<u64, Vec<u8>>>,
}

impl Packed {
    /// Opens the file; `None` if there is none.
    pub(super) fn open(common_dir: &Path, hex_len: usize) -> Result<Option<Self>, GitError> {
        let path = common_dir.join("packed-refs");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(GitError::read(&path, err)),
        };
        let len = file.metadata().map_err(|err| GitError::read(&path, err))?.len();
        let mut packed = Self { path, file, len, is_sorted: false, hex_len, blocks: RefCell::default() };
        if len > 0 {
            let (header, _) = packed.line_at(0)?;
            packed.is_sorted = header.starts_with(b"# pack-refs with:")
                && header.split(|&b| b == b' ').any(|part| part == b"sorted");
        }
        Ok(Some(packed))
    }

    /// The id that the file holds for `name`.
    pub(super) fn find(&self, name: &RefName) -> Result<Option<Oid>, GitError> {
        let key = name.as_str().as_bytes();
        let mut at = self.lower_bound(key)?;
        while let Some((entry, next)) = self.entry_at(at)? {
            match entry.name.as_slice().cmp(key) {
                std::cmp::Ordering::Equal => return self.decode(&entry.hex, &entry.name).map(Some),
                std::cmp::Ordering::Greater if self.is_sorted => return Ok(None),
                _ => at = next,
            }
        }
        Ok(None)
    }

    /// A ref in the file that excludes `name`: one that is a directory of
    /// its path, or one below it.
    pub(super) fn conflict(&self, name: &RefName) -> Result<Option<String>, GitError> {
        let name = name.as_str();
        // `refs` itself is no ref.
        for (end, _) in name.match_indices('/').skip(1) {
            let above = RefName::new(&name[..end])?;
            if self.find(&above)?.is_some() {
                return Ok(Some(above.to_string()));
            }
        }
        let below = format!("{name}/");
        let mut at = self.lower_bound(below.as_bytes())?;
        while let Some((entry, next)) = self.entry_at(at)? {
            if entry.name.starts_with(below.as_bytes()) {
                return Ok(Some(escape::bytes(&entry.name)));
            }
            if self.is_sorted && entry.name.as_slice() > below.as_bytes() {
                break;
            }
            at = next;
        }
        Ok(None)
    }

    /// Hands every ref whose name begins with `prefix` to `each`, in the
    /// order of the file. Names that are not valid are passed over.
    pub(super) fn with_prefix(
        &self,
        prefix: &str,
        mut each: impl FnMut(RefName, Result<Oid, GitError>),
    ) -> Result<(), GitError> {
        let key = prefix.as_bytes();
        let mut at = self.lower_bound(key)?;
        // What was read and not yet looked at: the end of a cut line, then
        // the next piece of the file.
        let mut buffer = Vec::new();
        while at < self.len {
            let size = usize::try_from(WHOLE.min(self.len - at)).unwrap_or(0);
            let kept = buffer.len();
            buffer.resize(kept + size, 0);
            read_exact_at(&self.file, &mut buffer[kept..], at)
                .map_err(|err| GitError::read(&self.path, err))?;
            at += size as u64;
            let mut rest = buffer.as_slice();
            while let Some(end) = rest.iter().position(|&b| b == b'\n') {
                let line = &rest[..end];
                rest = &rest[end + 1..];
                let Some(Fields { hex, name }) = self.split(line)? else { continue };
                if name.starts_with(key) {
                    match std::str::from_utf8(name).map(RefName::new) {
                        Ok(Ok(valid)) => each(valid, self.decode(hex, name)),
                        _ => tracing::warn!(name = escape::bytes(name), "packed ref has an invalid name"),
                    }
                } else if self.is_sorted && name > key {
                    return Ok(());
                }
            }
            let left = rest.len();
            // A last line without its line feed was cut short.
            if left > MAX_LINE || (left > 0 && at == self.len) {
                return Err(self.damaged(rest));
            }
            buffer.drain(..buffer.len() - left);
        }
        Ok(())
    }

    /// Start of a line at or before the first entry that is not less than `key`.
    fn lower_bound(&self, key: &[u8]) -> Result<u64, GitError> {
        if !self.is_sorted {
            return Ok(0);
        }
        // Every entry that starts before `low` is less than the key; the
        // entry that starts at or after `high`, if any, is not.
        let (mut low, mut high) = (0, self.len);
        while high - low > BLOCK {
            let middle = low + (high - low) / 2;
            let (_, start) = self.line_at(middle)?;
            match self.entry_at(start)? {
                Some((entry, next)) if start < high && entry.name.as_slice() < key => low = next.min(high),
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The first entry at or after the line that starts at `at`, and where
    /// the line after it starts.
    fn entry_at(&self, mut at: u64) -> Result<Option<(Entry, u64)>, GitError> {
        while at < self.len {
            let (line, next) = self.line_at(at)?;
            if let Some(Fields { hex, name }) = self.split(&line)? {
                return Ok(Some((Entry { hex: hex.to_vec(), name: name.to_vec() }, next)));
            }
            at = next;
        }
        Ok(None)
    }

    /// The id and name of a line; `None` if it is no entry.
    fn split<'l>(&self, line: &'l [u8]) -> Result<Option<Fields<'l>>, GitError> {
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"^") {
            return Ok(None);
        }
        match line.iter().position(|&b| b == b' ') {
            Some(split) if split + 1 < line.len() => {
                Ok(Some(Fields { hex: &line[..split], name: &line[split + 1..] }))
            }
            _ => Err(self.damaged(line)),
        }
    }

    /// The bytes from `at` to the end of that line, and where the next starts.
    fn line_at(&self, at: u64) -> Result<(Vec<u8>, u64), GitError> {
        let mut line = Vec::new();
        let mut at = at;
        while at < self.len {
            let unit = if self.len <= WHOLE { WHOLE } else { BLOCK };
            let number = at / unit;
            let mut blocks = self.blocks.borrow_mut();
            let block = match blocks.entry(number) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    let from = number * unit;
                    let size = usize::try_from(unit.min(self.len - from)).unwrap_or(0);
                    let mut block = vec![0; size];
                    read_exact_at(&self.file, &mut block, from)
                        .map_err(|err| GitError::read(&self.path, err))?;
                    entry.insert(block)
                }
            };
            let offset = usize::try_from(at - number * unit).unwrap_or(0);
            let rest = block.get(offset..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|&b| b == b'\n') {
                line.extend_from_slice(&rest[..end]);
                return Ok((line, at + end as u64 + 1));
            }
            if line.len() + rest.len() > MAX_LINE || rest.is_empty() {
                return Err(self.damaged(&line));
            }
            line.extend_from_slice(rest);
            at += rest.len() as u64;
        }
        // A last line without its line feed was cut short.
        if line.is_empty() { Ok((line, self.len)) } else { Err(self.damaged(&line)) }
    }

    fn decode(&self, hex: &[u8], name: &[u8]) -> Result<Oid, GitError> {
        let oid = if hex.len() == self.hex_len { Oid::from_hex(hex) } else { None };
        oid.ok_or_else(|| GitError::DamagedRef {
            name: escape::bytes(name),
            reason: "packed-refs has no object id for it".to_owned(),
        })
    }

    fn damaged(&self, line: &[u8]) -> GitError {
        let line = escape::clipped(&escape::bytes(line), 80);
        GitError::DamagedRef {
            name: "packed-refs".to_owned(),
            reason: format!("a line is malformed: `{line}`"),
        }
    }
}

/// The two parts of an entry's line.
struct Fields<'l> {
    hex: &'l [u8],
    name: &'l [u8],
}

struct Entry {
    hex: Vec<u8>,
    name: Vec<u8>,
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek};
    file.seek(io::SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn oid(number: usize) -> Oid {
        format!("{:040x}", number + 1).parse().unwrap()
    }

    fn names(count: usize) -> Vec<RefName> {
        // Lengths vary, so that lines meet block ends in every way.
        let mut names: Vec<_> = (0..count)
            .map(|n| RefName::new(format!("refs/t/{:06}{}", n * 7 % 1_000_000, "x".repeat(n % 61))).unwrap())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    #[track_caller]
    fn write(header: &str, names: &[RefName]) -> (tempfile::TempDir, Packed) {
        let dir = tempfile::tempdir().unwrap();
        let mut text = header.to_owned();
        for (number, name) in names.iter().enumerate() {
            writeln!(text, "{} {name}", oid(number)).unwrap();
            if number % 5 == 0 {
                writeln!(text, "^{}", oid(9)).unwrap();
            }
        }
        std::fs::write(dir.path().join("packed-refs"), text).unwrap();
        let packed = Packed::open(dir.path(), 40).unwrap().unwrap();
        (dir, packed)
    }

    #[test]
    fn every_name_is_found_in_files_of_every_kind() {
        for count in [0, 1, 2, 700, 5_000] {
            let names = names(count);
            for header in
                ["# pack-refs with: peeled fully-peeled sorted \n", "# pack-refs with: peeled\n", ""]
            {
                let (_dir, packed) = write(header, &names);
                let step = if header.contains(" sorted ") { 1 } else { 211 };
                for (number, name) in names.iter().enumerate().step_by(step) {
                    assert_eq!(packed.find(name).unwrap(), Some(oid(number)), "{name}");
                    let absent = RefName::new(format!("{name}-")).unwrap();
                    assert_eq!(packed.find(&absent).unwrap(), None);
                }
                for absent in ["refs/a", "refs/zz"] {
                    assert_eq!(packed.find(&RefName::new(absent).unwrap()).unwrap(), None);
                }
                for prefix in ["refs/", "refs/t/", "refs/t/0001", "refs/u/"] {
                    let mut found = Vec::new();
                    packed.with_prefix(prefix, |name, _| found.push(name)).unwrap();
                    let expected: Vec<_> =
                        names.iter().filter(|n| n.as_str().starts_with(prefix)).cloned().collect();
                    assert_eq!(found, expected, "{prefix}");
                }
            }
        }
    }

    #[test]
    fn malformed_lines_are_damage() {
        let name = RefName::new("refs/t/a").unwrap();
        for text in [
            "garbage\n",
            " refs/t/a\n",
            "123 refs/t/a\n",
            "123 ",
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904 refs/t/a",
        ] {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("packed-refs"), text).unwrap();
            let found = Packed::open(dir.path(), 40).and_then(|packed| packed.unwrap().find(&name));
            assert!(matches!(found, Err(GitError::DamagedRef { .. })), "{text:?}");
        }
    }
}
