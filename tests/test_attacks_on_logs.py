"""More ways around the gate: buckets, archives, trails, firewalls, detection, conditions."""

import json

import pytest

from policies.engine.model import Verdict
from policies.engine.read import read
from tests.conftest import judged

BUCKET = "${aws_s3_bucket.b.id}"
FLAGS = (
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
)
PRIVATE = {"bucket": BUCKET, **dict.fromkeys(FLAGS, True)}
OPEN = dict.fromkeys(FLAGS, False)
SIDE = "aws_s3_bucket_public_access_block"


def bucket(type, **named):
    return {"aws_s3_bucket": {"b": {"bucket": "logs-of-ours"}}, type: named}


def principal(condition, type="aws_s3_bucket_policy", action="s3:*"):
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Condition": condition}
    return {type: {"p": {"policy": json.dumps({"Statement": [statement]})}}}


def refusal(**changed):
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "${aws_s3_bucket.b.arn}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **changed,
    }
    return {"bucket": BUCKET, "policy": json.dumps({"Statement": [statement]})}


def trail(**arguments):
    return {"aws_cloudtrail": {"t": {"is_multi_region_trail": True, **arguments}}}


MANAGED = {
    "name": "common",
    "priority": 5,
    "override_action": {"none": {}},
    "statement": {"managed_rule_group_statement": {"vendor_name": "AWS", "name": "Common"}},
}


def acl(*rules):
    return {"aws_wafv2_web_acl": {"a": {"rule": [*rules]}}}


def group(**weakness):
    statement = {"managed_rule_group_statement": {"vendor_name": "AWS", "name": "X", **weakness}}
    return {**MANAGED, "statement": statement}


def endpoint(resource, principal="*", **others):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": resource}
    policy = json.dumps({"Statement": [statement]})
    return {"aws_vpc_endpoint": {"e": {"policy": policy, **others}}}


def archive(stream=None, lifecycle=None, lock=None):
    compliance = {"mode": "COMPLIANCE", "days": 400}
    return {
        "aws_cloudwatch_log_group": {"g": {"name": "g", "retention_in_days": 90}},
        "aws_cloudwatch_log_subscription_filter": {
            "f": {
                "log_group_name": "${aws_cloudwatch_log_group.g.name}",
                "filter_pattern": "",
                "destination_arn": "${aws_kinesis_firehose_delivery_stream.s.arn}",
            }
        },
        "aws_kinesis_firehose_delivery_stream": {
            "s": {
                "destination": "extended_s3",
                "extended_s3_configuration": {
                    "bucket_arn": "${aws_s3_bucket.b.arn}",
                    **(stream or {}),
                },
            }
        },
        "aws_s3_bucket": {"b": {"bucket": "logs-of-ours"}},
        "aws_s3_bucket_lifecycle_configuration": {
            "l": {"bucket": BUCKET, "rule": [{"status": "Enabled", "expiration": {"days": 400}}]},
            **(lifecycle or {}),
        },
        "aws_s3_bucket_object_lock_configuration": {
            "o": {"bucket": BUCKET, "rule": {"default_retention": compliance}},
            **(lock or {}),
        },
    }


LAMBDA = {"processing_configuration": {"enabled": True, "processors": [{"type": "Lambda"}]}}
SHORT = {"bucket": "logs-of-ours", "rule": [{"status": "Enabled", "expiration": {"days": 1}}]}
LOOSE = {"bucket": BUCKET, "rule": {"default_retention": {"mode": "GOVERNANCE", "days": 1}}}
RECORDER = {
    "aws_config_configuration_recorder": {
        "r": {"recording_group": {"all_supported": True, "include_global_resource_types": True}}
    },
    "aws_config_configuration_recorder_status": {
        "s": {"name": "${aws_config_configuration_recorder.r.name}", "is_enabled": True}
    },
    "aws_config_delivery_channel": {"c": {}},
}
STATUS_OFF = {"name": "${aws_config_configuration_recorder.r.name}", "is_enabled": False}
NEVER = "${var.never}"

