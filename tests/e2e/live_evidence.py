"""Security properties, read back through AWS's own interfaces: what is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Property:
    """One property of what runs: where it was read, and what was read."""

    read_from: str
    about: str
    expected: Any
    seen: Any

    @property
    def holds(self) -> bool:
        """Whether what is there is what is expected."""
        return self.expected == self.seen


def read_back(client: Callable[[str], Any]) -> Iterator[Property]:
    """Yield the properties of the platform of dev, through *client*, one for each service."""
    for read in (_network, _database, _secrets, _buckets, _logs, _account, _entry, _alerts):
        yield from read(client)


def table(properties: list[Property], label: str) -> str:
    """Return *properties* as a table that says in its first line where it was read."""
    rows = [
        ("holds" if each.holds else "DIFFERS", each.read_from, each.about, str(each.seen))
        for each in properties
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([f"{label}: {len(rows)} properties", *lines, ""])


def _network(client: Callable[[str], Any]) -> Iterator[Property]:
    ec2 = client("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[_tag("Name", "financial-vpc-dev")])["Vpcs"]
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    groups = {
        g["GroupName"]: g for g in ec2.describe_security_groups(Filters=inside)["SecurityGroups"]
    }
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    flow_logs = ec2.describe_flow_logs()["FlowLogs"]
    default, database = groups["default"], groups["financial-db-sg-dev"]
    read = "ec2:DescribeSecurityGroups"
    yield Property(read, "rules of the default group", 0, len(_rules(default)))
    yield Property(
        read,
        "groups open to the Internet",
        ["financial-alb-sg-dev"],
        sorted(name for name, group in groups.items() if _open(group["IpPermissions"])),
    )
    yield Property(
        read,
        "groups that may call the Internet",
        [],
        sorted(name for name, group in groups.items() if _open(group["IpPermissionsEgress"])),
    )
    yield Property(
        read,
        "ports of the database's group",
        [(3306, 3306)],
        sorted({(rule["FromPort"], rule["ToPort"]) for rule in database["IpPermissions"]}),
    )
    yield Property(
        read,
        "who reaches the database",
        ["financial-app-sg-dev", "financial-rotation-sg-dev"],
        sorted(
            next(n for n, g in groups.items() if g["GroupId"] == pair["GroupId"])
            for rule in database["IpPermissions"]
            for pair in rule["UserIdGroupPairs"]
        ),
    )
    yield Property("ec2:DescribeSubnets", "subnets", 9, len(subnets))
    yield Property(
        "ec2:DescribeSubnets",
        "subnets that give out public addresses",
        0,
        sum(subnet["MapPublicIpOnLaunch"] for subnet in subnets),
    )
    yield Property(
        "ec2:DescribeFlowLogs",
        "flow logs of the VPC",
        ["ALL"],
        [log["TrafficType"] for log in flow_logs if log["ResourceId"] == vpc["VpcId"]],
    )
    yield Property(
        "ec2:DescribeVpcEndpoints",
        "endpoints",
        ["kms", "logs", "s3", "secretsmanager", "ssm", "ssmmessages"],
        sorted(
            endpoint["ServiceName"].rpartition(".")[2]
            for endpoint in ec2.describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]
        ),
    )
    template = ec2.describe_launch_template_versions(
        LaunchTemplateName="financial-lt-dev", Versions=["1"]
    )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    read = "ec2:DescribeLaunchTemplateVersions"
    yield Property(read, "IMDSv2", "required", template["MetadataOptions"]["HttpTokens"])
    yield Property(read, "metadata hops", 1, template["MetadataOptions"]["HttpPutResponseHopLimit"])
    yield Property(read, "key pair", None, template.get("KeyName"))
    yield Property(
        read,
        "encrypted disks",
        [True],
        [disk["Ebs"]["Encrypted"] for disk in template["BlockDeviceMappings"]],
    )
    yield Property(
        "ec2:GetEbsEncryptionByDefault",
        "new volumes of the account",
        True,
        ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"],
    )


def _database(client: Callable[[str], Any]) -> Iterator[Property]:
    rds = client("rds")
    [cluster] = rds.describe_db_clusters()["DBClusters"]
    instances = rds.describe_db_instances()["DBInstances"]
    parameters = {
        parameter["ParameterName"]: parameter.get("ParameterValue")
        for parameter in rds.describe_db_cluster_parameters(
            DBClusterParameterGroupName=cluster["DBClusterParameterGroup"]
        )["Parameters"]
    }
    read = "rds:DescribeDBClusters"
    yield Property(read, "encrypted at rest", True, cluster["StorageEncrypted"])
    yield Property(read, "protected from deletion", True, cluster["DeletionProtection"])
    yield Property(read, "days of backups", 7, cluster["BackupRetentionPeriod"])
    yield Property(read, "name of the master user", "ledger_owner", cluster["MasterUsername"])
    yield Property(
        read,
        "logs that leave it",
        ["audit", "error", "general", "slowquery"],
        sorted(cluster["EnabledCloudwatchLogsExports"]),
    )
    yield Property(
        "rds:DescribeDBInstances",
        "instances with a public address",
        [False, False],
        [instance["PubliclyAccessible"] for instance in instances],
    )
    for name, value in (
        ("require_secure_transport", "ON"),
        ("tls_version", "TLSv1.2,TLSv1.3"),
        ("server_audit_logging", "1"),
    ):
        yield Property("rds:DescribeDBClusterParameters", name, value, parameters.get(name))


def _secrets(client: Callable[[str], Any]) -> Iterator[Property]:
    secret = client("secretsmanager").describe_secret(SecretId="financial-database-secret-dev")
    read = "secretsmanager:DescribeSecret"
    yield Property(read, "rotation", True, secret["RotationEnabled"])
    yield Property(read, "days", 30, secret["RotationRules"]["AutomaticallyAfterDays"])
    kms = client("kms")
    keys = [
        key["KeyId"]
        for key in kms.list_keys()["Keys"]
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyManager"] == "CUSTOMER"
    ]
    yield Property("kms:ListKeys", "keys of our own", 11, len(keys))
    yield Property(
        "kms:GetKeyRotationStatus",
        "keys that do not rotate",
        0,
        sum(not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] for key in keys),
    )
    function = client("lambda").get_function_configuration(FunctionName="financial-rotation-dev")
    yield Property(
        "lambda:GetFunctionConfiguration",
        "subnets of the rotation function",
        3,
        len(function["VpcConfig"]["SubnetIds"]),
    )


def _buckets(client: Callable[[str], Any]) -> Iterator[Property]:
    s3 = client("s3")
    names = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    locked = {name for name in names if name.startswith(("financial-archive", "financial-trail"))}
    yield Property(
        "s3:GetPublicAccessBlock",
        "buckets that are not private",
        0,
        sum(
            set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
            != {True}
            for name in names
        ),
    )
    yield Property(
        "s3:GetBucketVersioning",
        "buckets without versions",
        0,
        sum(s3.get_bucket_versioning(Bucket=name).get("Status") != "Enabled" for name in names),
    )
    for name in sorted(locked):
        lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
        retention = lock["Rule"]["DefaultRetention"]
        yield Property(
            "s3:GetObjectLockConfiguration",
            f"lock of {name}",
            ("COMPLIANCE", 400),
            (retention["Mode"], retention["Days"]),
        )
    taking = {name for name in names - locked if s3.list_objects_v2(Bucket=name)["KeyCount"]}
    yield Property("s3:ListObjectsV2", "buckets in which access logs arrived", 2, len(taking))
    yield Property(
        "s3:GetBucketEncryption",
        "locked buckets under a key of ours",
        2,
        sum(
            s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0][
                "ApplyServerSideEncryptionByDefault"
            ]["SSEAlgorithm"]
            == "aws:kms"
            for name in locked
        ),
    )


def _logs(client: Callable[[str], Any]) -> Iterator[Property]:
    logs = client("logs")
    groups = logs.describe_log_groups()["logGroups"]
    short = {group["logGroupName"] for group in groups if group["retentionInDays"] < 365}
    archived = {
        name
        for name in short
        if logs.describe_subscription_filters(logGroupName=name)["subscriptionFilters"]
    }
    read = "logs:DescribeLogGroups"
    yield Property(read, "fewest days", 90, min(group["retentionInDays"] for group in groups))
    yield Property(
        read, "log groups without a key", 0, sum("kmsKeyId" not in group for group in groups)
    )
    yield Property(
        "logs:DescribeSubscriptionFilters",
        "log groups that keep less than a year, and are not archived",
        [],
        sorted(short - archived),
    )


def _account(client: Callable[[str], Any]) -> Iterator[Property]:
    cloudtrail, guardduty, config = map(client, ("cloudtrail", "guardduty", "config"))
    [trail] = cloudtrail.describe_trails()["trailList"]
    status = cloudtrail.get_trail_status(Name=trail["Name"])
    read = "cloudtrail:DescribeTrails"
    yield Property(read, "trail of every region", True, trail["IsMultiRegionTrail"])
    yield Property(read, "validated", True, trail["LogFileValidationEnabled"])
    yield Property("cloudtrail:GetTrailStatus", "running", True, status["IsLogging"])
    [detector] = guardduty.list_detectors()["DetectorIds"]
    found = guardduty.get_detector(DetectorId=detector)
    yield Property("guardduty:GetDetector", "on", "ENABLED", found["Status"])
    [recorder] = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    yield Property(
        "config:DescribeConfigurationRecorderStatus", "recording", True, recorder["recording"]
    )
    passwords = client("iam").get_account_password_policy()["PasswordPolicy"]
    yield Property(
        "iam:GetAccountPasswordPolicy", "shortest password", 14, passwords["MinimumPasswordLength"]
    )
    roles = [r for r in client("iam").list_roles()["Roles"] if r["RoleName"].endswith("-dev")]
    yield Property(
        "iam:ListRoles",
        "roles that anybody may take",
        [],
        [r["RoleName"] for r in roles if '"*"' in json.dumps(r["AssumeRolePolicyDocument"])],
    )


def _entry(client: Callable[[str], Any]) -> Iterator[Property]:
    elb = client("elbv2")
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    arn = balancer["LoadBalancerArn"]
    listeners = {
        each["Port"]: each for each in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    }
    attributes = {
        attribute["Key"]: attribute["Value"]
        for attribute in elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    }
    read = "elasticloadbalancing:DescribeListeners"
    yield Property(read, "ports", [80, 443], sorted(listeners))
    yield Property(
        read,
        "policy of TLS",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        listeners[443]["SslPolicy"],
    )
    yield Property(
        read, "answer on port 80", "redirect", listeners[80]["DefaultActions"][0]["Type"]
    )
    read = "elasticloadbalancing:DescribeLoadBalancerAttributes"
    for name in ("access_logs.s3.enabled", "routing.http.drop_invalid_header_fields.enabled"):
        yield Property(read, name, "true", attributes.get(name))
    acl = client("wafv2").get_web_acl_for_resource(ResourceArn=arn)["WebACL"]
    yield Property("wafv2:GetWebACLForResource", "firewall", "financial-web-acl-dev", acl["Name"])
    yield Property(
        "wafv2:GetWebACLForResource",
        "rules that only count",
        0,
        sum("Count" in (rule.get("OverrideAction") or {}) for rule in acl["Rules"]),
    )


def _alerts(client: Callable[[str], Any]) -> Iterator[Property]:
    sns = client("sns")
    topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
    yield Property("sns:ListTopics", "topics", 2, len(topics))
    yield Property(
        "sns:ListSubscriptionsByTopic",
        "topics that nobody reads",
        0,
        sum(not sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] for arn in topics),
    )
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    yield Property(
        "cloudwatch:DescribeAlarms",
        "alarms that tell nobody",
        [],
        [a["AlarmName"] for a in alarms if not set(a["AlarmActions"]) & set(topics)],
    )


def _tag(key: str, value: str) -> dict[str, Any]:
    return {"Name": f"tag:{key}", "Values": [value]}


def _rules(group: dict[str, Any]) -> list[Any]:
    return [*group["IpPermissions"], *group["IpPermissionsEgress"]]


def _open(rules: list[dict[str, Any]]) -> bool:
    return any(
        block["CidrIp"] == "0.0.0.0/0" for rule in rules for block in rule.get("IpRanges", ())
    )
