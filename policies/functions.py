"""Functions: inside the VPC, called by whom we name, their settings under our key."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws import encryption, engines, log_groups
from policies.aws.log_groups import LOG_GROUP
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import described, remove, replace
from policies.engine.values import Unknown

FUNCTION = "aws_lambda_function"
PERMISSION = "aws_lambda_permission"


def is_called_by_those_we_name(permission: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Functions can be called by those only whom a permission names.

    A service is bound to our account, or it could be made to call for somebody else.
    """
    written = permission.peek("principal")
    if isinstance(written, Unknown) and written.is_partly_written:
        principal = written.expression
    else:
        principal = str(permission.get("principal", "*"))
    if "*" in principal:
        yield Violation(f"principal is {principal}", permission, "principal")
    elif permission.is_known("source_arn") and permission.get("source_arn") == "*":
        yield Violation("source_arn is *", permission, "source_arn")
    elif principal.endswith(".amazonaws.com"):
        bindings = ("source_arn", "source_account", "principal_org_id")
        if not any(permission.is_set(binding) for binding in bindings):
            yield Violation(
                "neither source_arn nor source_account is set", permission, "source_account"
            )


def _unbound(permission: Resource, graph: ResourceGraph) -> ResourceGraph:
    for attribute in ("source_account", "source_arn"):
        graph = remove(attribute)(permission, graph)
    return graph


CALLERS = Policy(
    checks=is_called_by_those_we_name,
    applies_to=PERMISSION,
    claims=(part_of("7.2.1"),),
    example={
        PERMISSION: {
            "rotation": {
                "principal": "secretsmanager.amazonaws.com",
                "source_account": "111122223333",
            }
        }
    },
    violated_by=(
        replace("principal", "*"),
        remove("principal"),
        described("remove source_account and source_arn", _unbound),
        replace("source_arn", "*"),
    ),
)


def runs_in_the_vpc(function: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Functions run inside the VPC.

    There, security groups decide what they reach; outside, nothing does.
    """
    if not any(True for _ in function.reference("vpc_config.subnet_ids")):
        yield Violation("vpc_config.subnet_ids is not set", function, "vpc_config.subnet_ids")


INSIDE_VPC = Policy(
    checks=runs_in_the_vpc,
    applies_to=FUNCTION,
    claims=(part_of("1.3.1"),),
    example={FUNCTION: {"rotation": {"vpc_config": {"subnet_ids": ["${aws_subnet.a.id}"]}}}},
    violated_by=(remove("vpc_config"), replace("vpc_config.subnet_ids", [])),
)


def encrypts_its_environment(function: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The environment of a function is under a key of ours.

    It tells where the secrets are, to whoever may read the function.
    """
    yield from encryption.not_ours(function, "kms_key_arn", graph)


def has_an_environment(function: Resource) -> bool:
    """Whether *function* is given variables."""
    return bool(list(function.blocks("environment")))


ENVIRONMENT_KEY = Policy(
    checks=encrypts_its_environment,
    applies_to=FUNCTION,
    when=has_an_environment,
    claims=(supports("8.3.2"),),
    example={
        FUNCTION: {
            "rotation": {"environment": {}, "kms_key_arn": "${aws_kms_key.functions.arn}"},
            "bare": {},
        }
    },
    violated_by=(remove("kms_key_arn"),),
)


def has_a_log_group(function: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Every function has a log group that we declare.

    Lambda makes a missing one by itself, unencrypted, and keeps it for ever.
    """
    if not list(log_groups.of_function(function, graph)):
        wanted = f"/aws/lambda/{function.get('function_name')}"
        yield Violation(f"no {LOG_GROUP} is named {wanted}", function, "function_name")


LOG_GROUPS = Policy(
    checks=has_a_log_group,
    applies_to=FUNCTION,
    claims=(part_of("10.2.1"),),
    example={
        FUNCTION: {"rotation": {"function_name": "rotation"}},
        LOG_GROUP: {"rotation": {"name": "/aws/lambda/rotation"}},
    },
    violated_by=(replace("function_name", "another"),),
)


def asks_who_calls(url: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Functions have no address that anybody may call.

    The load balancer is the one entry; a function URL without IAM is another.
    """
    if url.get("authorization_type") != "AWS_IAM":
        yield Violation("authorization_type is not AWS_IAM", url, "authorization_type")


PUBLIC_URL = Policy(
    checks=asks_who_calls,
    applies_to="aws_lambda_function_url",
    claims=(part_of("1.4.2"), part_of("7.2.1")),
    example={"aws_lambda_function_url": {"rotation": {"authorization_type": "AWS_IAM"}}},
    violated_by=(replace("authorization_type", "NONE"), remove("authorization_type")),
)


def runs_on_what_is_mended(function: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Functions run on a runtime that AWS still mends.

    A hole in an old one stays open.
    """
    runtime = function.get("runtime")
    if runtime is None:
        yield Violation("runtime is not stated", function, "runtime")
    elif not engines.is_mended("runtimes", runtime, graph):
        yield Violation(f"runtime is {runtime}", function, "runtime")


RUNTIME = Policy(
    checks=runs_on_what_is_mended,
    applies_to=FUNCTION,
    when=lambda function: function.get("package_type", "Zip") != "Image",
    claims=(supports("12.3.4"), part_of("6.3.3")),
    example={FUNCTION: {"rotation": {"runtime": "python3.13"}, "image": {"package_type": "Image"}}},
    violated_by=(replace("runtime", "python3.8"), replace("runtime", "nodejs16.x")),
)
