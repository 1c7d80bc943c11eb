//! From what was read in a file to its imports.
//!
//! Rust names are looked up from the inside out, as far as the module that
//! they stand in. A path that begins with a type of this file leads nowhere
//! else, and one that begins with an imported type adds nothing to that
//! import: neither is an import of its own.

use std::collections::HashMap;

use super::super::{Import, Kind, Unreadable};
use super::found::{Found, Given, composed};
use super::node::{Module, Read};

/// What was read, and where.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) start: usize,
    pub(super) brace: u32,
    /// Whether a macro that it is given to may drop it.
    pub(super) optional: bool,
    pub(super) read: Read,
}

/// How deep modules of one file may nest.
const MODULES: usize = 128;
/// How many blocks with imports of their own are told apart within each
/// other.
const BLOCKS: usize = 32;

/// Types and traits that are known everywhere: the primitive ones, and the
/// prelude of all editions.
const PRELUDE: [&str; 57] = [
    "AsMut",
    "AsRef",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "Hash",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Unpin",
    "Vec",
    "bool",
    "char",
    "f32",
    "f64",
    "i128",
    "i64",
    "isize",
    "str",
    "u128",
    "u64",
    "usize",
    "u8",
];
const NUMBERS: [&str; 5] = ["i16", "i32", "i8", "u16", "u32"];

/// What a name stands for in the braces that it is declared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Type,
    Inline(u32),
    Used,
    File,
}

#[derive(Clone, Debug, Default)]
struct Scope {
    /// Whether names are declared here, or a module ends here.
    is_scope: bool,
    is_module: bool,
    has_uses: bool,
    has_glob: bool,
    /// Whether anything within leads to another file.
    has_imports: bool,
    is_optional: bool,
    /// The folder that `#[path]` names for the modules in it.
    folder: Option<String>,
    /// The nearest scope from here outwards.
    nearest: u32,
    /// The nearest that is a module or has a number.
    listed: u32,
    /// Number among the blocks with imports, and how many of them are around.
    block: Option<usize>,
}

/// Puts the imports together. `budget` bounds how many bytes they may have.
pub(super) fn assemble(
    text: &str,
    found: &Found<'_>,
    mut drafts: Vec<Draft>,
    mut budget: usize,
) -> Result<Vec<Import>, Unreadable> {
    drafts.sort_by_key(|draft| draft.start);
    let homes = homes(found);
    let home = |brace: u32| homes.get(brace as usize).copied().unwrap_or_default();
    for draft in &mut drafts {
        draft.brace = home(draft.brace);
    }
    let mut scopes = scopes(found, &mut drafts);
    let mut names: HashMap<&str, Vec<(u32, Name)>> = HashMap::new();
    for declared in &found.declared {
        let name = declared.body.map_or(Name::Type, Name::Inline);
        let brace = home(declared.brace);
        names.entry(declared.name).or_default().push((brace, name));
        if let Some(scope) = scopes.get_mut(brace as usize) {
            scope.is_scope = true;
        }
    }
    for draft in &drafts {
        match &draft.read {
            Read::Use { leaves, .. } => {
                for leaf in leaves.iter().filter(|leaf| !leaf.is_glob) {
                    let last = leaf.path.rsplit("::").next().unwrap_or_default();
                    let name = leaf.alias.as_deref().unwrap_or(last);
                    names.entry(name).or_default().push((draft.brace, Name::Used));
                }
            }
            Read::Module(module) => {
                names.entry(&module.name).or_default().push((draft.brace, Name::File));
            }
            _ => {}
        }
    }
    nest(found, &mut scopes)?;
    for list in names.values_mut() {
        list.sort_by_key(|(brace, _)| *brace);
        list.dedup();
    }
    let mut imports = Vec::with_capacity(drafts.len());
    let mut within: HashMap<u32, Vec<String>> = HashMap::new();
    let (mut line, mut counted) = (1, 0);
    for draft in &drafts {
        if let Read::Path(path) = &draft.read
            && !leads_on(path, draft.brace, &scopes, &names, found)
        {
            continue;
        }
        let passed = text.as_bytes().get(counted..draft.start).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', passed).count();
        counted = draft.start.max(counted);
        let place = scopes.get(draft.brace as usize).map_or(0, |scope| scope.nearest);
        let listed = scopes.get(place as usize).map_or(0, |scope| scope.listed);
        let within = within.entry(listed).or_insert_with(|| modules_around(listed, found, &scopes));
        let is_module = matches!(draft.read, Read::Module(_));
        let optional = draft.optional || is_module && is_optional(place, found, &scopes);
        let first = imports.len();
        push(draft, optional, line, &mut imports);
        for import in imports.iter_mut().skip(first) {
            import.within.clone_from(within);
            let names: usize = import.names.iter().chain(&import.within).map(|name| name.len() + 1).sum();
            let Some(rest) = budget.checked_sub(import.specifier.len() + names) else {
                return Err(Unreadable::Syntax { line });
            };
            budget = rest;
        }
    }
    Ok(imports)
}

