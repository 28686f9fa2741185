"""A plan that stands alone: what its own configuration says of what it does not know."""

import hashlib
import json
from base64 import b64encode

import pytest

from policies.aws import iam
from policies.engine.configuration import expressions, shows_every_block
from policies.engine.model import Verdict
from policies.engine.read import read
from policies.engine.values import UnknownValue
from tests.conftest import judged

VPC = {"resource": "aws_vpc.v", "attribute": ["id"]}


def plan(unknown, expressions, after=None, *, relevant=(), **changed):
    address = "aws_instance.a"
    change = {"actions": ["create"], "before": None, "after": after or {}, "after_unknown": unknown}
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {
            "root_module": {"resources": [{"address": address, "mode": "managed",
                                           "type": "aws_instance", "values": after or {}}]}
        },
        "resource_changes": [
            {"address": address, "mode": "managed", "type": "aws_instance",
             "change": {**change, **changed}}
        ],
        "configuration": {
            "root_module": {"resources": [{"address": address, "expressions": expressions}]}
        },
        "relevant_attributes": list(relevant),
    }  # fmt: skip


@pytest.fixture
def instance(tmp_path):
    def read_instance(*arguments, **options):
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(plan(*arguments, **options)))
        [reading] = read([path])
        return next(r for r in reading.graph.resources if r.type == "aws_instance")

    return read_instance


def test_an_argument_that_is_left_out_is_unset(instance):
    assert "none" == instance({"key_name": True}, {}).get("key_name", "none")


def test_what_only_the_provider_says_is_not_known(instance):
    with pytest.raises(UnknownValue):
        instance({"arn": True}, {}).get("arn")


def test_what_an_expression_says_is_what_it_names(instance):
    named = {"references": ["aws_key_pair.k.key_name", "aws_key_pair.k"]}

    found = instance({"key_name": True}, {"key_name": named})

    assert found.is_set("key_name")
    with pytest.raises(UnknownValue):
        found.get("key_name")


def test_a_template_that_json_has_in_full_is_read(instance):
    template = '{"role": "${aws_iam_role.r.arn}", "names": ["a"]}'
    named = {"constant_value": template, "references": ["aws_iam_role.r.arn"]}

    found = instance({"user_data": True}, {"user_data": named})

    assert ["a"] == list(found.get("user_data.names"))
    assert ["aws_iam_role.r"] == list(found.reference("user_data.role"))


def test_a_plain_constant_that_the_plan_does_not_know_is_not_known(instance):
    with pytest.raises(UnknownValue):
        instance({"key_name": True}, {"key_name": {"constant_value": "k"}}).get("key_name")


BLOCK = {"metadata_options": True}


def test_a_block_that_is_left_out_is_unset(instance):
    assert [] == list(instance(BLOCK, {}).blocks("metadata_options"))


@pytest.mark.parametrize("attribute", ["arn", "main_route_table_id"])
def test_a_block_that_a_dynamic_one_may_make_is_not_known(instance, attribute):
    """The plan comes from an attribute that no expression names."""
    hidden = {"resource": "aws_vpc.v", "attribute": [attribute]}

    with pytest.raises(UnknownValue):
        list(instance(BLOCK, {}, relevant=[hidden]).blocks("metadata_options"))


def test_what_is_left_out_of_a_block_is_unset_in_it(instance):
    found = instance(
        {"metadata_options": [{"http_tokens": True}]},
        {"metadata_options": [{"http_endpoint": {"constant_value": "enabled"}}]},
        {"metadata_options": [{"http_endpoint": "enabled"}]},
    )

    assert "optional" == found.get("metadata_options.http_tokens", "optional")


def test_what_is_unknown_in_a_block_that_no_configuration_has_is_not_known(instance):
    found = instance({"metadata_options": [{"http_tokens": True}]}, {}, {"metadata_options": [{}]})

    with pytest.raises(UnknownValue):
        found.get("metadata_options.http_tokens", "optional")


def test_of_several_blocks_it_is_not_told_which_says_what(instance):
    devices = [{"encrypted": {"references": ["var.encrypted"]}}, {}]
    found = instance(
        {"ebs_block_device": [{"encrypted": True, "iops": True}] * 2},
        {"ebs_block_device": devices},
        {"ebs_block_device": [{}, {}]},
    )

    for device in found.blocks("ebs_block_device"):
        assert device.get("iops", 100) == 100
        with pytest.raises(UnknownValue):
            device.get("encrypted", False)


