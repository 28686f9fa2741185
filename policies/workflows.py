"""What moves data between systems, and runs jobs on it: MWAA, Batch, AppFlow, Scheduler."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import remove, replace
from policies.engine.settings import states

AIRFLOW = "aws_mwaa_environment"
JOB = "aws_batch_job_definition"

AIRFLOW_KEY = common.under_our_key("Airflow environments", AIRFLOW, "kms_key")
AIRFLOW_PRIVATE = states(
    AIRFLOW,
    "webserver_access_mode",
    "PRIVATE_ONLY",
    otherwise="PRIVATE_ONLY",
    refused=("PUBLIC_ONLY",),
    title="Airflow is administered from our network only.",
    why="Whoever edits a workflow runs what he likes where the data is.",
    claims=(part_of("1.3.1"),),
)
AIRFLOW_LOGS = (
    "dag_processing_logs", "scheduler_logs", "task_logs", "webserver_logs", "worker_logs",
)  # fmt: skip


def logs_what_it_runs(environment: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Airflow logs what it runs, and who asked for it.

    A workflow reads and moves whole tables.
    """
    for log in AIRFLOW_LOGS:
        path = f"logging_configuration.{log}.enabled"
        if environment.get(path, False) is not True:
            yield Violation(f"{log} is not enabled", environment, path)


AIRFLOW_RECORDS = Policy(
    checks=logs_what_it_runs,
    applies_to=AIRFLOW,
    claims=(part_of("10.2.1"),),
    example={
        AIRFLOW: {
            "cde": {"logging_configuration": {log: {"enabled": True} for log in AIRFLOW_LOGS}}
        }
    },
    violated_by=(
        remove("logging_configuration"),
        *(replace(f"logging_configuration.{log}.enabled", False) for log in AIRFLOW_LOGS),
    ),
)


def is_not_privileged(job: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Jobs of Batch are not privileged.

    A privileged container is root on the machine of all the others.
    """
    if job.get("container_properties.privileged", False) not in (False, "false"):
        yield Violation("container_properties: privileged is true", job, "container_properties")
    for pod in common.inside(job, "eks_properties.pod_properties"):
        for path in ("containers.security_context", "init_containers.security_context"):
            for context in common.inside(pod, path):
                if context.get("privileged", False) is not False:
                    yield Violation("privileged is true", context, "privileged")


JOB_PRIVILEGES = Policy(
    checks=is_not_privileged,
    applies_to=JOB,
    claims=(part_of("7.2.5"),),
    example={JOB: {"nightly": {"container_properties": '{"privileged": false}'}}},
    violated_by=(
        replace("container_properties", '{"privileged": true}'),
        replace(
            "eks_properties",
            {"pod_properties": {"containers": [{"security_context": {"privileged": True}}]}},
        ),
    ),
)
FLOWS_KEY = common.under_our_key(
    "Flows of AppFlow, and their connections",
    ("aws_appflow_flow", "aws_appflow_connector_profile"),
    "kms_arn",
)
SCHEDULES_KEY = common.under_our_key("Schedules", "aws_scheduler_schedule", "kms_key_arn")
TRANSFERS = common.recorded(
    "DataSync tasks log what they move.",
    "aws_datasync_task",
    "cloudwatch_log_group_arn",
)
