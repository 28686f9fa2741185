"""Loaded by Checkov, not by us: passes for every resource, so that we know what it saw."""

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck


class Seen(BaseResourceCheck):
    """A check that every resource passes."""

    def __init__(self):
        super().__init__(
            name="Seen",
            id="CKV_GATE_SEEN",
            categories=[CheckCategories.GENERAL_SECURITY],
            supported_resources=["*"],
        )

    def scan_resource_conf(self, conf):  # noqa: ARG002 - the form that Checkov calls
        """Pass, whatever *conf* is."""
        return CheckResult.PASSED


check = Seen()
