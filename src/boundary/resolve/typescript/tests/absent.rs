//! What is not there.

use super::*;

#[test]
fn what_is_ignored_is_not_here_under_another_spelling() {
    check(
        ".gitignore = API/\\ndist\napi/x.ts\nweb/a.ts",
        "web/a.ts ../API/x -> missing\n\
         web/a.ts ../API/y -> builtin\n\
         web/a.ts ../dist/x -> builtin",
    );
}

#[test]
fn types_that_frameworks_write_need_not_be_there() {
    check(
        "src/routes/a/+page.ts\napp/b.tsx",
        "src/routes/a/+page.ts ./$types -> builtin\n\
         type src/routes/a/+page.ts ./$types.js -> builtin\n\
         app/b.tsx ./+types/b -> builtin\n\
         app/b.tsx ./types -> missing",
    );
}

#[test]
fn what_leads_through_thousands_of_folders_leads_nowhere() {
    // Each folder of each against every line of the list would take hours.
    let ignored: String = (0..400).map(|n| format!("x{n}/**/y{n}\nz{n}/\n")).collect();
    let content = [(".gitignore".to_owned(), ignored), ("x.ts".to_owned(), String::new())];
    let tree = Tree(BTreeMap::from(content));
    let files = Files::new(tree.0.keys().cloned().collect(), &tree);
    let modules = Modules::new(&files);
    for n in 0..200 {
        let import = Import {
            line: 1,
            specifier: format!("./{}{n}", "a/".repeat(250)),
            names: Vec::new(),
            kind: Kind::Static,
            exported: false,
            within: Vec::new(),
        };
        assert_eq!(modules.resolve("x.ts", &import), [Target::Missing]);
    }
}
