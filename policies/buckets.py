"""Buckets: private, over TLS only, encrypted, versioned, and watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.aws import companions, encryption, iam, log_buckets
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import attached, described, remove, replace

BUCKET = "aws_s3_bucket"
BUCKET_POLICY = "aws_s3_bucket_policy"
ENCRYPTION_SETTING = "aws_s3_bucket_server_side_encryption_configuration"
INLINE_ENCRYPTION = (
    "server_side_encryption_configuration.rule.apply_server_side_encryption_by_default"
)
LOGGING = "aws_s3_bucket_logging"
PUBLIC_ACCESS_BLOCK = "aws_s3_bucket_public_access_block"
VERSIONING_SETTING = "aws_s3_bucket_versioning"
BLOCKS = (
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
)
DELIVERY = "log-delivery-write"
IS_JUDGED_WITH_ITS_BUCKET = companions.judged_with(BUCKET, by="bucket")


def takes_access_logs(bucket: Resource, graph: ResourceGraph) -> bool:
    """
    Whether the access logs of a load balancer or of another bucket go to *bucket*.

    A bucket that is logged itself is a bucket like any other, and so is a locked one.
    """
    if bucket.get("object_lock_enabled", False) is True or _is_logged(bucket, graph):
        return False
    lists = graph.attached_to(bucket, "aws_s3_bucket_acl", by="bucket")
    if bucket.get("acl") == DELIVERY or any(each.get("acl") == DELIVERY for each in lists):
        return True
    return any(
        not by.startswith("access_logs")
        or source.get("access_logs.enabled", source.type == "aws_elb") is True
        for type, by in log_buckets.OF_ACCESS.items()
        for source in graph.attached_to(bucket, type, by=by)
    )


def _is_logged(bucket: Resource, graph: ResourceGraph) -> bool:
    settings = graph.attached_to(bucket, LOGGING, by="bucket")
    return any(True for _ in bucket.blocks("logging")) or any(True for _ in settings)


def is_private(bucket: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Buckets block public access, all four ways of it.

    One careless policy or access list would otherwise put them on the Internet.
    """
    blocks = list(companions.of(bucket, PUBLIC_ACCESS_BLOCK, graph, by="bucket"))
    if not blocks:
        yield Violation(f"has no {PUBLIC_ACCESS_BLOCK}", bucket)
    for block in blocks:
        for flag in BLOCKS:
            if block.get(flag) is not True:
                yield Violation(f"{flag} is not true", block, flag)


PUBLIC_ACCESS = Policy(
    checks=is_private,
    applies_to=(BUCKET, PUBLIC_ACCESS_BLOCK),
    unless=IS_JUDGED_WITH_ITS_BUCKET,
    claims=(part_of("1.4.4"), part_of("10.3.2")),
    example={
        BUCKET: {"logs": {}},
        PUBLIC_ACCESS_BLOCK: {
            "logs": {"bucket": "${aws_s3_bucket.logs.id}", **dict.fromkeys(BLOCKS, True)}
        },
    },
    violated_by=(
        attached(PUBLIC_ACCESS_BLOCK, by="bucket"),
        *(attached(PUBLIC_ACCESS_BLOCK, replace(flag, False), by="bucket") for flag in BLOCKS),
        attached(PUBLIC_ACCESS_BLOCK, remove("restrict_public_buckets"), by="bucket"),
    ),
)


