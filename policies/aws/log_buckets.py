"""A document in, the buckets out in which logs end: of load balancers, trails, flows, changes."""

from __future__ import annotations

from collections.abc import Collection

from policies.engine.graph import ResourceGraph
from policies.engine.values import UnknownValue

OF_ACCESS = {
    "aws_alb": "access_logs.bucket",
    "aws_cloudfront_distribution": "logging_config.bucket",
    "aws_elb": "access_logs.bucket",
    "aws_lb": "access_logs.bucket",
    "aws_s3_bucket": "logging.target_bucket",
    "aws_s3_bucket_logging": "target_bucket",
}
"""What writes access logs into a bucket, and the attribute that names it."""

SOURCES = {
    **OF_ACCESS,
    "aws_cloudtrail": "s3_bucket_name",
    "aws_config_delivery_channel": "s3_bucket_name",
    "aws_flow_log": "log_destination",
    "aws_kinesis_firehose_delivery_stream": "extended_s3_configuration.bucket_arn",
}
"""What writes any log into a bucket, and the attribute that names it."""


def are_of_one(names: Collection[str], graph: ResourceGraph) -> bool:
    """
    Whether one of *names* is that of a bucket in which logs end.

    Raises:
        UnknownValue: None is known to be, and it is not known where some logs end.
    """
    found, unknown = graph.index("buckets of logs", lambda: _names(graph))
    if not found.isdisjoint(names):
        return True
    if unknown:
        raise UnknownValue(unknown)
    return False


def _names(graph: ResourceGraph) -> tuple[frozenset[str], str]:
    """Return what names the buckets in which logs end, and why others are not known."""
    found: set[str] = set()
    unknown = ""
    for type, by in SOURCES.items():
        for source in graph.of_type(type):
            try:
                for name in source.reference(by):
                    found.update({name}, *(bucket.names for bucket in graph.named(name)))
            except UnknownValue as reason:
                unknown = f"{source.address}: {reason}"
    return frozenset(found), unknown
