"""What policies take for the provider's own doing, against the real provider."""

import json
import re
import shutil

import pytest

from policies import POLICIES
from policies.engine import graph
from policies.engine.evaluate import evaluate
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Verdict
from policies.engine.mutate import Patch
from policies.engine.read import read
from tests.conftest import ROOT, TODAY, judged
from tests.e2e import terraform

LEAST = json.loads((ROOT / "tests" / "e2e" / "least.tf.json").read_text())
SETTINGS = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
    "provider": {
        "aws": {
            "region": "us-east-1",
            "skip_credentials_validation": True,
            "skip_metadata_api_check": "true",
            "skip_requesting_account_id": True,
        }
    },
}


def planned(folder, document):
    """Return the plan of *document* in JSON, and the workspace that it was made in."""
    if terraform.why_not():
        pytest.skip(terraform.why_not())
    (folder / "main.tf.json").write_text(json.dumps({**SETTINGS, **document}))
    workspace = terraform.workspace(folder, folder)
    workspace.run("plan", "-input=false", "-no-color", "-out=tfplan")
    return workspace.show("tfplan"), workspace


@pytest.fixture(scope="module")
def least(tmp_path_factory):
    """Return the plan of resources that say no more than the provider demands."""
    plan, workspace = planned(tmp_path_factory.mktemp("least"), LEAST)
    return plan, workspace


def walked(value, path):
    for step in path:
        if isinstance(value, list):
            value = value[0] if value else None
        if not isinstance(value, dict):
            return value if value is True else None
        value = value.get(step)
    return value


def defaults_read(monkeypatch):
    """Return each default that a policy falls back on: its type, its path, its value."""
    found = set()

    def recording(method):
        def read_and_record(self, path, default=None):
            if default is not None:
                whole = f"{self.within}.{path}" if self.within else path
                found.add((self.type, re.sub(r"\.\d+\b", "", whole), repr(default)))
            return method(self, path, default)

        return read_and_record

    for name in ("get", "number"):
        monkeypatch.setattr(graph.Resource, name, recording(getattr(graph.Resource, name)))
    for policy in POLICIES:
        written = [
            Resource(f"{type}.{name}", type, body)
            for type, named in (*policy.example.items(), *LEAST["resource"].items())
            for name, body in named.items()
        ]
        list(evaluate([policy], ResourceGraph(tuple(written), today=TODAY)))
    return found


def test_a_default_that_a_policy_falls_back_on_is_the_providers(least, monkeypatch):
    """Where the provider has none of its own, AWS has, and the plan does not know it."""
    plan, _ = least
    changes = {change["type"]: change["change"] for change in plan["resource_changes"]}
    compared, wrong = 0, []
    for type, path, default in defaults_read(monkeypatch):
        body = LEAST["resource"].get(type, {}).get("least", {})
        steps = path.split(".")
        if type not in changes or walked(body, steps) is not None:
            continue
        known = walked(changes[type]["after"], steps)
        is_known = walked(changes[type]["after_unknown"], steps) is not True
        if is_known and known not in (None, "", []):
            compared += 1
            if repr(known) != default:
                wrong.append(f"{type}.{path} is {known!r}, not {default}")

    assert [] == wrong
    assert compared > 40


def test_the_tables_of_the_provider_are_those_of_its_schema(least):
    """The tables in policies/engine and policies/aws that say where they come from."""
    _, workspace = least
    schema = json.loads(workspace.run("providers", "schema", "-json"))
    [provider] = schema["provider_schemas"].values()
    types = provider["resource_schemas"]
    kinds = {}
    for body in (*types.values(), *provider["data_source_schemas"].values()):
        for name, kind in named(body["block"]):
            kinds.setdefault(name, set()).add(kind)
    expected = {
        "engine/booleans.txt": sorted(
            name for name, all_kinds in kinds.items() if all_kinds - {"part"} == {"bool"}
        ),
        "aws/arguments.txt": sorted(
            f"{name} block" if "block" in all_kinds and "map" not in all_kinds else name
            for name, all_kinds in kinds.items()
        ),
        "engine/computed.txt": [
            " ".join([type, *filled])
            for type, body in sorted(types.items())
            if (filled := sorted(filled_in(body["block"], ())))
        ],
        "aws/resource_types.txt": [
            f"{type} tags" if "tags" in body["block"].get("attributes", {}) else type
            for type, body in sorted(types.items())
        ],
        "aws/sensitive.txt": [
            f"{type} {path}"
            for type, body in sorted(types.items())
            if type not in JUDGED_BY_OTHERS
            for path in sorted(sensitive(body["block"], ()))
        ],
        "aws/group_users.txt": [
            f"{type} {path}"
            for type, body in sorted(types.items())
            if not re.match(r"aws_(default_|vpc_)?security_group", type)
            for path in sorted(groups(body["block"], ()))
        ],
    }

    for name, lines in expected.items():
        assert lines == (ROOT / "policies" / name).read_text().splitlines(), name


