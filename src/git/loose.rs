//! Loose objects: one zlib stream per file, `<kind> <size>\0<content>`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use gix::objs::Kind;
use gix::zlib::{Compression, Decompress, FlushDecompress, Status};

use super::{Durability, GitError, Oid, Repo, fsx, stored};

/// Longest possible `<kind> <size>\0`.
const HEADER: usize = 64;

/// Tries for what should not happen twice, such as a vanished directory.
const TRIES: usize = 32;

/// What was found where a loose object would be.
pub(super) enum Found {
    /// Nothing.
    Absent,
    /// An object of another type.
    Kind(Kind),
    /// An object that is too large; its content was not read.
    Large(u64),
    /// Its content is in the buffer.
    Content,
    /// A file that is no loose object.
    Damaged(String),
}

impl Repo {
    pub(super) fn loose_path(&self, oid: Oid) -> PathBuf {
        let hex = oid.to_string();
        let (fanout, rest) = hex.split_at(2);
        let mut path = self.objects_dir.join(fanout);
        path.push(rest);
        path
    }

    /// Reads a loose object into `out`. Kind and size are judged before
    /// anything beyond the first few bytes is inflated.
    pub(super) fn read_loose(
        &self,
        oid: Oid,
        kind: Kind,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<Found, GitError> {
        let path = self.loose_path(oid);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Found::Absent),
            Err(err) => return Err(GitError::read(&path, err)),
        };
        inflate(&mut file, kind, limit, out).map_err(|err| GitError::read(&path, err))
    }

    /// Stores an object: a kept link first, then the loose file, which is a
    /// hard link to the same content.
    pub(super) fn write_object(
        &self,
        kind: Kind,
        content: &[u8],
        durability: Durability,
    ) -> Result<Oid, GitError> {
        let oid = self.hash_of(kind, content)?;
        let kept = self.keep_new(oid, &deflate(kind, content), durability)?;
        self.link_object(oid, &kept, durability)?;
        Ok(oid)
    }

    pub(super) fn hash_of(&self, kind: Kind, content: &[u8]) -> Result<Oid, GitError> {
        gix::objs::compute_hash(self.hash, kind, content)
            .map(Oid)
            .map_err(|err| GitError::InvalidDraft { reason: err.to_string() })
    }

    /// Makes the file at `kept` the loose object `oid`.
    pub(super) fn link_object(
        &self,
        oid: Oid,
        kept: &std::path::Path,
        durability: Durability,
    ) -> Result<(), GitError> {
        let path = self.loose_path(oid);
        let mut is_dir_new = false;
        for _ in 0..TRIES {
            match self.try_link(&path, kept, durability, &mut is_dir_new) {
                // Nothing names the object yet, so a gc may remove it between
                // two of our steps, and its directory with it.
                Err(err) if err.kind() == io::ErrorKind::NotFound => {}
                other => return other.map_err(|err| GitError::write(&path, err)),
            }
        }
        let source = io::Error::new(io::ErrorKind::NotFound, "its directory keeps vanishing");
        Err(GitError::write(&path, source))
    }

    fn try_link(
        &self,
        path: &std::path::Path,
        kept: &std::path::Path,
        durability: Durability,
        is_dir_new: &mut bool,
    ) -> io::Result<()> {
        let dir = fsx::parent(path);
        let made = match fsx::with_dir(dir, self.shared, || fs::hard_link(kept, path)) {
            Ok(((), made)) => made,
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
                // It was there before. Whoever wrote it need not have made it
                // durable, and a power cut may have left it empty.
                if fs::metadata(path)?.len() == 0 {
                    self.copy_object(path, kept, durability)?
                } else {
                    if durability == Durability::Power {
                        File::open(path)?.sync_all()?;
                    }
                    Vec::new()
                }
            }
            Err(err) if fsx::cannot_link(&err) => self.copy_object(path, kept, durability)?,
            Err(err) => return Err(err),
        };
        *is_dir_new |= !made.is_empty();
        if durability == Durability::Power {
            fsx::sync_dir(dir)?;
            if *is_dir_new {
                fsx::sync_dir(&self.objects_dir)?;
            }
        }
        Ok(())
    }

    /// Copies where links are impossible, under the name that `git gc`
    /// recognises and removes if we die here.
    fn copy_object(
        &self,
        path: &std::path::Path,
        kept: &std::path::Path,
        durability: Durability,
    ) -> io::Result<Vec<PathBuf>> {
        let dir = fsx::parent(path);
        let name = fsx::random_name(&self.env, dir).map_err(io::Error::other)?;
        let temp = dir.join(format!("tmp_obj_{name}"));
        // Without what was kept there is nothing to try again with.
        let content = fs::read(kept).map_err(io::Error::other)?;
        let copy = || -> io::Result<Vec<PathBuf>> {
            let (mut file, made) = fsx::with_dir(dir, self.shared, || fsx::create_new(&temp, 0o444))?;
            self.shared.adjust_file(&file)?;
            file.write_all(&content)?;
            if durability == Durability::Power {
                file.sync_all()?;
            }
            fs::rename(&temp, path)?;
            Ok(made)
        };
        copy().inspect_err(|_| {
            let _ = fs::remove_file(&temp);
        })
    }
}

