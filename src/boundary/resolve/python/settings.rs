//! Where projects say that their packages lie, and what they generate.

use std::collections::{BTreeSet, HashMap, HashSet};

use toml::{Table, Value};

use super::super::super::Note;
use super::super::super::files::{Files, join};
use super::super::jsonc;
use super::folders::inside;
use crate::syntax::package_folders;

/// What the projects of a tree say.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Folders that module names begin at.
    pub(super) roots: BTreeSet<String>,
    /// Modules that lie in a folder of another name.
    pub(super) renamed: HashMap<String, String>,
    /// Files that a build writes.
    pub(super) generated: HashSet<String>,
    /// Modules that a build makes.
    pub(super) built: HashSet<String>,
    /// What projects depend on, as module names mostly are.
    pub(super) dependencies: HashSet<String>,
    pub(super) notes: Vec<Note>,
    /// Folders of projects that were looked at.
    projects: HashSet<String>,
}

/// Settings that name folders: where modules begin, relative to the project.
const ROOTS: [&str; 24] = [
    "tool.setuptools.packages.find.where",
    "tool.hatch.build.dev-mode-dirs",
    "tool.hatch.build.sources",
    "tool.hatch.build.targets.wheel.sources",
    "tool.pdm.package-dir",
    "tool.pdm.build.package-dir",
    "tool.uv.build-backend.module-root",
    "tool.maturin.python-source",
    "tool.pytest.ini_options.pythonpath",
    "tool.pytest.pythonpath",
    "tool.pyright.extraPaths",
    "tool.pyright.root",
    "tool.basedpyright.extraPaths",
    "tool.basedpyright.root",
    "tool.mypy.mypy_path",
    "tool.ruff.src",
    "tool.isort.src_paths",
    "tool.ty.environment.root",
    "tool.ty.environment.extra-paths",
    "tool.pyrefly.search-path",
    "tool.pyrefly.search_path",
    "tool.pylint.main.source-roots",
    "tool.tach.source_roots",
    "tool.ty.src.root",
];

/// Settings that name folders which are packages themselves.
const PACKAGES: [&str; 4] = [
    "tool.hatch.build.packages",
    "tool.hatch.build.targets.wheel.packages",
    "tool.scikit-build.wheel.packages",
    "tool.hatch.build.targets.wheel.only-include",
];

/// Settings that name files which a build writes.
const GENERATED: [&str; 11] = [
    "tool.hatch.build.hooks.vcs.version-file",
    "tool.hatch.build.targets.wheel.hooks.vcs.version-file",
    "tool.hatch.build.hooks.version.path",
    "tool.hatch.build.artifacts",
    "tool.hatch.build.targets.wheel.artifacts",
    "tool.setuptools_scm.write_to",
    "tool.setuptools_scm.version_file",
    "tool.setuptools-scm.version_file",
    "tool.pdm.version.write_to",
    "tool.versioningit.write.file",
    "tool.versioneer.versionfile_source",
];

/// Settings that list what a project depends on.
const DEPENDENCIES: [&str; 6] = [
    "project.dependencies",
    "project.optional-dependencies",
    "dependency-groups",
    "tool.poetry.dependencies",
    "tool.poetry.group",
    "tool.pdm.dev-dependencies",
];

/// Files that a tool reads instead of `pyproject.toml`, and where the same
/// stands there.
const OWN_FILES: [(&str, &[&str]); 8] = [
    ("pyrightconfig.json", &["tool", "pyright"]),
    ("pyrefly.toml", &["tool", "pyrefly"]),
    ("ty.toml", &["tool", "ty"]),
    ("hatch.toml", &["tool", "hatch"]),
    ("ruff.toml", &["tool", "ruff"]),
    (".ruff.toml", &["tool", "ruff"]),
    ("pytest.toml", &["tool"]),
    (".pytest.toml", &["tool"]),
];

impl Settings {
    /// What all projects of a tree say. The root of the tree is one.
    pub(super) fn read(files: &Files<'_>, given: &[String]) -> Self {
        let mut settings = Self::default();
        settings.roots.extend(given.iter().map(|root| root.trim_matches('/').to_owned()));
        settings.project("", files);
        for (folder, content) in files.settings_named("pyproject.toml") {
            settings.project(folder, files);
            let path = inside(folder, "pyproject.toml");
            match read_toml(&content) {
                Ok(table) => settings.toml(folder, table),
                Err((line, why)) => settings.unread(path, line, &why),
            }
        }
        for (folder, content) in files.settings_named("setup.cfg") {
            settings.project(folder, files);
            settings.ini(folder, "setup.cfg", &String::from_utf8_lossy(&content));
        }
        for (name, above) in OWN_FILES {
            for (folder, content) in files.settings_named(name) {
                match read_own(name, &content) {
                    Ok(value) => settings.toml(folder, nested(above, value)),
                    Err((line, why)) => settings.unread(inside(folder, name), line, &why),
                }
            }
        }
        for (folder, content) in files.settings_named("setup.py") {
            // In a package it is a part of another one.
            let is_own = folder.is_empty() || !files.has(&inside(folder, "__init__.py"));
            if is_own && memchr::memmem::find(&content, b"setup(").is_some() {
                settings.project(folder, files);
                let said = package_folders(&content);
                said.packages.iter().for_each(|(name, path)| settings.package(folder, name, path));
                said.roots.iter().for_each(|path| settings.root(folder, path));
            }
        }
        for content in files.requirements() {
            let text = String::from_utf8_lossy(&content);
            text.lines().for_each(|line| settings.depends_on(line.trim_start()));
        }
        settings.roots.retain(|root| files.has_folder(root));
        settings
    }

