"""``pci-gate report`` and ``verify``: one test for each way to make evidence say something else."""

import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from policies.evidence.manifest import ENVELOPE, MANIFEST, digest
from policies.evidence.signing import EnvelopeRefused, canonical, opened, public_key, sealed, signer
from scripts import bundle as bundles
from scripts.__main__ import cli
from tests.conftest import ROOT

BODY = {"enable_key_rotation": True, "deletion_window_in_days": 30}
KEY = {"resource": {"aws_kms_key": {"a": BODY}}}
PLAN = ROOT / "tests" / "faults" / "plans" / "D18_format_1_9.json"


def run(*arguments):
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        assert 0 == run("keygen", "--output", folder / name).exit_code
    return folder


@pytest.fixture(scope="module")
def signed(keys, tmp_path_factory):
    """Return the folder of one signed run over a stack and a plan, to be copied."""
    folder = tmp_path_factory.mktemp("signed")
    stack = folder / "inputs" / "stack" / "cdk.tf.json"
    stack.parent.mkdir(parents=True)
    stack.write_text(json.dumps(KEY))
    output = folder / "report"
    made = run("report", stack, PLAN, "--output", output, "--key", keys / "ours")
    assert (1, "") == (made.exit_code, made.stderr), made.output
    return output


@pytest.fixture
def bundle(signed, tmp_path):
    """Return a copy of that run's folder, to be tampered with."""
    shutil.copytree(signed, tmp_path / "report", symlinks=True)
    return (tmp_path / "report" / "latest").resolve()


def verify(folder, keys, *arguments):
    return run("verify", folder, "--key", keys / "ours.pub", *arguments)


def take_out_what_blocks(bundle):
    """Leave out of the results whatever blocks, and put the new digest into the manifest."""
    told = json.loads((bundle / "results.json").read_text())
    told["findings"] = [finding for finding in told["findings"] if not finding["blocks"]]
    (bundle / "results.json").write_text(json.dumps(told))
    manifest = json.loads((bundle / MANIFEST).read_bytes())
    manifest["files"]["results.json"] = digest((bundle / "results.json").read_bytes())
    (bundle / MANIFEST).write_bytes(canonical(manifest))


def refused(folder, keys, *arguments):
    """Return what verify complains of; it has to."""
    checked = verify(folder, keys, *arguments)
    assert 3 == checked.exit_code, checked.output
    assert "" == checked.stdout
    return checked.stderr


def test_what_was_written_verifies(bundle, keys):
    checked = verify(bundle, keys, "--replay", "--plan", PLAN)

    assert 0 == checked.exit_code, checked.output
    assert "signed with the key" in checked.stdout
    assert "every file is the same, byte for byte" in checked.stdout
    assert digest((bundle / MANIFEST).read_bytes()) in checked.stdout


def test_the_whole_platform_is_judged_and_written_again(synthesized, tmp_path):
    rules = ("--house", ROOT / "house.toml")
    made = run("report", synthesized, "--output", tmp_path / "report", *rules)
    checked = run("verify", tmp_path / "report" / "latest", "--replay")

    assert (0, 0) == (made.exit_code, checked.exit_code), checked.output
    assert "every file is the same, byte for byte" in checked.stdout


def test_the_private_key_is_its_owners_alone(keys):
    assert 0o600 == (keys / "ours").stat().st_mode & 0o777
    again = run("keygen", "--output", keys / "ours")

    assert (3, f"pci-gate: {keys / 'ours'}: File exists\n") == (again.exit_code, again.stderr)


def test_a_bit_that_is_flipped_in_any_file_is_seen(bundle, keys):
    for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            refused(bundle, keys)
        path.write_bytes(whole)

    assert 0 == verify(bundle, keys).exit_code


def test_the_envelope_is_a_statement_of_in_toto(bundle):
    payload = json.loads(base64.b64decode(json.loads((bundle / ENVELOPE).read_bytes())["payload"]))

    assert "https://in-toto.io/Statement/v1" == payload["_type"]
    assert "https://pci-gate.invalid/evidence/v1" == payload["predicateType"]
    assert {"sha256": digest((bundle / MANIFEST).read_bytes())} == payload["subject"][0]["digest"]


