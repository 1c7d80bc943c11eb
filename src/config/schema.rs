//! The keys of `comm.toml`, and the JSON schema that is made from them.
//!
//! The reader refuses what is not listed here, so that neither knows a key
//! that the other does not. What a schema cannot say, such as whether a domain
//! exists or a glob is one, only the reader judges.

use serde_json::{Value, json};

use crate::gate::pattern::Kinds;

/// A key of a table.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    shape: Shape,
    /// What it means, in a few words.
    pub about: &'static str,
    is_required: bool,
}

/// What a value looks like.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    /// A text with a letter in it.
    Words,
    Flag,
    /// The name of an agent or a domain.
    Name,
    /// A folder or file below the root.
    Path,
    /// A glob, or a list of some.
    Globs,
    /// A text, or a list of some.
    Texts,
    OneOf(&'static [&'static str]),
    Kinds,
    /// A pattern over imports.
    Pattern,
    /// Patterns over imports, alone or as tables with these keys.
    Patterns(&'static [Key]),
    /// Parts of the code: at least so many.
    Members(usize),
    /// Layers, each one part or a list of some.
    Order,
    Table(&'static [Key]),
    /// Tables by name.
    Named(&'static [Key]),
    /// A list of tables.
    List(&'static [Key]),
    /// Lists of texts by the name of a domain.
    Artifacts,
}

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, is_required: false }
}

const fn must(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, is_required: true }
}

/// How much a finding weighs, from nothing on.
pub(super) const WEIGHTS: [&str; 3] = ["ignore", "warn", "forbid"];
/// How a kind of import counts, from nothing on.
pub(super) const JUDGED: [&str; 3] = ["allow", "warn", "judge"];
/// What parts of one layer may do.
pub(super) const SIBLINGS: [&str; 2] = ["independent", "allow"];
/// What there are no cycles between.
pub(super) const BETWEEN: [&str; 2] = ["domains", "files"];

/// The whole file.
pub(super) const ROOT: &[Key] = &[
    key("domains", Shape::Named(DOMAIN), "the parts of the code, by name"),
    key("commit", Shape::Table(COMMIT), "what a commit must show"),
    key("boundary", Shape::Table(BOUNDARY), "how imports are judged"),
    key("layers", Shape::List(LAYERS), "high parts import low ones, never the other way"),
    key("independent", Shape::List(INDEPENDENT), "parts that know nothing of each other"),
    key("acyclic", Shape::List(ACYCLIC), "parts without cycles between them"),
    key("exceptions", Shape::List(EXCEPTION), "imports that no rule is about"),
];

/// `[domains.NAME]`.
pub(super) const DOMAIN: &[Key] = &[
    key("path", Shape::Path, "what the globs are relative to; the root if absent"),
    key("scope", Shape::Globs, "its files; all of `path` if absent"),
    key("agent", Shape::Name, "the agent that works on it"),
    key("role", Shape::Text, "what that agent does"),
    key("owner", Shape::Text, "whom to ask: a person or a team"),
    key("hint", Shape::Text, "what a refused agent should do"),
    key("exports", Shape::Texts, "the kinds of artifact that it publishes"),
    key("imports", Shape::Artifacts, "the kinds of artifact that it uses, by domain"),
    key(
        "allowed_imports",
        Shape::Patterns(ALLOWED),
        "what its files may import beside each other; absent: anything",
    ),
    key("forbidden_imports", Shape::Patterns(FORBIDDEN), "what its files may never import"),
    key("public", Shape::Globs, "those of its files that others may import; absent: all"),
];

const IMPORT: &str = "a glob relative to the root, pkg:GLOB, or domain:NAME";

/// A table in `allowed_imports`.
pub(super) const ALLOWED: &[Key] = &[
    must("import", Shape::Pattern, IMPORT),
    key("kinds", Shape::Kinds, "only imports of these kinds are allowed"),
    key("reason", Shape::Text, "why"),
];

