"""Checks that images keep the contract of docs/images.md, and measures them. Needs Python's standard library and docker.

Usage: python3 images/contract [NAME…] [--table docs/images.md] [--json] [--png FILE] [--at-rest]

A name is one of images/build --list (all that are built without one), or a tag of your own image. Times are limits for a
machine with nothing else to do; BERTH_CONTRACT_PATIENCE=3 stretches them. Exit code 1: a point is broken.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import at_rest
import running
import table
from engine import EngineError, Image, docker
from outcome import Outcome
from rfb import NoScreen

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(prog="images/contract", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="an image of images/build --list, or the tag of one's own")
    parser.add_argument("--table", metavar="FILE", help="put what was measured into the table in this file")
    parser.add_argument("--json", action="store_true", help="print points and measurements as JSON instead of lines")
    parser.add_argument("--png", metavar="FILE", help="save the picture of the last image's screen here")
    parser.add_argument("--at-rest", action="store_true", help="start nothing: only what an image contains and says")
    options = parser.parse_args()
    known = {line.split()[0]: line.split() for line in listed()}
    names = options.names or [name for name, words in known.items() if words[3] == "product" and words[4] == "built"]
    outcomes = [check(name, known, options) for name in names]
    measured = {outcome.image: outcome.measured for outcome in outcomes if outcome.measured}
    if options.json:
        print(json.dumps([outcome.as_json() for outcome in outcomes], indent=2))
    else:
        table.show(measured)
    if options.table:
        table.update(options.table, measured, list(known))
    broken = [outcome for outcome in outcomes if not outcome.holds()]
    for outcome in broken:
        points = ", ".join(point["point"] for point in outcome.points if not point["holds"])
        print(f"contract: {outcome.image} breaks: {points}", file=sys.stderr)
    sys.exit(1 if broken else 0)


def listed():
    return subprocess.run([ROOT / "images/build", "--list"], check=True, capture_output=True, text=True).stdout.splitlines()


def check(name, known, options):
    outcome = Outcome(name, quiet=options.json)
    try:
        image = Image(name, known[name][1] if name in known else name)
    except EngineError:
        outcome.point("exists", f"it is not on this machine; build it: images/build {name}" if name in known
                      else "neither images/build nor the engine knows it")
        return outcome
    outcome.measured["size_mb"] = round(image.size / 1e6)
    outcome.measured["adds_mb"] = adds_mb(image)
    at_rest.check(image, outcome)
    if image.protocol and not options.at_rest:
        try:
            running.check(image, outcome, options.png)
        except (NoScreen, EngineError) as error:
            outcome.point("runs", str(error))
    return outcome


def adds_mb(image):
    """What an image adds to the one it stands on; None when that is not here."""
    try:
        parent = int(docker("image", "inspect", "--format", "{{.Size}}", image.labels.get("org.opencontainers.image.base.name", "")))
    except EngineError:
        return None
    return round((image.size - parent) / 1e6)


if __name__ == "__main__":
    main()
