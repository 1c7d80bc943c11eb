//! `core.sharedRepository`: which bits the files that we create must have.

use std::fs::File;
use std::io;
use std::path::Path;

/// The policy, as git keeps it: nothing, bits to add, or exact bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shared {
    Umask,
    Add(u32),
    Exact(u32),
}

impl Shared {
    /// Reads the value of `core.sharedRepository`. What git would refuse
    /// counts as unset.
    pub(super) fn parse(value: Option<&str>) -> Self {
        let Some(value) = value else { return Self::Umask };
        match value.to_ascii_lowercase().as_str() {
            "group" | "true" | "yes" | "on" | "1" => return Self::Add(0o660),
            "all" | "world" | "everybody" | "2" => return Self::Add(0o664),
            _ => {}
        }
        match u32::from_str_radix(value, 8) {
            Ok(mode) if mode & 0o600 == 0o600 => Self::Exact(mode & 0o666),
            _ => Self::Umask,
        }
    }

    /// The mode of a file or directory that was created with `mode`.
    #[cfg(any(unix, test))]
    fn applied_to(self, mode: u32, is_dir: bool) -> u32 {
        let (exact, mut bits) = match self {
            Self::Umask => return mode,
            Self::Add(bits) => (false, bits),
            Self::Exact(bits) => (true, bits),
        };
        if mode & 0o200 == 0 {
            bits &= !0o222;
        }
        if mode & 0o100 != 0 || is_dir {
            bits |= (bits & 0o444) >> 2;
        }
        let mut new = if exact { (mode & !0o777) | bits } else { mode | bits };
        // The group is inherited only where its members get any access.
        if is_dir && (new & 0o060) != 0 {
            new |= 0o2000;
        }
        new
    }

    /// Gives a file that we created its bits.
    #[cfg(unix)]
    pub(super) fn adjust_file(self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        if self == Self::Umask {
            return Ok(());
        }
        let old = file.metadata()?.permissions().mode() & 0o7777;
        let new = self.applied_to(old, false);
        if new == old { Ok(()) } else { file.set_permissions(std::fs::Permissions::from_mode(new)) }
    }

    /// Gives a directory that we created its bits.
    #[cfg(unix)]
    pub(super) fn adjust_dir(self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        if self == Self::Umask {
            return Ok(());
        }
        let old = std::fs::symlink_metadata(path)?.permissions().mode() & 0o7777;
        let new = self.applied_to(old, true);
        if new == old { Ok(()) } else { std::fs::set_permissions(path, std::fs::Permissions::from_mode(new)) }
    }

    #[cfg(not(unix))]
    pub(super) fn adjust_file(self, _: &File) -> io::Result<()> {
        Ok(())
    }

    #[cfg(not(unix))]
    pub(super) fn adjust_dir(self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, file: u32, object: u32, dir: u32) {
        let shared = Shared::parse(Some(value));
        assert_eq!(shared.applied_to(0o600, false), file, "file {value}");
        assert_eq!(shared.applied_to(0o400, false), object, "object {value}");
        assert_eq!(shared.applied_to(0o700, true), dir, "dir {value}");
    }

    #[test]
    fn modes_are_those_of_git() {
        check("umask", 0o600, 0o400, 0o700);
        check("false", 0o600, 0o400, 0o700);
        check("group", 0o660, 0o440, 0o2770);
        check("true", 0o660, 0o440, 0o2770);
        check("1", 0o660, 0o440, 0o2770);
        check("all", 0o664, 0o444, 0o2775);
        check("0640", 0o640, 0o440, 0o2750);
        check("0600", 0o600, 0o400, 0o700);
        check("0060", 0o600, 0o400, 0o700);
    }
}
