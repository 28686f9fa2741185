"""Mail, calls and chats, in which customers spell card numbers out: over TLS, and encrypted."""

from __future__ import annotations

from policies import common
from policies.engine.model import supports
from policies.engine.settings import states

RECEIPT = "aws_ses_receipt_rule"

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
RECORDINGS_KEY = common.blocks_under_our_key(
    "Recordings of calls and chats",
    "aws_connect_instance_storage_config",
    "encryption_config.key_id",
    "storage_config.s3_config",
    "storage_config.kinesis_video_stream_config",
)
CALLS_TLS = common.over_tls(
    "Voice connectors", "aws_chime_voice_connector", "require_encryption", True
)
VIDEO_KEY = common.under_our_key("Video streams", "aws_kinesis_video_stream", "kms_key_id")