def named(block):
    """Yield each name that *block* knows, and what stands there: a block, or of what type."""
    for name, attribute in block.get("attributes", {}).items():
        type = attribute.get("type", "nested")
        yield name, type[0] if isinstance(type, list) else type
        yield from ((part, "part") for part in parts(type))
    for name, inner in block.get("block_types", {}).items():
        yield name, "block"
        yield from named(inner["block"])


def parts(type):
    """Yield each name that stands in an object of *type*."""
    if not isinstance(type, list):
        return
    container, content = type
    if container == "object":
        yield from content
        for inner in content.values():
            yield from parts(inner)
    else:
        yield from parts(content)


def filled_in(block, within):
    """Yield what the provider fills in: optional arguments, and blocks, three levels deep."""
    if len(within) > 2:
        return
    for name, attribute in block.get("attributes", {}).items():
        is_filled_in = attribute.get("optional") and attribute.get("computed")
        if is_filled_in and (name != "id" or within) and name != "tags_all":
            yield ".".join([*within, name])
    for name, inner in block.get("block_types", {}).items():
        if name != "timeouts" and not inner.get("min_items"):
            yield ".".join([*within, name, "*"])
        yield from filled_in(inner["block"], (*within, name))


JUDGED_BY_OTHERS = {
    "aws_db_instance", "aws_rds_cluster", "aws_s3_bucket_object_lock_configuration",
    "aws_s3_bucket_replication_configuration", "aws_secretsmanager_secret_version",
    "aws_ssm_parameter",
}  # fmt: skip
SECRET = re.compile(
    r"passwords?(_wo)?$|passphrase|secret|(?<!_)token$|_token$|private_key|host_key|ssh_key"
    r"|preshared_key|api_key(_value)?$|access_key$|customer_key|credential"
)


def sensitive(block, within):
    """Yield the arguments that are marked as sensitive and named like a secret."""
    for name, attribute in block.get("attributes", {}).items():
        is_argument = attribute.get("optional") or attribute.get("required")
        if is_argument and attribute.get("sensitive") and SECRET.search(name):
            yield ".".join([*within, name])
    for name, inner in block.get("block_types", {}).items():
        yield from sensitive(inner["block"], (*within, name))


GROUPS = re.compile(r"security_groups?(_ids?|_id_list|_memberships|_arns|s_ids)?$")
OTHERS = ("input_", "referenced", "source_", "use_", "db_")


def groups(block, within):
    """Yield the arguments that name security groups which something stands behind."""
    for name, attribute in block.get("attributes", {}).items():
        is_argument = attribute.get("optional") or attribute.get("required")
        is_named = GROUPS.search(name) and not name.startswith(OTHERS)
        if is_argument and is_named and attribute["type"] != "bool":
            yield ".".join([*within, name])
    for name, inner in block.get("block_types", {}).items():
        yield from groups(inner["block"], (*within, name))


DYNAMIC = {
    "resource": {
        "aws_vpc": {"v": {"cidr_block": "10.0.0.0/16"}},
        "aws_subnet": {"s": {"vpc_id": "${aws_vpc.v.id}", "cidr_block": "10.0.0.0/24"}},
        "aws_iam_role": {
            "app": {
                "assume_role_policy": json.dumps(
                    {
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "ec2.amazonaws.com"},
                                "Action": "sts:AssumeRole",
                            }
                        ]
                    }
                )
            }
        },
    }
}
GRANT = {
    "dynamic": {
        "inline_policy": {
            "for_each": '${split(",", aws_subnet.s.arn)}',
            "content": {"name": "all", "policy": "{}"},
        }
    }
}


@pytest.mark.parametrize(
    ("role", "verdict"), [({}, Verdict.PASS), (GRANT, Verdict.UNKNOWN)], ids=["none", "dynamic"]
)
def test_what_is_left_out_is_told_from_what_a_dynamic_block_makes(tmp_path, role, verdict):
    document = json.loads(json.dumps(DYNAMIC))
    document["resource"]["aws_iam_role"]["app"] |= role
    plan, _ = planned(tmp_path, document)
    folder = tmp_path / "judged"
    folder.mkdir()
    (folder / "plan.json").write_text(json.dumps(plan))
    [reading] = read([folder / "plan.json"])

    [finding] = [
        each
        for each in judged(reading)
        if (each.policy, each.resource) == ("permissions.administration", "plan/aws_iam_role.app")
    ]

    assert verdict is finding.verdict