/// A table in `forbidden_imports`.
pub(super) const FORBIDDEN: &[Key] = &[
    must("import", Shape::Pattern, IMPORT),
    key("kinds", Shape::Kinds, "only imports of these kinds are forbidden"),
    key("transitive", Shape::Flag, "also what is reached through other files"),
    key("reason", Shape::Text, "why; a refusal says so"),
];

/// `[commit]`.
pub(super) const COMMIT: &[Key] = &[
    key("require_claim", Shape::Flag, "an agent commits only while it holds a task"),
    key("people", Shape::Texts, "authors who are people, by name or mail address"),
];

/// `[boundary]`.
pub(super) const BOUNDARY: &[Key] = &[
    key("unowned", Shape::OneOf(&WEIGHTS), "a source that no domain owns; ignore if absent"),
    key("type_imports", Shape::OneOf(&JUDGED), "imports of types; judge if absent"),
    key("dynamic_imports", Shape::OneOf(&JUDGED), "imports when the code comes by; judge if absent"),
    key("mocks", Shape::OneOf(&JUDGED), "replacements in tests; judge if absent"),
    key(
        "unresolved",
        Shape::OneOf(&WEIGHTS),
        "imports that lead nowhere; if absent forbid, in files that some rule is about",
    ),
    key(
        "unused",
        Shape::OneOf(&WEIGHTS),
        "rules, suppressions and baseline entries that nothing needs; warn if absent",
    ),
    key("python_roots", Shape::Texts, "folders that Python's module names begin at"),
    key("baseline", Shape::Path, "the file with the known violations; comm.baseline if absent"),
];

/// `[[layers]]`.
pub(super) const LAYERS: &[Key] = &[
    key("name", Shape::Text, "what it is called"),
    must("order", Shape::Order, "domains or globs from high to low; a list within is one layer"),
    key("strict", Shape::Flag, "a layer imports only the next lower one"),
    key("siblings", Shape::OneOf(&SIBLINGS), "parts of one layer; independent if absent"),
    key("transitive", Shape::Flag, "also what is reached through files of no layer"),
    key("kinds", Shape::Kinds, "only imports of these kinds count"),
    key("reason", Shape::Text, "why; a refusal says so"),
];

/// `[[independent]]`.
pub(super) const INDEPENDENT: &[Key] = &[
    key("name", Shape::Text, "what it is called"),
    must("members", Shape::Members(2), "domains or globs"),
    key("transitive", Shape::Flag, "also what is reached through files of no member"),
    key("kinds", Shape::Kinds, "only imports of these kinds count"),
    key("reason", Shape::Text, "why; a refusal says so"),
];

/// `[[acyclic]]`.
pub(super) const ACYCLIC: &[Key] = &[
    key("name", Shape::Text, "what it is called"),
    key("members", Shape::Members(1), "domains or globs; absent: all domains, or all files"),
    key("between", Shape::OneOf(&BETWEEN), "what the cycles are of; domains if absent"),
    key("kinds", Shape::Kinds, "only imports of these kinds count"),
    key("reason", Shape::Text, "why; a refusal says so"),
];

/// `[[exceptions]]`.
pub(super) const EXCEPTION: &[Key] = &[
    must("from", Shape::Pattern, "a glob relative to the root, or domain:NAME"),
    must("to", Shape::Pattern, IMPORT),
    must("reason", Shape::Words, "why"),
];

/// Every table with its keys, for the reference.
pub fn tables() -> [(&'static str, &'static [Key]); 9] {
    [
        ("[domains.NAME]", DOMAIN),
        ("[commit]", COMMIT),
        ("[boundary]", BOUNDARY),
        ("an entry of allowed_imports", ALLOWED),
        ("an entry of forbidden_imports", FORBIDDEN),
        ("[[layers]]", LAYERS),
        ("[[independent]]", INDEPENDENT),
        ("[[acyclic]]", ACYCLIC),
        ("[[exceptions]]", EXCEPTION),
    ]
}

