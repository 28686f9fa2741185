"""Values: interpreted when they are read, and never silently unknown."""

import pytest

from policies.engine.graph import Resource
from policies.engine.values import PLAIN, Unknown, UnknownValue


def resource(values, **fields):
    return Resource("aws_thing.a", "aws_thing", values, **fields)


def test_an_unset_value_is_the_default():
    assert 365 == resource({}).get("days", 365)
    assert 365 == resource({"days": None}).get("days", 365)
    assert resource({"block": {}}).get("block.days") is None


@pytest.mark.parametrize(
    "value", ["${var.days}", "${aws_thing.b.days}", "${1 + var.a}", "%{ if true }1%{ endif }"]
)
def test_an_expression_is_unknown(value):
    with pytest.raises(UnknownValue, match="days is not known"):
        resource({"days": value}).get("days", 365)


def test_an_escaped_marker_is_none():
    assert "${aws:username}" == resource({"a": "$${aws:username}"}).get("a")
    assert "%{x}" == resource({"a": "%%{x}"}).get("a")


def test_in_a_plan_a_marker_is_a_text():
    assert "${aws:username}" == resource({"a": "${aws:username}"}, syntax=PLAIN).get("a")


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("false", False), (True, True)])
def test_booleans_may_be_strings(written, meant):
    assert meant is resource({"a": written}).get("a")


@pytest.mark.parametrize(("written", "meant"), [("22", 22), (22, 22), ("22.0", 22), (22.0, 22)])
def test_numbers_may_be_strings(written, meant):
    assert meant == resource({"port": written}).number("port")


@pytest.mark.parametrize("written", ["ssh", True, [22], "${var.port}"])
def test_what_is_no_number_is_unknown(written):
    with pytest.raises(UnknownValue):
        resource({"port": written}).number("port")


def test_an_unknown_neighbour_hides_nothing():
    cidrs = iter(resource({"cidrs": ["${var.a}", "0.0.0.0/0"]}).get("cidrs"))

    assert "0.0.0.0/0" == next(cidrs)
    with pytest.raises(UnknownValue):
        next(cidrs)


def test_membership_is_known_where_it_can_be():
    logs = resource({"logs": ["${var.a}", "audit"]}).get("logs")

    assert "audit" in logs
    with pytest.raises(UnknownValue):
        assert "error" in logs


def test_json_inside_a_string_is_decoded():
    policy = resource({"policy": '{"Statement": [{"Action": "s3:*"}]}'})

    assert "s3:*" == policy.get("policy.Statement.0.Action")


def test_json_that_says_two_things_is_unknown():
    policy = resource({"policy": '{"Statement": [], "Statement": [{"Action": "*"}]}'})

    with pytest.raises(UnknownValue, match="stands twice"):
        policy.get("policy")


def test_a_text_that_only_begins_like_json_is_a_text():
    assert "[error]" == resource({"pattern": "[error]"}).get("pattern")


@pytest.mark.parametrize("written", [{"a": 1}, [{"a": 1}], [[{"a": 1}]], [None, {"a": 1}]])
def test_a_block_may_be_an_object_or_a_list(written):
    assert [1] == [block.get("a") for block in resource({"block": written}).blocks("block")]


def test_known_blocks_come_before_unknown_ones():
    blocks = resource({"rules": [Unknown(), {"port": 22}]}).blocks("rules")

    assert 22 == next(blocks).get("port")
    with pytest.raises(UnknownValue):
        next(blocks)


def test_a_block_that_stands_twice_is_not_read_as_one():
    with pytest.raises(UnknownValue, match="given 2 times"):
        resource({"block": [{"a": 1}, {"a": 2}]}).get("block.a")


def test_a_dynamic_block_is_unknown():
    with pytest.raises(UnknownValue, match="dynamic ingress"):
        list(resource({"dynamic": {"ingress": {}}}).blocks("ingress"))