def test_a_bit_that_is_flipped_in_the_envelope_is_seen(bundle, keys):
    key = public_key((keys / "ours.pub").read_bytes())
    raw = (bundle / ENVELOPE).read_bytes()
    opened(raw, key)
    for place in range(0, len(raw), 7):
        for bit in range(8):
            flipped = raw[:place] + bytes([raw[place] ^ 1 << bit]) + raw[place + 1 :]
            with pytest.raises(EnvelopeRefused):
                opened(flipped, key)


def test_a_file_that_is_added_is_seen(bundle, keys):
    (bundle / "oscal" / "more.json").write_text("{}")

    assert "oscal/more.json: is not in the manifest" in refused(bundle, keys)


def test_a_file_that_is_removed_is_seen(bundle, keys):
    (bundle / "report.pdf").unlink()

    assert "report.pdf: is missing" in refused(bundle, keys)


def test_files_that_are_swapped_are_seen(bundle, keys):
    one, other = bundle / "roc-4.3-stores.csv", bundle / "roc-4.5-networks.csv"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    complaints = refused(bundle, keys)

    assert "roc-4.3-stores.csv: was changed" in complaints
    assert "roc-4.5-networks.csv: was changed" in complaints


def test_a_file_that_is_a_link_is_seen(bundle, keys, tmp_path):
    (bundle / "report.pdf").rename(tmp_path / "elsewhere.pdf")
    (bundle / "report.pdf").symlink_to(tmp_path / "elsewhere.pdf")

    assert "report.pdf: is a link" in refused(bundle, keys)


def test_an_envelope_that_somebody_else_signed_is_seen(bundle, keys):
    told = json.loads((bundle / MANIFEST).read_bytes())
    theirs = signer((keys / "theirs").read_bytes())
    (bundle / ENVELOPE).write_bytes(sealed({MANIFEST: "0"}, told, theirs))

    assert "was not signed with this key" in refused(bundle, keys)


def test_a_finding_that_is_removed_and_hashed_again_is_seen(bundle, keys):
    take_out_what_blocks(bundle)

    assert "is a statement about another manifest.json" in refused(bundle, keys)


def test_an_older_pass_is_none_for_a_newer_plan(bundle, keys, tmp_path):
    newer = tmp_path / "plan.json"
    newer.write_text(PLAN.read_text() + "\n")

    assert "is not among those that were judged" in refused(bundle, keys, "--plan", newer)


def test_a_chain_whose_last_link_was_dropped_is_seen(bundle, keys):
    first = digest((bundle / MANIFEST).read_bytes())
    stack = bundle / "inputs" / "0" / "stack" / "cdk.tf.json"
    root = bundle.parent

    def again():
        time.sleep(1)  # a run has a second of its own
        run("report", stack, "--output", root, "--key", keys / "ours")
        return (root / "latest").resolve()

    second = again()
    assert 0 == verify(second, keys, "--previous", first).exit_code

    with sqlite3.connect(root / "history.sqlite") as store:
        store.execute("DELETE FROM runs WHERE folder = ?", [second.name])
    third = again()
    last = digest((second / MANIFEST).read_bytes())

    assert f"follows the run {first}, and not {last}" in refused(third, keys, "--previous", last)


def test_signed_runs_at_once_follow_one_another(keys, tmp_path):
    root, stack = tmp_path / "report", tmp_path / "stack" / "cdk.tf.json"
    stack.parent.mkdir()
    stack.write_text(json.dumps(KEY))
    again = [sys.executable, "-m", "scripts", "report", stack, "--output", root]
    started = [subprocess.Popen([*again, "--key", keys / "ours"], cwd=ROOT) for _ in range(4)]
    assert [1] * 4 == [process.wait() for process in started]

    made = {
        digest((folder / MANIFEST).read_bytes()): json.loads((folder / MANIFEST).read_bytes())
        for folder in root.iterdir()
        if folder.name[0] != "." and folder.is_dir() and not folder.is_symlink()
    }
    previous = {told["previous"] for told in made.values()}
    assert 4 == len(made) == len(previous)
    assert {None} == previous - set(made)


