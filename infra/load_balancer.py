"""The one entry from the Internet: HTTPS only, with a certificate of its own."""

from __future__ import annotations

from cdktf import Fn, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.acm_certificate import AcmCertificate
from cdktf_cdktf_provider_aws.acm_certificate_validation import AcmCertificateValidation
from cdktf_cdktf_provider_aws.lb import Lb, LbAccessLogs
from cdktf_cdktf_provider_aws.lb_listener import (
    LbListener,
    LbListenerDefaultAction,
    LbListenerDefaultActionRedirect,
)
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from cdktf_cdktf_provider_aws.route53_record import Route53Record
from constructs import Construct

from infra import permissions
from infra.buckets import AccessLogBucket, bucket_name
from infra.environment import Environment, Scope
from infra.network import Network
from infra.permissions import Statement
from infra.security_groups import APPLICATION_PORT, HTTP, HTTPS, SecurityGroups

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
HEALTH_PATH = "/health"
ACCESS_LOG_PREFIX = "alb"


class LoadBalancer(Construct):
    """An application load balancer that speaks TLS 1.2 or newer on both sides."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        network: Network,
        groups: SecurityGroups,
        access_logs: AccessLogBucket,
    ) -> None:
        super().__init__(scope, id)
        name = environment.name("alb", of="aws_lb")
        self.load_balancer = Lb(
            self,
            "alb",
            name=name,
            load_balancer_type="application",
            internal=False,
            subnets=[subnet.id for subnet in network.public_subnets],
            security_groups=[groups.load_balancer.id],
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            enable_deletion_protection=True,
            access_logs=LbAccessLogs(
                bucket=access_logs.bucket.id, prefix=ACCESS_LOG_PREFIX, enabled=True
            ),
            tags=environment.tags(name, Scope.CARDHOLDER_DATA),
            depends_on=[access_logs.policy],
        )
        self.target_group = self._target_group(environment, network)
        self._forward(environment, self._certificate(environment))
        self._redirect(environment)

    def _certificate(self, environment: Environment) -> str:
        """Request a certificate and prove ownership of its name; return the ARN once issued."""
        certificate = AcmCertificate(
            self,
            "certificate",
            domain_name=environment.domain_name,
            validation_method="DNS",
            key_algorithm="RSA_2048",
            tags=environment.tags(environment.name("certificate"), Scope.CARDHOLDER_DATA),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        option = Fn.element(Fn.tolist(certificate.domain_validation_options), 0)
        record = Route53Record(
            self,
            "validation_record",
            zone_id=environment.hosted_zone_id,
            name=Fn.lookup(option, "resource_record_name"),
            type=Fn.lookup(option, "resource_record_type"),
            records=[Fn.lookup(option, "resource_record_value")],
            ttl=60,
            allow_overwrite=True,
        )
        validation = AcmCertificateValidation(
            self,
            "validation",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
        )
        return validation.certificate_arn

    def _target_group(self, environment: Environment, network: Network) -> LbTargetGroup:
        name = environment.name("tg", of="aws_lb_target_group")
        return LbTargetGroup(
            self,
            "target_group",
            name=name,
            vpc_id=network.vpc.id,
            target_type="instance",
            protocol="HTTPS",
            port=APPLICATION_PORT,
            deregistration_delay="60",
            health_check=LbTargetGroupHealthCheck(
                enabled=True,
                protocol="HTTPS",
                path=HEALTH_PATH,
                matcher="200",
                interval=30,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=3,
            ),
            tags=environment.tags(name, Scope.CARDHOLDER_DATA),
        )

    def _forward(self, environment: Environment, certificate_arn: str) -> None:
        LbListener(
            self,
            "https",
            load_balancer_arn=self.load_balancer.arn,
            protocol="HTTPS",
            port=HTTPS,
            ssl_policy=TLS_POLICY,
            certificate_arn=certificate_arn,
            default_action=[
                LbListenerDefaultAction(type="forward", target_group_arn=self.target_group.arn)
            ],
            tags=environment.tags(environment.name("https-listener"), Scope.CARDHOLDER_DATA),
        )

    def _redirect(self, environment: Environment) -> None:
        LbListener(
            self,
            "http",
            load_balancer_arn=self.load_balancer.arn,
            protocol="HTTP",
            port=HTTP,
            default_action=[
                LbListenerDefaultAction(
                    type="redirect",
                    redirect=LbListenerDefaultActionRedirect(
                        protocol="HTTPS", port=str(HTTPS), status_code="HTTP_301"
                    ),
                )
            ],
            tags=environment.tags(environment.name("http-listener"), Scope.CONNECTED),
        )


def by_load_balancers(environment: Environment, resource: str) -> Statement:
    """The bucket of *resource* takes the access logs of this account's load balancers."""
    bucket = bucket_name(environment, resource)
    return permissions.allow(
        "WriteAccessLogsOfLoadBalancers",
        ["s3:PutObject"],
        f"arn:aws:s3:::{bucket}/{ACCESS_LOG_PREFIX}/AWSLogs/{environment.account_id}/*",
        Principal=permissions.service("logdelivery.elasticloadbalancing"),
        Condition={
            "ArnLike": {"aws:SourceArn": environment.arn("elasticloadbalancing", "loadbalancer/*")}
        },
    )
