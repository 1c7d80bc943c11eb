//! The process's surroundings: environment variables, directory, clocks,
//! randomness, terminals, waiting.
//!
//! Everything else takes these from an [`Env`], so that a test can pin them
//! and no rule can read a clock behind its caller's back. Nothing here knows
//! git, records or commands.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::text::time::Timestamp;

/// A point on the clock that runs from boot and does not stop in suspend,
/// with the identity of that boot. Comparable only when `id` is equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootTime {
    /// Identity of the boot (a UUID on Linux).
    pub id: String,
    /// Milliseconds since that boot, suspend included.
    pub ms: u64,
}

/// What the process was started with, and its clocks.
#[derive(Clone, Debug)]
pub struct Env {
    vars: BTreeMap<OsString, OsString>,
    cwd: Option<PathBuf>,
    /// Read when it is first asked for: it does not change.
    boot_id: OnceLock<Option<String>>,
    seam: seam::Seam,
}

impl Env {
    /// Takes a snapshot of the process's environment and directory.
    #[allow(clippy::disallowed_methods)]
    pub fn from_process() -> Self {
        let vars: BTreeMap<_, _> = std::env::vars_os().collect();
        let seam = seam::Seam::from_vars(&vars);
        Self { vars, cwd: std::env::current_dir().ok(), boot_id: OnceLock::new(), seam }
    }

    /// Value of the variable, if it is set, not empty and valid UTF-8.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(std::ffi::OsStr::new(name))?.to_str().filter(|v| !v.is_empty())
    }

    /// Value of the variable as a path, if it is set and not empty.
    pub fn path_var(&self, name: &str) -> Option<PathBuf> {
        self.vars.get(std::ffi::OsStr::new(name)).filter(|v| !v.is_empty()).map(PathBuf::from)
    }

    /// The directory that the process was started in, if it still exists.
    pub fn cwd(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// The directory for this user's state files (`XDG_STATE_HOME`, or the
    /// platform's usual place under `HOME`).
    pub fn state_dir(&self) -> Option<PathBuf> {
        if let Some(dir) = self.path_var("XDG_STATE_HOME").filter(|p| p.is_absolute()) {
            return Some(dir);
        }
        if let Some(dir) = self.path_var("LOCALAPPDATA") {
            return Some(dir);
        }
        Some(self.path_var("HOME")?.join(".local/state"))
    }

    /// The directory for this user's data files (`XDG_DATA_HOME`, or the
    /// platform's usual place under `HOME`).
    pub fn data_dir(&self) -> Option<PathBuf> {
        if let Some(dir) = self.path_var("XDG_DATA_HOME").filter(|p| p.is_absolute()) {
            return Some(dir);
        }
        Some(self.path_var("HOME")?.join(".local/share"))
    }

    /// Wall-clock time, in microseconds.
    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> Timestamp {
        let real = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX));
        Timestamp::from_micros(self.seam.wall(real))
    }

    /// Time since boot, where the platform has a clock that counts suspend
    /// and tells one boot from another. `None` elsewhere.
    pub fn boot_time(&self) -> Option<BootTime> {
        let id = self.boot_id.get_or_init(platform::boot_id).clone();
        let real = id.zip(platform::boot_ms()).map(|(id, ms)| BootTime { id, ms });
        self.seam.boot(real)
    }

    /// A monotonic instant for bounding waits within this process.
    #[allow(clippy::disallowed_methods)]
    pub fn instant(&self) -> std::time::Instant {
        std::time::Instant::now()
    }

    /// Fills `buffer` with random bytes from the operating system.
    ///
    /// Errors only where the system has no source of randomness at all.
    pub fn random(&self, buffer: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(buffer).map_err(std::io::Error::other)
    }

    /// Waits between half of `at_most` and all of it, at random, so that
    /// writers that met once do not meet again.
    #[allow(clippy::disallowed_methods)]
    pub fn sleep_jittered(&self, at_most: Duration) {
        let mut seed = [0u8; 2];
        // Without randomness the waits are merely equal.
        let _ = getrandom::fill(&mut seed);
        let part = u32::from(u16::from_le_bytes(seed));
        let half = at_most / 2;
        std::thread::sleep(half + half.mul_f64(f64::from(part) / 65_536.0));
    }

    /// Waits for as long as `time`.
    #[allow(clippy::disallowed_methods)]
    pub fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }

    /// Id of this process.
    pub fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Name of this machine, or `unknown`.
    pub fn host(&self) -> String {
        platform::host()
    }

    /// Whether a person sits at this process: it reads from a terminal and
    /// at least one of its outputs is one.
    pub fn is_interactive(&self) -> bool {
        std::io::stdin().is_terminal() && (std::io::stdout().is_terminal() || std::io::stderr().is_terminal())
    }

    /// The command lines of the processes above this one, the nearest first,
    /// as far up as matters to a hook. Empty where the system does not show
    /// them.
    pub fn commands_above(&self) -> Vec<Vec<String>> {
        platform::commands_above()
    }

    /// Whether standard output goes nowhere. It also does where it was closed
    /// before the process started: the runtime puts the null device there.
    pub fn stdout_is_discarded(&self) -> bool {
        platform::stdout_is_discarded()
    }

    /// Whether standard output is a terminal.
    pub fn stdout_is_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Whether standard output shows colours, and the user wants them: it is
    /// a terminal that can, and `NO_COLOR` is not set.
    pub fn stdout_is_coloured(&self) -> bool {
        self.stdout_is_terminal() && self.var("NO_COLOR").is_none() && self.var("TERM") != Some("dumb")
    }

    /// The file that this program was started from.
    pub fn program(&self) -> std::io::Result<PathBuf> {
        std::env::current_exe()
    }

    /// The directory for temporary files.
    pub fn temp_dir(&self) -> PathBuf {
        std::env::temp_dir()
    }

    /// Variables for a process that is to see nothing of the caller but the
    /// machine: where programs and temporary files are. Its home is `home`;
    /// neither git nor this program finds a configuration, an identity or a
    /// repository of the caller in them.
    pub fn clean_vars(&self, home: &Path) -> BTreeMap<OsString, OsString> {
        let kept = self.vars.iter().filter(|(name, _)| {
            // Windows spells some of them `Path` and `SystemRoot`.
            name.to_str().is_some_and(|name| MACHINE.iter().any(|kept| kept.eq_ignore_ascii_case(name)))
        });
        let mut vars: BTreeMap<OsString, OsString> = kept.map(|(k, v)| (k.clone(), v.clone())).collect();
        for name in ["HOME", "USERPROFILE"] {
            vars.insert(name.into(), home.into());
        }
        for (name, value) in [("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_TERMINAL_PROMPT", "0"), ("LC_ALL", "C")] {
            vars.insert(name.into(), value.into());
        }
        vars
    }
}