def test_an_envelope_is_taken_in_its_canonical_form_only(bundle, keys):
    raw = (bundle / ENVELOPE).read_bytes()
    envelope = json.loads(raw)
    padded = {**envelope, "payload": envelope["payload"] + "\n"}
    for other in (
        raw + b"\n",
        json.dumps(envelope, indent=1).encode(),
        canonical({**envelope, "more": 1}),
        canonical(padded),
        raw[:-1] + b',"payloadType":"application/vnd.in-toto+json"}',
        b"",
        b"[" * 100_000,
        canonical({**envelope, "payload": base64.b64encode(b"{}").decode()}),
    ):
        (bundle / ENVELOPE).write_bytes(other)
        assert f"{ENVELOPE}: " in refused(bundle, keys)


def test_a_bundle_without_a_signature_says_so(bundle, keys):
    (bundle / ENVELOPE).unlink()
    checked = run("verify", bundle)

    assert (0, True) == (checked.exit_code, "not signed" in checked.stdout)
    assert "nobody signed this" in refused(bundle, keys)


def test_what_the_suite_would_judge_otherwise_today_is_seen(bundle):
    """Whoever can sign, or leaves the signature out, still cannot make the documents say it."""
    take_out_what_blocks(bundle)
    (bundle / ENVELOPE).unlink()

    assert 0 == run("verify", bundle).exit_code
    replayed = run("verify", bundle, "--replay")
    assert 3 == replayed.exit_code
    assert "results.json: judged and written again, it is another" in replayed.stderr


def test_a_bundle_of_another_suite_is_not_replayed_and_not_run(bundle):
    manifest = json.loads((bundle / MANIFEST).read_bytes())
    manifest["suite"] = "0" * 64
    (bundle / MANIFEST).write_bytes(canonical(manifest))
    (bundle / ENVELOPE).unlink()
    replayed = run("verify", bundle, "--replay")

    assert 3 == replayed.exit_code
    assert "was judged by another suite" in replayed.stderr
    assert "install pci-gate" in replayed.stderr


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PUBLIC KEY-----\n"])
def test_what_is_no_key_is_refused(signed, tmp_path, text):
    path = tmp_path / "key"
    path.write_text(text)
    stack = tmp_path / "stack" / "cdk.tf.json"
    stack.parent.mkdir()
    stack.write_text(json.dumps(KEY))
    for arguments in (
        ["verify", (signed / "latest").resolve(), "--key", path],
        ["report", stack, "--output", tmp_path / "out", "--key", path],
        ["report", stack, "--output", tmp_path / "out", "--key", tmp_path / "nowhere"],
    ):
        answer = run(*arguments)
        assert 2 == answer.exit_code
        assert 1 == len(answer.stderr.splitlines())
    assert not (tmp_path / "out").exists()


def test_a_run_takes_the_old_latest_away_before_it_judges(bundle, tmp_path):
    root = bundle.parent
    torn = tmp_path / "torn.json"
    torn.write_text("{")
    answer = run("report", torn, "--output", root)

    assert 2 == answer.exit_code
    assert not (root / "latest").exists()
    assert not (root / "latest").is_symlink()
    assert bundle.exists()


