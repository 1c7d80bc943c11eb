mod absent;

use std::collections::BTreeMap;

use super::super::super::files::{Content, Files};
use super::super::super::{Note, Target};
use super::Modules;
use crate::syntax::{Import, Kind};

struct Tree(BTreeMap<String, String>);

impl Content for Tree {
    fn imports(&self, path: &str) -> Vec<Import> {
        panic!("the imports of {path} are asked for");
    }
    fn script(&self, path: &str) -> Option<Vec<Import>> {
        crate::syntax::of_script(self.0[path].as_bytes()).ok()
    }
    fn setting(&self, path: &str) -> Vec<u8> {
        self.0[path].clone().into_bytes()
    }
}

/// A tree in one text: `path` or `path = content`, line by line.
fn tree(text: &str) -> Tree {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Tree(
        lines
            .map(|line| {
                let (path, content) = line.split_once(" = ").unwrap_or((line, ""));
                (path.to_owned(), content.replace("\\n", "\n"))
            })
            .collect(),
    )
}

fn told(target: &Target) -> String {
    match target {
        Target::File(path) => path.clone(),
        Target::Package(name) => format!("pkg:{name}"),
        other => other.kind().to_owned(),
    }
}

/// What imports lead to: `from specifier -> target`, line by line; `type` in
/// front for an import of types.
#[track_caller]
fn check(text: &str, expected: &str) -> Vec<Note> {
    let tree = tree(text);
    let files = Files::new(tree.0.keys().cloned().collect(), &tree);
    let modules = Modules::new(&files);
    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (asked, target) = line.split_once(" -> ").unwrap();
        let (kind, asked) =
            asked.strip_prefix("type ").map_or((Kind::Static, asked), |rest| (Kind::Type, rest));
        let (from, specifier) = asked.split_once(' ').unwrap();
        let import = Import {
            line: 1,
            specifier: specifier.to_owned(),
            names: Vec::new(),
            kind,
            exported: false,
            within: Vec::new(),
        };
        for _ in 0..2 {
            let found: Vec<String> = modules.resolve(from, &import).iter().map(told).collect();
            assert_eq!(found.join(" "), target, "{asked}");
        }
    }
    modules.notes()
}

#[test]
fn what_any_tool_loads_counts() {
    check(
        "web/ok.mjs\nweb/a!b.mjs\napi/store.mjs\n.gitignore = %61pi\\n*.mjs",
        "web/p.mjs ./x!react/../../api/store.mjs -> api/store.mjs
        web/p.mjs ./a!b.mjs -> web/a!b.mjs
        web/p.mjs raw-loader!../api/store.mjs -> api/store.mjs
        web/p.mjs ../api/store.mjs?/../../web/ok.mjs -> web/ok.mjs api/store.mjs
        web/p.mjs ../api/store.mjs#/../../web/ok.mjs -> web/ok.mjs api/store.mjs
        web/p.mjs ../%61pi/store.mjs -> api/store.mjs
        web/p.mjs ./%2e%2E/api/store.mjs -> api/store.mjs
        web/p.mjs ./..\\api\\store.mjs -> api/store.mjs
        web/p.mjs ../a\tpi/store.mjs -> api/store.mjs
        web/p.mjs file:///elsewhere/a/api/store.mjs -> missing",
    );
}

#[test]
fn each_branch_of_a_private_name_counts() {
    check(
        "package.json = {\"imports\": {\"#r\": {\"require\": \"./api/s.cjs\", \"default\": \"./web/ok.js\"}, \"#p\": {\"development\": \"./web/ok.js\", \"default\": \"./api/s.cjs\"}, \"#t\": {\"types\": \"./web/ok.d.ts\", \"default\": \"./web/ok.js\"}}}\napi/s.cjs\nweb/ok.js\nweb/ok.d.ts",
        "web/a.js #r -> web/ok.js api/s.cjs
        web/a.js #p -> web/ok.js api/s.cjs
        web/a.js #t -> web/ok.js",
    );
}

#[test]
fn each_branch_of_what_a_package_exports_counts() {
    check(
        "package.json = {\"workspaces\": [\"p/*\"]}
        p/a/package.json = {\"name\": \"a\", \"exports\": {\".\": {\"types\": \"./ok.d.ts\", \"browser\": [\"./gone.js\", \"./web.js\"], \"node\": {\"require\": \"./r.cjs\", \"default\": null}, \"mine\": \"../../api/s.js\", \"default\": \"./ok.js\"}, \"./x/*\": {\"development\": \"./dev/*.js\", \"default\": \"./dist/*.js\"}}}
        p/a/ok.js\np/a/ok.d.ts\np/a/web.js\np/a/r.cjs\np/a/dev/y.js\np/a/src/y.ts
        p/b/package.json = {\"name\": \"b\", \"main\": \"./m\", \"module\": \"./dist/e.js\", \"browser\": \"./w.js\", \"types\": \"./t.d.ts\"}
        p/b/m.js\np/b/src/e.ts\np/b/w.js\np/b/t.d.ts
        p/c/package.json = {\"name\": \"c\", \"types\": \"t.d.ts\", \"typesVersions\": {\"<4\": {\"*\": [\"old/*\"]}, \"*\": {\"x\": [\"./deep/x.ts\"]}}}
        p/c/old/t.d.ts\np/c/deep/x.ts\np/c/t.d.ts
        d/package.json = {\"main\": \"one\", \"module\": \"../api/s.js\"}\nd/one.js\napi/s.js",
        "p/b/1.js a -> p/a/ok.js p/a/web.js p/a/r.cjs api/s.js
        p/b/1.js a/x/y -> p/a/dev/y.js p/a/src/y.ts
        p/a/1.js b -> p/b/m.js p/b/src/e.ts p/b/w.js
        p/a/1.js c -> p/c/t.d.ts p/c/old/t.d.ts
        p/a/1.js c/x -> p/c/deep/x.ts
        1.js ./d -> d/one.js api/s.js",
    );
}

#[test]
fn what_stands_in_for_a_file_or_module_counts() {
    check(
        "package.json = {\"browser\": {\"./web/a.js\": \"./api/s.js\", \"web/b\": \"./api/s.js\", \"fs\": \"./api/fs.js\", \"left\": \"right\", \"no\": false}, \"_moduleAliases\": {\"@api\": \"api\", \"@gone\": \"gone\"}, \"alias\": {\"r\": \"p\"}}
        web/a.js\nweb/b.js\napi/s.js\napi/fs.js",
        "web/1.js ./a -> web/a.js api/s.js
        web/1.js ./b -> web/b.js api/s.js
        web/1.js fs -> builtin api/fs.js
        web/1.js left -> pkg:left pkg:right
        web/1.js no -> pkg:no
        web/1.js r -> pkg:p
        web/1.js r/x -> pkg:p
        web/1.js @api/s -> api/s.js
        web/1.js @gone/s -> missing",
    );
}

#[test]
fn a_dependency_may_have_another_name_or_place() {
    check(
        "package.json = {\"workspaces\": [\"web\", \"m\"], \"dependencies\": {\"n\": \"npm:@s/real@^1\", \"o\": \"npm:m@1\", \"v\": \"npm:^1\"}, \"overrides\": {\"a\": \"file:./api\", \"x\": {\"b\": \"$l\"}, \"l\": \"link:api\"}, \"resolutions\": {\"**/c\": \"portal:./api\"}, \"pnpm\": {\"overrides\": {\"d@^1\": \"link:./api\"}}, \"devDependencies\": {\"l\": \"link:./api\"}}
        pnpm-workspace.yaml = overrides:\\n  e: link:./api\\n  f: npm:g@2
        web/package.json = {\"name\": \"web\", \"dependencies\": {\"a\": \"^1\", \"c\": \"^1\"}}
        m/package.json = {\"name\": \"m\"}\nm/index.js\napi/s.js",
        "web/1.js n -> pkg:@s/real
        web/1.js n/x -> pkg:@s/real
        web/1.js o -> m/index.js
        web/1.js v -> pkg:v
        web/1.js a/s -> api/s.js
        web/1.js b/s -> api/s.js
        web/1.js c/s -> api/s.js
        web/1.js d/s -> api/s.js
        web/1.js e/s -> api/s.js
        web/1.js f -> pkg:g",
    );
}

#[test]
fn a_pattern_names_files() {
    let tree =
        tree("web/a.ts\nweb/x/b.ts\nweb/x/c.test.ts\nweb/x/d.vue\napi/s.ts\napi/deep/t.ts\nsrc/v/e.ts");
    let files = Files::new(tree.0.keys().cloned().collect(), &tree);
    let modules = Modules::new(&files);
    for (patterns, expected) in [
        ("./x/*.ts !./x/*.test.ts", "web/x/b.ts"),
        ("../{api,gone}/**/*.ts", "api/deep/t.ts api/s.ts"),
        ("./**/*.@(ts|vue)", "web/x/b.ts web/x/c.test.ts web/x/d.vue"),
        ("/api/*.ts", "api/s.ts"),
        ("@/v/*", "src/v/e.ts"),
        ("../../**", "builtin"),
        ("./gone/*", "builtin"),
    ] {
        let mut patterns = patterns.split(' ').map(str::to_owned);
        let import = Import {
            line: 1,
            specifier: patterns.next().unwrap(),
            names: vec!["*".to_owned()],
            kind: Kind::Dynamic,
            exported: false,
            within: std::iter::once("glob".to_owned()).chain(patterns).collect(),
        };
        let found: Vec<String> = modules.resolve("web/a.ts", &import).iter().map(told).collect();
        assert_eq!(found.join(" "), expected, "{}", import.specifier);
    }
}

#[test]
fn code_with_any_name_is_run() {
    let notes = check(
        "web/bridge.txt = require('../api/s')\\nrequire('./deep'); require('./bridge.txt'); require('gone'); require('./gone')
        web/deep = #!/usr/bin/env node\\nmodule.exports = require('../api/t.js')
        web/a.css = @import './b.css';\\na { }\nweb/b.css
        web/text.md = # Use\\nimport a from './a'\\n(
        web/broken.txt = require('../api/s'); (
        web/x.json = require('../api/s')\nweb/w.js.txt = import '../api/s.js'
        api/s.js\napi/t.js",
        "web/1.js ./bridge.txt -> web/bridge.txt api/s.js api/t.js web/deep pkg:gone
        web/1.js ./deep -> web/deep api/t.js
        web/1.js ./deep?x -> web/deep api/t.js
        web/1.js ./w.js.txt -> web/w.js.txt api/s.js
        web/1.js ./w.js.txt?raw -> web/w.js.txt
        type web/1.ts ./deep -> web/deep
        web/1.js ./a.css -> web/a.css
        web/1.js ./text.md -> web/text.md
        web/1.js ./x.json -> web/x.json
        web/1.js data:text/javascript,import'../api/s.js' -> api/s.js
        web/1.js data:text/javascript;base64,aW1wb3J0ICdkYXRhOnRleHQvamF2YXNjcmlwdCxpbXBvcnQgIi4uL2FwaS9zLmpzIic= -> api/s.js
        web/1.js data:text/javascript,export%20{} -> builtin
        web/1.js data:text/javascript,import%20( -> missing
        web/1.js data:text/css,a{} -> builtin
        web/1.js ./broken.txt -> web/broken.txt",
    );
    let notes: Vec<_> = notes.iter().map(|note| (note.path.as_str(), note.stops)).collect();
    assert_eq!(notes, [("web/broken.txt", true)]);
}

#[test]
fn a_dependency_may_be_a_link_to_any_folder() {
    check(
        "web/package.json = {\"dependencies\": {\"l\": \"link:../api\", \"f\": \"file:../api\", \"p\": \"../api\", \"w\": \"workspace:../api\", \"n\": \"file:../gone\", \"t\": \"file:./t.tgz\", \"v\": \"^1.0.0\"}}\npackage.json = {\"name\": \"root\", \"devDependencies\": {\"r\": \"link:./api\"}}\napi/store.js\napi/index.js\nweb/t.tgz",
        "web/a.js l/store -> api/store.js
        web/a.js f/store.js -> api/store.js
        web/a.js p -> api/index.js
        web/a.js w/store -> api/store.js
        web/a.js r/store -> api/store.js
        web/a.js n/x -> pkg:n
        web/a.js t -> pkg:t
        web/a.js v/x -> pkg:v",
    );
}

#[test]
fn relative_modules() {
    check(
        "a/x.ts\na/x.js\na/y.tsx\na/z/index.ts\na/w.json\na/s.css\na/m.mts\na/d.d.ts\na/v.vue\na/c.jsx\na/i.svg\na/n.native.ts\na/n.web.ts\na/q#r.ts\npkg/package.json = {\"main\": \"./lib/main\"}\npkg/lib/main.js",
        "a/1.ts ./x -> a/x.ts
        a/1.ts ./x.js -> a/x.ts
        a/1.js ./x -> a/x.js
        a/1.js ./x.js -> a/x.js
        a/1.ts ./y.js -> a/y.tsx
        a/1.ts ./y.jsx -> a/y.tsx
        a/1.ts ./z -> a/z/index.ts
        a/z/1.ts . -> a/z/index.ts
        a/z/1.ts ./ -> a/z/index.ts
        a/z/1.ts ../x -> a/x.ts
        a/1.ts ./w.json -> a/w.json
        a/1.ts ./s.css?inline -> a/s.css
        a/1.ts ./i.svg?raw -> a/i.svg
        a/1.ts !!raw-loader!./i.svg -> a/i.svg
        a/1.ts ./m.mjs -> a/m.mts
        a/1.ts ./d -> a/d.d.ts
        a/1.ts ./v -> a/v.vue
        a/1.ts ./n -> a/n.native.ts a/n.web.ts
        a/1.ts ./q#r -> a/q#r.ts
        a/1.ts ../pkg -> pkg/lib/main.js
        a/1.ts ./gone -> missing
        a/1.ts ./gone.js -> missing
        a/1.ts ../../out -> missing
        a/1.ts ../node_modules/@b/c/d.css -> pkg:@b/c",
    );
}

#[test]
fn names_from_elsewhere() {
    check(
        "a.ts\nsrc/b.ts",
        "a.ts fs -> builtin
        a.ts node:test -> builtin
        a.ts fs/promises -> builtin
        a.ts react -> pkg:react
        a.ts @scope/name/deep/x.js -> pkg:@scope/name
        a.ts lodash/fp?x -> pkg:lodash
        a.ts npm:@a/b@1.2/c -> pkg:@a/b
        a.ts https://example.org/x.js -> pkg:https:example.org
        a.ts virtual:pages -> builtin
        type a.ts node -> builtin
        a.ts #app/x -> pkg:#app
        a.ts @/b -> src/b.ts
        a.ts @/gone -> missing
        a.ts /src/b.ts -> src/b.ts",
    );
}

#[test]
fn paths_and_base_of_the_nearest_configuration() {
    check(
        "tsconfig.json = {\"compilerOptions\": {\"paths\": {\"@app/*\": [\"./gone/*\", \"./src/*\",], /* c */ \"exact\": [\"src/e\"], \"@app/x/*\": [\"src/special/*\"]}}}
        src/e.ts\nsrc/m/a.ts\nsrc/special/b.ts\nsrc/x/b.ts
        sub/tsconfig.json = {\"compilerOptions\": {\"baseUrl\": \"./code\"}}
        sub/code/util.ts\nsub/code/lib/index.ts\nsub/code/os.ts
        package.json = {\"dependencies\": {\"@app/npm\": \"1\"}}",
        "src/1.ts @app/m/a -> src/m/a.ts
        src/1.ts @app/m/a.js -> src/m/a.ts
        src/1.ts @app/x/b -> src/special/b.ts
        src/1.ts exact -> src/e.ts
        src/1.ts exact/no -> pkg:exact
        src/1.ts @app/gone -> missing
        src/1.ts @app/npm -> pkg:@app/npm
        sub/1.ts util -> builtin
        sub/1.ts lib -> sub/code/lib/index.ts
        sub/1.ts os -> builtin
        sub/1.ts @app/m/a -> pkg:@app/m",
    );
}

#[test]
fn configurations_extend_others() {
    let notes = check(
        "tsconfig.base.json = {\"compilerOptions\": {\"paths\": {\"~base/*\": [\"${configDir}/src/*\"], \"#b/*\": [\"./shared/*\"]}}}
        a/tsconfig.json = {\"extends\": \"../tsconfig.base\"}\na/src/x.ts\nshared/y.ts
        b/tsconfig.json = {\"extends\": [\"../tsconfig.base.json\", \"./other.json\"], \"compilerOptions\": {}}
        b/other.json = {\"compilerOptions\": {\"baseUrl\": \"./base\"}}\nb/base/z.ts\nb/src/w.ts
        d/tsconfig.json = {\\n\"extends\": \"../gone.json\"}\nd/1.ts
        e/tsconfig.json = {\"extends\": \"./tsconfig.json\", \"compilerOptions\": {\"baseUrl\": \".\"}}\ne/x.ts",
        "a/src/1.ts ~base/x -> a/src/x.ts
        a/src/1.ts #b/y -> shared/y.ts
        b/src/1.ts ~base/w -> b/src/w.ts
        b/src/1.ts z -> b/base/z.ts
        d/1.ts left -> pkg:left
        e/1.ts x -> e/x.ts",
    );
    let notes: Vec<String> = notes
        .iter()
        .map(|note| format!("{}:{} {} {}", note.path, note.line, note.what, note.stops))
        .collect();
    assert_eq!(notes, ["d/tsconfig.json:2 it extends `../gone.json`, which is not in this repository false"]);
}

#[test]
fn packages_of_the_tree_give_configurations() {
    check(
        "c/tsconfig.json = {\"extends\": \"@own/config/strict.json\"}\nc/q.ts
        config/package.json = {\"name\": \"@own/config\"}
        config/strict.json = {\"compilerOptions\": {\"paths\": {\"q\": [\"../c/q\"]}}}",
        "c/1.ts q -> c/q.ts",
    );
}

#[test]
fn what_cannot_be_read_stops() {
    let notes = check(
        "tsconfig.json = {\\n\"compilerOptions\": oops}\np/package.json = {\np/a.ts",
        "a.ts left -> pkg:left\np/a.ts left -> pkg:left",
    );
    let told: Vec<_> = notes.iter().map(|note| (note.path.as_str(), note.line, note.stops)).collect();
    assert_eq!(told, [("tsconfig.json", 2, true), ("p/package.json", 1, true)]);
}

#[test]
fn a_file_belongs_to_the_configuration_that_has_it() {
    check(
        "tsconfig.json = {\"files\": [], \"references\": [{\"path\": \"./tsconfig.app.json\"}, {\"path\": \"test\"}]}
        tsconfig.app.json = {\"include\": [\"src\"], \"exclude\": [\"src/**/*.spec.ts\"], \"compilerOptions\": {\"paths\": {\"x\": [\"./src/app\"]}}}
        tsconfig.spec.json = {\"include\": [\"src/**/*.spec.ts\"]}
        test/tsconfig.json = {\"include\": [\"**/*\", \"../src/*.spec.ts\"], \"compilerOptions\": {\"paths\": {\"x\": [\"./t\"]}}}
        src/app.ts\nsrc/a.spec.ts\ntest/t.ts\nother.ts",
        "src/1.ts x -> src/app.ts
        src/a.spec.ts x -> test/t.ts
        test/1.ts x -> test/t.ts
        other.ts x -> pkg:x",
    );
}

#[test]
fn folders_that_are_as_one() {
    check(
        "tsconfig.json = {\"compilerOptions\": {\"rootDirs\": [\"src\", \"generated\", \".made/types\"]}}
        src/a/x.ts\ngenerated/a/y.ts",
        "src/a/1.ts ./y -> generated/a/y.ts
        generated/a/1.ts ./x -> src/a/x.ts
        src/a/1.ts ./+types -> builtin
        other/1.ts ./y -> missing",
    );
}

#[test]
fn packages_of_a_workspace() {
    check(
        "package.json = {\"workspaces\": [\"packages/*\", \"!packages/no\"]}
        packages/a/package.json = {\"name\": \"@w/a\", \"exports\": {\".\": {\"types\": \"./dist/index.d.ts\", \"import\": \"./dist/index.mjs\"}, \"./sub/*\": \"./dist/esm/sub/*.js\", \"./internal/*\": null, \"./css\": \"./style.css\"}}
        packages/a/src/index.ts\npackages/a/src/sub/x.ts\npackages/a/style.css\npackages/a/src/deep.ts
        packages/b/package.json = {\"name\": \"b\", \"main\": \"./out/main.js\", \"imports\": {\"#in/*\": \"./lib/*.js\", \"#dep\": \"left-pad\", \"#fs\": {\"node\": \"node:fs\"}}}
        packages/b/tsconfig.json = {\"compilerOptions\": {\"outDir\": \"out\", \"rootDir\": \"code\"}}
        packages/b/code/main.ts\npackages/b/lib/y.ts
        packages/no/package.json = {\"name\": \"no\"}\npackages/no/index.ts
        packages/c/package.json = {\"name\": \"c\", \"dependencies\": {\"linked\": \"file:../no\", \"alias\": \"workspace:b@*\"}}
        packages/empty/package.json = {\"name\": \"empty\", \"main\": \"./dist/index.js\"}",
        "packages/b/1.ts @w/a -> packages/a/src/index.ts
        type packages/b/1.ts @w/a -> packages/a/src/index.ts
        packages/b/1.ts @w/a/sub/x -> packages/a/src/sub/x.ts
        packages/b/1.ts @w/a/css -> packages/a/style.css
        packages/b/1.ts @w/a/src/deep -> packages/a/src/deep.ts
        packages/b/1.ts @w/a/package.json -> packages/a/package.json
        packages/b/1.ts @w/a/gone -> missing
        packages/a/1.ts b -> packages/b/code/main.ts
        packages/a/1.ts @w/a -> packages/a/src/index.ts
        packages/b/code/1.ts #in/y -> packages/b/lib/y.ts
        packages/b/code/1.ts #in/gone -> missing
        packages/b/code/1.ts #dep -> pkg:left-pad
        packages/b/code/1.ts #fs -> builtin
        packages/b/code/1.ts #no -> missing
        packages/a/1.ts no -> pkg:no
        packages/c/1.ts linked -> packages/no/index.ts
        packages/c/1.ts alias -> packages/b/code/main.ts
        packages/c/1.ts empty -> pkg:empty",
    );
}

#[test]
fn packages_of_pnpm_and_of_no_workspace() {
    check(
        "pnpm-workspace.yaml = packages:\\n  - 'libs/**'\nlibs/x/y/package.json = {\"name\": \"y\"}\nlibs/x/y/index.js
        package.json = {}\ntools/package.json = {\"name\": \"tools\"}\ntools/index.js",
        "libs/a.ts y -> libs/x/y/index.js\nlibs/a.ts tools -> pkg:tools",
    );
    check(
        "p/package.json = {\"name\": \"p\"}\np/index.ts\ntest/q/package.json = {\"name\": \"q\"}\ntest/q/index.ts",
        "a.ts p -> p/index.ts\na.ts q -> pkg:q\ntest/q/1.ts q -> test/q/index.ts",
    );
}

#[test]
fn what_a_tool_makes_is_not_missing() {
    check(
        ".gitignore = dist/\\n/src/generated\\n*.gen.ts\\n!kept.gen.ts\\n*.js\n src/a.ts\ntsconfig.json = {\"compilerOptions\": {\"outDir\": \"made\"}}\npackage.json = {}\nsrc/.gitignore = parser.ts\nvendor/lib",
        "src/1.ts ./generated/client -> builtin
        src/1.ts ../dist/x.js -> builtin
        src/1.ts ./x.gen -> builtin
        src/1.ts ./kept.gen -> missing
        src/1.ts ./gone.js -> missing
        src/1.js ./gone.js -> builtin
        src/1.ts ./parser -> builtin
        src/1.ts ../made/a.js -> src/a.ts
        src/1.ts ../made/gone.js -> builtin
        src/1.ts ../vendor/lib/x -> missing",
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 128, ..Default::default() })]

    #[test]
    fn any_tree_and_any_name_are_answered(
        config in "[{}\\[\\]\",:/* a-c$.#@]{0,40}",
        manifest in "\\{\"name\": \"[a-c]\", \"(exports|imports|main|workspaces)\": [{}\\[\\]\",:* a-c./#]{0,30}\\}",
        ignored in "[!*/a-c\\[\\]\\\\\n.]{0,20}",
        specifier in "[a-c./#@?!:*~\\\\]{0,12}",
    ) {
        let content = BTreeMap::from([
            ("tsconfig.json".to_owned(), config),
            ("package.json".to_owned(), manifest),
            (".gitignore".to_owned(), ignored),
            ("a/b.ts".to_owned(), String::new()),
            ("a/b/index.js".to_owned(), String::new()),
        ]);
        let tree = Tree(content);
        let files = Files::new(tree.0.keys().cloned().collect(), &tree);
        let modules = Modules::new(&files);
        let import = Import {
            line: 1, specifier, names: Vec::new(), kind: Kind::Dynamic, exported: false, within: Vec::new(),
        };
        for target in modules.resolve("a/b.ts", &import) {
            if let Target::File(path) = target {
                proptest::prop_assert!(files.has(&path));
            }
        }
    }
}