/// Where the items in each pair of braces belong.
fn homes(found: &Found<'_>) -> Vec<u32> {
    let mut homes: Vec<u32> = Vec::with_capacity(found.braces.len());
    for (at, brace) in found.braces.iter().enumerate() {
        let around = homes.get(brace.parent as usize).copied().unwrap_or_default();
        let own = u32::try_from(at).unwrap_or(u32::MAX);
        homes.push(if brace.tokens == Given::Items { around } else { own });
    }
    homes
}

/// Each pair of braces with what stands in it.
fn scopes(found: &Found<'_>, drafts: &mut [Draft]) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = found
        .braces
        .iter()
        .map(|brace| Scope {
            is_scope: brace.module.is_some(),
            is_module: brace.module.is_some(),
            ..Scope::default()
        })
        .collect();
    if let Some(file) = scopes.first_mut() {
        (file.is_scope, file.is_module) = (true, true);
    }
    for draft in drafts {
        if let Read::Inline { brace, module } = &mut draft.read
            && let Some(scope) = scopes.get_mut(*brace as usize)
        {
            scope.folder = module.path.take();
            scope.is_optional = module.is_optional;
        }
        let Some(scope) = scopes.get_mut(draft.brace as usize) else { continue };
        match &draft.read {
            Read::Use { leaves, .. } => {
                scope.is_scope = true;
                scope.has_uses = true;
                scope.has_glob |= leaves.iter().any(|leaf| leaf.is_glob);
            }
            Read::Crate { .. } | Read::Module(_) => {
                scope.is_scope = true;
                scope.has_uses = true;
            }
            _ => continue,
        }
        let mut at = draft.brace;
        while let Some(scope) = scopes.get_mut(at as usize).filter(|scope| !scope.has_imports) {
            scope.has_imports = true;
            at = found.braces.get(at as usize).map_or(0, |brace| brace.parent);
        }
    }
    scopes
}

/// Finds the nearest scope of each pair of braces, and numbers the blocks.
fn nest(found: &Found<'_>, scopes: &mut [Scope]) -> Result<(), Unreadable> {
    let mut blocks = 0;
    // How many modules and blocks are around, by braces.
    let mut depth: Vec<(usize, usize)> = Vec::with_capacity(scopes.len());
    for (at, brace) in found.braces.iter().enumerate() {
        let parent = brace.parent as usize;
        let (around, listed) = scopes.get(parent).map_or((0, 0), |scope| (scope.nearest, scope.listed));
        let mut deep = depth.get(parent).copied().unwrap_or_default();
        let Some(scope) = scopes.get_mut(at) else { continue };
        scope.nearest = if scope.is_scope { u32::try_from(at).unwrap_or(u32::MAX) } else { around };
        if scope.is_module {
            deep = (deep.0 + 1, 0);
        } else if scope.has_uses && brace.tokens == Given::No && deep.1 < BLOCKS {
            blocks += 1;
            deep.1 += 1;
            scope.block = Some(blocks);
        }
        let is_listed = scope.is_module || scope.block.is_some();
        scope.listed = if is_listed { u32::try_from(at).unwrap_or(u32::MAX) } else { listed };
        if deep.0 > MODULES {
            return Err(Unreadable::Syntax { line: 1 });
        }
        depth.push(deep);
    }
    Ok(())
}

/// The next scope outwards; none around a module.
fn outwards(place: u32, found: &Found<'_>, scopes: &[Scope]) -> Option<u32> {
    let scope = scopes.get(place as usize)?;
    if place == 0 || scope.is_module {
        return None;
    }
    let parent = found.braces.get(place as usize)?.parent;
    Some(scopes.get(parent as usize)?.nearest)
}

/// The modules of this file around a place, from the outside in. Blocks that
/// have imports of their own are listed among them, by number.
fn modules_around(place: u32, found: &Found<'_>, scopes: &[Scope]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = place;
    while at != 0 {
        let (Some(brace), Some(scope)) = (found.braces.get(at as usize), scopes.get(at as usize)) else {
            break;
        };
        match (brace.module, &scope.folder, scope.block) {
            (Some(name), None, _) => names.push(composed(name)),
            (Some(name), Some(folder), _) => names.push(format!("{} \"{folder}\"", composed(name))),
            (None, _, Some(block)) => names.push(format!("{{{block}}}")),
            _ => {}
        }
        at = scopes.get(brace.parent as usize).map_or(0, |scope| scope.listed);
    }
    names.reverse();
    names
}