def refuses_plaintext(bucket: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Buckets refuse whoever does not speak TLS.

    S3 answers plain HTTP, too, unless a bucket's policy refuses it.
    """
    policies = list(_policies(bucket, graph))
    if not policies:
        yield Violation("no policy refuses requests without TLS", bucket)
    for policy in policies:
        if not any(map(_refuses, iam.statements(policy, "policy"))):
            yield Violation("policy does not refuse requests without TLS", policy, "policy")


def _policies(bucket: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """Yield what holds the bucket's policy: the bucket itself in the older form."""
    if bucket.type == BUCKET and bucket.is_set("policy"):
        yield bucket
    yield from companions.of(bucket, BUCKET_POLICY, graph, by="bucket")


def _refuses(statement: iam.Statement) -> bool:
    return (
        not statement.allows
        and ("AWS", "*") in set(statement.principals())
        and any(action in {"s3:*", "*"} for action in statement.actions())
        and statement.covers_objects()
        and statement.holds_only_without_tls()
    )


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Statement": list(statements)}


REFUSAL = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def _refusing(**changed: Any) -> Any:
    return attached(BUCKET_POLICY, replace("policy", _policy({**REFUSAL, **changed})), by="bucket")


TLS_ONLY = Policy(
    checks=refuses_plaintext,
    applies_to=(BUCKET, BUCKET_POLICY),
    unless=IS_JUDGED_WITH_ITS_BUCKET,
    claims=(direct("4.2.1"),),
    example={
        BUCKET: {"logs": {}},
        BUCKET_POLICY: {"logs": {"bucket": "${aws_s3_bucket.logs.id}", "policy": _policy(REFUSAL)}},
    },
    violated_by=(
        attached(BUCKET_POLICY, by="bucket"),
        _refusing(Effect="Allow"),
        _refusing(Action="s3:PutObject"),
        _refusing(Resource="arn:aws:s3:::logs"),
        _refusing(Resource="arn:aws:s3:::logs/public/*"),
        _refusing(Principal={"Service": "*"}),
        _refusing(Principal={"AWS": "arn:aws:iam::111122223333:root"}),
        _refusing(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        _refusing(
            Condition={
                "Bool": {"aws:SecureTransport": "false"},
                "StringEquals": {"aws:PrincipalAccount": "111122223333"},
            }
        ),
    ),
)


def lets_in_whom_it_names(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Bucket policies name who may read and write.

    Everybody is everybody on the Internet, and a service works for strangers as well.
    """
    for text in iam.open_to_strangers(policy, "policy"):
        yield Violation(f"policy: {text}", policy, "policy")


NAMED_PRINCIPALS = Policy(
    checks=lets_in_whom_it_names,
    applies_to=(BUCKET_POLICY, BUCKET),
    claims=(part_of("7.2.2"), part_of("1.4.4")),
    example={
        BUCKET_POLICY: {
            "logs": {
                "policy": _policy(
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "logging.s3.amazonaws.com"},
                        "Action": "s3:PutObject",
                        "Resource": "arn:aws:s3:::logs/*",
                        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
                    }
                )
            }
        }
    },
    violated_by=tuple(
        replace("policy", _policy({"Effect": "Allow", "Action": "s3:GetObject", **who}))
        for who in (
            {"Principal": "*"},
            {"Principal": {"AWS": "*"}},
            {"Principal": {"Service": "logging.s3.amazonaws.com"}},
            {"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}},
            {"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        )
    ),
)


def is_judged_otherwise(subject: Resource, graph: ResourceGraph) -> bool:
    """Whether *subject* is a bucket that takes access logs, or is judged with its bucket."""
    if subject.type == BUCKET:
        return takes_access_logs(subject, graph)
    return IS_JUDGED_WITH_ITS_BUCKET(subject, graph)


def is_encrypted_with_a_key_of_ours(bucket: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Buckets are encrypted with a key of ours.

    Whoever reads one needs our permission for the key as well. Those that take access
    logs cannot be: neither S3 nor load balancers write under such a key.
    """
    encrypted = False
    for setting in companions.of(bucket, ENCRYPTION_SETTING, graph, by="bucket"):
        for rule in setting.blocks("rule"):
            for default in rule.blocks("apply_server_side_encryption_by_default"):
                encrypted = True
                algorithm = default.get("sse_algorithm")
                if algorithm not in {"aws:kms", "aws:kms:dsse"}:
                    yield Violation(f"sse_algorithm is {algorithm}", default, "sse_algorithm")
                yield from encryption.not_ours(default, "kms_master_key_id", graph)
    for default in bucket.blocks(INLINE_ENCRYPTION):
        encrypted = True
        algorithm = default.get("sse_algorithm")
        if algorithm == "AES256":
            yield Violation(f"sse_algorithm is {algorithm}", default, "sse_algorithm")
        yield from encryption.not_ours(default, "kms_master_key_id", graph)
    if not encrypted:
        yield Violation(f"has no {ENCRYPTION_SETTING}", bucket)


ENCRYPTION = Policy(
    checks=is_encrypted_with_a_key_of_ours,
    applies_to=(BUCKET, ENCRYPTION_SETTING),
    unless=is_judged_otherwise,
    claims=(supports("3.5.1"), supports("10.3.2")),
    example={
        BUCKET: {"archive": {}},
        ENCRYPTION_SETTING: {
            "archive": {
                "bucket": "${aws_s3_bucket.archive.id}",
                "rule": [
                    {
                        "apply_server_side_encryption_by_default": {
                            "sse_algorithm": "aws:kms",
                            "kms_master_key_id": "${aws_kms_key.archive.arn}",
                        }
                    }
                ],
            }
        },
    },
    violated_by=(
        attached(ENCRYPTION_SETTING, by="bucket"),
        attached(
            ENCRYPTION_SETTING,
            replace(
                "rule", [{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}]
            ),
            by="bucket",
        ),
    ),
)


def keeps_versions(bucket: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Buckets keep what was overwritten.

    What somebody alters or deletes is then still there, as it was before.
    """
    settings = list(companions.of(bucket, VERSIONING_SETTING, graph, by="bucket"))
    if not settings and bucket.get("versioning.enabled", False) is not True:
        yield Violation("does not keep versions", bucket)
    for setting in settings:
        if setting.get("versioning_configuration.status") != "Enabled":
            yield Violation("does not keep versions", setting, "versioning_configuration")


VERSIONING = Policy(
    checks=keeps_versions,
    applies_to=(BUCKET, VERSIONING_SETTING),
    unless=IS_JUDGED_WITH_ITS_BUCKET,
    claims=(supports("10.3.4"),),
    example={
        BUCKET: {"archive": {}},
        VERSIONING_SETTING: {
            "archive": {
                "bucket": "${aws_s3_bucket.archive.id}",
                "versioning_configuration": [{"status": "Enabled"}],
            }
        },
    },
    violated_by=(
        attached(VERSIONING_SETTING, by="bucket"),
        attached(
            VERSIONING_SETTING,
            replace("versioning_configuration", [{"status": "Suspended"}]),
            by="bucket",
        ),
    ),
)


def logs_who_comes(bucket: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Access to buckets is logged.

    Reading a log is an event that is logged. A bucket that takes access logs cannot log
    itself: each line would make another.
    """
    settings = list(graph.attached_to(bucket, LOGGING, by="bucket"))
    if not settings and not bucket.is_set("logging.target_bucket"):
        yield Violation(f"has no {LOGGING}", bucket)
    for setting in settings:
        if not setting.is_set("target_bucket"):
            yield Violation("target_bucket is not set", setting, "target_bucket")


def _untargeted(bucket: Resource, graph: ResourceGraph) -> ResourceGraph:
    return attached(LOGGING, remove("target_bucket"), by="bucket")(bucket, graph)


ACCESS_LOGS = Policy(
    checks=logs_who_comes,
    applies_to=BUCKET,
    unless=takes_access_logs,
    claims=(part_of("10.2.1.3"), part_of("10.2.1")),
    example={
        BUCKET: {"archive": {}},
        LOGGING: {
            "archive": {
                "bucket": "${aws_s3_bucket.archive.id}",
                "target_bucket": "access-logs-of-another-stack",
            }
        },
    },
    violated_by=(
        attached(LOGGING, by="bucket"),
        described("log to nowhere", _untargeted),
    ),
)


PUBLIC_LISTS = frozenset({"authenticated-read", "public-read", "public-read-write"})
EVERYBODY = ("/AllUsers", "/AuthenticatedUsers")


def lists_nobody(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No access list gives a bucket to everybody.

    "Authenticated" is whoever has an account of AWS, anywhere.
    """
    if carrier.get("acl") in PUBLIC_LISTS:
        yield Violation(f"acl is {carrier.get('acl')}", carrier, "acl")
    grants = [*carrier.blocks("grant")]
    for policy in carrier.blocks("access_control_policy"):
        grants += policy.blocks("grant")
    for grant in grants:
        grantees = [grant, *grant.blocks("grantee")]
        if any(str(grantee.get("uri") or "").endswith(EVERYBODY) for grantee in grantees):
            yield Violation("a grant is to everybody", grant)


ACCESS_LISTS = Policy(
    checks=lists_nobody,
    applies_to=(BUCKET, "aws_s3_bucket_acl"),
    claims=(part_of("1.4.4"), part_of("7.2.2")),
    example={BUCKET: {"logs": {"acl": "private"}}},
    violated_by=(
        replace("acl", "public-read"),
        replace("acl", "authenticated-read"),
        replace("grant", [{"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}]),
        replace(
            "access_control_policy",
            {"grant": [{"grantee": {"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}}]},
        ),
    ),
)


LIFECYCLE = "aws_s3_bucket_lifecycle_configuration"


def lets_go_in_time(bucket: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Buckets let go of what they hold, after a time that is written down.

    What is kept for ever is kept for whoever comes in.
    """
    settings = list(companions.of(bucket, LIFECYCLE, graph, by="bucket"))
    rules = [rule for setting in settings for rule in setting.blocks("rule")]
    rules += bucket.blocks("lifecycle_rule")
    if not any(map(_lets_go, rules)):
        yield Violation(f"has no {LIFECYCLE} that lets anything go", bucket)


def _lets_go(rule: Resource) -> bool:
    is_on = rule.get("status") == "Enabled" or rule.get("enabled") is True
    ends = (
        rule.is_set(f"{block}.{attribute}")
        for block, attributes in (
            ("expiration", ("days", "date")),
            ("noncurrent_version_expiration", ("noncurrent_days", "days")),
        )
        for attribute in attributes
    )
    return is_on and any(ends)


RETENTION = Policy(
    checks=lets_go_in_time,
    applies_to=(BUCKET, LIFECYCLE),
    unless=IS_JUDGED_WITH_ITS_BUCKET,
    claims=(supports("3.2.1"),),
    example={
        BUCKET: {"logs": {}},
        LIFECYCLE: {
            "logs": {
                "bucket": "${aws_s3_bucket.logs.id}",
                "rule": [{"status": "Enabled", "expiration": {"days": 400}}],
            }
        },
    },
    violated_by=(
        attached(LIFECYCLE, by="bucket"),
        attached(LIFECYCLE, replace("rule.0.status", "Disabled"), by="bucket"),
        attached(LIFECYCLE, replace("rule", [{"status": "Enabled"}]), by="bucket"),
    ),
)

ACCESS_POINTS = {
    "aws_s3_access_point": "public_access_block_configuration",
    "aws_s3control_multi_region_access_point": "details.public_access_block",
}
"""The other ways to a bucket, and where each says that it is private."""


def keeps_strangers_out(point: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Access points block public access, all four ways of it.

    One that does not is a way around the block of its bucket's own policy.
    """
    path = ACCESS_POINTS[point.type]
    for flag in BLOCKS:
        if point.get(f"{path}.{flag}", True) is not True:
            yield Violation(f"{path}.{flag} is not true", point, path)


ACCESS_POINT_BLOCKS = Policy(
    checks=keeps_strangers_out,
    applies_to=tuple(ACCESS_POINTS),
    claims=(part_of("1.4.4"),),
    example={
        "aws_s3_access_point": {
            "logs": {"public_access_block_configuration": dict.fromkeys(BLOCKS, True)}
        }
    },
    violated_by=tuple(
        replace(f"public_access_block_configuration.{flag}", False) for flag in BLOCKS
    ),
)
