//! Zlib streams of a single stored block (RFC 1950, RFC 1951 section 3.2.4).
//!
//! A record version is about a kilobyte. Deflating it saves nothing on disk,
//! where a file takes a whole block, and setting up the compressor costs more
//! than everything else about writing the object; so does inflating. git
//! reads such streams like any other, and compresses when it packs.

/// What a file takes on disk at least, on most file systems.
const BLOCK: usize = 4_096;
const HEAD: usize = 2 + 1 + 4;
const TAIL: usize = 4;
/// Deflate without a dictionary, window of 32 KiB, fastest.
const ZLIB: [u8; 2] = [0x78, 0x01];
const LAST_STORED: u8 = 1;

/// The stream that holds the concatenation of `parts`; `None` if deflating
/// could save a block.
pub(super) fn encode(parts: [&[u8]; 2]) -> Option<Vec<u8>> {
    let len = parts[0].len() + parts[1].len();
    let short = u16::try_from(len).ok()?;
    if HEAD + len + TAIL > BLOCK {
        return None;
    }
    let mut out = Vec::with_capacity(HEAD + len + TAIL);
    out.extend_from_slice(&ZLIB);
    out.push(LAST_STORED);
    out.extend_from_slice(&short.to_le_bytes());
    out.extend_from_slice(&(!short).to_le_bytes());
    out.extend_from_slice(parts[0]);
    out.extend_from_slice(parts[1]);
    let sum = adler32(&out[HEAD..]);
    out.extend_from_slice(&sum.to_be_bytes());
    Some(out)
}

/// The content of a whole and intact stream of this form.
pub(super) fn decode(stream: &[u8]) -> Option<&[u8]> {
    let rest = stream.strip_prefix(&ZLIB)?.strip_prefix(&[LAST_STORED])?;
    let (len, rest) = rest.split_first_chunk()?;
    let (complement, rest) = rest.split_first_chunk()?;
    let (content, sum) = rest.split_last_chunk()?;
    let len = u16::from_le_bytes(*len);
    let is_whole = len == !u16::from_le_bytes(*complement)
        && content.len() == usize::from(len)
        && adler32(content) == u32::from_be_bytes(*sum);
    is_whole.then_some(content)
}

/// The checksum of RFC 1950, section 8.2.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1u32, 0u32);
    // The most bytes after which neither sum has overflowed.
    for chunk in bytes.chunks(5_552) {
        for &byte in chunk {
            a += u32::from(byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    (b << 16) | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zlib_reads_what_is_written() {
        for len in [0, 1, 100, 4_000] {
            let content: Vec<u8> = (0..len).map(|n: usize| u8::try_from(n * 7 % 256).unwrap()).collect();
            let stream = encode([b"commit 7\0", &content]).unwrap();
            let mut inflated = vec![0; 5_000];
            let (_, consumed, size) = gix::zlib::Inflate::default().once(&stream, &mut inflated).unwrap();
            assert_eq!((consumed, size), (stream.len(), 9 + len));
            assert_eq!(decode(&stream), Some(&inflated[..size]));
        }
    }

    #[test]
    fn what_deflating_could_shorten_is_not_stored() {
        assert_eq!(encode([b"blob 4096\0", &[0; 4_096]]), None);
        assert_eq!(encode([b"", &vec![0; 100_000]]), None);
    }

    #[test]
    fn a_changed_or_cut_stream_is_not_decoded() {
        let stream = encode([b"blob 5\0", b"hello"]).unwrap();
        for at in 0..stream.len() {
            let mut changed = stream.clone();
            changed[at] ^= 4;
            assert_eq!(decode(&changed), None, "byte {at}");
            assert_eq!(decode(&stream[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_checksum_is_adler32() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(&[0xff; 100_000]), 0x149a_302c);
    }
}
