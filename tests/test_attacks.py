"""Ways around the gate that somebody found, each with the policy that must not pass it."""

import base64
import json

import pytest

from policies.engine.model import Verdict
from policies.engine.read import read
from tests.conftest import judged

OPEN = {"ip_protocol": "tcp", "from_port": 3306, "to_port": 3306, "description": "queries"}
VPC = {
    "aws_vpc": {"v": {"cidr_block": "10.0.0.0/16"}},
    "aws_default_security_group": {"d": {"vpc_id": "${aws_vpc.v.id}"}},
}
LOG = {"traffic_type": "ALL"}
EVERYBODY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*"}]}


def database(groups, **rule):
    return {
        "aws_rds_cluster": {"a": {"vpc_security_group_ids": groups}},
        "aws_security_group": {"db": {}},
        "aws_vpc_security_group_ingress_rule": {
            "a": {"security_group_id": "${aws_security_group.db.id}", **OPEN, **rule}
        },
    }


def log_group(key, **resources):
    return {"aws_cloudwatch_log_group": {"a": {"kms_key_id": key}}, **resources}


def decrypt(resource):
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource}
    return {"aws_iam_policy": {"a": {"policy": json.dumps({"Statement": [statement]})}}}


def trust(**statement):
    policy = json.dumps(
        {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **statement}]}
    )
    return {"aws_iam_role": {"a": {"assume_role_policy": policy}}}


def topic(**statement):
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sns:Publish", **statement}]})
    return {"aws_sns_topic_policy": {"a": {"policy": policy}}}


NINTHS = [f"{number}.{half}.0.0/9" for number in range(11, 60) for half in (0, 128)]


def granting(action, resource, **more):
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    policy = json.dumps({"Statement": [statement]})
    return {"aws_iam_role_policy": {"a": {"role": "r", "policy": policy}}}


GITHUB = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
AUDIENCE = {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}

