"""
The gate on large documents, against json.loads of the same bytes: part of ``tox run -e bench``.

The documents are the real stack of dev, many times over. Each size is measured in a
process of its own: how long strict reading and the whole suite take, and how much memory
at most, beside json.loads alone. Prints the ratios, and how they grow; fails where ten
times the resources take more than eleven times as long, as a quadratic join would.
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
MOST_GROWTH = 11
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


def synthesized(folder):
    """Return the stack of dev, synthesized into *folder*."""
    output = Path(folder) / "cdktf.out"
    subprocess.run(
        [sys.executable, "-m", "infra"],
        cwd=ROOT,
        env={"CDKTF_OUTDIR": str(output), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        check=True,
    )
    return json.loads((output / "stacks" / "financial-dev" / "cdk.tf.json").read_text())


def timed(function, *arguments):
    """Return what *function* returns, and how many seconds it took."""
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def judged(graph):
    """Return every finding of the whole suite on *graph*."""
    return list(evaluate(POLICIES, graph))


def peak():
    """Return the most memory that this process has held, in MiB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def load(path):
    """Return how long json.loads takes, and how much memory what it returns does."""
    text, before = path.read_text(), peak()
    content, seconds = timed(json.loads, text)
    return {"seconds": seconds, "memory": peak() - before, "holds": len(content)}


def judge(path):
    """Return how long the gate reads and judges, what it finds, and how much memory it takes."""
    before = peak()
    with no_collection():
        [reading], reading_took = timed(read, [path])
        graph = replace(reading.graph, today=datetime.now(UTC).date())
        findings, judging = timed(judged, graph)
    return {
        "read": reading_took,
        "judge": judging,
        "findings": len(findings),
        "memory": peak() - before,
    }


def measured(what, path):
    """Return what *what* says of *path*, in a process of its own."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.bench_gate", what.__name__, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def main():
    """Measure, compare, say so."""
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        stack = synthesized(folder)
        for size in SIZES:
            path = Path(folder) / str(size) / "cdk.tf.json"
            path.parent.mkdir()
            path.write_text(json.dumps(multiplied(stack, size)))
            loaded, gate = measured(load, path), measured(judge, path)
            took[size] = gate["read"] + gate["judge"]
            sys.stdout.write(
                f"{size:>7,} resources: json.loads {loaded['seconds']:.2f} s, "
                f"read {gate['read']:.2f} s, {len(POLICIES)} policies {gate['judge']:.2f} s "
                f"({gate['findings']:,} findings), ratio {took[size] / loaded['seconds']:.1f}; "
                f"memory {gate['memory']:.0f} MiB, ratio {gate['memory'] / loaded['memory']:.1f}\n"
            )
    growth = took[SIZES[-1]] / took[SIZES[-2]]
    sys.stdout.write(f"ten times the resources take {growth:.1f} times as long\n")
    return 0 if growth <= MOST_GROWTH else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        step = {"load": load, "judge": judge}[sys.argv[1]]
        sys.stdout.write(json.dumps(step(Path(sys.argv[2]))))
        sys.exit(0)
    sys.exit(main())
