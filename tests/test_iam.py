"""What policies of IAM mean, against every text of a small universe tried one by one."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.aws import actions, iam
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import UnknownValue

UNIVERSE = ["".join(letters) for length in range(5) for letters in product("ab:", repeat=length)]
ROLE = Resource("aws_iam_role.r", "aws_iam_role", {"name": "r"})
ALLOW = {"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}


def is_meant(pattern, text):
    """Try each way to spend *text* on *pattern*, a letter at a time."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return is_meant(pattern[1:], text) or (bool(text) and is_meant(pattern, text[1:]))
    return bool(text) and pattern[0] in {"?", text[0]} and is_meant(pattern[1:], text[1:])


@given(st.text("ab:*?", max_size=6))
def test_a_pattern_means_what_each_text_says(pattern):
    meant = frozenset(text for text in UNIVERSE if is_meant(pattern, text))

    assert meant == {text for text in UNIVERSE if iam.matches(pattern, text)}
    assert iam.covers_arns(pattern, meant)
    assert bool(meant) is iam.reaches(pattern, frozenset(UNIVERSE))
    assert iam.covers_arns(pattern, frozenset(UNIVERSE)) is (len(meant) == len(UNIVERSE))


CUSTOMER = Resource("aws_iam_policy.p", "aws_iam_policy", {"policy": ALLOW})
CARRIERS = {
    "inline in the role": [
        Resource("aws_iam_role.r", "aws_iam_role", {"inline_policy": [{"policy": ALLOW}]})
    ],
    "a policy of its own": [
        ROLE,
        Resource(
            "aws_iam_role_policy.p",
            "aws_iam_role_policy",
            {"role": "${aws_iam_role.r.id}", "policy": ALLOW},
        ),
    ],
    "a policy of its own, by the role's name": [
        ROLE,
        Resource("aws_iam_role_policy.p", "aws_iam_role_policy", {"role": "r", "policy": ALLOW}),
    ],
    "attached": [
        ROLE,
        CUSTOMER,
        Resource(
            "aws_iam_role_policy_attachment.a",
            "aws_iam_role_policy_attachment",
            {"role": "${aws_iam_role.r.name}", "policy_arn": "${aws_iam_policy.p.arn}"},
        ),
    ],
    "attached to several": [
        ROLE,
        CUSTOMER,
        Resource(
            "aws_iam_policy_attachment.a",
            "aws_iam_policy_attachment",
            {"roles": ["x", "${aws_iam_role.r.name}"], "policy_arn": "${aws_iam_policy.p.arn}"},
        ),
    ],
    "named by the role": [
        Resource(
            "aws_iam_role.r", "aws_iam_role", {"managed_policy_arns": ["${aws_iam_policy.p.arn}"]}
        ),
        CUSTOMER,
    ],
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_role_holds_what_any_of_its_policies_grants(carrier):
    resources = CARRIERS[carrier]

    [statement] = iam.held(resources[0], ResourceGraph(tuple(resources)))

    assert ["sqs:sendmessage"] == list(statement.actions())


@pytest.mark.parametrize("policy", ["${data.aws_iam_policy.p.arn}", "arn:aws:iam::1:policy/p"])
def test_what_a_policy_grants_that_is_not_here_is_not_known(policy):
    role = Resource("aws_iam_role.r", "aws_iam_role", {"managed_policy_arns": [policy]})
    data = Resource("data.aws_iam_policy.p", "data.aws_iam_policy", {"name": "p"})

    with pytest.raises(UnknownValue):
        list(iam.held(role, ResourceGraph((role, data))))


@pytest.mark.parametrize(
    ("action", "bound"),
    [
        ("s3:getobject", True),
        ("s3:put*", True),
        ("s3:listallmybuckets", False),
        ("ec2:describe*", False),
        ("ec2:describeinstances", False),
        ("ec2:*", True),
        ("*", True),
        ("cloudwatch:putmetricdata", False),
    ],
)
def test_what_can_be_bound_to_a_resource_is_known(action, bound):
    assert bound is actions.can_be_bound(action)


@pytest.mark.parametrize("action", ["s3:getobjekt", "unheardof:action", "s3:zz*"])
def test_what_no_table_has_is_not_known(action):
    with pytest.raises(UnknownValue):
        actions.can_be_bound(action)
