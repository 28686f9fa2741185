"""What every stack says to Terraform itself: which version, which account, where its state is."""

from __future__ import annotations

from cdktf import LocalBackend, S3Backend, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider

from infra.environment import Environment

STATE = "terraform.tfstate"
VERSION = ">= 1.11"
"""Ephemeral variables, write-only arguments, and locks in S3 itself."""


def configure(stack: TerraformStack, environment: Environment) -> None:
    """Let *stack* be applied to the account of *environment*, and to no other."""
    _keep_state(stack, environment)
    stack.add_override("terraform.required_version", VERSION)
    AwsProvider(
        stack,
        "aws",
        region=environment.region,
        allowed_account_ids=[environment.account_id],
    )


def _keep_state(stack: TerraformStack, environment: Environment) -> None:
    """Beside the stack, or where the environment says: encrypted with its key, and locked."""
    state = environment.state
    if state is None:
        LocalBackend(stack, path=STATE)
        return
    S3Backend(
        stack,
        bucket=state.bucket,
        key=f"{stack.node.id}/{STATE}",
        region=environment.region,
        encrypt=True,
        kms_key_id=state.kms_key_arn,
    )
    stack.add_override("terraform.backend.s3.use_lockfile", True)
