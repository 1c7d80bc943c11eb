//! What the codes of findings mean, for formats that list their rules.

/// A code: its name in a few words without blanks, and what it says.
pub(super) struct Code {
    /// The code itself.
    pub(super) id: &'static str,
    /// For programs and headings.
    pub(super) name: &'static str,
    /// In a sentence.
    pub(super) text: &'static str,
}

const fn code(id: &'static str, name: &'static str, text: &'static str) -> Code {
    Code { id, name, text }
}

const CODES: &[Code] = &[
    code("B001", "ForbiddenImport", "A domain imports what its rules forbid."),
    code("B002", "NotAllowedImport", "A domain imports what is not among what it may import."),
    code("B003", "NotPublicImport", "What is imported is no public file of its domain."),
    code("B004", "UnresolvedImport", "What looks like a file of this repository is none."),
    code("B005", "UnreadableSource", "A file cannot be read, so that nobody knows what it imports."),
    code("B006", "UnownedSource", "A source belongs to no domain."),
    code("B007", "ContestedSource", "Two domains claim a file with equal right."),
    code("B008", "LayerCrossed", "A lower layer imports a higher one."),
    code("B009", "NotIndependent", "Parts that are to know nothing of each other do."),
    code("B010", "ImportCycle", "The import is part of a cycle."),
    code("B011", "BareSuppression", "A suppression has no reason, or names no code."),
    code("B012", "UnusedRule", "A rule, a suppression or a baseline entry is not needed."),
    code("B013", "WeakenedRules", "A change makes the rules weaker."),
    code("B014", "GrownBaseline", "A change adds to the baseline."),
    code("claim", "Unclaimed", "A commit names no claim that it may have been made under."),
    code("place", "WrongPlace", "An edit is outside the worktree of its agent."),
    code("rules", "UnreadableRules", "The rules of a commit cannot be read."),
    code("scope", "OutOfScope", "A commit changes files outside the domain of its agent."),
];

/// What a code means. A code that is not described stands for itself.
pub(super) fn of(id: &'static str) -> Code {
    let known = CODES.iter().find(|code| code.id == id);
    known.map_or(Code { id, name: id, text: "" }, |known| Code { ..*known })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Every code that some gate finds is described.
    #[test]
    fn every_code_is_described() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap_or_default();
                for word in source.split('"').filter(|word| is_code(word)) {
                    seen += 1;
                    assert!(CODES.iter().any(|code| code.id == word), "{}: {word}", path.display());
                }
            }
        }
        assert!(seen > 5, "{seen}");
    }

    fn is_code(word: &str) -> bool {
        let number = word.strip_prefix('B').unwrap_or_default();
        number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit())
    }
}