@pytest.mark.parametrize(
    ("expression", "targets"),
    [
        ("${aws_vpc.main.id}", ("aws_vpc.main",)),
        ("${data.aws_ami.linux.id}", ("data.aws_ami.linux",)),
        ("${tostring(aws_launch_template.a.version)}", ("aws_launch_template.a.version",)),
        ("${aws_vpc.main.main_route_table_id}", ("aws_vpc.main.main_route_table_id",)),
        (
            "${data.terraform_remote_state.a.outputs.b}",
            ("data.terraform_remote_state.a.outputs.b",),
        ),
        ("${var.on ? aws_kms_key.a.arn : null}", None),
        ("${coalesce(aws_kms_key.a.arn, var.b)}", None),
        ("${aws_vpc.main[0].id}", ("aws_vpc.main[0]",)),
        ("${aws_vpc.main.0.id}", ("aws_vpc.main[0]",)),
        ('${aws_vpc.main["a"].id}', ('aws_vpc.main["a"]',)),
        ("${aws_subnet.a[*].id}", ("aws_subnet.a",)),
        ("${aws_subnet.a.*.id}", ("aws_subnet.a",)),
        ("${aws_vpc.main[var.number].id}", None),
        ('${aws_vpc.main["${var.name}"].id}', None),
        ("${aws_vpc.main.id}-suffix", None),
        ('${"aws_vpc.main.id"}', None),
        ("${var.aws_vpc}", None),
        ("${local.vpc}", None),
        ("${module.network.vpc_id}", None),
    ],
)
def test_only_a_bare_reference_tells_what_a_value_is(expression, targets):
    assert targets == Unknown(expression).targets


@pytest.mark.parametrize(
    ("references", "targets"),
    [
        (("aws_vpc.main.id", "aws_vpc.main"), ("aws_vpc.main",)),
        (("aws_a_b.c.id", "aws_a_b.c", "aws_a_b.d.id", "aws_a_b.d"), ("aws_a_b.c", "aws_a_b.d")),
        (("aws_vpc.v[0].id", "aws_vpc.v[0]", "aws_vpc.v"), ("aws_vpc.v[0]",)),
        (("module.a.aws_vpc.v.id", "module.a.aws_vpc.v"), ("module.a.aws_vpc.v",)),
        (("aws_kms_key.a.arn", "aws_kms_key.a", "var.on"), None),
        (("aws_subnet.a", "count.index"), None),
        (("module.a.var.group_id",), None),
        (("module.net.vpc_id", "module.net"), None),
    ],
)
def test_in_a_plan_references_tell_it_where_nothing_else_is_named(references, targets):
    assert targets == Unknown(references=references).targets


def test_a_reference_is_known_where_the_value_is_not():
    assert ["aws_vpc.main"] == list(resource({"a": ["${aws_vpc.main.id}"]}).reference("a"))
    assert ["vpc-1"] == list(resource({"a": "vpc-1"}).reference("a"))
    assert [] == list(resource({}).reference("a"))


def test_what_a_value_names_is_told_before_what_cannot_be():
    names = resource({"a": ["${var.a}", "${aws_vpc.main.id}", "vpc-1"]}).reference("a")

    assert "aws_vpc.main" == next(names)
    assert "vpc-1" == next(names)
    with pytest.raises(UnknownValue):
        next(names)


@pytest.mark.parametrize(
    ("value", "is_set"), [("", False), (None, False), ("x", True), ("${aws_a_b.c.arn}", True)]
)
def test_an_empty_string_is_unset(value, is_set):
    assert is_set is resource({"a": value}).is_set("a")


def test_whether_a_variable_is_set_cannot_be_told():
    with pytest.raises(UnknownValue):
        resource({"a": "${var.a}"}).is_set("a")


@pytest.mark.parametrize(
    ("expression", "attribute"),
    [("${aws_kms_key.a.arn}", "arn"), ("${aws_kms_key.a.arn}/*", "arn"), ("${var.a}", None)],
)
def test_the_attribute_behind_an_expression_is_known(expression, attribute):
    assert attribute == Unknown(expression).attribute
