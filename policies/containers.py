"""Containers: what they run as, what they hold, who reaches the cluster that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.aws import cidr, credentials, encryption, engines, iam
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import states
from policies.engine.values import Object, UnknownValue, in_each

TASK = "aws_ecs_task_definition"
SERVICE = "aws_ecs_service"
CLUSTER = "aws_eks_cluster"
REPOSITORY = "aws_ecr_repository"
REPOSITORY_POLICY = "aws_ecr_repository_policy"


def _containers(task: Resource) -> Iterator[Object]:
    found = task.get("container_definitions")
    if found is None:
        return
    if isinstance(found, str | Object):
        raise UnknownValue("container_definitions is no list of containers")
    for container in found:
        if not isinstance(container, Object):
            raise UnknownValue("container_definitions is no list of containers")
        yield _named_as_read(container)


NAMES = {
    name.lower(): name
    for name in (
        "environment", "logConfiguration", "logDriver", "name", "privileged",
        "readonlyRootFilesystem", "value",
    )
}  # fmt: skip


def _named_as_read(value: Object) -> Object:
    """Return *value* with its names as they are read here: to ECS, their case is all the same."""
    named = {NAMES.get(key.lower(), key): each for key, each in value.raw.items()}
    return Object(named, value.syntax)


def _task(**container: Any) -> dict[str, Any]:
    return {TASK: {"app": {"container_definitions": [{"name": "app", **container}]}}}


def _container(**changed: Any) -> Any:
    return replace("container_definitions", [{"name": "app", **changed}])


def is_not_privileged(task: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Containers are not privileged.

    A privileged container is root on the machine of all the others.
    """
    for container in _containers(task):
        if container.get("privileged", False) not in (False, "false"):
            yield Violation(f"container {container.get('name')} is privileged", task)


PRIVILEGES = Policy(
    checks=is_not_privileged,
    applies_to=TASK,
    claims=(part_of("7.2.5"),),
    example=_task(),
    violated_by=(_container(privileged=True),),
)


