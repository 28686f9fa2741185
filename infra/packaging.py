"""The rotation function's source in, an archive out whose bytes never vary."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path, PurePosixPath

ROTATION = Path(__file__).parent / "rotation"
LIBRARIES = ("pymysql",)
"""Pure-Python distributions packed beside the source; requirements/ pins their bytes."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time that the format can hold: no entry tells when it was made."""


def rotation_archive() -> Path:
    """
    Pack the rotation function and its libraries; return the archive's path.

    The path carries the archive's digest, so that equal sources share one file.
    """
    entries = dict(sorted(_entries()))
    digest = hashlib.sha256()
    for name, content in entries.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    folder = Path(tempfile.gettempdir()) / f"financial-rotation-{digest.hexdigest()}"
    archive = folder / "rotation.zip"
    if not archive.exists():
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as partial:
            _write(Path(partial.name), entries)
        Path(partial.name).replace(archive)
    return archive


def _entries() -> Iterator[tuple[str, bytes]]:
    for path in ROTATION.iterdir():
        if path.suffix in {".py", ".pem"}:
            yield f"rotation/{path.name}", path.read_bytes()
    for library in LIBRARIES:
        for file in files(library) or ():
            if file.suffix == ".py":
                yield str(PurePosixPath(file)), Path(file.locate()).read_bytes()


def _write(path: Path, entries: dict[str, bytes]) -> None:
    """Store *entries* uncompressed: what a compressor makes of them varies with its version."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
