//! What was read of a source, as bytes that can be kept.
//!
//! Lengths and lines are numbers of seven bits a byte, the lowest first.

use super::{Import, Kind};

const KINDS: [Kind; 5] = [Kind::Static, Kind::Type, Kind::Dynamic, Kind::Mock, Kind::Part];

/// The imports of a source, or why it cannot be read.
pub fn encode(read: &Result<Vec<Import>, String>) -> Vec<u8> {
    let mut out = Vec::new();
    match read {
        Err(why) => {
            out.push(1);
            put_text(&mut out, why);
        }
        Ok(imports) => {
            out.push(0);
            put_number(&mut out, imports.len());
            for import in imports {
                put_number(&mut out, import.line);
                let kind = KINDS.iter().position(|kind| *kind == import.kind).unwrap_or_default();
                put_number(&mut out, kind << 1 | usize::from(import.exported));
                put_text(&mut out, &import.specifier);
                put_texts(&mut out, &import.names);
                put_texts(&mut out, &import.within);
            }
        }
    }
    out
}

/// What [`encode`] made these bytes of; none if it was something else.
pub fn decode(bytes: &[u8]) -> Option<Result<Vec<Import>, String>> {
    let mut rest = bytes;
    let read = match take(&mut rest, 1)? {
        [1] => Err(text(&mut rest)?),
        [0] => {
            let count = number(&mut rest)?;
            // Each takes five bytes or more.
            let mut imports = Vec::with_capacity(count.min(rest.len() / 5));
            for _ in 0..count {
                imports.push(import(&mut rest)?);
            }
            Ok(imports)
        }
        _ => return None,
    };
    rest.is_empty().then_some(read)
}

fn import(rest: &mut &[u8]) -> Option<Import> {
    let line = number(rest)?;
    let flags = number(rest)?;
    Some(Import {
        line,
        specifier: text(rest)?,
        names: texts(rest)?,
        kind: *KINDS.get(flags >> 1)?,
        exported: flags & 1 == 1,
        within: texts(rest)?,
    })
}

fn put_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_texts(out: &mut Vec<u8>, texts: &[String]) {
    put_number(out, texts.len());
    texts.iter().for_each(|text| put_text(out, text));
}

fn take<'b>(rest: &mut &'b [u8], len: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *take(rest, 1)?.first()?;
        number |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let len = number(rest)?;
    std::str::from_utf8(take(rest, len)?).ok().map(str::to_owned)
}

fn texts(rest: &mut &[u8]) -> Option<Vec<String>> {
    let count = number(rest)?;
    (0..count).map(|_| text(rest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn imports() -> impl Strategy<Value = Vec<Import>> {
        let kind = prop::sample::select(&KINDS[..]);
        let texts = || prop::collection::vec(".{0,9}", 0..3);
        let import = (0..1_usize << 40, ".{0,200}", texts(), kind, any::<bool>(), texts());
        let import = import.prop_map(|(line, specifier, names, kind, exported, within)| Import {
            line,
            specifier,
            names,
            kind,
            exported,
            within,
        });
        prop::collection::vec(import, 0..5)
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(imports in imports(), why in ".*") {
            for read in [Ok(imports.clone()), Err(why.clone())] {
                let bytes = encode(&read);
                prop_assert_eq!(decode(&bytes), Some(read));
                prop_assert_eq!(decode(&[&bytes[..], b"x"].concat()), None);
                if let Some((_, short)) = bytes.split_last() {
                    let short = &bytes[..short.len()];
                    prop_assert_eq!(decode(short), None);
                }
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