    fn unread(&mut self, path: String, line: usize, why: &str) {
        let why = why.lines().next().unwrap_or_default();
        let what = format!("cannot be read, so that nobody knows where modules lie: {why}");
        self.notes.push(Note { path, line, what, stops: true });
    }

    /// The layouts that need no setting.
    fn project(&mut self, folder: &str, files: &Files<'_>) {
        if !self.projects.insert(folder.to_owned()) {
            return;
        }
        self.roots.insert(folder.to_owned());
        for name in ["pytest.ini", ".pytest.ini", "tox.ini", "mypy.ini", ".mypy.ini"] {
            if let Some(content) = files.setting(&inside(folder, name)) {
                self.ini(folder, name, &String::from_utf8_lossy(&content));
            }
        }
        let src = inside(folder, "src");
        // With `src/__init__.py` it is a package, but rarely meant as one.
        if files.has_folder(&src) {
            self.roots.insert(src);
        }
    }

    fn root(&mut self, folder: &str, path: &str) {
        let path = path.trim_start_matches("$MYPY_CONFIG_FILE_DIR/").trim_start_matches("{project-root}/");
        self.roots.extend(join(folder, path));
    }

    fn toml(&mut self, folder: &str, table: Table) {
        let table = Value::Table(table);
        let at = |path: &str| path.split('.').try_fold(&table, |value, key| value.get(key));
        for value in ROOTS.iter().filter_map(|path| at(path)).filter(|value| !value.is_table()) {
            for path in texts(value).into_iter().flat_map(|text| text.split([':', ','])) {
                self.root(folder, path.trim());
            }
        }
        for value in PACKAGES.iter().filter_map(|path| at(path)) {
            for path in texts(value) {
                let path = path.trim_end_matches(['/', '*']);
                self.root(folder, path.rsplit_once('/').map_or("", |(above, _)| above));
            }
        }
        for path in [
            "tool.hatch.build.sources",
            "tool.hatch.build.targets.wheel.sources",
            "tool.hatch.build.targets.wheel.force-include",
            "tool.setuptools.package-dir",
        ] {
            if let Some(Value::Table(pairs)) = at(path) {
                for (key, value) in pairs.iter().filter_map(|(key, value)| Some((key, value.as_str()?))) {
                    match path {
                        "tool.setuptools.package-dir" => self.package(folder, key, value),
                        _ => self.package(folder, &value.replace('/', "."), key),
                    }
                }
            }
        }
        for package in at("tool.poetry.packages").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| package.get(key).and_then(Value::as_str);
            let from = text("from").unwrap_or_default();
            let include = text("include").unwrap_or_default().trim_end_matches("/**/*");
            match text("to") {
                // Installed below another module.
                Some(to) => {
                    let name = format!("{to}/{include}").replace('/', ".");
                    self.package(folder, &name, &inside(from, include));
                }
                None => self.root(folder, from),
            }
        }
        for environment in ["tool.pyright.executionEnvironments", "tool.basedpyright.executionEnvironments"]
            .iter()
            .filter_map(|p| at(p))
        {
            for environment in environment.as_array().into_iter().flatten() {
                for value in ["root", "extraPaths"].iter().filter_map(|key| environment.get(key)) {
                    texts(value).into_iter().for_each(|path| self.root(folder, path));
                }
            }
        }
        for value in GENERATED.iter().filter_map(|path| at(path)) {
            texts(value).into_iter().for_each(|path| self.writes(folder, path));
        }
        for entry in at("tool.scikit-build.generate").and_then(Value::as_array).into_iter().flatten() {
            entry.get("path").and_then(Value::as_str).into_iter().for_each(|path| self.writes(folder, path));
        }
        self.built.extend(at("tool.maturin.module-name").and_then(Value::as_str).map(str::to_owned));
        for entry in at("tool.setuptools.ext-modules").and_then(Value::as_array).into_iter().flatten() {
            self.built.extend(entry.get("name").and_then(Value::as_str).map(str::to_owned));
        }
        for value in DEPENDENCIES.iter().filter_map(|path| at(path)) {
            self.depends(value);
        }
    }

    /// A package that lies in a folder of its own; the empty name is all.
    fn package(&mut self, folder: &str, name: &str, path: &str) {
        let Some(path) = join(folder, path) else { return };
        if name.is_empty() {
            self.roots.insert(path);
        } else {
            self.renamed.insert(name.to_owned(), path);
        }
    }

    /// A file that is written by a build, relative to the project or to where
    /// its packages lie.
    fn writes(&mut self, folder: &str, path: &str) {
        let path = path.trim_start_matches('/');
        self.generated.extend(join(folder, path));
        self.generated.extend(join(folder, &inside("src", path)));
    }

    /// A distribution, as `Name[extra]>=1`.
    fn depends_on(&mut self, text: &str) {
        let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'));
        let name = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        if name.starts_with(char::is_alphanumeric) {
            self.dependencies.insert(name.to_lowercase().replace(['-', '.'], "_"));
        }
    }

    fn depends(&mut self, value: &Value) {
        let mut name = |text: &str| self.depends_on(text);
        match value {
            Value::Array(list) => list.iter().filter_map(Value::as_str).for_each(name),
            Value::Table(table) => {
                for (key, value) in table {
                    match value {
                        Value::Array(list) => list.iter().filter_map(Value::as_str).for_each(&mut name),
                        Value::Table(group) => match group.get("dependencies") {
                            Some(Value::Table(inner)) => inner.keys().for_each(|key| name(key)),
                            _ => name(key),
                        },
                        _ => name(key),
                    }
                }
            }
            _ => {}
        }
    }

    /// What `setup.cfg` says: sections with keys, whose values may go on over
    /// lines that are indented.
    /// As Python's `configparser` reads it, which stops at the same lines.
    fn ini(&mut self, folder: &str, file: &str, text: &str) {
        let (mut section, mut key) = (String::new(), String::new());
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            let is_entry = line.starts_with([' ', '\t']) || line.contains(['=', ':']);
            match line.strip_prefix('[').map(|rest| rest.rsplit_once(']')) {
                Some(Some((name, _))) => {
                    (section, key) = (name.to_owned(), String::new());
                    continue;
                }
                None if is_entry && !section.is_empty() => {}
                _ => {
                    return self.unread(
                        inside(folder, file),
                        at + 1,
                        "neither a section nor an entry of one",
                    );
                }
            }
            let value = match line.split_once(['=', ':']) {
                Some((name, value)) if !line.starts_with([' ', '\t']) => {
                    name.trim().replace('-', "_").clone_into(&mut key);
                    value.trim()
                }
                _ => trimmed,
            };
            match (section.as_str(), key.as_str()) {
                ("options", "package_dir") => {
                    for pair in value.split(',') {
                        if let Some((name, path)) = pair.split_once('=') {
                            self.package(folder, name.trim(), path.trim());
                        }
                    }
                }
                ("options.packages.find", "where")
                | ("tool:pytest" | "pytest", "pythonpath")
                | ("mypy", "mypy_path") => {
                    let paths = value.split([',', ':', ' ', '\n']).filter(|path| !path.is_empty());
                    paths.for_each(|path| self.root(folder, path));
                }
                ("versioneer", "versionfile_source") => self.writes(folder, value),
                _ => {}
            }
        }
    }
}

