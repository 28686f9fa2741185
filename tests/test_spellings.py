"""One meaning, however it is spelled: what a policy says of documents that others would write."""

import json
from dataclasses import replace

import pytest

from policies import POLICIES
from policies.engine.evaluate import evaluate
from policies.engine.model import Verdict
from policies.engine.read import read
from tests.conftest import TODAY

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
SSH = {"from_port": 22, "to_port": 22, "protocol": "tcp"}
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject"}
KMS = {"sse_algorithm": "aws:kms", "kms_master_key_id": "${aws_kms_key.k.arn}"}


def group(**ingress):
    return {"aws_security_group": {"g": {"ingress": [{**SSH, **ingress}]}}}


def granting(*statements):
    return {"aws_iam_policy": {"p": {"policy": json.dumps({"Statement": statements})}}}


def trusting(**statement):
    document = "${jsonencode({Statement = [" + json.dumps(statement) + "]})}"
    return {"aws_iam_role": {"r": {"assume_role_policy": document}}}


def environment(**variables):
    return {"aws_lambda_function": {"f": {"environment": {"variables": variables}}}}


def queue(policy):
    return {"aws_sqs_queue_policy": {"q": {"policy": policy}}}


def volume(key):
    return {"aws_ebs_volume": {"v": {"encrypted": True, "kms_key_id": key}}}


def secret(**rules):
    return {
        "aws_secretsmanager_secret": {"s": {}},
        "aws_secretsmanager_secret_rotation": {
            "s": {"secret_id": "${aws_secretsmanager_secret.s.id}", "rotation_rules": rules}
        },
    }


def logged(by, **more):
    logging = {"bucket": by, "target_bucket": "logs"}
    return {"aws_s3_bucket": {"b": more}, "aws_s3_bucket_logging": {"b": logging}}


def alarming(refused):
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": "*",
    }
    statements = [allowed, {"Principal": "*", "Resource": "*", **refused}]
    return {
        "aws_cloudwatch_metric_alarm": {"a": {"alarm_actions": ["${aws_sns_topic.t.arn}"]}},
        "aws_sns_topic": {"t": {"policy": json.dumps({"Statement": statements})}},
        "aws_sns_topic_subscription": {
            "s": {"topic_arn": "${aws_sns_topic.t.arn}", "protocol": "sqs", "endpoint": "arn:q"}
        },
    }


