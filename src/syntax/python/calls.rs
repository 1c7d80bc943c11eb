//! Calls that import, by whatever name the function goes.

use std::collections::HashMap;

use tree_sitter::Node;

use super::super::tree::{children, text_of};
use super::super::{HERE, Kind, PREFIX, READY};
use super::grammar::{Named, dotted};
use super::text::{string, strings};

/// What a call imports.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) named: Named,
    pub(super) kind: Kind,
    /// What `within` says of it.
    pub(super) within: &'static [&'static str],
}

/// How a function takes what it imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `import_module(name, package)`.
    Module,
    /// `__import__(name, globals, locals, fromlist, level)`.
    Import,
    /// A module, or something inside of one: `a.b.C`.
    Name,
    /// The same, perhaps with a colon: `a.b:C`.
    Resolve,
    /// A module without which a test is skipped.
    Skip,
    /// A module that is looked for.
    Find,
    /// A module that is run.
    RunModule,
    /// A file that is run.
    RunPath,
    /// A package whose files are read.
    Package,
    /// Something that a test puts another thing in the place of.
    Mock,
}

const FUNCTIONS: &[(&str, Form)] = &[
    ("import_module", Form::Module),
    ("importlib.import_module", Form::Module),
    ("__import__", Form::Import),
    ("importlib.__import__", Form::Import),
    ("builtins.__import__", Form::Import),
    ("__builtin__.__import__", Form::Import),
    ("__builtins__.__import__", Form::Import),
    ("import_string", Form::Name),
    ("django.utils.module_loading.import_string", Form::Name),
    ("werkzeug.utils.import_string", Form::Name),
    ("pytest.importorskip", Form::Skip),
    ("importlib.util.find_spec", Form::Find),
    ("runpy.run_module", Form::RunModule),
    ("runpy.run_path", Form::RunPath),
    ("pkgutil.resolve_name", Form::Resolve),
    ("pkgutil.get_data", Form::Package),
    ("pkgutil.find_loader", Form::Find),
    ("pkgutil.get_loader", Form::Find),
    ("unittest.mock.patch", Form::Mock),
    ("unittest.mock.patch.dict", Form::Mock),
    ("unittest.mock.patch.multiple", Form::Mock),
    ("mock.patch", Form::Mock),
    ("mock.patch.dict", Form::Mock),
    ("mock.patch.multiple", Form::Mock),
    ("mocker.patch", Form::Mock),
    ("mocker.patch.dict", Form::Mock),
    ("mocker.patch.multiple", Form::Mock),
    ("monkeypatch.setattr", Form::Mock),
    ("monkeypatch.delattr", Form::Mock),
];

/// The functions of `importlib.resources` that take a package.
const RESOURCES: [&str; 8] =
    ["files", "path", "open_text", "open_binary", "read_text", "read_binary", "contents", "is_resource"];

/// By which names a file calls the functions that import.
#[derive(Debug, Default)]
pub(super) struct Importers {
    /// What a name of the file stands for.
    bound: HashMap<String, String>,
    has_own_functions: bool,
}

impl Importers {
    /// Whether functions go by names of the file's own.
    pub(super) fn have_own_functions(&self) -> bool {
        self.has_own_functions
    }

    /// How many names were learned.
    pub(super) fn count(&self) -> usize {
        self.bound.len()
    }

    /// Learns from `import NAME as ALIAS` or `from MODULE import NAME as ALIAS`.
    pub(super) fn learn(&mut self, module: Option<&str>, name: &str, alias: Option<&str>) {
        let top = module.unwrap_or(name).split('.').next().unwrap_or_default();
        let is_told = matches!(
            top,
            "importlib"
                | "importlib_resources"
                | "builtins"
                | "__builtin__"
                | "runpy"
                | "pkgutil"
                | "unittest"
                | "mock"
                | "pytest"
                | "django"
                | "werkzeug"
        );
        if !is_told {
            return;
        }
        match (module, alias) {
            (None, Some(alias)) => self.bind(alias, name),
            (None, None) => {}
            (Some(module), _) if name == "*" => {
                for (function, _) in FUNCTIONS {
                    let inner = function.strip_prefix(module).and_then(|rest| rest.strip_prefix('.'));
                    if let Some(inner) = inner.filter(|inner| !inner.contains('.')) {
                        self.bound.insert(inner.to_owned(), (*function).to_owned());
                    }
                }
            }
            (Some(module), alias) => self.bind(alias.unwrap_or(name), &format!("{module}.{name}")),
        }
    }

    /// Learns from `NAME = VALUE`.
    pub(super) fn learn_value(&mut self, name: &str, value: &str) {
        let last = value.rsplit('.').next().unwrap_or_default();
        if name != value && matches!(last, "import_module" | "__import__" | "importlib" | "builtins") {
            self.has_own_functions = true;
            self.bound.insert(name.to_owned(), value.to_owned());
        }
    }

