"""Session Manager in place of SSH: who came, and what was typed, is in a log."""

from __future__ import annotations

import json

from cdktf_cdktf_provider_aws.ssm_document import SsmDocument
from constructs import Construct

from infra import permissions
from infra.archive import Archive
from infra.audit_logs import AuditLog
from infra.environment import Environment, Scope
from infra.keys import Keys

IDLE_MINUTES = 15
LONGEST_MINUTES = 60

MESSAGES = [
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
]
REGISTRATION = ["ssm:ListInstanceAssociations", "ssm:UpdateInstanceInformation"]
FIND_WORK = ["ssm:ListAssociations"]
FIND_LOG = ["logs:DescribeLogGroups"]
DECRYPT = ["kms:Decrypt"]


class Sessions(Construct):
    """The only way to a server: a session that ends when it is idle, and is recorded."""

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, keys: Keys, archive: Archive
    ) -> None:
        super().__init__(scope, id)
        self.needs = (
            permissions.allow("HoldSessions", MESSAGES, "*"),
            permissions.allow(
                "RegisterForSessions", REGISTRATION, environment.arn("ec2", "instance/*")
            ),
            permissions.allow("FindLogAndWork", [*FIND_LOG, *FIND_WORK], "*"),
            permissions.allow("ReadSessions", DECRYPT, keys.sessions.arn),
        )
        """What a server needs; where there is a star, AWS has nothing narrower."""
        self.log = AuditLog(
            self,
            "log",
            environment=environment,
            name=environment.name("sessions", of="aws_cloudwatch_log_group"),
            key=keys.logs,
            archive=archive,
        )
        name = environment.name("session", of="aws_ssm_document")
        SsmDocument(
            self,
            "document",
            name=name,
            document_type="Session",
            document_format="JSON",
            content=json.dumps(
                {
                    "schemaVersion": "1.0",
                    "description": "A recorded session on an application server",
                    "sessionType": "Standard_Stream",
                    "inputs": {
                        "cloudWatchLogGroupName": self.log.name,
                        "cloudWatchEncryptionEnabled": True,
                        "cloudWatchStreamingEnabled": True,
                        "kmsKeyId": keys.sessions.arn,
                        "idleSessionTimeout": str(IDLE_MINUTES),
                        "maxSessionDuration": str(LONGEST_MINUTES),
                        "runAsEnabled": False,
                    },
                }
            ),
            tags=environment.tags(name, Scope.CONNECTED),
        )
