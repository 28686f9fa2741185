"""What must not happen to an account unheard: each a pattern in its trail, with an alarm."""

from __future__ import annotations

from constructs import Construct

from infra.detection import IntrusionDetection
from infra.environment import Environment
from infra.log_groups import LogGroup
from infra.monitoring import Alarm, Alerts, LineCount
from infra.trail import Trail

MINUTES = 5
ANY_FINDING = ""


def _calls(*names: str, source: str) -> str:
    """Match calls of these *names* to the service *source*."""
    alternatives = " || ".join(f"($.eventName = {name})" for name in names)
    return f"{{ ($.eventSource = {source}.amazonaws.com) && ({alternatives}) }}"


WATCHED = {
    "root-user": (
        "Somebody works as the root user",
        (
            '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS '
            '&& $.eventType != "AwsServiceEvent" }'
        ),
    ),
    "no-second-factor": (
        "Somebody came in without a second factor",
        (
            '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") '
            '&& ($.userIdentity.type = "IAMUser") '
            '&& ($.responseElements.ConsoleLogin = "Success") }'
        ),
    ),
    "refused-logins": (
        "Logins to the console are refused",
        '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
    ),
    "refused-calls": (
        "Calls to AWS are refused",
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    ),
    "trail-changed": (
        "The trail was stopped, changed or deleted",
        _calls(
            "DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail", source="cloudtrail"
        ),
    ),
    "logs-shortened": (
        "A log group was deleted, or keeps less",
        _calls(
            "DeleteLogGroup",
            "DeleteLogStream",
            "DeleteRetentionPolicy",
            "DeleteSubscriptionFilter",
            "PutRetentionPolicy",
            source="logs",
        ),
    ),
    "detection-stopped": (
        "GuardDuty was switched off, or told to look away",
        _calls("CreateFilter", "DeleteDetector", "UpdateDetector", source="guardduty"),
    ),
    "recorder-stopped": (
        "Config no longer records changes",
        _calls(
            "DeleteConfigurationRecorder",
            "DeleteDeliveryChannel",
            "StopConfigurationRecorder",
            source="config",
        ),
    ),
    "key-deletion": (
        "A key was disabled, or is going to be deleted",
        _calls("DisableKey", "DisableKeyRotation", "ScheduleKeyDeletion", source="kms"),
    ),
    "secret-changed": (
        "A secret was deleted, or is no longer rotated",
        _calls("CancelRotateSecret", "DeleteSecret", "PutResourcePolicy", source="secretsmanager"),
    ),
    "permissions-changed": (
        "Permissions or roles were changed",
        _calls(
            "AttachRolePolicy",
            "CreateAccessKey",
            "CreatePolicyVersion",
            "CreateUser",
            "DeleteRolePolicy",
            "DetachRolePolicy",
            "PutRolePolicy",
            "UpdateAssumeRolePolicy",
            source="iam",
        ),
    ),
    "network-opened": (
        "Security groups, routes or gateways were changed",
        _calls(
            "AttachInternetGateway",
            "AuthorizeSecurityGroupEgress",
            "AuthorizeSecurityGroupIngress",
            "CreateNetworkAclEntry",
            "CreateRoute",
            "CreateVpcPeeringConnection",
            "ModifySecurityGroupRules",
            "ReplaceNetworkAclEntry",
            "ReplaceRoute",
            "ReplaceRouteTableAssociation",
            source="ec2",
        ),
    ),
    "firewall-changed": (
        "The web application firewall was changed or taken away",
        _calls(
            "DeleteLoggingConfiguration",
            "DeleteWebACL",
            "DisassociateWebACL",
            "UpdateWebACL",
            source="wafv2",
        ),
    ),
    "bucket-opened": (
        "Who may read or write a bucket was changed",
        _calls(
            "DeleteBucketPolicy",
            "DeleteBucketPublicAccessBlock",
            "PutBucketAcl",
            "PutBucketLifecycle",
            "PutBucketPolicy",
            "PutBucketPublicAccessBlock",
            source="s3",
        ),
    ),
}
"""What is counted in the trail: the resource, what an alert says, the pattern."""

SEVERAL = {"refused-logins": 5, "refused-calls": 10}
"""How many in five minutes are too many, where one alone is nothing to wake anybody for."""


class AccountAlarms(Construct):
    """An alarm for each thing that must not happen unheard; all tell the same topic."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        alerts: Alerts,
        trail: Trail,
        detection: IntrusionDetection,
    ) -> None:
        super().__init__(scope, id)
        watched: tuple[tuple[LogGroup, str, str, str], ...] = (
            *((trail.log, resource, *what) for resource, what in WATCHED.items()),
            (detection.log, "intruder", "GuardDuty found something", ANY_FINDING),
        )
        for log, resource, description, pattern in watched:
            count = LineCount(
                self,
                resource,
                environment=environment,
                resource=f"account-{resource}",
                log=log,
                pattern=pattern,
            )
            Alarm(
                self,
                f"{resource}-alarm",
                environment=environment,
                alerts=alerts,
                resource=f"account-{resource}",
                description=description,
                metric=count.metric,
                threshold=SEVERAL.get(resource, 1),
                minutes=MINUTES,
                missing_data="notBreaching",
            )