/// Variables that say where things are on this machine, and nothing about who
/// uses it.
const MACHINE: [&str; 9] = [
    "PATH",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "COMSPEC",
    "PATHEXT",
];

#[cfg(unix)]
mod platform {
    #[cfg(target_os = "linux")]
    pub(super) fn boot_id() -> Option<String> {
        use std::io::Read;
        let mut id = [0; 64];
        let len = std::fs::File::open("/proc/sys/kernel/random/boot_id").ok()?.read(&mut id).ok()?;
        Some(std::str::from_utf8(&id[..len]).ok()?.trim().to_owned())
    }

    #[cfg(target_os = "linux")]
    pub(super) fn boot_ms() -> Option<u64> {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Some(u64::try_from(time.tv_sec).ok()? * 1_000 + u64::try_from(time.tv_nsec).ok()? / 1_000_000)
    }

    #[cfg(target_os = "linux")]
    pub(super) fn commands_above() -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut process = std::os::unix::process::parent_id();
        // A hook file, its shell, a hook manager or two, git, an alias.
        while process > 1 && found.len() < 8 {
            let Ok(line) = std::fs::read(format!("/proc/{process}/cmdline")) else { break };
            let words = line.split(|&b| b == 0).map(|word| String::from_utf8_lossy(word).into_owned());
            found.push(words.collect());
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { break };
            // The name may hold anything, blanks and brackets included.
            let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
            process = after.split_whitespace().nth(1).and_then(|parent| parent.parse().ok()).unwrap_or(0);
        }
        found
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn commands_above() -> Vec<Vec<String>> {
        Vec::new()
    }