def test_what_was_there_before_is_not_taken_for_unset(instance):
    with pytest.raises(UnknownValue):
        instance({"key_name": True}, {}, actions=["update"], before={}).get("key_name")


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        (["aws_vpc.v.id", "aws_vpc.v"], True),
        (["module.a.aws_vpc.v.id"], True),
        (['aws_vpc.v["a"].id'], True),
        (["aws_vpc.v.arn"], False),
        ([], False),
    ],
)
def test_every_attribute_is_looked_for_among_those_that_expressions_name(named, shown):
    document = plan({}, {"vpc": [{"id": {"references": named}}]}, relevant=[VPC])

    assert shown is shows_every_block(document)


def test_an_older_plan_does_not_say_what_it_comes_from():
    assert not shows_every_block({**plan({}, {}), "format_version": "1.0"})


def test_a_literal_beside_a_reference_is_named_as_well(instance):
    named = {"references": ["aws_security_group.a.id", "aws_security_group.a"]}
    found = instance(
        {"vpc_security_group_ids": [True, False]},
        {"vpc_security_group_ids": named},
        {"vpc_security_group_ids": [None, "sg-elsewhere"]},
    )

    assert ["aws_security_group.a", "sg-elsewhere"] == list(
        found.reference("vpc_security_group_ids")
    )


def test_a_resource_of_which_nothing_is_known_is_one(tmp_path):
    """Terraform leaves out values where there are none."""
    document = plan({"user_data": True}, {"user_data": {"references": ["aws_lb.a.dns_name"]}})
    del document["planned_values"]["root_module"]["resources"][0]["values"]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document))

    [reading] = read([path])

    assert "aws_instance.a" in {resource.address for resource in reading.graph.resources}


SUBNET = {
    "address": "aws_subnet.s",
    "expressions": {"vpc_id": {"references": ["var.vpc", "each.key"]}},
}
CALL = {
    "expressions": {"vpc": {"references": ["aws_vpc.v.id", "aws_vpc.v"]}},
    "module": {
        "resources": [
            SUBNET,
            {
                "address": "aws_eip.e",
                "for_each_expression": {"references": ["aws_subnet.s"]},
                "expressions": {"instance": {"references": ["each.value.id", "each.value"]}},
            },
        ],
        "outputs": {"subnets": {"expression": {"references": ["aws_subnet.s"]}}},
    },
}
ROOT_MODULE = {
    "resources": [
        {
            "address": "aws_lb.a",
            "expressions": {
                "subnets": {"references": ["module.net.subnets", "module.net"]},
                "name": {"references": ["var.name"]},
                "internal": {"references": ["local.internal"]},
            },
        }
    ],
    "module_calls": {"net": CALL},
}


@pytest.mark.parametrize(
    ("resource", "argument", "references"),
    [
        ("aws_lb.a", "subnets", ["module.net.aws_subnet.s"]),
        ("aws_lb.a", "name", ["var.name"]),
        ("aws_lb.a", "internal", ["local.internal"]),
        ("module.net.aws_subnet.s", "vpc_id", ["aws_vpc.v.id", "aws_vpc.v"]),
        ("module.net.aws_eip.e", "instance", ["module.net.aws_subnet.s"]),
    ],
)
def test_what_an_expression_comes_from_is_followed_through_modules(resource, argument, references):
    found = dict(expressions(ROOT_MODULE))

    assert references == found[resource][argument]["references"]


def test_a_document_that_a_data_source_makes_is_read(tmp_path):
    """Its text is not known before apply; what it is made of is."""
    document = plan(
        {"user_data": True},
        {"user_data": {"references": ["data.aws_iam_policy_document.d.json",
                                      "data.aws_iam_policy_document.d"]}},
    )  # fmt: skip
    document["resource_changes"].append(
        {
            "address": "data.aws_iam_policy_document.d",
            "mode": "data",
            "type": "aws_iam_policy_document",
            "change": {
                "actions": ["read"],
                "before": None,
                "after": {
                    "statement": [
                        {"actions": ["s3:GetObject"], "effect": "Allow", "resources": [None]},
                        {"actions": ["s3:*"], "effect": "Deny", "resources": ["*"]},
                    ]
                },
                "after_unknown": {
                    "json": True,
                    "statement": [{"resources": [True]}, {"resources": [False]}],
                },
            },
        }
    )
    named = {"references": ["aws_s3_bucket.b.arn", "aws_s3_bucket.b"]}
    document["configuration"]["root_module"]["resources"].append(
        {
            "address": "data.aws_iam_policy_document.d",
            "expressions": {
                "statement": [
                    {"actions": {"constant_value": ["s3:GetObject"]}, "resources": named},
                    {"actions": {"constant_value": ["s3:*"]},
                     "resources": {"constant_value": ["*"]}},
                ]
            },
        }
    )  # fmt: skip
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document))
    [reading] = read([path])
    instance = next(r for r in reading.graph.resources if r.type == "aws_instance")

    [allow, deny] = iam.statements(instance, "user_data")

    assert ["${aws_s3_bucket.b.arn}"] == list(allow.named_resources())
    assert ["s3:*"] == list(deny.actions())
    assert ["*"] == list(deny.named_resources())
    with pytest.raises(UnknownValue):
        allow.covers_objects()


