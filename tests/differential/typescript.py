#!/usr/bin/env python3
"""Compares the edges of TypeScript and JavaScript with dependency-cruiser's.

Takes real packages from npm, makes git repositories of them, and asks both
tools which file imports which. Every difference must stand in accepted.json
with its cause. What is downloaded is pinned by version and hash.

    tests/differential/typescript.py [PROGRAM] [REPOSITORY...]

GIT_COMM_BIN names the program where no argument does (else
target/debug/git-comm), GIT_COMM_PEERS a folder that keeps downloads between
runs. Further arguments choose repositories.
`--prepare FOLDER` only makes a repository of all single packages there and
prints, as JSON, the peer's command; the benches use it.
"""

import base64
import fnmatch
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent / "typescript"
ROOT = HERE.parent.parent.parent
BINARY = os.environ.get("GIT_COMM_BIN") or str(ROOT / "target/debug/git-comm")
SAMPLES = json.loads((HERE / "samples.json").read_text())
ACCEPTED = json.loads((HERE / "accepted.json").read_text())
SOURCES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
CONDITIONS = ["@tanstack/custom-condition", "import", "module", "node", "default"]


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def npm(*command, cwd):
    return run("npm", *command, "--silent", "--no-audit", "--no-fund", "--ignore-scripts", cwd=cwd)


def install(cache):
    """The peer, by its lock file."""
    peer = cache / "typescript-peer"
    lock = (HERE / "package-lock.json").read_bytes()
    if not (peer / "installed").exists() or (peer / "installed").read_bytes() != lock:
        shutil.rmtree(peer, ignore_errors=True)
        peer.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, peer / name)
        npm("ci", cwd=peer)
        (peer / "installed").write_bytes(lock)
    return peer / "node_modules"


def download(cache, sample):
    """The archive of a package, if its hash is the pinned one."""
    name, version = sample.rsplit("@", 1)
    archive = cache / (name.lstrip("@").replace("/", "-") + f"-{version}.tgz")
    if not archive.exists():
        npm("pack", sample, cwd=cache)
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != SAMPLES[sample]:
        sys.exit(f"{archive} has another hash than {SAMPLES[sample]}")
    return archive


def unpack(archive, folder, keep):
    """The files of a package whose path below it begins with one of `keep`."""
    with tarfile.open(archive) as files:
        for member in files.getmembers():
            path = member.name.split("/", 1)[1] if "/" in member.name else member.name
            if member.isfile() and (not keep or path.startswith(keep)):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files.extractfile(member).read())


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def single(folder, cache, sample, keep=()):
    """A repository of one package."""
    unpack(download(cache, sample), folder, keep)


def members(folder, cache, scope, others=()):
    """The packages of one scope as a workspace; only what is no build."""
    found = {}
    for sample in SAMPLES:
        if sample.startswith(scope) or sample.rsplit("@", 1)[0] in others:
            name = sample.rsplit("@", 1)[0]
            place = f"packages/{name.split('/')[-1]}"
            unpack(download(cache, sample), folder / place, ("src/", "package.json"))
            found[name] = place
    return found


def effect(folder, cache):
    """A workspace whose packages find each other by `paths`, each with a
    solution of its own."""
    paths = {}
    for name, place in members(folder, cache, "@effect/", ("effect",)).items():
        paths[name] = [f"./{place}/src/index"]
        paths[f"{name}/*"] = [f"./{place}/src/*"]
        write(folder / place / "tsconfig.json", {"files": [], "references": [{"path": "tsconfig.src.json"}]})
        write(
            folder / place / "tsconfig.src.json",
            {
                "extends": "../../tsconfig.base.json",
                "include": ["src"],
                "compilerOptions": {"outDir": "build/src", "rootDir": "src"},
            },
        )
    write(folder / "package.json", {"name": "monorepo", "private": True, "workspaces": ["packages/*"]})
    options = {"baseUrl": ".", "moduleResolution": "NodeNext", "module": "NodeNext", "paths": paths}
    write(folder / "tsconfig.base.json", {"compilerOptions": options})


def tanstack(folder, cache):
    """A pnpm workspace whose packages find each other by a condition of
    `exports`, as links in node_modules make them for the peer."""
    for name, place in members(folder, cache, "@tanstack/").items():
        write(folder / place / "tsconfig.json", {"extends": "../../tsconfig.json", "include": ["src"]})
        link = folder / "node_modules" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder / place)
    write(folder / "package.json", {"name": "monorepo", "private": True})
    (folder / "pnpm-workspace.yaml").write_text("packages:\n  - 'packages/*'\n")
    options = {"moduleResolution": "bundler", "customConditions": ["@tanstack/custom-condition"], "jsx": "react"}
    write(folder / "tsconfig.json", {"compilerOptions": options})


