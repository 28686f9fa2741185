"""A report is whole or not there, whatever happens, and the same wherever it is made."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.files import WriteError, write_whole
from tests.conftest import ROOT

COMMAND = [sys.executable, "-m", "scripts", "check"]
FAULTS = ROOT / "tests" / "faults"


def start(*arguments, cwd=ROOT, environment=(), **options):
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **dict(environment)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(*arguments, **options):
    process = start(*arguments, **options)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.fixture
def stack(synthesized):
    return synthesized / "stacks" / "financial-dev" / "cdk.tf.json"


def without_time(path):
    return re.sub(r'"generated_at": "[^"]*"', "", path.read_text())


def test_a_run_that_is_killed_leaves_a_whole_report_or_none(stack, tmp_path):
    output, ended = tmp_path / "results.json", set()
    began = time.monotonic()
    assert 0 == run(stack, "--output", output)[0]
    took = time.monotonic() - began
    for step in range(16):
        output.write_text("an old pass")
        process = start(stack, "--output", output)
        if step < 8:
            time.sleep(took * (step + 1) / 8)
        else:
            while _text(output) == "an old pass" and process.poll() is None:
                time.sleep(0.001)
        process.kill()
        process.communicate()
        text = _text(output)
        ended.add("old" if text == "an old pass" else type(json.loads(text)).__name__)

    assert {"NoneType"} <= ended <= {"old", "NoneType", "dict"}


def _text(path):
    try:
        return path.read_text()
    except FileNotFoundError:
        return "null"


def test_a_report_that_is_being_written_is_seen_by_nobody(tmp_path):
    """Killed at any moment, writing leaves what was there, or all of what is new."""
    path, texts = tmp_path / "report", ["a" * 5_000_000, "b" * 5_000_000]
    program = (
        "import sys; from pathlib import Path; from scripts.files import write_whole\n"
        "for turn in range(1_000_000):\n"
        "    write_whole(Path(sys.argv[1]), 'ab'[turn % 2] * 5_000_000)"
    )
    for step in range(8):
        process = subprocess.Popen([sys.executable, "-c", program, path], cwd=ROOT)
        while not path.exists():
            time.sleep(0.01)
        time.sleep(0.05 + step / 100)
        process.kill()
        process.wait()

        assert path.read_text() in texts


def test_a_full_disk_leaves_no_half_of_a_report(stack, tmp_path):
    """What a process may write is limited as a full disk would limit it."""

    def little_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    output = tmp_path / "build" / "results.json"
    code, errors = run(stack, "--output", output, preexec_fn=little_room)

    assert (3, f"pci-gate: {output}: File too large\n") == (code, errors)
    assert [] == list(output.parent.iterdir())


def test_standard_output_that_is_full_is_no_pass(stack):
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [*COMMAND, stack], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert 3 == process.returncode
    assert "pci-gate: standard output: No space left on device\n" == process.stderr


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(WriteError, match=r"results\.json: File exists"):
        write_whole(tmp_path / "file" / "results.json", "{}")


def test_eight_runs_at_once_leave_one_whole_report(stack, tmp_path):
    output = tmp_path / "results.json"
    runs = [start(stack, "--output", output) for _ in range(8)]
    ended = [(process.communicate(timeout=120), process.returncode) for process in runs]

    assert [((None, ""), 0)] * 8 == ended
    assert 0 == json.loads(output.read_text())["blocking"]
    assert [output] == list(tmp_path.iterdir())


def test_a_report_is_the_same_wherever_it_is_made(tmp_path):
    """Under any hash seed, time zone, locale, working folder and order of a folder's entries."""
    made = []
    names = ["B83_ingress_expr", "I22_dup_keys", "A48_duplicate_block_across_files"]
    for number, (order, environment) in enumerate(
        [
            (names, {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"}),
            (names[::-1], {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8"}),
            (names, {"PYTHONHASHSEED": "2", "PYTHONUTF8": "0", "LANG": "de_DE"}),
        ]
    ):
        folder = tmp_path / str(number)
        for name in order:
            shutil.copytree(FAULTS / "stacks" / name, folder / "inputs" / name)
        code, _ = run("inputs", "--output", "results.json", cwd=folder, environment=environment)
        made.append((code, without_time(folder / "results.json")))

    assert 1 == len(set(made))
    assert 2 == made[0][0], "one stack is judged, and the others, of its name, are refused"
