"""What runs an application of ours for us: Elastic Beanstalk, App Runner."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import replace

ENVIRONMENT = "aws_elastic_beanstalk_environment"
SPACE = "aws:elasticbeanstalk"


def _switched(space: str, name: str, title: str, why: str, requirement: str) -> Policy:
    """Return the policy that an environment's option *name* in *space* is true."""

    def switches_it_on(environment: Resource, graph: ResourceGraph) -> Iterator[Violation]:
        for setting in environment.blocks("setting"):
            if (setting.get("namespace"), setting.get("name")) == (space, name):
                if str(setting.get("value")).lower() != "true":
                    yield Violation(f"{name} is {setting.get('value')}", setting, "value")
                return
        yield Violation(f"{name} is not stated", environment, "setting")

    stated = {"namespace": space, "name": name, "value": "true"}
    return Policy(
        checks=switches_it_on,
        applies_to=ENVIRONMENT,
        title=title,
        why=why,
        claims=(part_of(requirement),),
        example={ENVIRONMENT: {"app": {"setting": [stated]}}},
        violated_by=(
            replace("setting", []),
            replace("setting", [{**stated, "value": "false"}]),
            replace("setting", [{**stated, "namespace": f"{SPACE}:other"}]),
        ),
    )


PATCHES = _switched(
    f"{SPACE}:managedactions",
    "ManagedActionsEnabled",
    "Environments of Elastic Beanstalk take security fixes by themselves.",
    "A fix that waits for somebody waits too long.",
    "6.3.3",
)
LOGS = _switched(
    f"{SPACE}:cloudwatch:logs",
    "StreamLogs",
    "Environments of Elastic Beanstalk keep their logs.",
    "With the machine that wrote it, a log is gone.",
    "10.3.3",
)
SERVICES_KEY = common.under_our_key(
    "Services of App Runner", "aws_apprunner_service", "encryption_configuration.kms_key"
)