type Fault = (usize, String);

fn read_toml(content: &[u8]) -> Result<Table, Fault> {
    let text = std::str::from_utf8(content).map_err(|error| (0, error.to_string()))?;
    let line = |error: &toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        before.map_or(0, |before| before.matches('\n').count() + 1)
    };
    text.parse::<Table>().map_err(|error| (line(&error), error.message().to_owned()))
}

fn read_own(name: &str, content: &[u8]) -> Result<Value, Fault> {
    if name.ends_with(".toml") {
        return read_toml(content).map(Value::Table);
    }
    jsonc::parse(content).map(|value| of_json(&value).unwrap_or(Value::Boolean(false)))
}

/// The parser of JSON bounds how deep it goes.
fn of_json(value: &serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::String(text) => Value::String(text.clone()),
        serde_json::Value::Array(list) => Value::Array(list.iter().filter_map(of_json).collect()),
        serde_json::Value::Object(pairs) => Value::Table(
            pairs.iter().filter_map(|(key, value)| Some((key.clone(), of_json(value)?))).collect(),
        ),
        _ => return None,
    })
}

fn nested(above: &[&str], value: Value) -> Table {
    let mut value = value;
    for key in above.iter().rev() {
        value = Value::Table(Table::from_iter([((*key).to_owned(), value)]));
    }
    match value {
        Value::Table(table) => table,
        _ => Table::new(),
    }
}

/// The strings of a value that is one or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::Table(table) => table.values().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
