#!/usr/bin/env python3
"""Compares the modules of Rust packages with what Cargo and rustc say.

    tests/differential/rust.py PROGRAM

`cargo metadata` names the targets of each package, and rustc writes down
which files it read for each library (dep-info). Both must agree with the
parts that `git comm boundary graph` finds: every file that rustc read is
reached, every other file is one that a condition leaves out, and nothing is
missing. The condition stands in rust/accepted.txt, and is looked up where the
module is declared. The roots of all crates are those of `cargo metadata`.

The packages come from crates.io, pinned by rust/Cargo.lock, into the folder
that GIT_COMM_PEERS names, or else into one that is deleted afterwards.
"""

import json
import os
import pathlib
import posixpath
import shutil
import subprocess
import sys
import tempfile

import rust_targets

HERE = pathlib.Path(__file__).resolve().parent


def takes_in(edge):
    """Whether it is a `mod`, or names a file, which stands in quotes."""
    return edge["kind"] == "part" or edge["import"].startswith('"')


def run(*command, cwd, **options):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}")
    return done.stdout


def build(work):
    """Fetches all packages and lets rustc read them."""
    for name in ["Cargo.toml", "Cargo.lock"]:
        shutil.copy(HERE / "rust" / name, work / name)
    (work / "lib.rs").touch()
    environment = {**os.environ, "CARGO_TARGET_DIR": str(work / "target")}
    run("cargo", "check", "--locked", "--quiet", cwd=work, env=environment)
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version=1", cwd=work))
    own = next(package for package in metadata["packages"] if package["name"] == "peers")
    wanted = {(dependency["name"], dependency["req"].lstrip("=")) for dependency in own["dependencies"]}
    return [package for package in metadata["packages"] if (package["name"], package["version"]) in wanted]


def read_by_rustc(work, sources, root):
    """The files of dep-info that belong to this library."""
    inside = f"{sources}/"
    for info in (work / "target/debug/deps").glob("*.d"):
        for line in info.read_text().splitlines():
            files = [part for part in line.partition(":")[2].split() if inside in part]
            files = {posixpath.normpath(part.partition(inside)[2]) for part in files}
            if root in files:
                return files
    sys.exit(f"{sources}: rustc read nothing of it")


def edges_of(program, work, sources):
    """What `git comm` says of the package as a repository of its own."""
    folder = work / "repositories" / sources.name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sources, folder)
    run("git", "init", "-q", cwd=folder)
    run("git", "add", "-Af", cwd=folder)
    return folder, json.loads(run(program, "boundary", "graph", "--json", cwd=folder))["edges"]


def condition(lines, line):
    """What the module that is declared in this line depends on: attributes and
    macros in front of it and of all that it stands in, as rustfmt lays it out."""
    found, at, indent, is_else = [], line - 1, None, False
    while at >= 0:
        text = lines[at]
        own = len(text) - len(text.lstrip())
        is_around = text.rstrip().endswith("{") and (indent is None or own < indent)
        # What `else` leaves over depends on what was asked before.
        is_branch = is_else and own == indent and text.rstrip().endswith("{")
        if indent is None or is_around or is_branch:
            block, above = [text.strip()], at - 1
            while above >= 0 and lines[above].strip() and not lines[above].rstrip().endswith((";", "}", "{")):
                block.insert(0, lines[above].strip())
                above -= 1
            found += [part for part in block if not part.startswith("//")]
            indent, is_else = own, text.strip() == "} else {" or is_branch and block[0].startswith("} else")
            at = above + 1
        at -= 1
    return " ".join(found + [text for text in lines if text.startswith("#![cfg(")])


def accepted():
    for line in (HERE / "rust/accepted.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            package, pattern, cause = line.split(None, 2)
            yield package, pattern, cause


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: rust.py PROGRAM")
    program = pathlib.Path(sys.argv[1]).resolve()
    kept = os.environ.get("GIT_COMM_PEERS")
    work = pathlib.Path(kept, "rust") if kept else pathlib.Path(tempfile.mkdtemp())
    # Repositories lie beside this workspace and not in it.
    peers = work / "peers"
    peers.mkdir(parents=True, exist_ok=True)
    known, used, wrong = list(accepted()), set(), 0
    for found in build(peers):
        name, sources = found["name"], pathlib.Path(found["manifest_path"]).parent
        package = sources.name
        folder, edges = edges_of(program, work, sources)
        metadata = json.loads(run("cargo", "metadata", "--no-deps", "--offline", "--format-version=1", cwd=folder,
                                  env={**os.environ, "CARGO_NET_OFFLINE": "true"}))
        targets = [target for package_ in metadata["packages"] for target in package_["targets"]]
        paths = {str(pathlib.Path(t["src_path"]).relative_to(folder.resolve())): t["kind"] for t in targets}
        library = next(path for path, kind in paths.items() if "lib" in kind or "proc-macro" in kind)
        parts = {}
        for edge in edges:
            if takes_in(edge) and edge["target"] == "file":
                parts.setdefault(edge["from"], set()).add(edge["to"])
        ours, queue = set(), [library]
        while queue:
            at = queue.pop()
            if at not in ours:
                ours.add(at)
                queue.extend(parts.get(at, ()))
        theirs = read_by_rustc(peers, sources, library)
        differences = [("only-rustc", path) for path in sorted(theirs - ours)]
        # Where they are declared, in files that rustc read.
        declared = {path: [(e["from"], e["line"]) for e in edges
                           if takes_in(e) and e.get("to") == path and e["from"] in theirs]
                    for path in ours - theirs}
        differences += [("only-here", path) for path in sorted(declared) if declared[path]]
        below = sum(1 for path in declared if not declared[path])
        differences += [("missing", f"{e['from']}:{e['import']}") for e in edges if e["target"] == "missing"]
        listed = 0
        for kind, path in differences:
            causes = [k for k in known if k[:2] == (name, f"{kind}:{path}")]
            around = [condition((folder / file).read_text().splitlines(), line)
                      for file, line in declared.get(path, ())] if kind == "only-here" else []
            if causes and all(any(cause[2] in text for cause in causes) for text in around):
                used.update(cause for cause in causes if not around or any(cause[2] in text for text in around))
                listed += 1
            else:
                wrong += 1
                print(f"{package}: {kind}:{path}", *around, sep="\n    ")
        roots, others = rust_targets.differences(program, folder, [""])
        wrong += len(others)
        print(*others, sep="\n", end="\n" if others else "")
        print(f"{package}: {len(theirs)} files read by rustc, {len(ours)} reached, {listed} accepted, "
              f"{below} below these, {roots} roots, {len(edges)} edges")
    for entry in known:
        if entry not in used:
            wrong += 1
            print(f"accepted, but no difference: {' '.join(entry)}")
    if not kept:
        shutil.rmtree(work, ignore_errors=True)
    wrong += rust_targets.compare(program)
    print("ok" if not wrong else f"{wrong} not accepted")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
