#!/usr/bin/env python3
"""Compares the edges of Python packages with those of grimp.

    tests/differential/python.py PROGRAM

Installs grimp and the packages from PyPI, pinned by hash, into the folder
that GIT_COMM_PEERS names, or else into one that is deleted afterwards. Every
difference must be explained by python-differences.txt, which says why, and
every line there must still be needed. `--write` writes that file anew, with
the causes that can be computed. `--install` only installs, and prints where
grimp's Python and the packages are.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIFFERENCES = HERE / "python-differences.txt"
PACKAGES = HERE / "python-packages.txt"

GRIMP = """
import json, sys
sys.path.insert(0, sys.argv[1])
import grimp
edges = {}
for package in sys.argv[2:]:
    graph = grimp.build_graph(package, cache_dir=None)
    edges[package] = sorted(
        [module, other] for module in graph.modules for other in graph.find_modules_directly_imported_by(module)
    )
json.dump(edges, sys.stdout)
"""


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


def install(peers):
    """grimp into an environment of its own, the packages beside it."""
    python, site = peers / "venv/bin/python", peers / "site"
    if not (peers / "complete").exists():
        run(sys.executable, "-m", "venv", peers / "venv")
        pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        run(*pip, "-r", HERE / "python-peer.txt")
        run(*pip, "--no-compile", "--target", site, "-r", PACKAGES)
        (peers / "complete").touch()
    return python, site


def peers_in(folder):
    peers = Path(folder).resolve() / "python"
    peers.mkdir(parents=True, exist_ok=True)
    return peers


def names():
    lines = PACKAGES.read_text().splitlines()
    return [line.split("==")[0] for line in lines if line and not line.startswith("#")]


def module_of(path):
    name = path.rsplit(".", 1)[0].replace("/", ".")
    return name.removesuffix(".__init__")


def our_edges(program, site, package, folder):
    """Edges between modules, each with the imports that make it."""
    repo = folder / package
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    run("git", "init", "--quiet", repo, env=environment)
    run("cp", "-R", f"{site / package}", repo)
    run("git", "-C", repo, "add", "--force", ".", env=environment)
    graph = json.loads(run(program, "-C", repo, "boundary", "graph", "--json", env=environment))
    edges, missing = {}, []
    for edge in graph["edges"]:
        # Packages ship scripts for browsers too.
        if not edge["from"].endswith((".py", ".pyi")):
            continue
        if edge["target"] == "file":
            edges.setdefault((module_of(edge["from"]), module_of(edge["to"])), []).append(edge)
        elif edge["target"] == "missing":
            missing.append(f"{edge['from']}:{edge['line']} {edge['import']}")
    return edges, missing


def is_walked(site, path):
    """Whether grimp looks at a file: one in packages all the way down."""
    folders = Path(path).parents
    return path.endswith(".py") and all((site / folder / "__init__.py").exists() for folder in list(folders)[:-1])


def cause(edges, site):
    """Why grimp does not have an edge."""
    if all(edge["kind"] in ("dynamic", "mock") for edge in edges):
        return "call: grimp reads statements only"
    if all(not is_walked(site, edge["from"]) or not is_walked(site, edge["to"]) for edge in edges):
        return "folder: grimp passes over folders without __init__.py"
    return "unexplained"


def compare(program, peers, scratch):
    python, site = install(peers)
    packages = names()
    theirs = json.loads(run(python, "-c", GRIMP, site, *packages))
    found, total = {}, 0
    for package in packages:
        ours, missing = our_edges(program, site, package, scratch)
        known = {tuple(edge) for edge in theirs[package]}
        total += len(known)
        print(f"{package}: {len(known)} edges of grimp, {len(ours)} of ours, {len(missing)} imports lead nowhere")
        for edge in known - ours.keys():
            found[f"- {edge[0]} -> {edge[1]}"] = "unexplained"
        for edge in ours.keys() - known:
            found[f"+ {edge[0]} -> {edge[1]}"] = cause(ours[edge], site)
        for line in missing:
            found[f"? {line}"] = "unexplained"
    return found, total


def main():
    write = "--write" in sys.argv
    if "--install" in sys.argv:
        print(*install(peers_in(os.environ["GIT_COMM_PEERS"])), sep="\n")
        return
    program = Path(next(argument for argument in sys.argv[1:] if not argument.startswith("-"))).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        peers = peers_in(os.environ.get("GIT_COMM_PEERS") or scratch)
        repos = Path(scratch) / "repos"
        repos.mkdir()
        found, total = compare(program, peers, repos)
    if write:
        head = "# What differs from grimp, and why: `+` only we have, `-` only grimp has,\n# `?` leads nowhere.\n"
        lines = sorted(f"{line}  # {why}\n" for line, why in found.items())
        DIFFERENCES.write_text(head + "".join(lines))
    text = DIFFERENCES.read_text().splitlines()
    listed = dict(line.split("  # ") for line in text if line and not line.startswith("#"))
    unlisted = sorted(found.keys() - listed.keys())
    unneeded = sorted(listed.keys() - found.keys())
    unexplained = sorted(line for line, why in listed.items() if why == "unexplained")
    for title, lines in [("not listed", unlisted), ("no longer there", unneeded), ("without a cause", unexplained)]:
        for line in lines:
            print(f"{title}: {line}")
    print(f"{total} edges compared, {len(found)} differences, {len(unlisted)} of them not listed")
    sys.exit(1 if unlisted or unneeded or unexplained or total == 0 else 0)


if __name__ == "__main__":
    main()
