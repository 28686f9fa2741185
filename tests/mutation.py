"""
Whether the tests notice when the suite is wrong: ``tox run -e mutation``.

Every mutant of what reaches a verdict, waives and ends a run; of the rest of policies/ a sample,
the same in each run, or with ``--all`` every one, which takes hours. The score has to be 90 %,
and whatever survives of the first has to be of a function in tests/survivors.txt, with a reason.

A run that was cut off goes on where it was; without the folder mutants/ it begins again.

What runs when the suite is imported, and never again, is left out: mutmut takes it for a part
of the test that came first, and runs no other.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
MUTANTS = ROOT / "mutants"
CORE = (
    "policies.engine.evaluate",
    "policies.engine.lifecycle",
    "policies.engine.waive",
    "scripts.exits",
)
SURVIVORS = ROOT / "tests" / "survivors.txt"
SAMPLE = 300
LEAST = 0.9
SURVIVED = {0, 33, 34}
"""How mutmut ends for a mutant that passes every test, or that no test reaches."""


def run(names):
    """Have mutmut try the mutants *names*, if there are any; it says itself what it does."""
    if names:
        command = [sys.executable, "-m", "mutmut", "run", *names]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)


def ended():
    """Return how each mutant ended, by name; None where it was not tried."""
    codes = {}
    for meta in MUTANTS.rglob("*.meta"):
        codes |= json.loads(meta.read_text())["exit_code_by_key"]
    return codes


def on_import():
    """Return the names of functions that the first test alone reached: it imported them."""
    stats = json.loads((MUTANTS / "mutmut-stats.json").read_text())
    first = next(iter(stats["duration_by_test"]))
    reached = stats["tests_by_mangled_function_name"]
    return {function for function, tests in reached.items() if set(tests) == {first}}


def of_the_core(name):
    return name.startswith(tuple(f"{module}." for module in CORE))


def score(codes):
    """Return which mutants were not noticed, and the share of those that were."""
    survivors = sorted(name for name, code in codes.items() if code in SURVIVED)
    return survivors, 1 - len(survivors) / max(len(codes), 1)


def main(arguments):
    """Try, count, say which survive."""
    codes = ended()
    untried = [name for name, code in codes.items() if of_the_core(name) and code is None]
    run(untried if codes else [f"{module}.*" for module in CORE])
    imported = on_import()
    others = sorted(
        name
        for name in ended()
        if not of_the_core(name) and name.partition("__mutmut_")[0] not in imported
    )
    chosen = (
        others if "--all" in arguments else sorted(random.Random(0).sample(others, SAMPLE))  # noqa: S311
    )
    codes = ended()
    run([name for name in chosen if codes[name] is None])
    codes = ended()
    survivors, core = score({name: code for name, code in codes.items() if of_the_core(name)})
    escaped, rest = score({name: codes[name] for name in chosen})
    excused = {line.partition("  ")[0] for line in SURVIVORS.read_text().splitlines()}
    unexcused = [name for name in survivors if name.partition("__mutmut_")[0] not in excused]
    for name in (*unexcused, *escaped):
        sys.stdout.write(f"survives  {name}\n")
    sys.stdout.write(
        f"verdicts and waivers: {core:.1%} noticed, {len(survivors)} survive, "
        f"{len(unexcused)} of them without a reason\n"
        f"the rest of policies/: {rest:.1%} of {len(chosen):,} mutants noticed, "
        f"of {len(others):,} in all\n"
    )
    return 0 if rest >= LEAST and not unexcused else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
