import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.naming import LONGEST, LONGEST_SUFFIX, SUFFIX, Naming, NamingError

NAME = re.compile(r"financial-([a-z0-9-]+)-dev(?:-\d+)?\b")

valid_suffixes = st.from_regex(SUFFIX, fullmatch=True).filter(lambda s: len(s) <= LONGEST_SUFFIX)
ATTRIBUTES = {
    "aws_autoscaling_schedule": "scheduled_action_name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_lambda_function": "function_name",
    "aws_rds_cluster": "cluster_identifier",
    "aws_rds_cluster_instance": "identifier",
}


@pytest.fixture(scope="session")
def named(synthesized):
    """Return every resource that the platform really names in AWS, with its type."""
    path = synthesized / "stacks" / "financial-dev" / "cdk.tf.json"
    return sorted(
        {
            (match[1], type)
            for type, bodies in json.loads(path.read_text())["resource"].items()
            for body in bodies.values()
            if (match := NAME.search(str(body.get(ATTRIBUTES.get(type, "name")))))
        }
    )


def test_every_type_that_the_platform_names_has_a_limit(named):
    assert {type for _, type in named} <= set(LONGEST)
    assert ("alb", "aws_lb") in named
    assert ("database-secret", "aws_secretsmanager_secret") in named


@given(suffix=valid_suffixes, number=st.none() | st.integers(1, 99), data=st.data())
def test_every_valid_suffix_gives_names_within_the_limits_of_aws(named, suffix, number, data):
    resource, type = data.draw(st.sampled_from(named))
    name = Naming(suffix)(resource, of=type, number=number)

    assert len(name) <= LONGEST[type]
    assert re.fullmatch(r"financial-[a-z0-9-]+", name)
    assert name == f"financial-{resource}-{suffix}" + (f"-{number}" if number else "")
    assert "--" not in name
    assert not name.endswith("-")


@given(st.text())
def test_every_other_suffix_is_refused_with_the_reason(suffix):
    assume(not SUFFIX.fullmatch(suffix) or len(suffix) > LONGEST_SUFFIX)

    with pytest.raises(NamingError, match=r"^environment suffix .*: "):
        Naming(suffix)


@pytest.mark.parametrize(
    "suffix", ["", "Dev", "1dev", "dev-", "-dev", "dev--a", "dev_a", "dév", "dev\n"]
)
def test_a_suffix_that_aws_would_refuse_somewhere_is_refused(suffix):
    with pytest.raises(NamingError, match="use lower-case letters and digits"):
        Naming(suffix)


def test_a_name_that_is_too_long_is_refused():
    with pytest.raises(NamingError, match="38 characters, and aws_lb allows 32"):
        Naming("developments")("customers-entry", of="aws_lb")


@given(st.text().filter(lambda text: not SUFFIX.fullmatch(text)))
def test_a_resource_that_is_no_word_is_refused(resource):
    with pytest.raises(NamingError, match="use lower-case words"):
        Naming("dev")(resource)


def test_a_forced_prefix_stands_in_front():
    assert (
        Naming("dev")("logs-key", of="aws_kms_alias", prefix="alias/")
        == "alias/financial-logs-key-dev"
    )