/// The JSON schema of `comm.toml`.
pub fn schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "comm.toml",
        "description": "The rules that a repository carries with it",
    });
    if let (Value::Object(all), Value::Object(root)) = (&mut schema, table(ROOT)) {
        all.extend(root);
    }
    schema
}

/// A schema as a file has it.
pub fn text(schema: &Value) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

fn table(keys: &[Key]) -> Value {
    let mut properties = serde_json::Map::new();
    for key in keys {
        let mut value = value(key.shape);
        if let Value::Object(fields) = &mut value {
            fields.insert("description".into(), key.about.into());
        }
        properties.insert(key.name.into(), value);
    }
    let required: Vec<&str> = keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
    let mut table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        table["required"] = required.into();
    }
    table
}

/// A name of one component of a ref.
const NAME: &str =
    r"^(?!(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$))(?!.*\.\.)(?!.*(\.|\.lock)$)[a-z0-9][a-z0-9._-]{0,63}$";
/// A glob below the root.
const GLOB: &str = r"^(?!/)(?!(.*/)?\.{1,2}(/|$))[^\u0000]*$";
/// A path below the root, which slashes may stand around.
const PATH: &str = r"^(?!(.*/)?\.{1,2}(/|$))[^\u0000]*$";
/// A glob, `pkg:GLOB` or `domain:NAME`.
const PATTERN: &str = r"^(?!/)(?!pkg:$)(?!domain:([^a-z0-9]|$))(?!(?!pkg:)(.*/)?\.{1,2}(/|$))[^\u0000]+$";
/// A domain, or a glob with a slash or a wildcard in it.
const MEMBER: &str = r"^([a-z0-9][a-z0-9._-]{0,63}|(?=.*[/*?\[{\\])(?!/)(?!(.*/)?\.{1,2}(/|$))[^\u0000]+)$";

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// One, or a list of some.
fn one_or_list(one: &Value) -> Value {
    json!({ "anyOf": [one, { "type": "array", "items": one }] })
}

fn value(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Words => json!({ "type": "string", "pattern": "[^\\u0000-@\\[-`{-\\u007f]" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Name => pattern(NAME),
        Shape::Path => pattern(PATH),
        Shape::Globs => one_or_list(&pattern(GLOB)),
        Shape::Texts => one_or_list(&json!({ "type": "string" })),
        Shape::OneOf(words) => json!({ "enum": words }),
        Shape::Kinds => {
            let kind = json!({ "enum": Kinds::WORDS });
            json!({ "anyOf": [kind, { "type": "array", "items": kind, "minItems": 1 }] })
        }
        Shape::Pattern => pattern(PATTERN),
        Shape::Patterns(keys) => {
            let text = pattern(PATTERN);
            json!({ "anyOf": [text, { "type": "array", "items": { "anyOf": [text, table(keys)] } }] })
        }
        Shape::Members(least) => {
            let member = pattern(MEMBER);
            let list = json!({ "type": "array", "items": member, "minItems": least, "uniqueItems": true });
            if least > 1 { list } else { json!({ "anyOf": [member, list] }) }
        }
        Shape::Order => {
            let member = pattern(MEMBER);
            let side_by_side =
                json!({ "type": "array", "items": member, "minItems": 1, "uniqueItems": true });
            let layer = json!({ "anyOf": [member, side_by_side] });
            json!({ "type": "array", "items": layer, "minItems": 2, "uniqueItems": true })
        }
        Shape::Table(keys) => table(keys),
        Shape::Named(keys) => {
            json!({ "type": "object", "propertyNames": { "pattern": NAME }, "additionalProperties": table(keys) })
        }
        Shape::List(keys) => json!({ "type": "array", "items": table(keys) }),
        Shape::Artifacts => json!({
            "type": "object",
            "propertyNames": { "pattern": NAME },
            "additionalProperties": one_or_list(&json!({ "type": "string" })),
        }),
    }
}
