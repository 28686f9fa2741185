"""A role in, what works with it out."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph

ROLES = (
    ("aws_codebuild_project", "service_role"),
    ("aws_db_proxy", "role_arn"),
    ("aws_ecs_task_definition", "execution_role_arn"),
    ("aws_ecs_task_definition", "task_role_arn"),
    ("aws_eks_node_group", "node_role_arn"),
    ("aws_glue_job", "role_arn"),
    ("aws_iam_instance_profile", "role"),
    ("aws_lambda_function", "role"),
    ("aws_sagemaker_notebook_instance", "role_arn"),
    ("aws_sfn_state_machine", "role_arn"),
)
"""What works with a role, and the attribute that names it."""


def taking(role: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """
    Yield what works with *role*.

    Raises:
        UnknownValue: After the others of its type, where one cannot be told.
    """
    for type, by in ROLES:
        yield from graph.attached_to(role, type, by=by)
