//! Python: absolute modules from their roots, relative ones from the package
//! that they stand in.
//!
//! A root is a folder that module names begin at: the top of the tree, any
//! `src` beside a file that configures a project, and the folder above each
//! outermost package.

use std::collections::BTreeSet;

use super::super::files::{Files, folder_of, join};
use super::super::{Note, Target};
use crate::syntax::{Import, Language};

/// Modules of the standard library, those of the last releases before they
/// went included. A module of ours by such a name hides it.
const BUILTIN: [&str; 228] = [
    "__future__",
    "__main__",
    "_thread",
    "abc",
    "aifc",
    "annotationlib",
    "antigravity",
    "argparse",
    "array",
    "ast",
    "asynchat",
    "asyncio",
    "asyncore",
    "atexit",
    "audioop",
    "base64",
    "bdb",
    "binascii",
    "binhex",
    "bisect",
    "builtins",
    "bz2",
    "cProfile",
    "calendar",
    "cgi",
    "cgitb",
    "chunk",
    "cmath",
    "cmd",
    "code",
    "codecs",
    "codeop",
    "collections",
    "colorsys",
    "compileall",
    "compression",
    "concurrent",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "copyreg",
    "crypt",
    "csv",
    "ctypes",
    "curses",
    "dataclasses",
    "datetime",
    "dbm",
    "decimal",
    "difflib",
    "dis",
    "distutils",
    "doctest",
    "dummy_threading",
    "email",
    "encodings",
    "ensurepip",
    "enum",
    "errno",
    "faulthandler",
    "fcntl",
    "filecmp",
    "fileinput",
    "fnmatch",
    "formatter",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "genericpath",
    "getopt",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "grp",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "idlelib",
    "imaplib",
    "imghdr",
    "imp",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "lib2to3",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "macpath",
    "mailbox",
    "mailcap",
    "marshal",
    "math",
    "mimetypes",
    "mmap",
    "modulefinder",
    "msilib",
    "msvcrt",
    "multiprocessing",
    "netrc",
    "nis",
    "nntplib",
    "nt",
    "ntpath",
    "nturl2path",
    "numbers",
    "opcode",
    "operator",
    "optparse",
    "os",
    "ossaudiodev",
    "parser",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "pipes",
    "pkgutil",
    "platform",
    "plistlib",
    "poplib",
    "posix",
    "posixpath",
    "pprint",
    "profile",
    "pstats",
    "pty",
    "pwd",
    "py_compile",
    "pyclbr",
    "pydoc",
    "pydoc_data",
    "pyexpat",
    "queue",
    "quopri",
    "random",
    "re",
    "readline",
    "reprlib",
    "resource",
    "rlcompleter",
    "runpy",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "site",
    "smtpd",
    "smtplib",
    "sndhdr",
    "socket",
    "socketserver",
    "spwd",
    "sqlite3",
    "sre_compile",
    "sre_constants",
    "sre_parse",
    "ssl",
    "stat",
    "statistics",
    "string",
    "stringprep",
    "struct",
    "subprocess",
    "sunau",
    "symbol",
    "symtable",
    "sys",
    "sysconfig",
    "syslog",
    "tabnanny",
    "tarfile",
    "telnetlib",
    "tempfile",
    "termios",
    "textwrap",
    "this",
    "threading",
    "time",
    "timeit",
    "tkinter",
    "token",
    "tokenize",
    "tomllib",
    "trace",
    "traceback",
    "tracemalloc",
    "tty",
    "turtle",
    "turtledemo",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uu",
    "uuid",
    "venv",
    "warnings",
    "wave",
    "weakref",
    "webbrowser",
    "winreg",
    "winsound",
    "wsgiref",
    "xdrlib",
    "xml",
    "xmlrpc",
    "zipapp",
    "zipfile",
    "zipimport",
    "zlib",
    "zoneinfo",
];

pub(super) struct Roots<'f> {
    files: &'f Files<'f>,
    roots: Vec<String>,
}

