"""The application servers: hardened, private, scaled by load and by business hours."""

from __future__ import annotations

import base64
from pathlib import Path
from string import Template

from cdktf import Fn
from cdktf_cdktf_provider_aws.autoscaling_group import (
    AutoscalingGroup,
    AutoscalingGroupInstanceRefresh,
    AutoscalingGroupInstanceRefreshPreferences,
    AutoscalingGroupLaunchTemplate,
    AutoscalingGroupTag,
)
from cdktf_cdktf_provider_aws.autoscaling_policy import (
    AutoscalingPolicy,
    AutoscalingPolicyTargetTrackingConfiguration,
    AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification,
)
from cdktf_cdktf_provider_aws.autoscaling_schedule import AutoscalingSchedule
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateIamInstanceProfile,
    LaunchTemplateMetadataOptions,
    LaunchTemplateMonitoring,
    LaunchTemplateNetworkInterfaces,
    LaunchTemplateTagSpecifications,
)
from constructs import Construct

from infra import permissions
from infra.archive import Archive
from infra.audit_logs import AuditLog
from infra.environment import Environment, Scope
from infra.keys import Keys
from infra.load_balancer import LoadBalancer
from infra.network import Network
from infra.permissions import Role
from infra.secrets import DatabaseSecret
from infra.security_groups import APPLICATION_PORT, SecurityGroups
from infra.sessions import Sessions

IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
"""Amazon Linux 2023; Auto Scaling looks the newest image up at every launch."""

ROOT_DEVICE = "/dev/xvda"
ROOT_GIB = 30
TARGET_CPU_PERCENT = 70.0
BUSINESS_TIME_ZONE = "America/New_York"
OPENING = "0 8 * * MON-FRI"
CLOSING = "0 18 * * MON-FRI"
WARM_UP_SECONDS = 300
USER_DATA = Path(__file__).with_name("user_data.sh")


