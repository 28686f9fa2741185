"""Mail, calls and chats, in which customers spell card numbers out: over TLS, and encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.aws import encryption
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import states
from policies.engine.values import in_each

RECEIPT = "aws_ses_receipt_rule"
STORAGE = "aws_connect_instance_storage_config"

SENT_MAIL_TLS = common.over_tls(
    "Mail servers",
    ("aws_ses_configuration_set", "aws_sesv2_configuration_set"),
    "delivery_options.tls_policy",
    "Require",
    "REQUIRE",
    refused=("Optional", "OPTIONAL"),
)
RECEIVED_MAIL_TLS = common.over_tls(
    "Receivers of mail", RECEIPT, "tls_policy", "Require", refused=("Optional",)
)
SCANNED_MAIL = states(
    RECEIPT,
    "scan_enabled",
    True,
    title="Received mail is looked through for malware.",
    why="A mail is how most intruders come in.",
    claims=(supports("5.2.1"),),
)


def keeps_what_is_said_encrypted(storage: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Recordings of calls and chats are encrypted with a key of ours.

    Customers spell their card numbers out in them.
    """
    for path in (f"storage_config.{kept}" for kept in ("s3_config", "kinesis_video_stream_config")):
        yield from in_each(
            common.inside(storage, path),
            lambda kept: encryption.not_ours(kept, "encryption_config.key_id", graph),
        )


RECORDINGS_KEY = Policy(
    checks=keeps_what_is_said_encrypted,
    applies_to=STORAGE,
    claims=(supports("3.5.1"),),
    example={
        STORAGE: {
            "calls": {
                "storage_config": {
                    "s3_config": {"encryption_config": {"key_id": "${aws_kms_key.cde.arn}"}}
                }
            }
        }
    },
    violated_by=(
        remove("storage_config.s3_config.encryption_config"),
        replace("storage_config", {"kinesis_video_stream_config": {"prefix": "calls"}}),
    ),
)
CALLS_TLS = common.over_tls(
    "Voice connectors", "aws_chime_voice_connector", "require_encryption", True
)
VIDEO_KEY = common.under_our_key("Video streams", "aws_kinesis_video_stream", "kms_key_id")
