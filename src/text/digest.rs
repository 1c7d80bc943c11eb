//! Short, stable digests for local file names and session ids.

/// FNV-1a with 128 bits (Fowler, Noll, Vo; offset basis and prime as
/// published) over `parts`, each closed by a byte that UTF-8 never holds, as
/// 32 hexadecimal digits. Not for secrets: it only keeps honest names apart.
pub fn digest(parts: &[&str]) -> String {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash = BASIS;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["a"]), digest(&["a"]));
        assert_eq!(digest(&["a"]).len(), 32);
    }
}