def test_one_of_two_resources_is_not_taken_for_either(instance):
    named = {"references": ["aws_key_pair.a.key_name", "aws_key_pair.b.key_name"]}

    with pytest.raises(UnknownValue):
        list(instance({"key_name": True}, {"key_name": named}).reference("key_name"))


def test_credentials_in_a_plan_are_seen(tmp_path):
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    document = plan({}, {})
    document["configuration"]["provider_config"] = {
        "aws": {"name": "aws", "expressions": {"access_key": {"constant_value": key}}}
    }
    document["configuration"]["root_module"] |= {
        "outputs": {"leak": {"expression": {"constant_value": key}}},
        "variables": {"db_password": {"default": "hunter2!"}},
    }
    document["planned_values"]["outputs"] = {"leak": {"sensitive": False, "value": key}}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document))
    [reading] = read([path])

    failed = {(f.policy, f.resource) for f in judged(reading) if f.verdict is Verdict.FAIL}

    assert {
        ("secrets.provider_credentials", "plan/provider.aws"),
        ("secrets.anywhere", "plan/output.leak"),
        ("secrets.defaults", "plan/variable.db_password"),
    } <= failed


@pytest.mark.parametrize("nothing", [None, []])
def test_what_is_written_to_be_left_out_is_unset(instance, nothing):
    found = instance({"key_name": True}, {"key_name": {"constant_value": nothing}})

    assert "none" == found.get("key_name", "none")


def test_a_template_of_another_module_does_not_name_resources_of_this_one():
    written = {
        "constant_value": "${aws_kms_key.k.arn}",
        "references": ["aws_kms_key.k.arn", "aws_kms_key.k"],
    }
    inner = {"resources": [{"address": "aws_ebs_volume.v", "expressions": {"kms_key_id": written}}]}

    [(address, told)] = expressions({"module_calls": {"m": {"module": inner}}})

    assert "module.m.aws_ebs_volume.v" == address
    assert {
        "kms_key_id": {"references": ["module.m.aws_kms_key.k.arn", "module.m.aws_kms_key.k"]}
    } == told


def sha1(text):
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


SCRIPT = "DB_PASSWORD=correct-horse-battery"


@pytest.mark.parametrize(
    ("written", "shown", "told"),
    [
        (SCRIPT, sha1(SCRIPT), SCRIPT),
        (b64encode(SCRIPT.encode()).decode(), sha1(SCRIPT), b64encode(SCRIPT.encode()).decode()),
        ("another", sha1(SCRIPT), sha1(SCRIPT)),
        ([SCRIPT], sha1(SCRIPT), sha1(SCRIPT)),
    ],
)
def test_a_digest_stands_for_the_text_that_has_it(instance, written, shown, told):
    constant = {"user_data": {"constant_value": written}}

    assert told == instance({}, constant, {"user_data": shown}).get("user_data")


EVERYTHING = {"effect": "Allow", "actions": ["*"], "resources": ["*"]}
MADE = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
READ = {
    "address": "data.aws_iam_policy_document.d",
    "mode": "data",
    "type": "aws_iam_policy_document",
}


def with_document(*, made, user):
    """Return a plan with a policy document, made by now or later, that a *user* may name."""
    content = plan({}, {"user_data": {"references": user}})
    if made:
        content["prior_state"] = {
            "values": {
                "root_module": {
                    "child_modules": [{"resources": [{**READ, "values": {"json": MADE}}]}]
                }
            }
        }
    else:
        change = {
            "actions": ["read"],
            "before": None,
            "after": {"statement": [EVERYTHING]},
            "after_unknown": {"json": True},
        }
        content["resource_changes"].append({**READ, "change": change})
    return content


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize(
    ("user", "verdict"),
    [([], Verdict.FAIL), ([READ["address"] + ".json", READ["address"]], Verdict.PASS)],
)
def test_a_document_that_nothing_uses_is_judged_in_a_plan_too(tmp_path, made, user, verdict):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(with_document(made=made, user=user)))
    [reading] = read([path])

    assert [verdict] == [
        finding.verdict
        for finding in judged(reading)
        if finding.policy == "permissions.administration"
        and finding.resource.endswith(READ["address"])
    ]