def test_what_a_killed_run_left_is_taken_away_and_what_another_one_writes_is_not(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f".2026-11-24T120000Z-0123abcd.{ended.pid}"
    running = tmp_path / f".2026-11-24T120000Z-0123abcd.{os.getpid()}"
    for folder in (left, running):
        (folder / "inputs").mkdir(parents=True)
    run("report", PLAN, "--output", tmp_path)

    assert (False, True) == (left.exists(), running.exists())


def test_a_folder_that_cannot_be_written_to_ends_with_3(tmp_path):
    (tmp_path / "file").write_text("")
    answer = run("report", PLAN, "--output", tmp_path / "file" / "report")

    assert 3 == answer.exit_code
    assert 1 == len(answer.stderr.splitlines())


def test_a_history_that_is_damaged_is_told_and_nothing_is_left(bundle, keys):
    root = bundle.parent
    (root / "history.sqlite").write_bytes(b"no database" * 100)
    before = set(root.iterdir()) - {root / "latest"}
    answer = run("report", PLAN, "--output", root, "--key", keys / "ours")

    assert 3 == answer.exit_code
    assert "history.sqlite: file is not a database" in answer.stderr
    assert before == set(root.iterdir())
    assert 3 == run("history", "--output", root).exit_code


def test_the_history_shows_runs_and_what_changed(keys, tmp_path):
    root, stack = tmp_path / "report", tmp_path / "stack" / "cdk.tf.json"
    stack.parent.mkdir()
    folders = []
    for rotates in (True, False):
        body = {**BODY, "enable_key_rotation": rotates}
        stack.write_text(json.dumps({"resource": {"aws_kms_key": {"a": body}}}))
        run("report", stack, "--output", root, "--key", keys / "ours")
        folders.append((root / "latest").resolve())
    shown = run("history", "--output", root).stdout
    difference = run("diff", *folders)

    assert [folder.name in shown for folder in folders] == [True, True]
    assert "evidence found > deviation found" in shown
    assert "new     keys.rotation  stack/aws_kms_key.a  (design)\n" in difference.stdout
    assert (
        "new: keys.rotation on stack/aws_kms_key.a (design)"
        in (folders[1] / "index.html").read_text()
    )


@pytest.mark.parametrize("content", ["", "[]", '{"findings": [1]}'])
def test_what_is_no_result_cannot_be_compared(signed, tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    answer = run("diff", tmp_path, (signed / "latest").resolve())

    expected = f"pci-gate: {tmp_path}/results.json: no results of pci-gate\n"
    assert (2, expected) == (answer.exit_code, answer.stderr)


def rewrite(bundle, change):
    """Change the manifest as whoever needs no signature would."""
    manifest = json.loads((bundle / MANIFEST).read_bytes())
    change(manifest)
    (bundle / MANIFEST).write_bytes(canonical(manifest))


def unsigned(bundle, change):
    """Return what verify says of a bundle whose manifest was changed, and that nobody signed."""
    rewrite(bundle, change)
    (bundle / ENVELOPE).unlink()
    return run("verify", bundle, "--replay")


def test_a_truth_value_is_no_number(bundle, keys):
    """Python takes false for 0; what was signed says the one and not the other."""
    rewrite(bundle, lambda manifest: manifest["outcome"].update(refusals=False))

    assert f"{MANIFEST}: is no manifest" in refused(bundle, keys)


def test_a_document_that_is_not_the_archived_one_is_seen(bundle):
    answer = unsigned(bundle, lambda manifest: manifest["documents"][0].update(sha256="0" * 64))

    assert 3 == answer.exit_code
    assert "what was judged is not what is archived" in answer.stderr


def test_an_outcome_that_was_never_judged_is_seen(bundle):
    answer = unsigned(bundle, lambda manifest: manifest["outcome"].update(blocking=0))

    assert 3 == answer.exit_code
    assert "findings block" in answer.stderr


@pytest.mark.parametrize(
    "place", ["/etc", "../../etc", "inputs/../../etc", "inputs//etc", "results.json", "inputs/\0"]
)
def test_a_replay_stays_in_the_bundle(bundle, place):
    def lead_out(manifest):
        manifest["replay"]["paths"][0]["archived"] = place

    answer = unsigned(bundle, lead_out)

    assert 3 == answer.exit_code
    assert "is no place in the archive" in answer.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("outcome"),
        lambda manifest: manifest.update(schema_version="99"),
        lambda manifest: manifest.update(generated_at="yesterday"),
        lambda manifest: manifest.update(replay=None),
        lambda manifest: manifest.update(more=1),
        lambda manifest: manifest["files"].update(more=1),
    ],
)
def test_a_manifest_of_another_shape_is_none(bundle, change):
    answer = unsigned(bundle, change)

    assert (3, True) == (answer.exit_code, f"{MANIFEST}: is no manifest" in answer.stderr)