fn is_optional(place: u32, found: &Found<'_>, scopes: &[Scope]) -> bool {
    let mut at = place;
    for _ in 0..MODULES + BLOCKS {
        let (Some(brace), Some(scope)) = (found.braces.get(at as usize), scopes.get(at as usize)) else {
            break;
        };
        if scope.is_optional {
            return true;
        }
        at = scopes.get(brace.parent as usize).map_or(0, |scope| scope.nearest);
    }
    false
}

/// Whether a path may lead to another file in a way that no `use` tells.
fn leads_on(
    path: &str,
    brace: u32,
    scopes: &[Scope],
    names: &HashMap<&str, Vec<(u32, Name)>>,
    found: &Found<'_>,
) -> bool {
    let (first, rest) = path.split_once("::").unwrap_or((path, ""));
    if matches!(first, "" | "crate" | "$crate" | "self" | "super") {
        return true;
    }
    let is_short = !rest.contains("::");
    let declared = names.get(first);
    let is_known = is_short && (PRELUDE.contains(&first) || NUMBERS.contains(&first));
    if declared.is_none() && !is_known {
        return true;
    }
    let mut has_glob = false;
    let mut at = scopes.get(brace as usize).map(|scope| scope.nearest);
    for _ in 0..MODULES {
        let Some(place) = at else { return !is_known || has_glob };
        let here = declared.map_or(&[][..], |list| {
            let first = list.partition_point(|(brace, _)| *brace < place);
            let rest = list.get(first..).unwrap_or_default();
            let count = rest.iter().take_while(|(brace, _)| *brace == place).count();
            rest.get(..count).unwrap_or_default()
        });
        if here.contains(&(place, Name::Type)) {
            return false;
        }
        for (_, name) in here {
            match name {
                Name::Inline(body) => {
                    return !is_short && scopes.get(*body as usize).is_some_and(|body| body.has_imports);
                }
                // Types begin with a capital letter. Anything else may also be
                // a function with the name of a crate, which hides no crate.
                Name::Used => return !(is_short && first.starts_with(|c: char| c.is_uppercase())),
                Name::File => return true,
                Name::Type => {}
            }
        }
        has_glob |= scopes.get(place as usize).is_some_and(|scope| scope.has_glob);
        at = outwards(place, found, scopes);
    }
    true
}

fn push(draft: &Draft, optional: bool, line: usize, imports: &mut Vec<Import>) {
    let mut add = |specifier: String, names: Vec<String>, kind: Kind, exported: bool| {
        imports.push(Import { line, specifier, names, kind, exported, within: Vec::new() });
    };
    match &draft.read {
        Read::Path(path) => add(path.clone(), Vec::new(), Kind::Static, false),
        Read::Use { leaves, exported } => {
            for leaf in leaves {
                let names = match &leaf.alias {
                    _ if leaf.is_glob => vec!["*".to_owned()],
                    Some(alias) => vec![format!("as {alias}")],
                    None => vec![leaf.path.rsplit("::").next().unwrap_or_default().to_owned()],
                };
                add(leaf.path.clone(), names, Kind::Static, *exported);
            }
        }
        Read::Crate { name, alias } => {
            add(format!("::{name}"), vec![format!("crate as {alias}")], Kind::Static, false);
        }
        Read::Module(module) => modules(module, optional, add),
        Read::Include { file, is_code } => {
            let names = if *is_code { vec!["*".to_owned()] } else { Vec::new() };
            add(format!("\"{file}\""), names, kind_of(file), false);
        }
        Read::Inline { .. } => {}
    }
}

/// A file beside or below is a part, as a module is. To go out of one's own
/// folder for it is an import.
fn kind_of(path: &str) -> Kind {
    let goes_out = path.starts_with(['/', '$']) || path.split(['/', '\\']).any(|part| part == "..");
    if goes_out { Kind::Static } else { Kind::Part }
}

fn modules(module: &Module, optional: bool, mut add: impl FnMut(String, Vec<String>, Kind, bool)) {
    let named = |optional: bool, name: Option<&str>| {
        let name = name.map(|name| format!("as {name}"));
        name.into_iter().chain(optional.then(|| "?".to_owned())).collect::<Vec<String>>()
    };
    let optional = optional || module.is_optional;
    for path in &module.paths {
        add(format!("\"{path}\""), named(optional, Some(&module.name)), kind_of(path), false);
    }
    match &module.path {
        Some(path) => add(format!("\"{path}\""), named(optional, Some(&module.name)), kind_of(path), false),
        // Every condition may have a file of its own.
        None => {
            let optional = optional || !module.paths.is_empty();
            add(module.name.clone(), named(optional, None), Kind::Part, false);
        }
    }
}
