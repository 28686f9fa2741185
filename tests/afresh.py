"""
A plugin of pytest: every module of the suite is imported anew, also where one was before.

mutmut forks each mutant from a process in which the suite ran: what was made on import there,
or remembered, is not the mutant's.
"""

import atexit
import os
import sys

OURS = frozenset({"docs", "policies", "scripts", "tests"})
"""What is imported anew: not the platform, whose engine is a process beside the first one."""


def pytest_load_initial_conftests():
    """Forget what was imported, before the first test of a mutant is looked for."""
    if "__mutmut_" not in os.environ.get("MUTANT_UNDER_TEST", ""):
        return
    atexit._clear()  # noqa: SLF001 - what others started, the end of a mutant does not stop
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        if name not in {"tests", __name__}:
            del sys.modules[name]