EVERYBODY = json.dumps({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:*"}})
REMOTE, INTERNET = "security_groups.remote_administration", "security_groups.internet_ingress"
READERS, TRUST = "permissions.administration", "permissions.narrow_trust"
LOGS, KEY = "buckets.access_logs", "compute.volume_key"

SPELLINGS = {
    "the block of a VPC here": (
        group(cidr_blocks=["${aws_vpc.v.cidr_block}"]) | {"aws_vpc": {"v": {}}}, REMOTE, PASS,
    ),
    "the block of a VPC that is the Internet": (
        group(cidr_blocks=["${aws_vpc.v.cidr_block}"])
        | {"aws_vpc": {"v": {"cidr_block": "0.0.0.0/0"}}},
        REMOTE, FAIL,
    ),
    "a block that is not known beside the Internet": (
        group(cidr_blocks=["${var.office}", "0.0.0.0/0"]), REMOTE, FAIL,
    ),
    "a block that is not known": (group(cidr_blocks=["${var.office}"]), REMOTE, UNKNOWN),
    "one address of which the rest is not known": (
        group(cidr_blocks=["${aws_eip.e.public_ip}/32"]), REMOTE, PASS,
    ),
    "a list of prefixes here": (
        {
            "aws_ec2_managed_prefix_list": {"l": {"entry": [{"cidr": "0.0.0.0/0"}]}},
            **group(prefix_list_ids=["${aws_ec2_managed_prefix_list.l.id}"]),
        },
        REMOTE, FAIL,
    ),
    "a list of prefixes, an entry of which stands by itself": (
        {
            "aws_ec2_managed_prefix_list": {"l": {"entry": [{"cidr": "10.0.0.0/8"}]}},
            "aws_ec2_managed_prefix_list_entry": {
                "e": {"cidr": "::/0", "prefix_list_id": "${aws_ec2_managed_prefix_list.l.id}"}
            },
            **group(prefix_list_ids=["${aws_ec2_managed_prefix_list.l.id}"]),
        },
        REMOTE, FAIL,
    ),
    "a classic balancer's group": (
        {
            "aws_security_group": {
                "g": {
                    "ingress": [
                        {"from_port": 443, "to_port": 443, "protocol": "tcp",
                         "cidr_blocks": ["0.0.0.0/0"]}
                    ]
                }
            },
            "aws_elb": {"e": {"security_groups": ["${aws_security_group.g.id}"]}},
        },
        INTERNET, PASS,
    ),
    "a default group whose VPC stands elsewhere": (
        {"aws_default_security_group": {"d": {"vpc_id": "vpc-1", "ingress": [SSH]}}},
        "network.default_security_group", FAIL,
    ),
    "a group that a module is given": (
        {"aws_security_group": {"g": {}}}, "security_groups.in_use", FAIL,
    ),
    "a key pair by reference": (
        {"aws_instance": {"i": {"key_name": "${aws_key_pair.k.key_name}"}}},
        "compute.key_pairs", FAIL,
    ),
    "TCP that is passed on": (
        {"aws_lb_listener": {"l": {"protocol": "TCP", "port": 443,
                                   "default_action": [{"type": "forward"}]}}},
        "load_balancer.redirects_http", UNKNOWN,
    ),
    "HTTP over TCP": (
        {"aws_lb_listener": {"l": {"protocol": "TCP", "port": 80,
                                   "default_action": [{"type": "forward"}]}}},
        "load_balancer.redirects_http", FAIL,
    ),
    "an unknown statement before everything": (
        granting({**ALLOW, "Resource": "${var.r}"}, {**ALLOW, "Action": "*", "Resource": "*"}),
        READERS, FAIL,
    ),
    "an unknown action before everything": (
        granting({**ALLOW, "Action": ["${var.a}", "*"], "Resource": "*"}), READERS, FAIL,
    ),
    "an unknown name of a statement": (
        granting({**ALLOW, "Sid": "${var.s}", "Action": "*", "Resource": "*"}), READERS, FAIL,
    ),
    "objects of a bucket here": (
        granting({**ALLOW, "Resource": "arn:aws:s3:::${aws_s3_bucket.b.id}/*"}),
        "permissions.data_everywhere", PASS,
    ),
    "objects of a bucket that nobody knows": (
        granting({**ALLOW, "Resource": "arn:aws:s3:::${var.b}/*"}),
        "permissions.data_everywhere", UNKNOWN,
    ),
    "writing into every bucket": (
        granting({**ALLOW, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::*"}),
        "permissions.bound_actions", FAIL,
    ),
    "full access of a partition that is not known": (
        {
            "aws_iam_role_policy_attachment": {
                "a": {
                    "policy_arn": "arn:${data.aws_partition.p.partition}:iam::aws:policy/"
                    "AdministratorAccess"
                }
            }
        },
        "attachments.full_access", FAIL,
    ),
    "an account that is not known": (
        trusting(**ALLOW, Principal={"AWS": "arn:aws:iam::${var.a}:root"}), TRUST, FAIL,
    ),
    "a role of an account that is not known": (
        trusting(**ALLOW, Principal={"AWS": "arn:aws:iam::${var.a}:role/deploy"}), TRUST, PASS,
    ),
    "an identity provider here, and anybody of it": (
        trusting(**ALLOW, Principal={"Federated": "${aws_iam_openid_connect_provider.p.arn}"}),
        TRUST, FAIL,
    ),
    "a service that works for this account": (
        queue(
            {
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Condition": {
                        "ArnEquals": {
                            "aws:SourceArn": "arn:aws:sns:us-east-1:"
                            "${data.aws_caller_identity.me.account_id}:cards"
                        }
                    },
                }
            }
        ),
        "messaging.queue_policies",
        PASS,
    ),
    "text with blanks before it": (queue(f"\n   {EVERYBODY}"), "messaging.queue_policies", FAIL),
    "a region beside a password": (
        environment(REGION="${var.region}", DB_PASSWORD="correct-horse"),  # noqa: S106
        "secrets.function_environment", FAIL,
    ),
    "an address of a database": (
        environment(HOST="https://${aws_db_instance.d.address}/x"),
        "secrets.function_environment", PASS,
    ),
    "a secret of a resource": (
        environment(KEY="${aws_iam_access_key.k.secret}"),
        "secrets.function_environment", UNKNOWN,
    ),
    "what only looks like a password": (
        environment(BYPASS="disabled", COMPASS="northwest"), "secrets.function_environment", PASS,
    ),
    "a password that a broker is told": (
        {"aws_mq_broker": {"b": {"user": [{"password": "${var.p}"}, {"password": "abc"}]}}},
        "secrets.store_passwords", FAIL,
    ),
    "a password from elsewhere": (
        {"aws_mq_broker": {"b": {"user": [{"password": "${var.p}"}]}}},
        "secrets.store_passwords", PASS,
    ),
    "a bucket of several": (
        logged("${aws_s3_bucket.b[0].id}", count=1), LOGS, PASS,
    ),
    "a bucket of several, in the older form": (
        logged("${aws_s3_bucket.b.0.id}", count=1), LOGS, PASS,
    ),
    "all buckets": (logged('${join("", aws_s3_bucket.b.*.id)}', count=1), LOGS, PASS),
    "a bucket by an expression on both sides": (
        logged("x-${var.stage}", bucket="x-${var.stage}"), LOGS, PASS,
    ),
    "another bucket by an expression": (
        logged("x-${var.stage}", bucket="y-${var.stage}"), LOGS, UNKNOWN,
    ),
    "a public access block alone": (
        {"aws_s3_bucket_public_access_block": {"b": {"bucket": "elsewhere"}}},
        "buckets.public_access", FAIL,
    ),
    "an encryption alone": (
        {
            "aws_s3_bucket_server_side_encryption_configuration": {
                "b": {
                    "bucket": "${var.b}",
                    "rule": [{"apply_server_side_encryption_by_default": KMS}],
                }
            }
        },
        "buckets.encryption", PASS,
    ),
    "a bucket that takes logs, in the older form": (
        {
            "aws_s3_bucket": {
                "b": {"logging": [{"target_bucket": "${aws_s3_bucket.logs.id}"}]},
                "logs": {"acl": "log-delivery-write"},
            }
        },
        LOGS, PASS,
    ),
    "a key of AWS in half an ARN": (
        volume("arn:aws:kms:${var.region}:111122223333:alias/aws/ebs"), KEY, FAIL,
    ),
    "a key in half an ARN": (volume("arn:aws:kms:${var.region}:111122223333:key/x"), KEY, PASS),
    "an alias that nobody knows": (volume("arn:aws:kms:us-east-1:1:alias/${var.a}"), KEY, UNKNOWN),
    "an alias that stands elsewhere": (volume("${aws_kms_alias.a.arn}"), KEY, PASS),
    "an empty default": (volume("${var.empty}"), KEY, FAIL),
    "every day": (
        secret(schedule_expression="cron(0 8 * * ? *)"), "secrets.rotation_period", PASS,
    ),
    "twice a month": (
        secret(schedule_expression="cron(0 8 1,15 * ? *)"), "secrets.rotation_period", PASS,
    ),
    "once a month": (
        secret(schedule_expression="cron(0 8 1 * ? *)"), "secrets.rotation_period", FAIL,
    ),
    "once a year": (
        secret(schedule_expression="cron(0 8 1 1 ? *)"), "secrets.rotation_period", FAIL,
    ),
    "rules of the secret itself": (
        {"aws_secretsmanager_secret": {"s": {"rotation_rules": {"automatically_after_days": 7}}}},
        "secrets.rotation_period", PASS,
    ),
    "a selector beside one that takes everything": (
        {
            "aws_cloudtrail": {
                "t": {
                    "is_multi_region_trail": True,
                    "event_selector": [{}, {"include_management_events": False}],
                }
            }
        },
        "trails.coverage", PASS,
    ),
    "selectors of management side by side": (
        {
            "aws_cloudtrail": {
                "t": {
                    "is_multi_region_trail": True,
                    "advanced_event_selector": [
                        {
                            "field_selector": [
                                {"field": "eventCategory", "equals": ["Management"]},
                                {"field": "readOnly", "equals": [only]},
                            ]
                        }
                        for only in ("true", "false")
                    ],
                }
            }
        },
        "trails.coverage", PASS,
    ),
    "a queue for any of two accounts": (
        queue(json.dumps({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "sqs:*",
            "Condition": {"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]}}}})),
        "messaging.queue_policies", PASS,
    ),
    "an object with colons": (
        queue('${jsonencode({Statement : {Effect : "Allow", Principal : "*", "Action" : "*"}})}'),
        "messaging.queue_policies", FAIL,
    ),
    "a queue for an office": (
        queue(json.dumps({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "sqs:*",
            "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}}})),
        "messaging.queue_policies", PASS,
    ),
    "a queue for both halves of the Internet": (
        queue(json.dumps({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "sqs:*",
            "Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}}})),
        "messaging.queue_policies", FAIL,
    ),
    "a queue for all but an office": (
        queue(json.dumps({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "sqs:*",
            "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}}})),
        "messaging.queue_policies", FAIL,
    ),
    "a queue for whoever says no address": (
        queue(json.dumps({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "sqs:*",
            "Condition": {"IpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/24"]}}}})),
        "messaging.queue_policies", FAIL,
    ),
    "a queue for an address that nobody knows": (
        queue(json.dumps({"Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "sqs:*",
            "Condition": {"IpAddress": {"aws:SourceIp": "${var.office}"}}}})),
        "messaging.queue_policies", UNKNOWN,
    ),
    "a topic that refuses some of it": (
        alarming({"Effect": "Deny", "Action": "sns:Pub*",
                  "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}),
        "monitoring.alert_path", UNKNOWN,
    ),
    "a topic that refuses what no alarm does": (
        alarming({"Effect": "Deny", "Action": "sns:DeleteTopic"}),
        "monitoring.alert_path", PASS,
    ),
    "a topic that refuses plain HTTP": (
        alarming({"Effect": "Deny", "Action": "sns:*",
                  "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
        "monitoring.alert_path", PASS,
    ),
    "a selector of objects that reads perhaps": (
        {"aws_cloudtrail": {"t": {"advanced_event_selector": [{"field_selector": [
            {"field": "eventCategory", "equals": ["Data"]},
            {"field": "resources.type", "equals": ["AWS::S3::Object"]},
            {"field": "readOnly", "equals": ["perhaps"]}]}]}}},
        "trails.object_events", FAIL,
    ),
    "an address of an instance": (
        {"aws_instance": {"i": {}}, "aws_eip": {"e": {"instance": "${aws_instance.i.id}"}}},
        "compute.public_addresses", FAIL,
    ),
    "an address that is associated": (
        {"aws_instance": {"i": {}},
         "aws_eip_association": {"e": {"instance_id": "${aws_instance.i.id}"}}},
        "compute.public_addresses", FAIL,
    ),
    "a cluster of long ago": (
        {"aws_eks_cluster": {"c": {"version": "1.19"}}}, "containers.supported_version", FAIL,
    ),
    "a selector of objects that says nothing of reading": (
        {
            "aws_cloudtrail": {
                "t": {
                    "advanced_event_selector": [
                        {
                            "field_selector": [
                                {"field": "eventCategory", "equals": ["Data"]},
                                {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                            ]
                        }
                    ]
                }
            }
        },
        "trails.object_events", PASS,
    ),
    "a list of MemoryDB by reference": (
        {
            "aws_memorydb_acl": {"a": {}},
            "aws_memorydb_cluster": {"c": {"acl_name": "${aws_memorydb_acl.a.name}"}},
        },
        "other_stores.memory_access", PASS,
    ),
    "a list of MemoryDB that nobody knows": (
        {"aws_memorydb_cluster": {"c": {"acl_name": "${var.list}"}}},
        "other_stores.memory_access", UNKNOWN,
    ),
    "a secret of a container in capitals": (
        {"aws_ecs_task_definition": {"t": {"container_definitions": json.dumps([
            {"Name": "a", "Environment": [{"Name": "DB_PASSWORD", "Value": "correct-horse"}]}])}}},
        "containers.secrets", FAIL,
    ),
    "a driver of logs in capitals": (
        {"aws_ecs_task_definition": {"t": {"container_definitions": json.dumps([
            {"name": "a", "logConfiguration": {"LogDriver": "none"}}])}}},
        "containers.logs", FAIL,
    ),
    "clients of NFS in two halves": (
        {"aws_storagegateway_nfs_file_share": {
            "s": {"client_list": ["0.0.0.0/1", "10.0.0.0/8"]}}},
        "file_shares.nfs_clients", FAIL,
    ),
    "a job of Batch in jsonencode": (
        {"aws_batch_job_definition": {
            "j": {"container_properties": "${jsonencode({privileged = true})}"}}},
        "workflows.job_privileges", FAIL,
    ),
    "a second recipe's volume in clear beside one that is not known": (
        {"aws_imagebuilder_image_recipe": {"r": {"block_device_mapping": [
            {"ebs": {"encrypted": "${var.e}"}}, {"ebs": {"encrypted": "false"}}]}}},
        "images.recipes", FAIL,
    ),
    "a log group by a function's name in a variable": (
        {
            "aws_lambda_function": {"f": {"function_name": "${var.stage}-f"}},
            "aws_cloudwatch_log_group": {"g": {"name": "/aws/lambda/${var.stage}-f"}},
        },
        "functions.log_groups", PASS,
    ),
    "the log of a broker that has one": (
        {"aws_mq_broker": {"b": {"engine_type": "RabbitMQ", "logs": {"general": True}}}},
        "data_stores.brokers_logs", PASS,
    ),
}  # fmt: skip


def said(folder, policy, **document):
    """Return what *policy* says of *document*, but for what it does not apply to."""
    path = folder / "stack" / "cdk.tf.json"
    path.parent.mkdir()
    path.write_text(json.dumps(document))
    [reading] = read([path])
    [chosen] = [each for each in POLICIES if each.id == policy]
    found = evaluate([chosen], replace(reading.graph, today=TODAY))
    return {finding.verdict for finding in found} - {Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize(("resources", "policy", "verdict"), SPELLINGS.values(), ids=SPELLINGS)
def test_what_is_meant_counts_and_not_how_it_is_spelled(tmp_path, resources, policy, verdict):
    variable = {"empty": {"default": ""}, "stage": {}}

    assert {verdict} == said(tmp_path, policy, resource=resources, variable=variable)


EVERYTHING = {"statement": [{"actions": ["*"], "resources": ["*"]}]}


def test_a_document_that_nobody_uses_here_is_judged(tmp_path):
    data = {"aws_iam_policy_document": {"d": EVERYTHING}}

    assert {FAIL} == said(tmp_path, READERS, data=data)


def test_a_document_is_judged_where_it_is_used(tmp_path):
    data = {"aws_iam_policy_document": {"d": EVERYTHING, "e": {}}}
    holder = {"aws_iam_policy": {"p": {"policy": "${data.aws_iam_policy_document.d.json}"}}}
    path = tmp_path / "cdk.tf.json"
    path.write_text(json.dumps({"data": data, "resource": holder}))
    [reading] = read([path])
    [policy] = [each for each in POLICIES if each.id == READERS]

    assert {
        "aws_iam_policy.p": FAIL,
        "data.aws_iam_policy_document.d": PASS,
        "data.aws_iam_policy_document.e": PASS,
    } == {
        finding.resource.rpartition("/")[2]: finding.verdict
        for finding in evaluate([policy], reading.graph)
    }


def test_one_of_several_documents_is_judged_where_it_is_used(tmp_path):
    data = {"aws_iam_policy_document": {"d": {"count": 1, **EVERYTHING}}}
    holder = {"aws_iam_group": {"g": {"path": "${data.aws_iam_policy_document.d[0].json}"}}}

    assert {PASS} == said(tmp_path, READERS, data=data, resource=holder)


@pytest.mark.parametrize(
    "document",
    [
        {"source_json": "${data.aws_iam_policy_document.all.json}"},
        {"override_json": "${data.aws_iam_policy_document.all.minified_json}"},
        {
            "dynamic": {
                "statement": {
                    "for_each": ["*"],
                    "content": {"actions": ["${statement.value}"], "resources": ["*"]},
                }
            }
        },
    ],
    ids=["source", "override", "dynamic"],
)
def test_a_document_made_of_others_is_told(tmp_path, document):
    data = {"aws_iam_policy_document": {"d": document, "all": EVERYTHING}}
    holder = {"aws_iam_policy": {"p": {"policy": "${data.aws_iam_policy_document.d.json}"}}}

    assert FAIL in said(tmp_path, READERS, data=data, resource=holder)


def test_a_provider_alone_is_judged(tmp_path):
    provider = {"aws": {"access_key": "x", "secret_key": "y"}}

    assert {FAIL} == said(tmp_path, "secrets.provider_credentials", provider=provider)


def test_a_group_that_a_module_is_given_is_used(tmp_path):
    assert {PASS} == said(
        tmp_path,
        "security_groups.in_use",
        resource={"aws_security_group": {"g": {}}},
        module={"m": {"source": "./m", "groups": ["${aws_security_group.g.id}"]}},
    )


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("db_password", "correct-horse", FAIL),
        ("secret_key", "correct-horse", FAIL),
        ("db_password", "${random_password.p.result}", PASS),
        ("db_secret", "arn:aws:secretsmanager:us-east-1:111122223333:secret:x", PASS),
        ("http_tokens", "required", PASS),
    ],
)
def test_a_local_value_that_is_named_like_a_secret(tmp_path, name, value, verdict):
    document = {"resource": {"aws_vpc": {"v": {}}}, "locals": {name: value}}

    assert {verdict} == said(tmp_path, "secrets.defaults", **document)


@pytest.mark.parametrize(
    ("principals", "verdict"), [([], FAIL), ([{"type": "AWS", "identifiers": ["*"]}], PASS)]
)
@pytest.mark.parametrize("argument", ["principals", "not_principals"])
def test_a_document_that_nothing_uses_may_be_a_resources_own(
    tmp_path, principals, argument, verdict
):
    statement = {"actions": ["*"], "resources": ["*"], argument: principals}
    document = {"aws_iam_policy_document": {"d": {"statement": [statement]}}}

    assert {verdict} == said(tmp_path, "permissions.administration", data=document)
