"""An environment suffix in, names within AWS's limits out."""

from __future__ import annotations

import re
from dataclasses import dataclass

APPLICATION = "financial"

SUFFIX = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_SUFFIX = 12

LONGEST = {
    "aws_autoscaling_group": 255,
    "aws_autoscaling_policy": 255,
    "aws_autoscaling_schedule": 255,
    "aws_backup_plan": 50,
    "aws_backup_selection": 50,
    "aws_backup_vault": 50,
    "aws_cloudtrail": 128,
    "aws_cloudwatch_event_rule": 64,
    "aws_cloudwatch_log_group": 512,
    "aws_cloudwatch_log_metric_filter": 512,
    "aws_cloudwatch_log_resource_policy": 512,
    "aws_cloudwatch_log_subscription_filter": 512,
    "aws_cloudwatch_metric_alarm": 255,
    "aws_config_configuration_recorder": 256,
    "aws_config_delivery_channel": 256,
    "aws_db_event_subscription": 255,
    "aws_db_parameter_group": 255,
    "aws_db_subnet_group": 255,
    "aws_iam_instance_profile": 128,
    "aws_iam_role": 64,
    "aws_iam_role_policy": 128,
    "aws_kinesis_firehose_delivery_stream": 64,
    "aws_kms_alias": 256,
    "aws_lambda_function": 64,
    "aws_launch_template": 128,
    "aws_lb": 32,
    "aws_lb_target_group": 32,
    "aws_rds_cluster": 63,
    "aws_rds_cluster_instance": 63,
    "aws_rds_cluster_parameter_group": 255,
    "aws_s3_bucket": 63,
    "aws_secretsmanager_secret": 512,
    "aws_security_group": 255,
    "aws_sns_topic": 256,
    "aws_ssm_document": 128,
    "aws_wafv2_web_acl": 128,
}
"""Characters that AWS allows in the name of each type, from its API references."""

LONGEST_TAG = 256


class NamingError(ValueError):
    """A name that AWS, or our own convention, would refuse."""


@dataclass(frozen=True)
class Naming:
    """The convention ``financial-{resource}-{suffix}`` for one environment."""

    suffix: str
    """Lower-case words joined by single hyphens, at most 12 characters."""

    def __post_init__(self) -> None:
        if not SUFFIX.fullmatch(self.suffix):
            raise NamingError(
                f"environment suffix {self.suffix!r}: use lower-case letters and digits, "
                "beginning with a letter, in words joined by single hyphens"
            )
        if len(self.suffix) > LONGEST_SUFFIX:
            raise NamingError(
                f"environment suffix {self.suffix!r}: {len(self.suffix)} characters, "
                f"and at most {LONGEST_SUFFIX} leave room for the names of load balancers"
            )

    def __call__(
        self, resource: str, *, of: str | None = None, number: int | None = None, prefix: str = ""
    ) -> str:
        """
        Return the name of *resource*, a resource of the Terraform type *of*.

        *number* tells apart several of a kind; *prefix* is one that AWS forces
        on us, such as ``alias/``.

        Raises:
            NamingError: *resource* is no lower-case word, or the name is longer
                than AWS allows.
        """
        if not SUFFIX.fullmatch(resource):
            raise NamingError(f"resource {resource!r}: use lower-case words joined by hyphens")
        name = f"{prefix}{APPLICATION}-{resource}-{self.suffix}"
        if number is not None:
            name += f"-{number}"
        longest = LONGEST[of] if of else LONGEST_TAG
        if len(name) > longest:
            raise NamingError(f"{name}: {len(name)} characters, and {of} allows {longest}")
        return name