def cannot_write_to_itself(task: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Containers cannot write to their own file system.

    What an intruder cannot write he cannot run.
    """
    for container in _containers(task):
        if container.get("readonlyRootFilesystem") not in (True, "true"):
            yield Violation(f"container {container.get('name')} may write to its root", task)


READ_ONLY_ROOT = Policy(
    checks=cannot_write_to_itself,
    applies_to=TASK,
    claims=(supports("2.2.6"),),
    example=_task(readonlyRootFilesystem=True),
    violated_by=(_container(), _container(readonlyRootFilesystem=False)),
)


def holds_no_secret(task: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The environment of a container holds no password, key or token.

    It is shown in the console to whoever may read the task; secrets have a place of
    their own in it.
    """

    def in_one(written: Object) -> Iterator[Violation]:
        variable = _named_as_read(written)
        name = variable.get("name")
        for kind in credentials.in_setting(str(name), variable.peek("value")):
            yield Violation(f"environment.{name} holds {kind}", task)

    for container in _containers(task):
        yield from in_each(container.get("environment") or (), in_one)


SECRETS = Policy(
    checks=holds_no_secret,
    applies_to=TASK,
    claims=(direct("8.6.2"),),
    example=_task(environment=[{"name": "REGION", "value": "us-east-1"}]),
    violated_by=(
        _container(environment=[{"name": "DB_PASSWORD", "value": "correct-horse-battery"}]),
        _container(environment=[{"name": "KEY", "value": "AKIAIOSFODNN7REALKEY"}]),
    ),
)


def keeps_to_itself(task: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Tasks share neither processes nor network with their machine.

    What shares them sees, and may end, what runs beside it.
    """
    for attribute in ("pid_mode", "ipc_mode", "network_mode"):
        if task.get(attribute) == "host":
            yield Violation(f"{attribute} is host", task, attribute)


ISOLATION = Policy(
    checks=keeps_to_itself,
    applies_to=TASK,
    claims=(supports("2.2.3"),),
    example={TASK: {"app": {"network_mode": "awsvpc"}}},
    violated_by=(replace("pid_mode", "host"), replace("network_mode", "host")),
)


def writes_a_log(task: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Containers write a log.

    A container that is gone has taken with it what it did not send away.
    """
    for container in _containers(task):
        logs = container.get("logConfiguration")
        if not logs or (
            isinstance(logs, Object) and _named_as_read(logs).get("logDriver") == "none"
        ):
            yield Violation(f"container {container.get('name')} writes no log", task)


LOGS = Policy(
    checks=writes_a_log,
    applies_to=TASK,
    claims=(part_of("10.2.1"),),
    example=_task(logConfiguration={"logDriver": "awslogs"}),
    violated_by=(_container(), _container(logConfiguration=None)),
)


def mounts_over_tls(task: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Tasks mount file systems over TLS.

    Whoever listens in between learns nothing.
    """
    for volume in task.blocks("volume"):
        for mount in volume.blocks("efs_volume_configuration"):
            if mount.get("transit_encryption", "DISABLED") != "ENABLED":
                yield Violation("transit_encryption is not ENABLED", mount, "transit_encryption")


MOUNTS = Policy(
    checks=mounts_over_tls,
    applies_to=TASK,
    claims=(part_of("4.2.1"),),
    example={
        TASK: {"app": {"volume": [{"efs_volume_configuration": {"transit_encryption": "ENABLED"}}]}}
    },
    violated_by=(
        replace("volume", [{"efs_volume_configuration": {}}]),
        replace("volume", [{"efs_volume_configuration": {"transit_encryption": "DISABLED"}}]),
    ),
)

SERVICE_ADDRESSES = states(
    SERVICE,
    "network_configuration.assign_public_ip",
    False,
    otherwise=False,
    title="Services take no public address.",
    why="They stand behind a load balancer, or are reached by nobody.",
    claims=(part_of("1.4.4"),),
)
PLATFORM_VERSION = states(
    SERVICE,
    "platform_version",
    "LATEST",
    otherwise="LATEST",
    refused=("1.3.0",),
    title="Services run on the newest platform of Fargate.",
    why="An old one has holes that were closed.",
    claims=(part_of("6.3.3"),),
)


def is_reached_by_few(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The interface of a Kubernetes cluster is not open to the Internet.

    Whoever has found a credential needs nothing but an address.
    """
    if cluster.get("vpc_config.endpoint_public_access", True) is False:
        return
    blocks = cluster.get("vpc_config.public_access_cidrs") or ["0.0.0.0/0"]
    for block in blocks:
        if cidr.names_internet(block):
            yield Violation(f"reached from {block}", cluster, "vpc_config.public_access_cidrs")


CLUSTER_ENDPOINT = Policy(
    checks=is_reached_by_few,
    applies_to=CLUSTER,
    claims=(part_of("1.4.4"), part_of("1.3.1")),
    example={CLUSTER: {"cde": {"vpc_config": {"endpoint_public_access": False}}}},
    violated_by=(
        remove("vpc_config.endpoint_public_access"),
        replace("vpc_config.endpoint_public_access", True),
        replace("vpc_config", {"public_access_cidrs": ["10.0.0.0/8", "0.0.0.0/0"]}),
    ),
)


def encrypts_its_secrets(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Kubernetes clusters encrypt their secrets with a key of ours.

    They lie in its store as plain text otherwise.
    """
    encrypted = False
    for configuration in cluster.blocks("encryption_config"):
        if "secrets" in list(configuration.get("resources", ())):
            encrypted = True
            yield from encryption.not_ours(configuration, "provider.key_arn", graph)
    if not encrypted:
        yield Violation("secrets are not encrypted", cluster, "encryption_config")


CLUSTER_SECRETS = Policy(
    checks=encrypts_its_secrets,
    applies_to=CLUSTER,
    claims=(part_of("8.3.2"),),
    example={
        CLUSTER: {
            "cde": {
                "encryption_config": [
                    {"resources": ["secrets"], "provider": {"key_arn": "${aws_kms_key.cde.arn}"}}
                ]
            }
        }
    },
    violated_by=(
        remove("encryption_config"),
        replace("encryption_config", [{"resources": ["secrets"], "provider": {}}]),
    ),
)


def logs_its_interface(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Kubernetes clusters log who asked them for what.

    The audit log is the one that names the caller.
    """
    logged = set(cluster.get("enabled_cluster_log_types", ()))
    for kind in ("api", "audit", "authenticator"):
        if kind not in logged:
            yield Violation(
                f"enabled_cluster_log_types lacks {kind}", cluster, "enabled_cluster_log_types"
            )


CLUSTER_LOGS = Policy(
    checks=logs_its_interface,
    applies_to=CLUSTER,
    claims=(part_of("10.2.1"),),
    example={CLUSTER: {"cde": {"enabled_cluster_log_types": ["api", "audit", "authenticator"]}}},
    violated_by=(
        remove("enabled_cluster_log_types"),
        replace("enabled_cluster_log_types", ["api"]),
    ),
)

IMAGE_SCANS = states(
    REPOSITORY,
    "image_scanning_configuration.scan_on_push",
    True,
    title="Images are scanned when they are pushed.",
    why="A known hole is found before it runs.",
    claims=(supports("11.3.1"), supports("6.3.1")),
)
IMAGE_TAGS = states(
    REPOSITORY,
    "image_tag_mutability",
    "IMMUTABLE",
    "IMMUTABLE_WITH_EXCLUSION",
    refused=("MUTABLE",),
    title="A tag names one image for ever.",
    why="What was reviewed is what runs.",
    claims=(supports("6.5.1"),),
)


def keeps_images_under_a_key(repository: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Images are encrypted with a key of ours.

    Whoever reads them needs our permission for the key as well.
    """
    if repository.get("encryption_configuration.encryption_type", "AES256") != "KMS":
        yield Violation("encryption_type is not KMS", repository, "encryption_configuration")
    else:
        yield from encryption.not_ours(repository, "encryption_configuration.kms_key", graph)


IMAGE_KEY = Policy(
    checks=keeps_images_under_a_key,
    applies_to=REPOSITORY,
    claims=(supports("3.5.1"),),
    example={
        REPOSITORY: {
            "app": {
                "encryption_configuration": {
                    "encryption_type": "KMS",
                    "kms_key": "${aws_kms_key.cde.arn}",
                }
            }
        }
    },
    violated_by=(
        remove("encryption_configuration"),
        replace("encryption_configuration.encryption_type", "AES256"),
        remove("encryption_configuration.kms_key"),
    ),
)


def gives_images_to_whom_it_names(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Repositories are open to whom their policy names.

    An image holds everything that the application is made of.
    """
    for text in iam.open_to_strangers(policy, "policy"):
        yield Violation(f"policy: {text}", policy, "policy")


REPOSITORY_POLICIES = Policy(
    checks=gives_images_to_whom_it_names,
    applies_to=REPOSITORY_POLICY,
    claims=(part_of("7.2.1"),),
    example={
        REPOSITORY_POLICY: {
            "app": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                            "Action": "ecr:BatchGetImage",
                        }
                    ]
                }
            }
        }
    },
    violated_by=(
        replace(
            "policy", {"Statement": [{"Effect": "Allow", "Action": "ecr:*", "Principal": "*"}]}
        ),
    ),
)


def runs_a_version_that_is_mended(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Clusters run a version of Kubernetes that is still mended.

    A hole in an old one stays open. Where no version is written, AWS takes one that is.
    """
    version = cluster.get("version")
    extended = cluster.get("upgrade_policy.support_type", "EXTENDED") == "EXTENDED"
    if version is not None and not engines.is_mended(
        "clusters", str(version), graph, extended=extended
    ):
        yield Violation(f"version is {version}", cluster, "version")


SUPPORTED_VERSION = Policy(
    checks=runs_a_version_that_is_mended,
    applies_to=CLUSTER,
    claims=(part_of("6.3.3"), supports("12.3.4")),
    example={CLUSTER: {"app": {"version": "1.34", "upgrade_policy": {"support_type": "STANDARD"}}}},
    violated_by=(replace("version", "1.25"), replace("version", "1.31")),
)

TASK_SET_ADDRESSES = states(
    "aws_ecs_task_set",
    "network_configuration.assign_public_ip",
    False,
    otherwise=False,
    title="Sets of tasks have no public address.",
    why="What computes stands behind the load balancer, and not beside it.",
    claims=(part_of("1.4.4"),),
)

NODES = "aws_eks_node_group"


def says_from_where(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Nodes of a cluster that can be logged in to say from where.

    Left out, SSH is open to the Internet.
    """
    for access in group.blocks("remote_access"):
        if access.is_set("ec2_ssh_key") and not access.is_set("source_security_group_ids"):
            yield Violation("source_security_group_ids are not stated", access)


NODE_LOGINS = Policy(
    checks=says_from_where,
    applies_to=NODES,
    claims=(part_of("1.3.1"),),
    example={
        NODES: {
            "app": {
                "remote_access": {
                    "ec2_ssh_key": "${aws_key_pair.admin.key_name}",
                    "source_security_group_ids": ["${aws_security_group.admin.id}"],
                }
            }
        }
    },
    violated_by=(remove("remote_access.source_security_group_ids"),),
)