STACKS = {
    "every role of another account": (
        granting(["iam:PassRole", "lambda:CreateFunction"], "arn:aws:iam::999988887777:role/*"),
        "permissions.escalation",
    ),
    "every key of another account and region": (
        granting("kms:Decrypt", "arn:aws:kms:eu-west-1:999988887777:key/*"),
        "permissions.decryption_with_all_keys",
    ),
    "every secret of another account": (
        granting("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:999988887777:secret:*"),
        "permissions.data_everywhere",
    ),
    "keys for every user": (
        granting("iam:CreateAccessKey", "arn:aws:iam::111122223333:user/*"),
        "permissions.escalation",
    ),
    "a condition that binds to nothing": (
        granting("s3:PutObject", "*", Condition={"StringLike": {"s3:signatureversion": "*"}}),
        "permissions.bound_actions",
    ),
    "every repository of GitHub": (
        trust(
            Action="sts:AssumeRoleWithWebIdentity",
            Principal={"Federated": GITHUB},
            Condition=AUDIENCE,
        ),
        "permissions.narrow_trust",
    ),
    "an account, but for one secret": (
        trust(
            Principal={"AWS": "arn:aws:iam::111122223333:root"},
            Condition={"StringNotEquals": {"sts:ExternalId": "x"}},
        ),
        "permissions.narrow_trust",
    ),
    "a key policy of all but one action": (
        {
            "aws_kms_key": {
                "a": {
                    "policy": json.dumps(
                        {
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"},
                                    "NotAction": "kms:Foo",
                                    "Resource": "*",
                                }
                            ]
                        }
                    )
                }
            }
        },
        "keys.separate_duties",
    ),
    "a server whose template is an empty list": (
        {
            "aws_instance": {
                "a": {"launch_template": [], "root_block_device": [{"encrypted": False}]}
            }
        },
        "compute.instance_volumes",
    ),
    "an administrator beside an empty list": (
        {"aws_db_instance": {"a": {"username": "postgres", "restore_to_point_in_time": []}}},
        "database.master_user",
    ),
    "an object for everybody": (
        {"aws_s3_object": {"a": {"bucket": "b", "key": "pan.csv", "acl": "public-read"}}},
        "sharing.everybody",
    ),
    "a bus for everybody": (
        {"aws_cloudwatch_event_permission": {"a": {"principal": "*", "statement_id": "x"}}},
        "sharing.everybody",
    ),
    "a database that Terraform looks away from": (
        {"aws_rds_cluster": {"c": {"lifecycle": {"ignore_changes": ["all"]}}}},
        "intake.ignored_changes",
    ),
    "the Internet in ninths, in one rule": (
        {
            "aws_security_group": {
                "g": {
                    "ingress": [
                        {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": NINTHS}
                    ]
                }
            }
        },
        "security_groups.remote_administration",
    ),
    "the Internet in ninths, in a rule each": (
        {
            "aws_security_group": {"g": {}},
            "aws_vpc_security_group_ingress_rule": {
                f"r{number}": {
                    "security_group_id": "${aws_security_group.g.id}",
                    "ip_protocol": "tcp",
                    "from_port": 22,
                    "to_port": 22,
                    "cidr_ipv4": block,
                }
                for number, block in enumerate(NINTHS)
            },
        },
        "security_groups.remote_administration",
    ),
    "the group of a database behind a variable": (
        database(["${var.group}"], cidr_ipv4="10.0.0.0/16"),
        "security_groups.database_ingress",
    ),
    "the group of a database behind a local value": (
        database(["${local.group}"], cidr_ipv4="10.0.0.0/16"),
        "security_groups.database_ingress",
    ),
    "the group of a database by its id": (
        database(["sg-1"], security_group_id="sg-1", cidr_ipv4="10.0.0.0/16"),
        "security_groups.database_ingress",
    ),
    "a prefix list that may be the Internet": (
        database(
            ["${aws_security_group.db.id}"], prefix_list_id="${aws_ec2_managed_prefix_list.a.id}"
        ),
        "security_groups.database_ingress",
    ),
    "another output of the same remote state as the load balancer's": (
        {
            "aws_lb": {"l": {"security_groups": ["${data.terraform_remote_state.n.outputs.lb}"]}},
            "aws_vpc_security_group_ingress_rule": {
                "a": {
                    "security_group_id": "${data.terraform_remote_state.n.outputs.app}",
                    **OPEN,
                    "cidr_ipv4": "0.0.0.0/0",
                    "from_port": 443,
                    "to_port": 443,
                }
            },
        },
        "security_groups.internet_ingress",
    ),
    "every protocol as a float": (
        {
            "aws_vpc_security_group_ingress_rule": {
                "a": {"ip_protocol": -1.0, "cidr_ipv4": "10.0.0.0/8"}
            }
        },
        "security_groups.all_protocols",
    ),
    "a rule beside the default group": (
        {
            **VPC,
            "aws_security_group_rule": {
                "a": {"security_group_id": "${aws_default_security_group.d.id}", "type": "ingress"}
            },
        },
        "network.default_security_group",
    ),
    "a flow log that may not be there": (
        {
            **VPC,
            "aws_flow_log": {
                "f": {"count": "${var.on ? 1 : 0}", "vpc_id": "${aws_vpc.v.id}", **LOG}
            },
        },
        "audit_logs.flow_logs",
    ),
    "a flow log for each of nothing": (
        {**VPC, "aws_flow_log": {"f": {"for_each": {}, "vpc_id": "${aws_vpc.v.id}", **LOG}}},
        "audit_logs.flow_logs",
    ),
    "a flow log of one instance": (
        {**VPC, "aws_flow_log": {"f": {"vpc_id": '${aws_vpc.v["a"].id}', **LOG}}},
        "audit_logs.flow_logs",
    ),
    "a flow log that names the VPC in a tag": (
        {**VPC, "aws_flow_log": {"f": {"tags": {"vpc": "${aws_vpc.v.id}"}, **LOG}}},
        "audit_logs.flow_logs",
    ),
    "a key behind a condition": (
        log_group("${var.on ? aws_kms_key.k.arn : null}"),
        "audit_logs.encryption",
    ),
    "an empty key": (log_group(""), "audit_logs.encryption"),
    "the key of AWS behind an alias": (
        log_group("${aws_kms_alias.a.arn}", aws_kms_alias={"a": {"name": "alias/aws/logs"}}),
        "audit_logs.encryption",
    ),
    "what is no key": (log_group("${aws_s3_bucket.b.arn}"), "audit_logs.encryption"),
    "a parameter group behind a condition": (
        {
            "aws_rds_cluster": {
                "a": {
                    "engine": "aurora-mysql",
                    "db_cluster_parameter_group_name": "${var.on ? aws_a_b.c.id : aws_a_b.d.id}",
                }
            }
        },
        "database_parameters.required_tls",
    ),
    "a written password in a write-only argument": (
        {"aws_rds_cluster": {"a": {"master_password_wo": "correct-horse"}}},
        "database.password",
    ),
    "a written secret in a write-only argument": (
        {"aws_secretsmanager_secret_version": {"a": {"secret_string_wo": "correct-horse"}}},
        "secrets.literal",
    ),
    "a password in an address": (
        {
            "aws_lambda_function": {
                "a": {"environment": {"variables": {"URL": "mysql://admin:hunter2@db/x"}}}
            }
        },
        "secrets.function_environment",
    ),
    "a password that Terraform makes": (
        {
            "aws_lambda_function": {
                "a": {"environment": {"variables": {"P": "${random_password.p.result}"}}}
            }
        },
        "secrets.function_environment",
    ),
    "a rotation every zero days": (
        {
            "aws_secretsmanager_secret": {"s": {}},
            "aws_secretsmanager_secret_rotation": {
                "r": {
                    "secret_id": "${aws_secretsmanager_secret.s.id}",
                    "rotation_rules": {
                        "automatically_after_days": 0,
                        "schedule_expression": "rate(60 days)",
                    },
                }
            },
        },
        "secrets.rotation_period",
    ),
    "full access through a data source": (
        {
            "aws_iam_role_policy_attachment": {"a": {"policy_arn": "${data.aws_iam_policy.p.arn}"}},
            "data": {"aws_iam_policy": {"p": {"name": "AdministratorAccess"}}},
        },
        "attachments.full_access",
    ),
    "full access on the role itself": (
        {"aws_iam_role": {"a": {"managed_policy_arns": ["arn:aws:iam::aws:policy/IAMFullAccess"]}}},
        "attachments.full_access",
    ),
    "trust of a list": (trust(Principal=["*"]), "permissions.narrow_trust"),
    "trust of anybody at an identity provider": (
        trust(Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/example.com"}),
        "permissions.narrow_trust",
    ),
    "a statement in lower case": (
        {
            "aws_iam_policy": {
                "a": {"policy": '{"Statement": [{"effect": "Allow", "action": "*"}]}'}
            }
        },
        "permissions.administration",
    ),
    "a document in lower case": (
        {
            "aws_iam_policy": {
                "a": {"policy": '{"statement": [{"Effect": "Allow", "Action": "*"}]}'}
            }
        },
        "permissions.administration",
    ),
    **{
        f"decryption with {resource}": (decrypt(resource), "permissions.decryption_with_all_keys")
        for resource in (
            "*",
            "?*",
            "arn:aws:kms*",
            "arn:aws:kms:us-east-1:111122223333:k*",
            "arn:aws:kms:*:*:key/**",
        )
    },
    "a topic for all accounts but one": (
        topic(Principal="*", Condition={"StringNotEquals": {"aws:SourceAccount": "111122223333"}}),
        "monitoring.topic_policies",
    ),
    "a topic for any source": (
        topic(Principal="*", Condition={"ArnLike": {"aws:SourceArn": "*"}}),
        "monitoring.topic_policies",
    ),
    "a topic's own policy": (
        {"aws_sns_topic": {"a": {"policy": json.dumps(EVERYBODY)}}},
        "monitoring.topic_policies",
    ),
    "a key policy beside the key": (
        {"aws_kms_key_policy": {"a": {"policy": json.dumps(EVERYBODY)}}},
        "keys.public_policy",
    ),
    "a function for any source": (
        {"aws_lambda_permission": {"a": {"principal": "s3.amazonaws.com", "source_arn": "*"}}},
        "functions.callers",
    ),
    "a function's public address by its name": (
        {"aws_lambda_function_url": {"a": {"function_name": "f", "authorization_type": "NONE"}}},
        "functions.public_url",
    ),
    "clear text through a listener's rule": (
        {
            "aws_lb_listener": {"h": {"protocol": "HTTP"}},
            "aws_lb_listener_rule": {
                "r": {"listener_arn": "${aws_lb_listener.h.arn}", "action": [{"type": "forward"}]}
            },
        },
        "load_balancer.listener_rules",
    ),
    "a disk of an instance": (
        {"aws_instance": {"i": {"root_block_device": [{"encrypted": False}]}}},
        "compute.instance_volumes",
    ),
    "an encoded boot script of an instance": (
        {
            "aws_instance": {
                "i": {"user_data": base64.b64encode(b"DB_PASSWORD=correct-horse").decode()}
            }
        },
        "compute.user_data",
    ),
    "a version in an override": (
        {
            "aws_autoscaling_group": {
                "g": {
                    "mixed_instances_policy": {
                        "launch_template": {
                            "launch_template_specification": {"version": "1"},
                            "override": [{"launch_template_specification": {"version": "$Latest"}}],
                        }
                    }
                }
            }
        },
        "compute.template_version",
    ),
    "a subnet that is not shown": (
        {
            "aws_db_subnet_group": {"g": {"subnet_ids": ["${aws_subnet.a.id}", "subnet-public"]}},
            "aws_subnet": {"a": {}},
            "aws_route_table": {"t": {}},
            "aws_route_table_association": {
                "a": {
                    "subnet_id": "${aws_subnet.a.id}",
                    "route_table_id": "${aws_route_table.t.id}",
                }
            },
        },
        "network.isolated_databases",
    ),
    "a program that reads data": (
        {"aws_vpc": {"v": {}}, "data": {"external": {"x": {}}}},
        "intake.opaque",
    ),
    "a template of another language": ({"aws_cloudformation_stack": {"s": {}}}, "intake.opaque"),
}


@pytest.mark.parametrize(("resources", "policy"), STACKS.values(), ids=STACKS)
def test_no_way_around_the_gate_passes(tmp_path, resources, policy):
    document = {"resource": dict(resources)}
    if "data" in resources:
        document["data"] = document["resource"].pop("data")
    path = tmp_path / "cdk.tf.json"
    path.write_text(json.dumps(document))
    [reading] = read([path])
    verdicts = {f.verdict for f in judged(reading) if f.policy == policy}

    assert verdicts & {Verdict.FAIL, Verdict.UNKNOWN}


def planned(*resources, configuration):
    changes = [
        {
            "address": address,
            "mode": "managed",
            "type": address.split(".")[-2],
            "change": {
                "actions": ["create"],
                "before": None,
                "after": after,
                "after_unknown": unknown,
            },
        }
        for address, after, unknown in resources
    ]
    values = [
        {**{key: c[key] for key in ("address", "mode", "type")}, "values": c["change"]["after"]}
        for c in changes
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": changes,
        "planned_values": {"root_module": {"resources": values}},
        "configuration": {"root_module": configuration},
    }


def configured(address, **references):
    expressions = {path: {"references": names} for path, names in references.items()}
    return {"address": address, "expressions": expressions}


PLANS = {
    "a variable that is the key of AWS": (
        planned(
            ("aws_cloudwatch_log_group.a", {"kms_key_id": "alias/aws/logs"}, {}),
            configuration={
                "resources": [configured("aws_cloudwatch_log_group.a", kms_key_id=["var.k"])]
            },
        ),
        "audit_logs.encryption",
    ),
    "a variable that is nothing": (
        planned(
            ("aws_cloudwatch_log_group.a", {"kms_key_id": None}, {}),
            configuration={
                "resources": [configured("aws_cloudwatch_log_group.a", kms_key_id=["var.k"])]
            },
        ),
        "audit_logs.encryption",
    ),
    "a flow log of a module, for the VPC of the root": (
        planned(
            ("aws_vpc.v", {}, {"id": True}),
            ("module.m.aws_flow_log.f", LOG, {"vpc_id": True}),
            configuration={
                "resources": [configured("aws_vpc.v")],
                "module_calls": {
                    "m": {
                        "module": {
                            "resources": [
                                configured("aws_flow_log.f", vpc_id=["aws_vpc.v.id", "aws_vpc.v"])
                            ]
                        }
                    }
                },
            },
        ),
        "audit_logs.flow_logs",
    ),
    "a provisioner": (
        planned(
            ("aws_vpc.v", {}, {}),
            configuration={"resources": [{**configured("aws_vpc.v"), "provisioners": [{}]}]},
        ),
        "intake.provisioners",
    ),
    "a boot script that a plan shows as a digest": (
        planned(
            ("aws_instance.i", {"user_data": "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33"}, {}),
            configuration={"resources": [configured("aws_instance.i")]},
        ),
        "compute.user_data",
    ),
}


@pytest.mark.parametrize(("document", "policy"), PLANS.values(), ids=PLANS)
def test_no_way_around_the_gate_passes_in_a_plan(tmp_path, document, policy):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document))
    [reading] = read([path])
    verdicts = {f.verdict for f in judged(reading) if f.policy == policy}

    assert verdicts & {Verdict.FAIL, Verdict.UNKNOWN}