REPOSITORIES = {
    "rxjs": (lambda folder, cache: single(folder, cache, "rxjs@7.8.2"), "tsconfig.json"),
    "zod": (lambda folder, cache: single(folder, cache, "zod@4.1.0"), None),
    "effect": (lambda folder, cache: single(folder, cache, "effect@3.22.4", ("src/", "package.json")), None),
    "effect workspace": (effect, "tsconfig.base.json"),
    "tanstack workspace": (tanstack, "tsconfig.json"),
}


def stage(folder):
    run("git", "init", "-q", cwd=folder)
    (folder / ".git/info/exclude").write_text("node_modules\n")
    run("git", "add", "-A", cwd=folder)


def ours(folder):
    """(from, to) of every import of a file, and what is missing."""
    edges = json.loads(run(BINARY, "boundary", "graph", "--json", cwd=folder))["edges"]
    found = {(edge["from"], edge["to"]) for edge in edges if edge["target"] == "file"}
    missing = {(edge["from"], edge["import"]) for edge in edges if edge["target"] == "missing"}
    return found, missing


def cruise(folder, modules, config):
    """The peer's command for all sources of a repository."""
    options = {
        "tsPreCompilationDeps": True,
        "doNotFollow": {"path": "node_modules"},
        "moduleSystems": ["cjs", "es6", "tsd"],
        "enhancedResolveOptions": {"exportsFields": ["exports"], "conditionNames": CONDITIONS},
    }
    if config:
        options["tsConfig"] = {"fileName": config}
    (folder / ".git/cruise.json").write_text(json.dumps({"options": options}))
    tops = [top for top in folder.iterdir() if top.name not in (".git", "node_modules")]
    tops = sorted(top.name for top in tops if top.is_dir() or top.suffix in SOURCES)
    program = modules / "dependency-cruiser/bin/dependency-cruise.mjs"
    return ["node", str(program), "--config", ".git/cruise.json", "--output-type", "json", *tops]


def theirs(folder, modules, config):
    """(from, to) of every import of a file, and what it did not resolve."""
    report = json.loads(run(*cruise(folder, modules, config), cwd=folder))
    found, missing = set(), set()
    for module in report["modules"]:
        for dependency in module["dependencies"]:
            edge = (module["source"], dependency["resolved"])
            if dependency["couldNotResolve"]:
                missing.add((module["source"], dependency["module"]))
            elif not dependency["coreModule"] and "node_modules" not in edge[0] + edge[1]:
                found.add(edge)
    return found, missing


def compare(name, own, peer, own_missing, peer_missing):
    """Prints the counts; every difference that nobody accepted."""
    unlisted, accepted = [], 0
    for kind, edges in (("only ours", own - peer), ("only theirs", peer - own)):
        for edge in sorted(edges):
            rules = [r for r in ACCEPTED if r["repository"] == name and r["side"] == kind]
            if any(fnmatch.fnmatchcase(edge[0], r["from"]) and fnmatch.fnmatchcase(edge[1], r["to"]) for r in rules):
                accepted += 1
            else:
                unlisted.append(f"{kind}: {edge[0]} -> {edge[1]}")
    for edge in sorted(own_missing - peer_missing):
        unlisted.append(f"only ours says missing: {edge[0]} imports {edge[1]}")
    equal = len(own & peer)
    print(f"{name}: {equal} edges equal, {accepted} differences accepted, {len(unlisted)} not")
    for line in unlisted[:40]:
        print(f"  {line}")
    return len(unlisted) + (equal == 0)


def prepare(folder):
    """One repository of all single packages, and the peer's command."""
    cache = pathlib.Path(os.environ.get("GIT_COMM_PEERS") or folder) / "npm"
    cache.mkdir(parents=True, exist_ok=True)
    repository = folder / "repository"
    for sample in ("rxjs@7.8.2", "zod@4.1.0", "effect@3.22.4"):
        name = sample.rsplit("@", 1)[0]
        single(repository / name, cache, sample, ("src/", "package.json"))
    stage(repository)
    print(json.dumps(cruise(repository, install(cache), None)))


def main():
    os.environ["LC_ALL"] = "C"
    if sys.argv[1:2] == ["--prepare"]:
        prepare(pathlib.Path(sys.argv[2]).resolve())
        return 0
    wanted = sys.argv[1:]
    if wanted and pathlib.Path(wanted[0]).is_file():
        globals()["BINARY"] = str(pathlib.Path(wanted.pop(0)).resolve())
    wanted = wanted or list(REPOSITORIES)
    with tempfile.TemporaryDirectory() as work:
        cache = pathlib.Path(os.environ.get("GIT_COMM_PEERS") or work) / "npm"
        cache.mkdir(parents=True, exist_ok=True)
        modules = install(cache)
        wrong = 0
        for name in wanted:
            make, config = REPOSITORIES[name]
            folder = pathlib.Path(work) / name.replace(" ", "-")
            folder.mkdir()
            make(folder, cache)
            stage(folder)
            (own, own_missing), (peer, peer_missing) = ours(folder), theirs(folder, modules, config)
            wrong += compare(name, own, peer, own_missing, peer_missing)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