    fn bind(&mut self, local: &str, full: &str) {
        let leads_on = |function: &str| {
            function.strip_prefix(full).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_resource = full.starts_with("importlib.resources") || full.starts_with("importlib_resources");
        if !is_resource && !FUNCTIONS.iter().any(|(function, _)| leads_on(function)) {
            return;
        }
        let is_other = full.rsplit('.').next() != Some(local);
        self.has_own_functions |= is_other && form_of(full).is_some();
        self.bound.insert(local.to_owned(), full.to_owned());
    }

    /// How what is called by this name imports, if it does.
    fn form(&self, function: &str) -> Option<Form> {
        let mut name = function.to_owned();
        // One name may stand for another one.
        for _ in 0..4 {
            if let Some(inner) = name.strip_suffix(".__call__") {
                name = inner.to_owned();
            }
            let next = match (self.bound.get(&name), name.split_once('.')) {
                (Some(full), _) => full.clone(),
                (None, Some((top, rest))) => match self.bound.get(top) {
                    Some(full) => format!("{full}.{rest}"),
                    None => break,
                },
                _ => break,
            };
            if next == name {
                break;
            }
            name = next;
        }
        form_of(&name)
    }
}

fn form_of(function: &str) -> Option<Form> {
    let resource = function
        .strip_prefix("importlib.resources.")
        .or_else(|| function.strip_prefix("importlib_resources."))
        .filter(|name| RESOURCES.contains(name));
    if resource.is_some() {
        return Some(Form::Package);
    }
    // Fixtures of pytest-mock for longer than one test.
    let fixture = ["class_", "module_", "package_", "session_"].iter().find_map(|p| function.strip_prefix(p));
    let function = fixture.filter(|rest| rest.starts_with("mocker.")).unwrap_or(function);
    FUNCTIONS.iter().find(|(known, _)| *known == function).map(|(_, form)| *form)
}

/// Whether a call may import: it has an argument that may be a text.
pub(super) fn may_import(call: Node<'_>) -> bool {
    let arguments = call.child_by_field_name("arguments").filter(|node| node.kind() == "argument_list");
    arguments.is_some_and(|arguments| {
        let mut cursor = arguments.walk();
        arguments.named_children(&mut cursor).any(|node| {
            matches!(
                node.kind(),
                "string"
                    | "concatenated_string"
                    | "parenthesized_expression"
                    | "binary_operator"
                    | "keyword_argument"
                    | "list"
                    | "tuple"
            )
        })
    })
}

/// Finds what a call imports.
pub(super) fn read(call: Node<'_>, text: &str, importers: &Importers, mut found: impl FnMut(Called)) {
    let Some(list) = call.child_by_field_name("arguments").filter(|node| node.kind() == "argument_list")
    else {
        return;
    };
    let arguments = Arguments { nodes: children(list), text };
    let form = call
        .child_by_field_name("function")
        .and_then(|function| function_name(function, text, importers))
        .and_then(|function| importers.form(&function));
    match form {
        Some(form) => arguments.imported(form).filter(Called::is_named).into_iter().for_each(found),
        None => arguments.handed_on(importers).into_iter().filter(Called::is_named).for_each(&mut found),
    }
}

impl Called {
    fn is_named(&self) -> bool {
        let name = &self.named.specifier;
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        !name.is_empty() && (name.starts_with("./") || name.chars().all(is_part))
    }

