//! What was found out about contents, by their ids: it never changes, so that
//! nobody need find it out again.
//!
//! One file for each kind of thing, replaced as a whole by a rename. It is
//! only a saving of time: what cannot be read, or is damaged, is found out
//! anew, and what cannot be written is let go.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::git::{Oid, Repo};

/// Begins every file; the digit is the version of its layout.
const MAGIC: &[u8; 8] = b"gitcomm1";
/// Magic, stamp, number of rows, checksum of the rows.
const HEADER: usize = 8 + 8 + 4 + 4;
/// A key, where its value is, how long it is, the checksum of both.
const ROW: usize = KEY + 8 + 4 + 4;
/// A tag and an id; one of SHA-1 is filled up with zeros.
const KEY: usize = 1 + 32;
/// A file that would be larger keeps only what was asked for last.
const LARGEST: usize = 64 << 20;
/// After so many values one by one the rest is read at once.
const MANY: usize = 128;

type Key = [u8; KEY];

/// The values of one file, and those that were added since.
pub struct BlobCache<'r> {
    repo: &'r Repo,
    path: PathBuf,
    stamp: u64,
    known: OnceCell<Option<Known>>,
    added: RefCell<BTreeMap<Key, Vec<u8>>>,
    used: RefCell<HashSet<Key>>,
    afresh: RefCell<HashSet<Oid>>,
    is_damaged: Cell<bool>,
}

/// What the file held when it was opened.
struct Known {
    file: RefCell<File>,
    rows: Vec<u8>,
    values: OnceCell<Vec<u8>>,
    read: Cell<usize>,
    /// Whether it may soon be too large, so that what is asked for counts.
    is_large: bool,
}

impl<'r> BlobCache<'r> {
    /// The cache of this name. With another `stamp` than the file was written
    /// with, nothing in it is known. Nothing is read yet.
    pub fn new(repo: &'r Repo, name: &str, stamp: u64) -> Self {
        Self {
            repo,
            path: repo.state_dir().join("cache").join(name),
            stamp,
            known: OnceCell::new(),
            added: RefCell::default(),
            used: RefCell::default(),
            afresh: RefCell::default(),
            is_damaged: Cell::new(false),
        }
    }

    /// What `read` makes of what is known of a content. `tag` tells apart
    /// different things about one content.
    pub fn get<T>(&self, tag: u8, oid: Oid, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let key = key(tag, oid);
        if let Some(value) = self.added.borrow().get(&key) {
            return read(value);
        }
        if self.afresh.borrow().contains(&oid) {
            return None;
        }
        let known = self.known()?;
        let (at, len, checksum) = known.row(&key)?;
        if known.is_large {
            self.used.borrow_mut().insert(key);
        }
        let intact = |value: &[u8]| if sum(&key, value) == checksum { read(value) } else { None };
        let value = known.with_value(at, len, intact);
        if value.is_none() {
            self.is_damaged.set(true);
        }
        value
    }

    /// Lets nothing that the file says of these contents count: whoever can
    /// write to the repository's folder can write to the file.
    pub fn find_out_afresh(&self, contents: impl IntoIterator<Item = Oid>) {
        self.afresh.borrow_mut().extend(contents);
    }

    /// Notes what was found out.
    pub fn put(&self, tag: u8, oid: Oid, value: Vec<u8>) {
        self.added.borrow_mut().insert(key(tag, oid), value);
    }

    /// Keeps what was added, if that is worth writing the whole file anew.
    pub fn keep(&self) {
        let (added, known) = (self.added.borrow().len(), self.known().map_or(0, Known::len));
        // A few are found out again sooner than they are written.
        if added == 0 || (added < 64.max(known / 16) && !self.is_damaged.get()) {
            return;
        }
        if let Err(error) = self.write() {
            tracing::debug!(%error, path = %self.path.display(), "cache not kept");
        }
    }

    fn known(&self) -> Option<&Known> {
        let open = || match Known::open(&self.path, self.stamp) {
            Ok(known) => known,
            Err(error) => {
                tracing::debug!(%error, path = %self.path.display(), "cache not read");
                None
            }
        };
        self.known.get_or_init(open).as_ref()
    }

