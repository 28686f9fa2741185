"""
Any bytes are a document or a refusal: ``tox run -e fuzz``.

atheris follows the branches of the reader and of the policies. What ends it is an exception
that is no refusal; a verdict of ERROR is one of ours, and counts as found.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["policies"]):
    from policies import POLICIES
    from policies.engine.document import DocumentError
    from policies.engine.evaluate import evaluate
    from policies.engine.read import read

NAMES = ("cdk.tf.json", "plan.json", "state.json")
FAULTS = Path(__file__).parent / "faults"


def one(data):
    """Read and judge *data* under each name that it may have."""
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            path = Path(folder, name)
            path.write_bytes(data)
            with contextlib.suppress(DocumentError):
                for reading in read([path]):
                    list(evaluate(POLICIES, reading.graph))
            path.unlink()


def main():
    """Start from the hostile inputs of the repository."""
    corpus = tempfile.mkdtemp(prefix="pci-gate-corpus-")
    for number, path in enumerate(sorted(FAULTS.rglob("*.json"))):
        if path.is_file() and path.stat().st_size < 1 << 16:
            Path(corpus, str(number)).write_bytes(path.read_bytes())
    atheris.Setup([*sys.argv, corpus], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
