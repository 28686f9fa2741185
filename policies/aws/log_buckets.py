"""A document in, the buckets out in which logs end: of load balancers, trails, flows, changes."""

from __future__ import annotations

from policies.engine.graph import ResourceGraph
from policies.engine.values import UnknownValue

SOURCES = (
    ("aws_alb", "access_logs.bucket"),
    ("aws_cloudtrail", "s3_bucket_name"),
    ("aws_config_delivery_channel", "s3_bucket_name"),
    ("aws_elb", "access_logs.bucket"),
    ("aws_flow_log", "log_destination"),
    ("aws_kinesis_firehose_delivery_stream", "extended_s3_configuration.bucket_arn"),
    ("aws_lb", "access_logs.bucket"),
    ("aws_s3_bucket_logging", "target_bucket"),
)
"""What writes logs into a bucket, and the attribute that names it."""


def names(graph: ResourceGraph) -> frozenset[str]:
    """Return what names the buckets in *graph* in which logs end, as far as it is known."""
    return graph.once("buckets of logs", lambda: _names(graph))


def _names(graph: ResourceGraph) -> frozenset[str]:
    found: set[str] = set()
    for type, by in SOURCES:
        for source in graph.of_type(type):
            try:
                for name in source.reference(by):
                    found.update({name}, *(bucket.names for bucket in graph.named(name)))
            except UnknownValue:
                continue
    return frozenset(found)
