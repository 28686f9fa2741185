"""
The gate on large documents, against json.loads of the same bytes: ``tox run -e bench``.

The documents are the real stack of dev, many times over. Prints how long strict reading
and the whole suite take, their ratio to json.loads, and how that grows; fails where ten
times the resources take more than twenty times as long, as a quadratic join would.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from policies import POLICIES
from policies.engine.evaluate import evaluate
from policies.engine.read import read
from scripts.judge import no_collection
from tests.bench import ROOT

SIZES = (1_000, 10_000, 100_000)
MOST_GROWTH = 20
REFERENCE = re.compile(r"\$\{(aws_\w+)\.([\w-]+)\.")


def multiplied(stack, size):
    """Return *stack* as often as it takes to hold *size* resources, each copy by itself."""
    written = [
        (type, name, json.dumps(body))
        for type, named in stack["resource"].items()
        for name, body in named.items()
    ]
    resources = {}
    for number in range(size):
        copy, place = divmod(number, len(written))
        type, name, body = written[place]
        body = REFERENCE.sub(rf"${{\1.\2_{copy}.", body)
        resources.setdefault(type, {})[f"{name}_{copy}"] = json.loads(body)
    return {**stack, "resource": resources}


def timed(function, *arguments):
    """Return what *function* returns, and how many seconds it took."""
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def judged(graph):
    """Return every finding of the whole suite on *graph*."""
    return list(evaluate(POLICIES, graph))


def main():
    """Measure, compare, say so."""
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "cdktf.out"
        subprocess.run(
            [sys.executable, "-m", "infra"],
            cwd=ROOT,
            env={"CDKTF_OUTDIR": str(output), "PATH": "/usr/bin:/bin", "HOME": folder},
            check=True,
        )
        stack = json.loads((output / "stacks" / "financial-dev" / "cdk.tf.json").read_text())
        for size in SIZES:
            path = Path(folder) / str(size) / "cdk.tf.json"
            path.parent.mkdir()
            path.write_text(json.dumps(multiplied(stack, size)))
            _, loading = timed(json.loads, path.read_text())
            with no_collection():
                [reading], strictly = timed(read, [path])
                graph = replace(reading.graph, today=datetime.now(UTC).date())
                findings, judging = timed(judged, graph)
            took[size] = strictly + judging
            sys.stdout.write(
                f"{size:>7,} resources: json.loads {loading:.2f} s, read {strictly:.2f} s, "
                f"{len(POLICIES)} policies {judging:.2f} s ({len(findings):,} findings), "
                f"ratio {took[size] / loading:.1f}\n"
            )
    growth = took[SIZES[-1]] / took[SIZES[-2]]
    sys.stdout.write(f"ten times the resources take {growth:.1f} times as long\n")
    return 0 if growth <= MOST_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