def state(*resources):
    found = [
        {"address": a, "mode": "managed", "type": a.partition(".")[0], "values": values}
        for a, values in resources
    ]
    return {"format_version": "1.0", "values": {"root_module": {"resources": found}}}


def open_group(id):
    rule = {"protocol": "tcp", "from_port": 3306, "to_port": 3306, "cidr_blocks": ["0.0.0.0/0"]}
    return ("aws_security_group.g", {"id": id, "ingress": [rule]})


def test_a_database_that_was_opened_by_hand_is_found_in_a_state(tmp_path):
    path = tmp_path / "state.json"
    cluster = ("aws_rds_cluster.c", {"vpc_security_group_ids": ["sg-1"]})
    path.write_text(json.dumps(state(open_group("sg-1"), cluster)))
    [reading] = read([path])
    failed = {f.policy for f in judged(reading) if f.verdict is Verdict.FAIL}

    assert {"security_groups.database_ingress", "security_groups.internet_ingress"} <= failed


def test_a_load_balancer_is_known_by_its_group_in_a_state(tmp_path):
    path = tmp_path / "state.json"
    id, group = "sg-1", open_group("sg-1")
    group[1]["ingress"][0].update(from_port=443, to_port=443)
    path.write_text(json.dumps(state(group, ("aws_lb.l", {"security_groups": [id]}))))
    [reading] = read([path])
    verdicts = {
        finding.verdict
        for finding in judged(reading)
        if finding.policy == "security_groups.internet_ingress"
    }

    assert {Verdict.PASS} == verdicts


