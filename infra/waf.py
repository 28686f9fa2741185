"""The web application firewall in front of the load balancer: it blocks, and says what."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_resource_policy import CloudwatchLogResourcePolicy
from cdktf_cdktf_provider_aws.wafv2_web_acl import (
    Wafv2WebAcl,
    Wafv2WebAclDefaultAction,
    Wafv2WebAclDefaultActionAllow,
    Wafv2WebAclRule,
    Wafv2WebAclRuleAction,
    Wafv2WebAclRuleActionBlock,
    Wafv2WebAclRuleOverrideAction,
    Wafv2WebAclRuleOverrideActionNone,
    Wafv2WebAclRuleVisibilityConfig,
    Wafv2WebAclVisibilityConfig,
)
from cdktf_cdktf_provider_aws.wafv2_web_acl_association import Wafv2WebAclAssociation
from cdktf_cdktf_provider_aws.wafv2_web_acl_logging_configuration import (
    Wafv2WebAclLoggingConfiguration,
    Wafv2WebAclLoggingConfigurationRedactedFields,
    Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader,
)
from constructs import Construct

from infra import permissions
from infra.archive import Archive
from infra.audit_logs import AuditLog
from infra.environment import Environment, Scope
from infra.keys import Key
from infra.load_balancer import LoadBalancer
from infra.monitoring import Metric

MANAGED_RULES = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesSQLiRuleSet",
)
REQUESTS_IN_FIVE_MINUTES = 2000
"""What one address may send; beyond that, it is blocked until it slows down."""

SECRET_HEADERS = ("authorization", "cookie")
"""What a log of requests must not hold."""


class WebApplicationFirewall(Construct):
    """AWS's managed rules and a limit of requests; what they block is logged."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        load_balancer: LoadBalancer,
        key: Key,
        archive: Archive,
    ) -> None:
        super().__init__(scope, id)
        self.name = environment.name("web-acl", of="aws_wafv2_web_acl")
        self._environment = environment
        acl = Wafv2WebAcl(
            self,
            "web_acl",
            name=self.name,
            description="What reaches the load balancer from the Internet",
            scope="REGIONAL",
            default_action=Wafv2WebAclDefaultAction(allow=Wafv2WebAclDefaultActionAllow()),
            rule=[
                *(self._managed(priority, group) for priority, group in enumerate(MANAGED_RULES)),
                self._limit(len(MANAGED_RULES)),
            ],
            visibility_config=Wafv2WebAclVisibilityConfig(
                cloudwatch_metrics_enabled=True,
                metric_name=self.name,
                sampled_requests_enabled=True,
            ),
            tags=environment.tags(self.name, Scope.CARDHOLDER_DATA),
        )
        Wafv2WebAclAssociation(
            self,
            "association",
            resource_arn=load_balancer.load_balancer.arn,
            web_acl_arn=acl.arn,
        )
        self._log(acl, key, archive)

    @property
    def blocked(self) -> Metric:
        """How many requests were blocked."""
        return Metric(
            namespace="AWS/WAFV2",
            name="BlockedRequests",
            statistic="Sum",
            dimensions={
                "WebACL": self.name,
                "Region": self._environment.region,
                "Rule": "ALL",
            },
        )

    def _managed(self, priority: int, group: str) -> Wafv2WebAclRule:
        return Wafv2WebAclRule(
            name=group,
            priority=priority,
            override_action=Wafv2WebAclRuleOverrideAction(none=Wafv2WebAclRuleOverrideActionNone()),
            statement={"managed_rule_group_statement": {"vendor_name": "AWS", "name": group}},
            visibility_config=_visible(group),
        )

    def _limit(self, priority: int) -> Wafv2WebAclRule:
        name = self._environment.name("rate-limit")
        return Wafv2WebAclRule(
            name=name,
            priority=priority,
            action=Wafv2WebAclRuleAction(block=Wafv2WebAclRuleActionBlock()),
            statement={
                "rate_based_statement": {
                    "limit": REQUESTS_IN_FIVE_MINUTES,
                    "aggregate_key_type": "IP",
                }
            },
            visibility_config=_visible(name),
        )

    def _log(self, acl: Wafv2WebAcl, key: Key, archive: Archive) -> None:
        environment = self._environment
        log = AuditLog(
            self,
            "log",
            environment=environment,
            name=environment.name(
                "requests", of="aws_cloudwatch_log_group", prefix="aws-waf-logs-"
            ),
            key=key,
            archive=archive,
        )
        delivery = CloudwatchLogResourcePolicy(
            self,
            "delivery",
            policy_name=environment.name("web-acl-logs", of="aws_cloudwatch_log_resource_policy"),
            policy_document=permissions.document(
                permissions.allow(
                    "DeliverRequests",
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    f"{log.arn}:*",
                    Principal=permissions.service("delivery.logs"),
                    Condition={"StringEquals": {"aws:SourceAccount": environment.account_id}},
                )
            ),
        )
        Wafv2WebAclLoggingConfiguration(
            self,
            "logging",
            resource_arn=acl.arn,
            log_destination_configs=[log.group.arn],
            redacted_fields=[
                Wafv2WebAclLoggingConfigurationRedactedFields(
                    single_header=Wafv2WebAclLoggingConfigurationRedactedFieldsSingleHeader(
                        name=header
                    )
                )
                for header in SECRET_HEADERS
            ],
            depends_on=[delivery],
        )


def _visible(metric: str) -> Wafv2WebAclRuleVisibilityConfig:
    return Wafv2WebAclRuleVisibilityConfig(
        cloudwatch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )
