#!/usr/bin/env python3
"""Which files Cargo takes for roots of crates, and which ones we do.

    python3 tests/differential/rust_targets.py target/release/git-comm

Packages in every shape that Cargo finds targets in by itself. The roots that
`cargo metadata` names must be those in which `crate` is the file itself.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

PROBE = "\nuse crate::probe_of_the_root;\n"
EVERYWHERE = ["src/lib.rs", "src/main.rs", "src/other.rs", "src/bin/a.rs", "src/bin/b/main.rs", "src/bin/b/part.rs",
              "src/bin/main.rs", "src/bin/c/lib.rs", "tests/t.rs", "tests/u/main.rs", "tests/common/mod.rs",
              "examples/e.rs", "examples/f/main.rs", "benches/g.rs", "benches/h/main.rs", "build.rs", "tool/x.rs",
              "src/p.rs", "tests/deep/er/main.rs", ".hidden.rs", "src/bin/.h.rs"]


def package(extra="", edition="2021", head="", name="p"):
    edition = f"edition = '{edition}'\n" if edition else ""
    return f"[package]\nname = '{name}'\nversion = '0.1.0'\n{edition}{head}\n{extra}"


# Name, manifests by folder, and the folders that have all files of the list.
SHAPES = [(name, {"": manifest}, [""]) for name, manifest in [
    ("defaults", package()),
    ("first edition", package(edition="")),
    ("no automatic targets", package(head="autobins = false\nautotests = false\nautoexamples = false\nautobenches = false")),
    ("named, the others as well", package("[[bin]]\nname = 'a'\n[[test]]\nname = 'u'\n")),
    ("named, first edition", package("[[bin]]\nname = 'a'\n[[test]]\nname = 't'\n[[example]]\nname = 'f'\n", edition="2015")),
    ("named, first edition, automatic", package("[[bin]]\nname = 'a'\n", edition="2015", head="autobins = true")),
    ("paths", package("[lib]\npath = 'tool/x.rs'\n[[bin]]\nname = 'k'\npath = 'src/other.rs'\n[[bench]]\nname = 'm'\npath = 'tests/common/mod.rs'\n")),
    ("no automatic library", package(head="autolib = false")),
    ("no build script", package(head="build = false")),
    ("a build script elsewhere", package(head="build = 'tool/x.rs'")),
    ("build scripts are on", package(head="build = true")),
    ("a binary of the package's name", package("[[bin]]\nname = 'p'\n", head="autobins = false")),
    ("a binary in the first edition's place", package("[[bin]]\nname = 'other'\n", edition="2015", head="autobins = false")),
    ("old words", package("[[bin]]\nname = 'a'\n[lib]\nname = 'own'\ncrate_type = ['rlib']\n")),
    ("only binaries", package("[[bin]]\nname = 'b'\n", head="autolib = false\nautobins = false")),
    ("a name of two words", package(name="p-q")),
    ("folders that are targets", package("[[bin]]\nname = 'k'\npath = 'src/bin/b/part.rs'\n[[example]]\nname = 'e'\npath = 'examples/f/main.rs'\n")),
]] + [
    ("virtual workspace", {
        "": "[workspace]\nmembers = ['crates/*', 'deep/**/x']\nexclude = ['crates/left']\ndefault-members = ['crates/one']\nresolver = '2'\n"
            "[workspace.package]\nedition = '2018'\n",
        "crates/one": "[package]\nname = 'one'\nversion = '0.1.0'\nedition.workspace = true\n",
        "crates/two": package("[[bin]]\nname = 'a'\n", edition="", name="two"),
        "crates/left": package(name="left", head="autotests = false"),
        "deep/y/x": package(name="x", head="edition = { workspace = true }", edition=""),
    }, ["crates/one", "crates/two", "crates/left", "deep/y/x"]),
    ("packages within packages", {
        "": package("[workspace]\nmembers = ['src/bin/inner']\n"),
        "src/bin/inner": package(name="inner"),
        "tests/nested": package("[workspace]\n", name="nested"),
    }, ["", "src/bin/inner", "tests/nested"]),
]


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "CARGO_NET_OFFLINE": "true"})
    if done.returncode:
        sys.exit(f"{cwd}: {' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def cargos(folder, manifests):
    """The roots of all packages in these folders, by `cargo metadata`."""
    found = set()
    for manifest in manifests:
        metadata = run("cargo", "metadata", "--no-deps", "--offline", "--format-version=1",
                       "--manifest-path", folder / manifest / "Cargo.toml", cwd=folder)
        targets = [target for package_ in json.loads(metadata)["packages"] for target in package_["targets"]]
        found |= {str(pathlib.Path(target["src_path"]).relative_to(folder.resolve())) for target in targets}
    return found


def ours(program, folder):
    """The files in which `crate` is the file itself."""
    for source in folder.rglob("*.rs"):
        if source.is_file():
            with source.open("ab") as file:
                file.write(PROBE.encode())
    run("git", "init", "-q", cwd=folder)
    run("git", "add", "-Af", cwd=folder)
    edges = json.loads(run(program, "boundary", "graph", "--json", cwd=folder))["edges"]
    return {edge["from"] for edge in edges
            if edge["import"] == PROBE.strip().removeprefix("use ").rstrip(";") and edge.get("to") == edge["from"]}


def differences(program, folder, manifests):
    """What one of both takes for a root and the other does not."""
    theirs = {path for path in cargos(folder, manifests) if (folder / path).is_file()}
    own = ours(program, folder)
    return len(theirs), [f"only Cargo: {p}" for p in sorted(theirs - own)] + [f"only here: {p}" for p in sorted(own - theirs)]


def compare(program):
    """How many differences there are in all shapes."""
    wrong = 0
    for name, manifests, full in SHAPES:
        with tempfile.TemporaryDirectory() as work:
            folder = pathlib.Path(work).resolve()
            for place in full:
                for path in EVERYWHERE:
                    file = folder / place / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.touch()
            for place, text in manifests.items():
                (folder / place).mkdir(parents=True, exist_ok=True)
                (folder / place / "Cargo.toml").write_text(text)
            count, found = differences(program, folder, manifests)
            print(f"{name}: {count} roots, {len(found)} differences")
            for line in found:
                print(f"  {line}")
            wrong += len(found)
    return wrong


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: rust_targets.py PROGRAM")
    wrong = compare(pathlib.Path(sys.argv[1]).resolve())
    print("ok" if not wrong else f"{wrong} differences")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