GOOD = {
    "a ping": (
        {
            "aws_vpc_security_group_ingress_rule": {
                "a": {
                    "cidr_ipv4": "10.0.0.0/16",
                    "ip_protocol": "icmp",
                    "from_port": 8,
                    "to_port": 0,
                    "security_group_id": "sg-1",
                }
            }
        },
        "security_groups.internet_ingress",
    ),
    "a role to join a VPC": (
        granting(["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces"], "*"),
        "permissions.bound_actions",
    ),
    "one repository of GitHub": (
        trust(
            Action="sts:AssumeRoleWithWebIdentity",
            Principal={"Federated": GITHUB},
            Condition={
                "StringLike": {"token.actions.githubusercontent.com:sub": "repo:pay/infra:*"}
            },
        ),
        "permissions.narrow_trust",
    ),
    "this account, by its data source": (
        {
            "aws_kms_key": {
                "a": {
                    "policy": json.dumps(
                        {
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Principal": {
                                        "AWS": "arn:aws:iam::"
                                        "${data.aws_caller_identity.c.account_id}:root"
                                    },
                                    "Action": "kms:*",
                                    "Resource": "*",
                                }
                            ]
                        }
                    )
                }
            }
        },
        "keys.public_policy",
    ),
    "a key policy beside its key": (
        {
            "aws_kms_key": {"k": {}},
            "aws_kms_key_policy": {
                "p": {
                    "key_id": "${aws_kms_key.k.id}",
                    "policy": json.dumps(
                        {
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                                    "Action": "kms:DescribeKey",
                                }
                            ]
                        }
                    ),
                }
            },
        },
        "keys.public_policy",
    ),
    "a log group named after its function": (
        {
            "aws_lambda_function": {"f": {"function_name": "f"}},
            "aws_cloudwatch_log_group": {
                "l": {"name": "/aws/lambda/${aws_lambda_function.f.function_name}"}
            },
        },
        "functions.log_groups",
    ),
    "an action with a wildcard in its name": (
        {
            "aws_iam_policy": {
                "a": {"policy": '{"Statement": {"Effect": "Allow", "Action": "s3:Get*"}}'}
            }
        },
        "permissions.service_wildcards",
    ),
    "a route to the office": (
        {
            "aws_db_subnet_group": {"g": {"subnet_ids": ["${aws_subnet.a.id}"]}},
            "aws_subnet": {"a": {}},
            "aws_route_table": {"t": {}},
            "aws_route": {
                "r": {
                    "route_table_id": "${aws_route_table.t.id}",
                    "gateway_id": "${aws_vpn_gateway.g.id}",
                }
            },
            "aws_route_table_association": {
                "a": {
                    "subnet_id": "${aws_subnet.a.id}",
                    "route_table_id": "${aws_route_table.t.id}",
                }
            },
        },
        "network.isolated_databases",
    ),
    "a protocol in lower case": (
        {
            "aws_lb_listener": {
                "a": {"protocol": "https", "ssl_policy": "ELBSecurityPolicy-TLS13-1-3-2021-06"}
            }
        },
        "load_balancer.tls_policy",
    ),
    "an instance that its template hardens": (
        {
            "aws_instance": {"i": {"launch_template": {"id": "${aws_launch_template.t.id}"}}},
            "aws_launch_template": {"t": {"metadata_options": {"http_tokens": "required"}}},
        },
        "compute.imdsv2",
    ),
}


@pytest.mark.parametrize(("resources", "policy"), GOOD.values(), ids=GOOD)
def test_what_is_right_is_no_false_alarm(tmp_path, resources, policy):
    path = tmp_path / "cdk.tf.json"
    path.write_text(json.dumps({"resource": resources}))
    [reading] = read([path])
    verdicts = {f.verdict for f in judged(reading) if f.policy == policy}

    assert {Verdict.PASS} == verdicts
