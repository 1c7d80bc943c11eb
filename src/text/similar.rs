//! What was perhaps meant.

/// The candidate that is closest to a mistyped word, if one is close: at most
/// two insertions, removals or replacements away (Levenshtein).
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(40).collect();
    let near = candidates.into_iter().map(|c| (distance(&word, &c.chars().collect::<Vec<_>>()), c));
    near.min().filter(|(d, c)| *d <= 2 && *d < c.len()).map(|(_, candidate)| candidate)
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(nearest("scop", ["scope", "path"]), Some("scope"));
        assert_eq!(nearest("clam", ["claim", "close"]), Some("claim"));
        assert_eq!(nearest("xyz", ["scope", "path"]), None);
    }
}