    // macOS has mach_continuous_time and kern.bootsessionuuid, but neither
    // without unsafe code; until then it follows the rule for other hosts.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn boot_id() -> Option<String> {
        None
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn boot_ms() -> Option<u64> {
        None
    }

    pub(super) fn stdout_is_discarded() -> bool {
        let null = rustix::fs::stat("/dev/null").map(|s| s.st_rdev);
        let is_device =
            |s: &rustix::fs::Stat| rustix::fs::FileType::from_raw_mode(s.st_mode).is_char_device();
        rustix::fs::fstat(std::io::stdout()).is_ok_and(|s| is_device(&s) && Ok(s.st_rdev) == null)
    }

    pub(super) fn host() -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }
}

#[cfg(not(unix))]
mod platform {
    pub(super) fn boot_id() -> Option<String> {
        None
    }

    pub(super) fn boot_ms() -> Option<u64> {
        None
    }

    pub(super) fn commands_above() -> Vec<Vec<String>> {
        Vec::new()
    }

    pub(super) fn stdout_is_discarded() -> bool {
        false
    }

    pub(super) fn host() -> String {
        "unknown".to_owned()
    }
}

/// Test builds can move the clocks; release builds have no such code.
///
/// `GIT_COMM_TEST_WALL` and `GIT_COMM_TEST_BOOT` are `+SECONDS` or
/// `-SECONDS` (an offset) or `@SECONDS` (frozen there);
/// `GIT_COMM_TEST_BOOT_ID` pretends another boot.
#[cfg(debug_assertions)]
mod seam {
    use super::BootTime;
    use std::collections::BTreeMap;
    use std::ffi::{OsStr, OsString};

    #[derive(Clone, Copy, Debug)]
    enum Shift {
        By(i64),
        To(i64),
    }

    #[derive(Clone, Debug, Default)]
    pub(super) struct Seam {
        wall: Option<Shift>,
        boot: Option<Shift>,
        boot_id: Option<String>,
    }

    impl Seam {
        pub(super) fn from_vars(vars: &BTreeMap<OsString, OsString>) -> Self {
            let var = |name: &str| vars.get(OsStr::new(name))?.to_str();
            let shift = |name: &str| {
                let text = var(name)?;
                match text.strip_prefix('@') {
                    Some(at) => at.parse().ok().map(Shift::To),
                    None => text.parse().ok().map(Shift::By),
                }
            };
            Self {
                wall: shift("GIT_COMM_TEST_WALL"),
                boot: shift("GIT_COMM_TEST_BOOT"),
                boot_id: var("GIT_COMM_TEST_BOOT_ID").map(str::to_owned),
            }
        }

        pub(super) fn wall(&self, real: i64) -> i64 {
            match self.wall {
                None => real,
                Some(Shift::By(s)) => real.saturating_add(s.saturating_mul(1_000_000)),
                Some(Shift::To(s)) => s.saturating_mul(1_000_000),
            }
        }

        pub(super) fn boot(&self, real: Option<BootTime>) -> Option<BootTime> {
            let mut boot = real?;
            let ms = i64::try_from(boot.ms).unwrap_or(i64::MAX);
            let ms = match self.boot {
                None => ms,
                Some(Shift::By(s)) => ms.saturating_add(s.saturating_mul(1_000)),
                Some(Shift::To(s)) => s.saturating_mul(1_000),
            };
            boot.ms = u64::try_from(ms).unwrap_or(0);
            if let Some(id) = &self.boot_id {
                boot.id.clone_from(id);
            }
            Some(boot)
        }
    }
}

#[cfg(not(debug_assertions))]
mod seam {
    use super::BootTime;
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    #[derive(Clone, Debug, Default)]
    pub(super) struct Seam;

    impl Seam {
        pub(super) fn from_vars(_: &BTreeMap<OsString, OsString>) -> Self {
            Self
        }

        pub(super) fn wall(&self, real: i64) -> i64 {
            real
        }

        pub(super) fn boot(&self, real: Option<BootTime>) -> Option<BootTime> {
            real
        }
    }
}