    fn write(&self) -> io::Result<()> {
        let (added, used) = (self.added.borrow(), self.used.borrow());
        let mut kept: BTreeMap<Key, (&[u8], u32)> = BTreeMap::new();
        let mut size = added.values().map(Vec::len).sum::<usize>();
        let mut old = Vec::new();
        if let Some(known) = self.known() {
            let values = known.values()?;
            size += values.len();
            for row in known.rows.chunks_exact(ROW) {
                let (key, at, len, checksum) = fields(row);
                let value = usize::try_from(at).ok().and_then(|at| values.get(at..at.checked_add(len)?));
                if let Some(value) = value.filter(|value| sum(&key, value) == checksum) {
                    old.push((key, value, checksum));
                }
            }
        }
        let fits = |key: &Key| size <= LARGEST || used.contains(key);
        kept.extend(old.into_iter().filter(|(key, ..)| fits(key)).map(|(k, v, sum)| (k, (v, sum))));
        kept.extend(added.iter().map(|(key, value)| (*key, (&value[..], sum(key, value)))));
        let mut rows = Vec::with_capacity(kept.len() * ROW);
        let mut at = 0_u64;
        for (key, (value, checksum)) in &kept {
            rows.extend_from_slice(key);
            rows.extend_from_slice(&at.to_le_bytes());
            rows.extend_from_slice(&u32::try_from(value.len()).map_err(io::Error::other)?.to_le_bytes());
            rows.extend_from_slice(&checksum.to_le_bytes());
            at += value.len() as u64;
        }
        let mut content = Vec::with_capacity(HEADER + rows.len() + size);
        content.extend_from_slice(MAGIC);
        content.extend_from_slice(&self.stamp.to_le_bytes());
        content.extend_from_slice(&u32::try_from(kept.len()).map_err(io::Error::other)?.to_le_bytes());
        content.extend_from_slice(&crc32fast::hash(&rows).to_le_bytes());
        content.extend_from_slice(&rows);
        kept.values().for_each(|(value, _)| content.extend_from_slice(value));
        self.repo.put_state_file(&self.path, &content)
    }
}

impl Known {
    /// None: there is no such file, or it is of another stamp.
    fn open(path: &Path, stamp: u64) -> io::Result<Option<Self>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let size = file.metadata()?.len();
        let mut header = [0; HEADER];
        file.read_exact(&mut header)?;
        if header[..8] != MAGIC[..] || header[8..16] != stamp.to_le_bytes() {
            return Ok(None);
        }
        let len = number(&header[16..20]) as usize * ROW;
        if (len + HEADER) as u64 > size {
            return Ok(None);
        }
        let mut rows = vec![0; len];
        file.read_exact(&mut rows)?;
        if crc32fast::hash(&rows).to_le_bytes() != header[20..24] {
            return Ok(None);
        }
        Ok(Some(Self {
            file: RefCell::new(file),
            rows,
            values: OnceCell::new(),
            read: Cell::new(0),
            is_large: size > LARGEST as u64 / 2,
        }))
    }

    fn len(&self) -> usize {
        self.rows.len() / ROW
    }

    /// Where the value of a key is, its length and its checksum.
    fn row(&self, key: &Key) -> Option<(u64, usize, u32)> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            let row = self.rows.get(middle * ROW..(middle + 1) * ROW)?;
            match row[..KEY].cmp(&key[..]) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let (_, at, len, checksum) = fields(row);
                    return Some((at, len, checksum));
                }
            }
        }
        None
    }

    fn with_value<T>(&self, at: u64, len: usize, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        if self.values.get().is_some() || self.read.get() >= MANY {
            let at = usize::try_from(at).ok()?;
            return read(self.values().ok()?.get(at..at.checked_add(len)?)?);
        }
        self.read.set(self.read.get() + 1);
        let mut value = Vec::new();
        let mut file = self.file.borrow_mut();
        let start = (HEADER + self.rows.len()) as u64;
        file.seek(SeekFrom::Start(start.checked_add(at)?)).ok()?;
        file.by_ref().take(len as u64).read_to_end(&mut value).ok()?;
        drop(file);
        read(&value)
    }

    fn values(&self) -> io::Result<&Vec<u8>> {
        if let Some(values) = self.values.get() {
            return Ok(values);
        }
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start((HEADER + self.rows.len()) as u64))?;
        let mut values = Vec::new();
        file.by_ref().take(2 * LARGEST as u64).read_to_end(&mut values)?;
        Ok(self.values.get_or_init(|| values))
    }
}

fn key(tag: u8, oid: Oid) -> Key {
    let mut key = [0; KEY];
    key[0] = tag;
    for (to, from) in key[1..].iter_mut().zip(oid.as_bytes()) {
        *to = *from;
    }
    key
}

/// The fields of a whole row.
fn fields(row: &[u8]) -> (Key, u64, usize, u32) {
    let mut key = [0; KEY];
    key.copy_from_slice(&row[..KEY]);
    let at = u64::from(number(&row[KEY..KEY + 4])) | u64::from(number(&row[KEY + 4..KEY + 8])) << 32;
    (key, at, number(&row[KEY + 8..KEY + 12]) as usize, number(&row[KEY + 12..KEY + 16]))
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte))
}

fn sum(key: &Key, value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    hasher.finalize()
}