class Compute(Construct):
    """An auto scaling group of instances that nobody logs in to."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        network: Network,
        groups: SecurityGroups,
        keys: Keys,
        archive: Archive,
        sessions: Sessions,
        load_balancer: LoadBalancer,
        secret: DatabaseSecret,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self.log = AuditLog(
            self,
            "log",
            environment=environment,
            name=environment.name("application", of="aws_cloudwatch_log_group"),
            key=keys.logs,
            archive=archive,
        )
        profile = self._instance_profile(keys, secret, sessions)
        template = self._launch_template(groups, keys, profile, secret)
        self.group_name = environment.name("asg", of="aws_autoscaling_group")
        group = self._group(network, load_balancer, template)
        self._follow_load(group)
        self._follow_business_hours(group)

    def _instance_profile(
        self, keys: Keys, secret: DatabaseSecret, sessions: Sessions
    ) -> IamInstanceProfile:
        environment = self._environment
        role = Role(
            self,
            "role",
            environment=environment,
            resource="app",
            taken_by="ec2",
            only_for={},
            may=[
                permissions.allow(
                    "ReadTheDatabaseSecret", ["secretsmanager:GetSecretValue"], secret.arn
                ),
                permissions.allow("UseTheSecretsKey", ["kms:Decrypt"], keys.secrets.arn),
                permissions.allow(
                    "WriteItsLogs",
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    [f"{self.log.arn}:*", f"{sessions.log.arn}:*"],
                ),
                *sessions.needs,
            ],
            pci_scope=Scope.CARDHOLDER_DATA,
        )
        profile_name = environment.name("app-profile", of="aws_iam_instance_profile")
        return IamInstanceProfile(
            self,
            "profile",
            name=profile_name,
            role=role.role.name,
            tags=environment.tags(profile_name, Scope.CARDHOLDER_DATA),
        )

    def _launch_template(
        self,
        groups: SecurityGroups,
        keys: Keys,
        profile: IamInstanceProfile,
        secret: DatabaseSecret,
    ) -> LaunchTemplate:
        environment = self._environment
        name = environment.name("lt", of="aws_launch_template")
        tags = environment.tags(environment.name("app"), Scope.CARDHOLDER_DATA)
        return LaunchTemplate(
            self,
            "launch_template",
            name=name,
            description="Application servers on Amazon Linux 2023",
            image_id=IMAGE,
            instance_type=environment.instance_type,
            update_default_version=True,
            ebs_optimized="true",
            user_data=self._user_data(secret),
            iam_instance_profile=LaunchTemplateIamInstanceProfile(arn=profile.arn),
            metadata_options=LaunchTemplateMetadataOptions(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=1,
                instance_metadata_tags="enabled",
            ),
            monitoring=LaunchTemplateMonitoring(enabled=True),
            network_interfaces=[
                LaunchTemplateNetworkInterfaces(
                    device_index=0,
                    associate_public_ip_address="false",
                    delete_on_termination="true",
                    security_groups=[groups.application.id],
                )
            ],
            block_device_mappings=[
                LaunchTemplateBlockDeviceMappings(
                    device_name=ROOT_DEVICE,
                    ebs=LaunchTemplateBlockDeviceMappingsEbs(
                        volume_type="gp3",
                        volume_size=ROOT_GIB,
                        encrypted="true",
                        kms_key_id=keys.volumes.arn,
                        delete_on_termination="true",
                    ),
                )
            ],
            tag_specifications=[
                LaunchTemplateTagSpecifications(resource_type=resource, tags=tags)
                for resource in ("instance", "volume", "network-interface")
            ],
            tags=environment.tags(name, Scope.CARDHOLDER_DATA),
        )

    def _user_data(self, secret: DatabaseSecret) -> str:
        """The boot script, which knows where the secret is and not what it says."""
        script = Template(USER_DATA.read_text()).substitute(
            region=self._environment.region,
            secret_name=secret.name,
            log_group=self.log.name,
            port=APPLICATION_PORT,
        )
        return base64.b64encode(script.encode()).decode()

    def _group(
        self, network: Network, load_balancer: LoadBalancer, template: LaunchTemplate
    ) -> AutoscalingGroup:
        environment = self._environment
        return AutoscalingGroup(
            self,
            "asg",
            name=self.group_name,
            launch_template=AutoscalingGroupLaunchTemplate(
                id=template.id, version=Fn.tostring(template.latest_version)
            ),
            vpc_zone_identifier=[subnet.id for subnet in network.private_subnets],
            target_group_arns=[load_balancer.target_group.arn],
            health_check_type="ELB",
            health_check_grace_period=WARM_UP_SECONDS,
            min_size=environment.minimum_instances,
            desired_capacity=environment.desired_instances,
            max_size=environment.maximum_instances,
            instance_refresh=AutoscalingGroupInstanceRefresh(
                strategy="Rolling",
                preferences=AutoscalingGroupInstanceRefreshPreferences(min_healthy_percentage=90),
            ),
            tag=[
                AutoscalingGroupTag(key=key, value=value, propagate_at_launch=True)
                for key, value in environment.tags(self.group_name, Scope.CARDHOLDER_DATA).items()
            ],
        )

    def _follow_load(self, group: AutoscalingGroup) -> None:
        AutoscalingPolicy(
            self,
            "target_tracking",
            name=self._environment.name("target-tracking", of="aws_autoscaling_policy"),
            autoscaling_group_name=group.name,
            policy_type="TargetTrackingScaling",
            estimated_instance_warmup=WARM_UP_SECONDS,
            target_tracking_configuration=AutoscalingPolicyTargetTrackingConfiguration(
                predefined_metric_specification=AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification(
                    predefined_metric_type="ASGAverageCPUUtilization"
                ),
                target_value=TARGET_CPU_PERCENT,
            ),
        )

    def _follow_business_hours(self, group: AutoscalingGroup) -> None:
        """Open with the desired number, close with the smallest; the maximum never changes."""
        environment = self._environment
        for event, recurrence, desired in (
            ("opening", OPENING, environment.desired_instances),
            ("closing", CLOSING, environment.minimum_instances),
        ):
            AutoscalingSchedule(
                self,
                event,
                scheduled_action_name=environment.name(event, of="aws_autoscaling_schedule"),
                autoscaling_group_name=group.name,
                recurrence=recurrence,
                time_zone=BUSINESS_TIME_ZONE,
                min_size=environment.minimum_instances,
                desired_capacity=desired,
                max_size=environment.maximum_instances,
            )