def test_a_folder_without_a_file_is_seen(bundle, keys):
    (bundle / "more" / "and" / "more").mkdir(parents=True)

    assert "more: is a folder without a file" in refused(bundle, keys)


def test_a_hostile_name_in_a_bundle_steers_no_terminal(bundle, keys):
    (bundle / "a\n\x1b[2Jpci-gate: all fine").write_text("")
    complaints = refused(bundle, keys)

    assert 1 == len(complaints.splitlines())
    assert "\x1b" not in complaints


def test_what_was_not_judged_is_not_archived(tmp_path, keys):
    stack = tmp_path / "stack"
    stack.mkdir()
    (stack / "cdk.tf.json").write_text(json.dumps(KEY))
    (tmp_path / "secret").write_text("correct-horse")
    (stack / "plan.json").symlink_to(tmp_path / "secret")
    os.mkfifo(stack / "state.json")
    answer = run("report", stack, "--output", tmp_path / "report", "--key", keys / "ours")
    folder = (tmp_path / "report" / "latest").resolve()

    assert 2 == answer.exit_code
    assert ["cdk.tf.json"] == [path.name for path in (folder / "inputs").rglob("*.json")]
    assert "documents were not judged" in run("verify", folder).stdout


def test_what_changed_while_it_was_judged_is_not_reported(tmp_path, monkeypatch):
    stack = tmp_path / "stack" / "cdk.tf.json"
    stack.parent.mkdir()
    stack.write_text(json.dumps(KEY))
    archived = bundles.archived

    def swapped(*arguments):
        stack.write_text(json.dumps(KEY) + " ")
        return archived(*arguments)

    monkeypatch.setattr(bundles, "archived", swapped)
    answer = run("report", stack, "--output", tmp_path / "report")

    assert 3 == answer.exit_code
    assert "what was judged is not what is archived" in answer.stderr
    assert [] == list((tmp_path / "report").iterdir())


def test_a_report_is_not_written_into_what_is_judged(tmp_path):
    stack = tmp_path / "stack" / "cdk.tf.json"
    stack.parent.mkdir()
    stack.write_text(json.dumps(KEY))
    answer = run("report", stack.parent, "--output", stack.parent / "build" / "report")

    assert (2, False) == (answer.exit_code, (stack.parent / "build").exists())


def test_a_key_that_is_refused_leaves_no_old_pass(bundle, keys):
    answer = run("report", PLAN, "--output", bundle.parent, "--key", keys / "nowhere")

    assert (2, False) == (answer.exit_code, (bundle.parent / "latest").is_symlink())


def test_secrets_stand_in_the_archive_only(tmp_path):
    secret, number = "correct-horse-battery", 77_771
    container = json.dumps([{"name": "app", "environment": [{"name": "PW", "value": secret}]}])
    named = {
        "aws_subnet": {"a": {"cidr_block": "10.0.0.0/24", "tags": {"Name": secret}}},
        "aws_db_instance": {"d": {"password": secret, "identifier": secret}},
        "aws_ecs_task_definition": {"t": {"family": "t", "container_definitions": container}},
        "aws_instance": {"i": {"user_data": f"export DB={secret}", "ami": secret}},
        "aws_cloudwatch_log_group": {"l": {"retention_in_days": number}},
    }
    variable = {"days": {"default": number, "sensitive": True}}
    stack = tmp_path / "stack" / "cdk.tf.json"
    stack.parent.mkdir()
    stack.write_text(json.dumps({"resource": named, "variable": variable}))
    answer = run("report", stack, "--output", tmp_path / "report")
    folder = (tmp_path / "report" / "latest").resolve()
    places = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and {secret.encode(), str(number).encode()}
        & {found for found in (secret.encode(), str(number).encode()) if found in path.read_bytes()}
    ]

    assert 1 == answer.exit_code
    assert ["inputs/0/stack/cdk.tf.json"] == places