impl<'f> Roots<'f> {
    pub(super) fn new(files: &'f Files<'f>, given: &[String]) -> Self {
        let mut roots = BTreeSet::from([String::new()]);
        roots.extend(given.iter().cloned());
        for name in ["pyproject.toml", "setup.cfg"] {
            for (folder, _) in files.settings_named(name) {
                roots.insert(folder.to_owned());
                roots.extend(join(folder, "src").filter(|src| files.has_folder(src)));
            }
        }
        let sources = files.sources().filter(|(_, language)| *language == Language::Python);
        for (path, _) in sources {
            let mut folder = folder_of(path);
            // The outermost of the packages around it.
            while is_package(files, folder) && !folder.is_empty() {
                folder = folder_of(folder);
            }
            roots.insert(folder.to_owned());
        }
        Self { files, roots: roots.into_iter().collect() }
    }

    /// What was noticed about the tree.
    pub(super) fn notes(&self) -> Vec<Note> {
        Vec::new()
    }

    pub(super) fn resolve(&self, from: &str, import: &Import) -> Vec<Target> {
        let name = import.specifier.trim_start_matches('.');
        let level = import.specifier.len() - name.len();
        let parts: Vec<&str> = name.split('.').filter(|part| !part.is_empty()).collect();
        if level == 0 {
            return self.absolute(from, &parts, &import.names);
        }
        let mut folder = folder_of(from);
        for _ in 1..level {
            if folder.is_empty() {
                return vec![Target::Missing];
            }
            folder = folder_of(folder);
        }
        let Some(base) = join(folder, &parts.join("/")) else { return vec![Target::Missing] };
        self.targets(&base, &import.names).unwrap_or_else(|| vec![Target::Missing])
    }

    /// A module by its full name: the root nearest to the importing file wins.
    fn absolute(&self, from: &str, parts: &[&str], names: &[String]) -> Vec<Target> {
        let Some(first) = parts.first() else { return Vec::new() };
        let path = parts.join("/");
        let near = |root: &&String| {
            let is_above = root.is_empty() || from.starts_with(&format!("{root}/"));
            (is_above, root.len())
        };
        let mut roots: Vec<&String> = self.roots.iter().collect();
        roots.sort_by_key(near);
        let mut is_here = false;
        for root in roots.into_iter().rev() {
            let Some(base) = join(root, &path) else { continue };
            if let Some(targets) = self.targets(&base, names) {
                return targets;
            }
            let top = join(root, first).unwrap_or_default();
            is_here |= is_package(self.files, &top);
        }
        // In a package of ours everything is a file of ours.
        if !is_here && BUILTIN.contains(first) {
            return vec![Target::Builtin];
        }
        if is_here { vec![Target::Missing] } else { vec![Target::Package((*first).to_owned())] }
    }

    /// The files behind a module at `base`, and behind those names of it that
    /// are modules themselves.
    fn targets(&self, base: &str, names: &[String]) -> Option<Vec<Target>> {
        let module = module_file(self.files, base);
        let mut found = Vec::new();
        let mut rest = names.is_empty();
        for name in names {
            match join(base, name).and_then(|below| module_file(self.files, &below)) {
                Some(file) => found.push(Target::File(file)),
                None => rest = true,
            }
        }
        match module {
            Some(file) if rest => found.push(Target::File(file)),
            // A folder alone is a namespace; it holds modules and nothing else.
            None if found.is_empty() && self.files.has_folder(base) && !base.is_empty() => {
                return names.is_empty().then(Vec::new);
            }
            None if rest && found.is_empty() => return None,
            _ => {}
        }
        Some(found)
    }
}

fn is_package(files: &Files<'_>, folder: &str) -> bool {
    ["__init__.py", "__init__.pyi"].iter().any(|init| join(folder, init).is_some_and(|path| files.has(&path)))
}

fn module_file(files: &Files<'_>, base: &str) -> Option<String> {
    let package = |init: &str| join(base, init);
    let candidates = [
        package("__init__.py"),
        (!base.is_empty()).then(|| format!("{base}.py")),
        package("__init__.pyi"),
        (!base.is_empty()).then(|| format!("{base}.pyi")),
    ];
    candidates.into_iter().flatten().find(|path| files.has(path))
}
