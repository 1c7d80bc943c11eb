//! What was perhaps meant.

/// The candidate that is closest to a mistyped word, if one is close: at most
/// two slips of the finger away, or in a short word one.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(40).collect();
    let near = candidates.into_iter().map(|c| (distance(&word, &c.chars().collect::<Vec<_>>()), c));
    near.min().filter(|(d, c)| *d <= 2 && *d * 3 <= c.chars().count() + 1).map(|(_, candidate)| candidate)
}

/// Optimal string alignment: Levenshtein's distance, in which two neighbours
/// that changed places count as one slip (Damerau 1964).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: [Vec<usize>; 3] = [Vec::new(), Vec::new(), (0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        rows.rotate_left(1);
        let [before, above, row] = &mut rows;
        row.clear();
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut least = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == &b[j - 1] && y == &a[i - 1] {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
    }
    rows[2].last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(nearest("scop", ["scope", "path"]), Some("scope"));
        assert_eq!(nearest("clam", ["claim", "close"]), Some("claim"));
        assert_eq!(nearest("wbe", ["web", "api"]), Some("web"));
        assert_eq!(nearest("zoe", ["bob"]), None);
        assert_eq!(nearest("xyz", ["scope", "path"]), None);
    }
}