/// The bytes of a loose object's file.
fn deflate(kind: Kind, content: &[u8]) -> Vec<u8> {
    let header = gix::objs::encode::loose_header(kind, content.len() as u64);
    if let Some(stream) = stored::encode([&header, content]) {
        return stream;
    }
    let mut stream = gix::zlib::stream::deflate::Write::new(
        Vec::with_capacity(content.len() / 2 + 64),
        Compression::BEST_SPEED,
    );
    // Writing to memory does not fail.
    let _ = stream.write_all(&header).and_then(|()| stream.write_all(content)).and_then(|()| stream.flush());
    stream.into_inner()
}

/// Inflates a loose object from `input`. Errors of reading are `Err`;
/// whatever the bytes are is an answer.
pub(super) fn inflate(
    input: &mut impl Read,
    kind: Kind,
    limit: usize,
    out: &mut Vec<u8>,
) -> io::Result<Found> {
    let mut raw = [0u8; 8 * 1024];
    let mut filled = fill(input, &mut raw)?;
    if let Some((header, content)) = stored::decode(&raw[..filled]).and_then(split_header)
        && header == (kind, content.len() as u64)
        && content.len() <= limit
    {
        out.clear();
        out.extend_from_slice(content);
        return Ok(Found::Content);
    }
    let mut stream = Decompress::new();
    let mut head = [0u8; HEADER];
    let status = match stream.decompress(&raw[..filled], &mut head, FlushDecompress::None) {
        Ok(status) => status,
        Err(err) => return Ok(Found::Damaged(err.to_string())),
    };
    let head_len = usize::try_from(stream.total_out()).unwrap_or(HEADER).min(HEADER);
    let Some((found, size, start)) = header(&head[..head_len]) else {
        return Ok(Found::Damaged("its header is malformed".to_owned()));
    };
    if found != kind {
        return Ok(Found::Kind(found));
    }
    let size = match usize::try_from(size) {
        Ok(size) if size <= limit => size,
        _ => return Ok(Found::Large(size)),
    };
    out.clear();
    // One byte more than declared, so that a longer stream is noticed.
    out.resize(size + 1, 0);
    let have = head_len - start;
    if have > size {
        return Ok(Found::Damaged("it is longer than its header says".to_owned()));
    }
    out[..have].copy_from_slice(&head[start..head_len]);
    let mut written = have;
    let mut consumed = usize::try_from(stream.total_in()).unwrap_or(filled);
    let mut ended = status == Status::StreamEnd;
    while !ended {
        if consumed == filled {
            filled = fill(input, &mut raw)?;
            consumed = 0;
            if filled == 0 {
                break;
            }
        }
        let (was_in, was_out) = (stream.total_in(), stream.total_out());
        match stream.decompress(&raw[consumed..filled], &mut out[written..], FlushDecompress::None) {
            Ok(status) => ended = status == Status::StreamEnd,
            Err(err) => return Ok(Found::Damaged(err.to_string())),
        }
        let (took, gave) = (stream.total_in() - was_in, stream.total_out() - was_out);
        if took == 0 && gave == 0 && !ended {
            break;
        }
        consumed += usize::try_from(took).unwrap_or(0);
        written += usize::try_from(gave).unwrap_or(0);
    }
    if !ended || written != size {
        return Ok(Found::Damaged("it is cut short or longer than its header says".to_owned()));
    }
    out.truncate(size);
    Ok(Found::Content)
}

fn split_header(whole: &[u8]) -> Option<((Kind, u64), &[u8])> {
    let (kind, size, start) = header(&whole[..whole.len().min(HEADER)])?;
    Some(((kind, size), &whole[start..]))
}

fn header(head: &[u8]) -> Option<(Kind, u64, usize)> {
    let end = head.iter().position(|&b| b == 0)?;
    let text = std::str::from_utf8(&head[..end]).ok()?;
    let (kind, size) = text.split_once(' ')?;
    if size.is_empty() || !size.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((Kind::from_bytes(kind.as_bytes()).ok()?, size.parse().ok()?, end + 1))
}

fn fill(input: &mut impl Read, raw: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(raw) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