    fn module(specifier: String) -> Self {
        Self { named: Named { specifier, names: Vec::new() }, kind: Kind::Dynamic, within: &[] }
    }
}

/// What is called, without brackets around it.
fn function_name(node: Node<'_>, text: &str, importers: &Importers) -> Option<String> {
    let node = bare(node)?;
    if node.kind() == "identifier" {
        return Some(dotted(node, text));
    }
    // Of `a.b.c`, from the end.
    let mut names = Vec::new();
    let mut here = node;
    while here.kind() == "attribute" {
        names.push(dotted(here.child_by_field_name("attribute")?, text));
        here = bare(here.child_by_field_name("object")?)?;
    }
    let top = match here.kind() {
        "identifier" => dotted(here, text),
        // `__import__("importlib").import_module`
        "call" => {
            let function = bare(here.child_by_field_name("function")?)?;
            let is_simple = matches!(function.kind(), "identifier" | "attribute");
            let form = importers.form(&dotted(Some(function).filter(|_| is_simple)?, text))?;
            let list = here.child_by_field_name("arguments").filter(|list| list.kind() == "argument_list")?;
            let arguments = Arguments { nodes: children(list), text };
            let is_module = matches!(form, Form::Module | Form::Import);
            arguments.imported(form).filter(|_| is_module)?.named.specifier
        }
        _ => return None,
    };
    names.push(top);
    names.reverse();
    Some(names.join("."))
}

/// What is in brackets, or in them given a name.
fn bare(mut node: Node<'_>) -> Option<Node<'_>> {
    loop {
        node = match node.kind() {
            "parenthesized_expression" => children(node).into_iter().find(|part| part.kind() != "comment")?,
            "named_expression" => node.child_by_field_name("value")?,
            _ => return Some(node),
        };
    }
}

/// The arguments of a call.
struct Arguments<'t, 's> {
    nodes: Vec<Node<'t>>,
    text: &'s str,
}

impl<'t> Arguments<'t, '_> {
    fn imported(&self, form: Form) -> Option<Called> {
        let text = |place: usize, name: &str| string(self.get(place, name)?, self.text);
        let module = |name: &str| text(0, name).map(Called::module);
        match form {
            Form::Module => Some(Called::module(self.relative(text(0, "name")?)?)),
            Form::Find => {
                Some(Called { within: &[HERE], ..Called::module(self.relative(text(0, "name")?)?) })
            }
            Form::Import => {
                let level = self.get(4, "level").map(|level| text_of(level, self.text));
                // What is no number here is taken for what it mostly is.
                let dots = level.and_then(|level| level.parse::<usize>().ok()).filter(|level| *level < 100);
                let specifier = ".".repeat(dots.unwrap_or_default()) + &text(0, "name")?;
                let names = strings(self.get(3, "fromlist"), self.text);
                Some(Called { named: Named { specifier, names }, ..Called::module(String::new()) })
            }
            Form::Name => Some(Called { within: &[PREFIX], ..module("dotted_path")? }),
            Form::Resolve => {
                let name = text(0, "name")?;
                Some(match name.split_once(':') {
                    None => Called { within: &[PREFIX], ..Called::module(name) },
                    Some((specifier, rest)) => {
                        let names = rest.split('.').take(1).filter(|name| !name.is_empty());
                        let names = names.map(str::to_owned).collect();
                        let named = Named { specifier: specifier.to_owned(), names };
                        Called { named, ..Called::module(String::new()) }
                    }
                })
            }
            Form::Skip => Some(Called { within: &[READY], ..module("modname")? }),
            Form::RunModule => {
                let named = Named { specifier: text(0, "mod_name")?, names: vec!["__main__".to_owned()] };
                Some(Called { named, ..Called::module(String::new()) })
            }
            Form::RunPath => {
                let path = Called::module(format!("./{}", text(0, "path_name")?));
                Some(Called { within: &[HERE], ..path })
            }
            Form::Package => module("package").or_else(|| module("anchor")),
            Form::Mock => {
                let target = module("target").or_else(|| module("in_dict")).or_else(|| module("name"))?;
                Some(Called { kind: Kind::Mock, within: &[PREFIX, HERE], ..target })
            }
        }
    }

    /// A module that is perhaps relative to the second argument.
    fn relative(&self, module: String) -> Option<String> {
        if !module.starts_with('.') {
            return Some(module);
        }
        let mut package = bare(self.get(1, "package")?)?;
        // `__package__ or "a"`
        if package.kind() == "boolean_operator" {
            package = package.child_by_field_name("left")?;
        }
        match text_of(package, self.text) {
            "__package__" | "__name__" | "__spec__.parent" => Some(module),
            _ => absolute(&string(package, self.text)?, &module),
        }
    }

    /// What is handed to a function together with one that imports:
    /// `map(import_module, ["a", "b"])`.
    fn handed_on(&self, importers: &Importers) -> Vec<Called> {
        let is_importer = |node: &Node<'_>| {
            matches!(node.kind(), "identifier" | "attribute")
                && matches!(importers.form(&dotted(*node, self.text)), Some(Form::Module | Form::Import))
        };
        let Some(at) = self.nodes.iter().position(is_importer) else { return Vec::new() };
        let others = self.nodes.iter().skip(at + 1);
        let names = others.flat_map(|node| match string(*node, self.text) {
            Some(name) => vec![name],
            None => strings(Some(*node), self.text),
        });
        names.map(Called::module).collect()
    }

    /// The one at this place, or of this name.
    fn get(&self, place: usize, name: &str) -> Option<Node<'t>> {
        let mut at = 0;
        for node in &self.nodes {
            match node.kind() {
                "comment" => {}
                "keyword_argument" => {
                    let is_it =
                        node.child_by_field_name("name").is_some_and(|n| text_of(n, self.text) == name);
                    if is_it {
                        return node.child_by_field_name("value");
                    }
                }
                // Nobody knows how many these are.
                "list_splat" | "dictionary_splat" => return None,
                _ if at == place => return Some(*node),
                _ => at += 1,
            }
        }
        None
    }
}

fn absolute(package: &str, module: &str) -> Option<String> {
    let name = module.trim_start_matches('.');
    let up = module.len() - name.len() - 1;
    let parts: Vec<&str> = package.split('.').collect();
    let base = parts.get(..parts.len().checked_sub(up)?)?.join(".");
    Some(if name.is_empty() { base } else { format!("{base}.{name}") })
}
