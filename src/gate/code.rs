//! The codes of what is found about imports. A code keeps its meaning for
//! ever; `docs/boundaries.md` explains each.

/// A rule forbids the import.
pub const FORBIDDEN: &str = "B001";
/// No rule allows the import.
pub const NOT_ALLOWED: &str = "B002";
/// What is imported is not public.
pub const NOT_PUBLIC: &str = "B003";
/// What looks like a file of this repository is none.
pub const UNRESOLVED: &str = "B004";
/// A file cannot be read, so that nobody knows what it imports.
pub const UNREADABLE: &str = "B005";
/// A source belongs to no domain.
pub const UNOWNED: &str = "B006";
/// Two domains claim the file with equal right.
pub const CONTESTED: &str = "B007";
/// A lower layer imports a higher one.
pub const LAYER: &str = "B008";
/// Parts that are to know nothing of each other do.
pub const DEPENDENT: &str = "B009";
/// The import is part of a cycle.
pub const CYCLE: &str = "B010";
/// A suppression without a reason, or of a code that there is not.
pub const BARE: &str = "B011";
/// A rule, suppression or baseline entry that nothing needs.
pub const UNUSED: &str = "B012";
/// A change makes the rules weaker.
pub const WEAKENED: &str = "B013";
/// A change adds to the baseline.
pub const GROWN: &str = "B014";

/// A code, what it means in a few words, and whether a comment in the source
/// and the baseline can except a finding from it.
pub type Entry = (&'static str, &'static str, bool);

/// All codes.
pub const ALL: [Entry; 14] = [
    (FORBIDDEN, "a rule forbids the import", true),
    (NOT_ALLOWED, "it is not among `allowed_imports`", true),
    (NOT_PUBLIC, "what it leads to is not `public`", true),
    (UNRESOLVED, "it looks like a file of this repository, and there is none", true),
    (UNREADABLE, "the file cannot be read, so that nobody knows what it imports", false),
    (UNOWNED, "a source belongs to no domain", true),
    (CONTESTED, "two domains claim the file with equal right", false),
    (LAYER, "a lower layer imports a higher one", true),
    (DEPENDENT, "independent parts import each other", true),
    (CYCLE, "the import is part of a cycle", true),
    (BARE, "a suppression has no reason, or names no code", false),
    (UNUSED, "a rule, a suppression or a baseline entry is not needed", false),
    (WEAKENED, "a change makes the rules weaker", false),
    (GROWN, "a change adds to the baseline", false),
];

/// Whether it is one of these.
pub fn is_known(code: &str) -> bool {
    ALL.iter().any(|(known, _, _)| *known == code)
}

/// Whether findings of this code can be excepted, by a comment or the
/// baseline.
pub fn can_be_excepted(code: &str) -> bool {
    ALL.iter().any(|(known, _, can)| *known == code && *can)
}