WAYS = {
    "a companion that names the bucket by its name": (
        bucket(SIDE, a=PRIVATE, z={"bucket": "logs-of-ours", **OPEN}),
        "buckets.public_access",
    ),
    "a companion that names the bucket through another companion": (
        {
            **bucket(SIDE, a=PRIVATE, z={"bucket": "${aws_s3_bucket_versioning.v.bucket}", **OPEN}),
            "aws_s3_bucket_versioning": {"v": {"bucket": BUCKET}},
        },
        "buckets.public_access",
    ),
    "a companion that names the bucket through a data source": (
        bucket(SIDE, a=PRIVATE, z={"bucket": "${data.aws_s3_bucket.d.id}", **OPEN}),
        "buckets.public_access",
    ),
    "versions that a second setting suspends": (
        bucket(
            "aws_s3_bucket_versioning",
            a={"bucket": BUCKET, "versioning_configuration": {"status": "Enabled"}},
            z={"bucket": BUCKET, "versioning_configuration": {"status": "Suspended"}},
        ),
        "buckets.versioning",
    ),
    "a second bucket policy that lets plaintext in": (
        bucket("aws_s3_bucket_policy", a=refusal(), z=refusal(Effect="Allow")),
        "buckets.tls_only",
    ),
    "plaintext refused for one folder": (
        bucket("aws_s3_bucket_policy", a=refusal(Resource="${aws_s3_bucket.b.arn}/public/*")),
        "buckets.tls_only",
    ),
    "plaintext refused to services": (
        bucket("aws_s3_bucket_policy", a=refusal(Principal={"Service": "*"})),
        "buckets.tls_only",
    ),
    "a bucket that logs into itself": (
        bucket("aws_s3_bucket_logging", l={"bucket": BUCKET, "target_bucket": BUCKET}),
        "buckets.encryption",
    ),
    "a load balancer that would log if it were told to": (
        {
            **bucket("aws_lb", l={"access_logs": {"bucket": BUCKET, "enabled": False}}),
        },
        "buckets.encryption",
    ),
    **{
        f"everybody under {json.dumps(condition)}": (
            principal(condition),
            "buckets.named_principals",
        )
        for condition in (
            {"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}},
            {"ArnLike": {"aws:SourceArn": "arn:aws:*:*:*:*"}},
            {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}},
            {"StringLike": {"aws:PrincipalAccount": "1*"}},
            {"StringLike": {"aws:PrincipalAccount": ["111122223333", "*0*"]}},
            {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        )
    },
    "a trail of data alone": (
        trail(
            advanced_event_selector=[
                {"field_selector": [{"field": "eventCategory", "equals": ["Data"]}]}
            ]
        ),
        "trails.coverage",
    ),
    "a trail of management that writes": (
        trail(
            advanced_event_selector=[
                {
                    "field_selector": [
                        {"field": "eventCategory", "equals": ["Management"]},
                        {"field": "readOnly", "equals": ["false"]},
                    ]
                }
            ]
        ),
        "trails.coverage",
    ),
    "a trail of management that does neither": (
        trail(
            advanced_event_selector=[
                {
                    "field_selector": [
                        {"field": "eventCategory", "equals": ["Management"]},
                        {"field": "readOnly", "equals": ["perhaps"]},
                    ]
                }
            ]
        ),
        "trails.coverage",
    ),
    "a trail without management": (
        trail(event_selector=[{"include_management_events": False}]),
        "trails.coverage",
    ),
    "a trail that leaves out a service": (
        trail(event_selector=[{"exclude_management_event_sources": ["kms.amazonaws.com"]}]),
        "trails.coverage",
    ),
    "an archive that lets go, named by its name": (
        archive(lifecycle={"z": SHORT}),
        "audit_logs.twelve_months",
    ),
    "an archive behind a function": (archive(stream=LAMBDA), "audit_logs.twelve_months"),
    "a lock that a second one loosens": (archive(lock={"z": LOOSE}), "audit_logs.lock"),
    "logs of the class that keeps two days": (
        {"aws_cloudwatch_log_group": {"g": {"log_group_class": "DELIVERY"}}},
        "audit_logs.retention",
    ),
    "a stream under a key of AWS, with ours beside it": (
        {
            "aws_kinesis_firehose_delivery_stream": {
                "s": {
                    "server_side_encryption": {
                        "enabled": True,
                        "key_type": "AWS_OWNED_CMK",
                        "key_arn": "${aws_kms_key.k.arn}",
                    }
                }
            }
        },
        "audit_logs.stream_encryption",
    ),
    "a firewall that lets through first": (
        acl({"name": "friends", "priority": 0, "action": {"allow": {}}}, MANAGED),
        "waf.blocking",
    ),
    "a firewall that looks at nothing": (
        acl(group(scope_down_statement={"byte_match_statement": {}})),
        "waf.blocking",
    ),
    "a firewall whose rules count": (
        acl(group(rule_action_override=[{"name": "SQLi", "action_to_use": {"count": {}}}])),
        "waf.blocking",
    ),
    "a firewall without some of its rules": (
        acl(group(excluded_rule=[{"name": "SQLi"}])),
        "waf.blocking",
    ),
    "a firewall that nobody sees": (
        {
            "aws_lb": {"l": {}},
            "aws_wafv2_web_acl_association": {
                "a": {
                    "resource_arn": "${aws_lb.l.arn}",
                    "web_acl_arn": "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/x/y",
                }
            },
        },
        "waf.in_front",
    ),
    **{
        f"an endpoint to {resource}": (endpoint(resource), "network.endpoint_policies")
        for resource in ("*:*", "arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:*", "?*")
    },
    "an endpoint that a second policy opens": (
        {
            **endpoint("arn:aws:s3:::packages/*"),
            "aws_vpc_endpoint_policy": {
                "p": {
                    "vpc_endpoint_id": "${aws_vpc_endpoint.e.id}",
                    **endpoint("*")["aws_vpc_endpoint"]["e"],
                }
            },
        },
        "network.endpoint_policies",
    ),
    "a detector that archives what it finds": (
        {"aws_guardduty_filter": {"f": {"action": "ARCHIVE"}}},
        "detection.suppressions",
    ),
    "a detector that trusts": (
        {"aws_guardduty_ipset": {"f": {"activate": True}}},
        "detection.suppressions",
    ),
    "a detector that does not look at buckets": (
        {"aws_guardduty_detector": {"d": {"datasources": {"s3_logs": {"enable": False}}}}},
        "detection.intrusions",
    ),
    "a recorder that a second status stops": (
        {
            **RECORDER,
            "aws_config_configuration_recorder_status": {
                **RECORDER["aws_config_configuration_recorder_status"],
                "z": STATUS_OFF,
            },
        },
        "detection.recording",
    ),
    "a recorder whose channel may not be there": (
        {**RECORDER, "aws_config_delivery_channel": {"c": {"count": NEVER}}},
        "detection.recording",
    ),
    "a backup of everything but the database": (
        {
            "aws_rds_cluster": {"c": {}},
            "aws_backup_selection": {
                "s": {
                    "resources": ["${aws_rds_cluster.c.arn}"],
                    "not_resources": ["${aws_rds_cluster.c.arn}"],
                }
            },
        },
        "backups.clusters",
    ),
    "a subscriber who hears nothing": (
        {
            "aws_sns_topic": {"t": {}},
            "aws_sns_topic_subscription": {
                "s": {
                    "topic_arn": "${aws_sns_topic.t.arn}",
                    "protocol": "email",
                    "filter_policy": json.dumps({"never": ["ever"]}),
                }
            },
        },
        "monitoring.subscribers",
    ),
    "an alarm beyond any delay": (
        {
            "aws_kinesis_firehose_delivery_stream": {"s": {"name": "archive"}},
            "aws_cloudwatch_metric_alarm": {
                "a": {
                    "namespace": "AWS/Firehose",
                    "metric_name": "DeliveryToS3.DataFreshness",
                    "dimensions": {"DeliveryStreamName": "archive"},
                    "treat_missing_data": "breaching",
                    "threshold": 1e12,
                }
            },
        },
        "monitoring.log_delivery",
    ),
}


def verdicts(tmp_path, resources, policy):
    path = tmp_path / "cdk.tf.json"
    path.write_text(json.dumps({"resource": resources}))
    [reading] = read([path])
    return {f.verdict for f in judged(reading) if f.policy == policy}


@pytest.mark.parametrize(("resources", "policy"), WAYS.values(), ids=WAYS)
def test_no_way_around_the_gate_passes(tmp_path, resources, policy):
    assert verdicts(tmp_path, resources, policy) & {Verdict.FAIL, Verdict.UNKNOWN}


RIGHT = {
    "the usual form of refusing plaintext": (
        bucket(
            "aws_s3_bucket_policy",
            p=refusal(Resource=["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.b.arn}/*"]),
        ),
        "buckets.tls_only",
    ),
    "plaintext refused where the key is there": (
        bucket(
            "aws_s3_bucket_policy",
            p=refusal(Condition={"BoolIfExists": {"aws:SecureTransport": "false"}}),
        ),
        "buckets.tls_only",
    ),
    "a companion that names the bucket by its name": (
        bucket(SIDE, a={**PRIVATE, "bucket": "logs-of-ours"}),
        "buckets.public_access",
    ),
    "versions in the older form": (
        {"aws_s3_bucket": {"b": {"versioning": {"enabled": True}}}},
        "buckets.versioning",
    ),
    "a bound by the account that Terraform works in": (
        principal(
            {"StringEquals": {"aws:SourceAccount": "${data.aws_caller_identity.c.account_id}"}}
        ),
        "buckets.named_principals",
    ),
    "an archive as it should be": (archive(), "audit_logs.twelve_months"),
    "an endpoint with a policy of its own": (
        {
            "aws_vpc_endpoint": {"e": {"vpc_endpoint_type": "Interface"}},
            "aws_vpc_endpoint_policy": {
                "p": {
                    "vpc_endpoint_id": "${aws_vpc_endpoint.e.id}",
                    **endpoint("arn:aws:s3:::packages/*")["aws_vpc_endpoint"]["e"],
                }
            },
        },
        "network.endpoint_policies",
    ),
    "a trail with data beside management": (
        trail(
            advanced_event_selector=[
                {"field_selector": [{"field": "eventCategory", "equals": ["Management"]}]},
                {"field_selector": [{"field": "eventCategory", "equals": ["Data"]}]},
            ]
        ),
        "trails.coverage",
    ),
    "a backup of everything": (
        {"aws_rds_cluster": {"c": {}}, "aws_backup_selection": {"s": {"resources": ["*"]}}},
        "backups.clusters",
    ),
}


@pytest.mark.parametrize(("resources", "policy"), RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_no_false_alarm(tmp_path, resources, policy):
    assert {Verdict.PASS} == verdicts(tmp_path, resources, policy) - {Verdict.NOT_APPLICABLE}
