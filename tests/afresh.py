"""
A plugin of pytest: every module of the suite is imported anew, also where one was before.

mutmut forks each mutant from a process in which the suite ran: what was made on import there,
or remembered, is not the mutant's. Nor are the threads that a page was set with, for which a
fork would wait without end: every page is set in a process of its own.
"""

import atexit
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import typst

OURS = frozenset({"docs", "policies", "scripts", "tests"})
"""What is imported anew: not the platform, whose engine is a process beside the first one."""

compile_with_warnings = typst.compile_with_warnings


def pytest_load_initial_conftests():
    """Forget what was imported, before the first test of a mutant is looked for."""
    typst.compile_with_warnings = _set_elsewhere
    if "__mutmut_" not in os.environ.get("MUTANT_UNDER_TEST", ""):
        return
    atexit._clear()  # noqa: SLF001 - what others started, the end of a mutant does not stop
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        if name not in {"tests", __name__}:
            del sys.modules[name]


def _set_elsewhere(*arguments, **options):
    with ProcessPoolExecutor(1, get_context("fork")) as process:
        return process.submit(_set, *arguments, **options).result()


def _set(*arguments, **options):
    made, warnings = compile_with_warnings(*arguments, **options)
    return made, [str(warning) for warning in warnings]