PROJECT = ROOT / "tests" / "e2e" / "project"
HIDDEN = {
    "buckets.tls_only": "the plan keeps no more of a template than what it names",
    "identities.": "jsonencode hides a policy of which one part is not known",
    "permissions.": "jsonencode hides a policy of which one part is not known",
}
"""All that may be unknown in the plan of an ordinary project, before it is made."""


def test_an_ordinary_project_is_judged_by_its_plan_alone(tmp_path):
    if terraform.why_not():
        pytest.skip(terraform.why_not())
    shutil.copytree(PROJECT, tmp_path / "project")
    workspace = terraform.workspace(tmp_path / "project", tmp_path)
    workspace.run("plan", "-input=false", "-no-color", "-out=tfplan")
    (tmp_path / "plan.json").write_text(json.dumps(workspace.show("tfplan")))
    [reading] = read([tmp_path / "plan.json"])
    findings = judged(reading)

    assert not [each for each in findings if each.verdict is Verdict.ERROR]
    assert [] == [
        (each.policy, each.resource, each.messages)
        for each in findings
        if each.verdict is Verdict.UNKNOWN and not each.policy.startswith(tuple(HIDDEN))
    ]
    passed = {each.policy for each in findings if each.verdict is Verdict.PASS}
    assert {
        "buckets.named_principals",  # by a data source's document
        "network.isolated_databases",  # by a module's output, and for_each
        "paths.entries_to_stores",
        "paths.internet_to_stores",
        "security_groups.database_ingress",
    } <= passed


ANYWHERE = {"count", "depends_on", "dynamic", "for_each", "lifecycle", "provider"}


def block_of(schema, type):
    """Return the schema's block of *type*, None where it is Terraform's own."""
    kind = "data_source_schemas" if type.startswith("data.") else "resource_schemas"
    found = schema[kind].get(type.removeprefix("data."))
    return found["block"] if found else None


def misfits(block, value, path):
    """Yield what the provider would not take at *path*."""
    if isinstance(value, list):
        for item in value:
            yield from misfits(block, item, path)
    elif not isinstance(value, dict):
        yield f"{path} is no block"
    else:
        for key, inner in value.items():
            if key in block.get("block_types", {}):
                yield from misfits(block["block_types"][key]["block"], inner, f"{path}.{key}")
            elif key in block.get("attributes", {}):
                yield from misfit(block["attributes"][key].get("type"), inner, f"{path}.{key}")
            elif key not in ANYWHERE:
                yield f"{path}.{key} is unheard of"


def misfit(type, value, path):
    """Yield what is of another kind than *type*; texts may hold JSON, or an expression."""
    is_expression = isinstance(value, str) and "${" in value
    if isinstance(type, list) and type[0] in {"list", "set"}:
        if not isinstance(value, list | dict) and not is_expression:
            yield f"{path} is {value!r}, where a {type[0]} belongs"
    elif type == "bool" and str(value).lower() not in {"true", "false"} and not is_expression:
        yield f"{path} is {value!r}, where a truth value belongs"
    elif type == "number" and isinstance(value, list | dict):
        yield f"{path} is {value!r}, where a number belongs"


def test_the_examples_of_policies_are_what_the_provider_takes(least):
    """A policy that looks for what the provider does not know passes, or fails, everything."""
    _, workspace = least
    [schema] = json.loads(workspace.run("providers", "schema", "-json"))[
        "provider_schemas"
    ].values()

    assert [] == [
        f"{policy.id}: {found}"
        for policy in POLICIES
        for type, named in policy.example.items()
        if not type.startswith("terraform")
        for body in named.values()
        for found in misfits(block_of(schema, type), body, type)
    ]
    assert [] == [
        f"{policy.id}: {mutation}"
        for policy in POLICIES
        for mutation in policy.violated_by
        if isinstance(mutation, Patch) and not policy.types[0].startswith("terraform")
        if not any(has(block_of(schema, type), mutation.path.split(".")) for type in policy.types)
    ]


def has(block, steps):
    """Whether there is an argument at *steps*; what stands in JSON is any."""
    for step in steps:
        if step in block.get("attributes", {}):
            return True
        if not step.isdigit():
            block = block.get("block_types", {}).get(step, {}).get("block")
            if block is None:
                return False
    return True
