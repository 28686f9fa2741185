"""The pre-commit hook of this repository: synthesize where it is needed, then judge."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from policies.report import text
from scripts.exits import NOT_WRITTEN, REFUSED, ending
from scripts.files import WriteError, write_whole
from scripts.judge import REFUSALS, judge

ROOT = Path(__file__).parent.parent
OUTPUT = Path("cdktf.out")
DIGESTS = OUTPUT / ".digests.json"
SOURCES = ("infra/**/*", "cdktf.json", "requirements/gate.txt")
WAIVERS, HOUSE = Path("waivers.yaml"), Path("house.toml")


def main() -> int:
    """Return the exit code of the judgement on what is synthesized from these sources."""
    os.chdir(ROOT)
    try:
        if not is_current():
            synthesized = subprocess.run([sys.executable, "-m", "infra"], check=False)
            if synthesized.returncode:
                return REFUSED
            write_whole(DIGESTS, json.dumps(digests()))
        report = judge((OUTPUT,), WAIVERS, HOUSE, with_checkov=False)
    except REFUSALS as error:
        return _refused(error.args)
    except WriteError as error:
        sys.stderr.write(f"pci-gate: {error}\n")
        return NOT_WRITTEN
    sys.stdout.write(text.render(report))
    return _refused(report.refusals) if report.refusals else ending(report)


def _refused(reasons: Iterable[object]) -> int:
    for reason in reasons:
        sys.stderr.write(f"pci-gate: {text.printable(str(reason))}\n")
    return REFUSED


def is_current() -> bool:
    """Whether what is synthesized is what these sources gave, by digest and never by time."""
    try:
        recorded = json.loads(DIGESTS.read_text())
    except (OSError, ValueError):
        return False
    return bool(recorded == digests())


def digests() -> dict[str, str]:
    """Return the digest of the sources, and that of everything synthesized from them."""
    sources = (path for pattern in SOURCES for path in Path().glob(pattern))
    outputs = (path for path in OUTPUT.glob("**/*") if path.name != DIGESTS.name)
    return {"sources": _digest(sources), "outputs": _digest(outputs)}


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            digest.update(f"{path.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
