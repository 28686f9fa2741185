"""Queues and streams: encrypted, over TLS, open to whom they name."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws import encryption, iam
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import attached, remove, replace
from policies.engine.settings import states

QUEUE = "aws_sqs_queue"
QUEUE_POLICY = "aws_sqs_queue_policy"
STREAM = "aws_kinesis_stream"
CLUSTER = "aws_msk_cluster"


def is_encrypted(queue: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Queues say how they are encrypted: with a key of ours, or with that of SQS.

    What waits in a queue is data at rest.
    """
    if queue.is_set("kms_master_key_id"):
        yield from encryption.not_ours(queue, "kms_master_key_id", graph)
    elif queue.get("sqs_managed_sse_enabled") is not True:
        yield Violation("is not said to be encrypted", queue, "kms_master_key_id")


QUEUE_ENCRYPTION = Policy(
    checks=is_encrypted,
    applies_to=QUEUE,
    claims=(supports("3.5.1"),),
    example={QUEUE: {"orders": {"kms_master_key_id": "${aws_kms_key.cde.key_id}"}}},
    violated_by=(
        remove("kms_master_key_id"),
        replace("kms_master_key_id", "alias/aws/sqs"),
    ),
)


def lets_in_whom_it_names(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Queues are open to whom their policy names.

    A queue that anybody may read is a leak, and one that anybody may fill a way in.
    """
    for text in iam.open_to_strangers(policy, "policy"):
        yield Violation(f"policy: {text}", policy, "policy")


QUEUE_POLICIES = Policy(
    checks=lets_in_whom_it_names,
    applies_to=(QUEUE_POLICY, QUEUE),
    claims=(part_of("7.2.1"),),
    example={
        QUEUE_POLICY: {
            "orders": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"},
                            "Action": "sqs:SendMessage",
                        }
                    ]
                }
            }
        }
    },
    violated_by=tuple(
        replace("policy", {"Statement": {"Effect": "Allow", "Action": "sqs:*", **who}})
        for who in (
            {"Principal": "*"},
            {"Principal": {"AWS": "*"}},
            {"Principal": {"Service": "sns.amazonaws.com"}},
        )
    ),
)


def is_encrypted_with_kms(stream: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Streams are encrypted with a key of ours.

    What flows through Kinesis is kept for a day at least.
    """
    if stream.get("encryption_type", "NONE") != "KMS":
        yield Violation("encryption_type is not KMS", stream, "encryption_type")
    else:
        yield from encryption.not_ours(stream, "kms_key_id", graph)


STREAM_ENCRYPTION = Policy(
    checks=is_encrypted_with_kms,
    applies_to=STREAM,
    claims=(supports("3.5.1"),),
    example={
        STREAM: {"orders": {"encryption_type": "KMS", "kms_key_id": "${aws_kms_key.cde.arn}"}}
    },
    violated_by=(
        remove("encryption_type"),
        replace("encryption_type", "NONE"),
        replace("kms_key_id", "alias/aws/kinesis"),
    ),
)

BROKERS_TLS = states(
    CLUSTER,
    "encryption_info.encryption_in_transit.client_broker",
    "TLS",
    otherwise="TLS",
    refused=("TLS_PLAINTEXT", "PLAINTEXT"),
    title="Kafka brokers are reached over TLS only.",
    why="Whoever listens in between learns nothing.",
    claims=(part_of("4.2.1"),),
)
CLUSTER_TLS = states(
    CLUSTER,
    "encryption_info.encryption_in_transit.in_cluster",
    True,
    otherwise=True,
    title="Kafka brokers speak TLS among themselves.",
    why="Replication carries every message once more.",
    claims=(part_of("4.2.1"),),
)
BROKERS_PRIVATE = states(
    CLUSTER,
    "broker_node_group_info.connectivity_info.public_access.type",
    "DISABLED",
    otherwise="DISABLED",
    refused=("SERVICE_PROVIDED_EIPS",),
    title="Kafka brokers have no public address.",
    why="What stores account data is not reached from the Internet.",
    claims=(part_of("1.4.4"),),
)
BROKERS_ACCESS = states(
    CLUSTER,
    "client_authentication.unauthenticated",
    False,
    otherwise=False,
    title="Kafka brokers let in nobody whom they do not know.",
    why="Whoever reaches the port could otherwise read every topic.",
    claims=(part_of("7.3.1"),),
)

CONNECTORS_TLS = states(
    "aws_mskconnect_connector",
    "kafka_cluster_encryption_in_transit.encryption_type",
    "TLS",
    otherwise="PLAINTEXT",
    refused=("PLAINTEXT",),
    title="MSK connectors speak TLS.",
    why="Whoever listens in between learns nothing.",
    claims=(part_of("4.2.1"),),
)

BUS = "aws_cloudwatch_event_bus"


def says_who_sends(bus: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Event buses of our own say who may send to them.

    What starts something is also a way in.
    """
    if not any(
        True
        for type in ("aws_cloudwatch_event_bus_policy", "aws_cloudwatch_event_permission")
        for _ in graph.attached_to(bus, type, by="event_bus_name")
    ):
        yield Violation("has no aws_cloudwatch_event_bus_policy", bus)


BUS_POLICIES = Policy(
    checks=says_who_sends,
    applies_to=BUS,
    claims=(part_of("7.2.1"),),
    example={
        BUS: {"orders": {}},
        "aws_cloudwatch_event_bus_policy": {
            "orders": {"event_bus_name": "${aws_cloudwatch_event_bus.orders.name}"}
        },
    },
    violated_by=(attached("aws_cloudwatch_event_bus_policy", by="event_bus_name"),),
)


def is_told_over_tls(subscription: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Topics tell nobody over plain HTTP.

    Whoever listens in between learns what is alarming, and may answer in its place.
    """
    if subscription.get("protocol") == "http":
        yield Violation("protocol is http", subscription, "protocol")


SUBSCRIBERS = Policy(
    checks=is_told_over_tls,
    applies_to="aws_sns_topic_subscription",
    claims=(supports("4.2.1"),),
    example={"aws_sns_topic_subscription": {"alerts": {"protocol": "https"}}},
    violated_by=(replace("protocol", "http"),),
)
