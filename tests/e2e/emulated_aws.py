"""
A server that answers like AWS, on loopback: ``python -m tests.e2e.emulated_aws PORT``.

It is moto, with what docs/emulation.md lists mended. It does not enforce permissions:
it proves how the platform is wired, and not that AWS would accept it.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from pathlib import Path
from urllib.parse import unquote

from moto.autoscaling import models as autoscaling
from moto.awslambda import models as awslambda
from moto.backup.responses import BackupResponse
from moto.ec2.models import launch_templates, security_groups
from moto.guardduty import models as guardduty
from moto.kms.responses import KmsResponse
from moto.rds import models as rds
from moto.route53 import models as route53
from moto.secretsmanager import models as secretsmanager
from moto.server import ThreadedMotoServer

from tests.e2e import mariadb

RUNNER = Path(__file__).with_name("function_runner.py")
HOSTED_ZONE = "Z0123456789EMULATED"


def mend() -> None:
    """Mend what differs from AWS in a way that Terraform would see as drift."""
    _backup_selections()
    _backup_tags()
    _detector_features()
    _rule_descriptions()
    _launch_template_tags()
    _scaling_policies()
    _provisioned_clusters()
    _cluster_address()
    _cluster_password()
    _performance_insights()
    _key_rotation_period()
    _dead_letters()
    _hosted_zone()
    _current_secret()
    _functions_run()


def _backup_selections() -> None:
    """A backup plan says what it is a plan for."""
    made: dict[str, dict] = {}

    def create(self):
        asked = json.loads(self.body)
        plan, selection = self.path.split("/")[3], str(uuid.uuid4())
        made[selection] = {"BackupPlanId": plan, "SelectionId": selection, **asked}
        return json.dumps({"BackupPlanId": plan, "SelectionId": selection})

    BackupResponse.create_backup_selection = create
    BackupResponse.get_backup_selection = lambda self: json.dumps(
        made.get(self.path.split("/")[-1], {})
    )
    BackupResponse.delete_backup_selection = lambda self: json.dumps(
        made.pop(self.path.split("/")[-1], None) and {}
    )


def _backup_tags() -> None:
    """Tags are found where the address has no slash at its end, as the provider writes it."""
    BackupResponse.list_tags = lambda self: json.dumps(
        {
            "Tags": self.backup_backend.list_tags(
                unquote(self.path.removeprefix("/tags/")).strip("/")
            )
        }
    )


def _detector_features() -> None:
    """A feature of GuardDuty stays when another one is switched on."""
    update = guardduty.Detector.update

    def mended(self, enable, frequency, sources, features):
        named = {feature["name"]: feature for feature in [*self.features, *(features or ())]}
        update(self, enable, frequency, sources, list(named.values()))

    guardduty.Detector.update = mended


def _rule_descriptions() -> None:
    """A rule whose other side is a group or a prefix list keeps its description."""
    create = security_groups.SecurityGroupRule.__init__

    def mended(self, *args, **kwargs):
        create(self, *args, **kwargs)
        others = inspect.signature(create).bind(self, *args, **kwargs).arguments
        self.other_sides = [others.get("source_group"), others.get("prefix_list_id")]

    security_groups.SecurityGroupRule.__init__ = mended
    security_groups.SecurityGroupRule.description = property(
        lambda rule: next(
            (
                side["Description"]
                for side in (rule.ip_range, *rule.other_sides)
                if side and "Description" in side
            ),
            None,
        )
    )
    flatten = security_groups.SecurityGroup._flattened_rules

    def flattened(self, rules):
        described = {rule.prefix_list_id: rule.description for rule in rules}
        views = flatten(self, rules)
        for view in views:
            for entry in view.prefix_list_ids:
                entry["Description"] = described[entry["PrefixListId"]]
        return views

    security_groups.SecurityGroup._flattened_rules = flattened


def _launch_template_tags() -> None:
    """The tags of a launch template are not those of what it launches."""
    create = launch_templates.LaunchTemplateBackend.create_launch_template

    def mended(self, name, description, data, tag_spec):
        data["TagSpecifications"] = [
            tags
            for tags in data.get("TagSpecifications", [])
            if tags["ResourceType"] != "launch-template"
        ]
        return create(self, name, description, data, tag_spec)

    launch_templates.LaunchTemplateBackend.create_launch_template = mended


def _scaling_policies() -> None:
    """A scaling policy is enabled, and has no empty predictive configuration."""
    create = autoscaling.FakeScalingPolicy.__init__

    def mended(self, *args, **kwargs):
        create(self, *args, **kwargs)
        self.enabled = True
        self.predictive_scaling_configuration = self.predictive_scaling_configuration or None

    autoscaling.FakeScalingPolicy.__init__ = mended


def _provisioned_clusters() -> None:
    """A provisioned cluster has no configuration of a serverless one."""
    answer = rds.DBCluster.scaling_configuration_info.fget
    rds.DBCluster.scaling_configuration_info = property(
        lambda cluster: answer(cluster) if cluster.scaling_configuration else None
    )


def _cluster_address() -> None:
    """A cluster's address is one that the certificate of the test's database is for."""
    create = rds.DBCluster.__init__

    def mended(self, *args, **kwargs):
        create(self, *args, **kwargs)
        self.url_identifier = mariadb.CLUSTER

    rds.DBCluster.__init__ = mended


def _cluster_password() -> None:
    """The master user is there, on the test's database, with the password that was given."""
    create = rds.RDSBackend.create_db_cluster
    folder = Path(os.environ["EMULATED_DATABASE"])

    def mended(self, kwargs):
        user, password = kwargs["master_username"], kwargs["master_user_password"]
        (folder / mariadb.FIRST_PASSWORD).write_text(password)
        mariadb.administer(folder, f"CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'")
        mariadb.administer(folder, f"GRANT ALL ON *.* TO '{user}'@'%' WITH GRANT OPTION")
        return create(self, kwargs)

    rds.RDSBackend.create_db_cluster = mended


def _performance_insights() -> None:
    """An instance keeps what it was told of Performance Insights."""
    create = rds.RDSBackend.create_db_instance

    def mended(self, kwargs):
        instance = create(self, kwargs)
        instance.performance_insights_enabled = kwargs.get("enable_performance_insights", False)
        for setting in ("kms_key_id", "retention_period"):
            name = f"performance_insights_{setting}"
            setattr(instance, name, kwargs.get(name))
        return instance

    rds.RDSBackend.create_db_instance = mended


def _key_rotation_period() -> None:
    """A key keeps how often it rotates."""
    enable = KmsResponse.enable_key_rotation

    def enable_mended(self):
        days = self._get_param("RotationPeriodInDays") or 365
        self.kms_backend.describe_key(self._get_param("KeyId")).rotation_period = days
        return enable(self)

    def status_mended(self):
        key = self.kms_backend.describe_key(self._get_param("KeyId"))
        status = {"KeyRotationEnabled": key.key_rotation_status}
        if key.key_rotation_status:
            status["RotationPeriodInDays"] = key.rotation_period
        return json.dumps(status)

    KmsResponse.enable_key_rotation = enable_mended
    KmsResponse.get_key_rotation_status = status_mended


def _dead_letters() -> None:
    """A function keeps where its failures are sent."""
    create = awslambda.LambdaFunction.__init__
    describe = awslambda.LambdaFunction.get_configuration

    def create_mended(self, account_id, spec, *args, **kwargs):
        create(self, account_id, spec, *args, **kwargs)
        self.dead_letters = spec.get("DeadLetterConfig")

    def describe_mended(self, on_create=False):
        configuration = describe(self, on_create)
        if self.dead_letters:
            configuration["DeadLetterConfig"] = self.dead_letters
        return configuration

    awslambda.LambdaFunction.__init__ = create_mended
    awslambda.LambdaFunction.get_configuration = describe_mended


def _hosted_zone() -> None:
    """The hosted zone is made under the id that the environment names."""
    route53.create_route53_zone_id = lambda **_: HOSTED_ZONE


def _current_secret() -> None:
    """Without a version, the current one is read, and not the pending one."""
    read = secretsmanager.SecretsManagerBackend.get_secret_value
    secretsmanager.SecretsManagerBackend.get_secret_value = (
        lambda self, secret_id, version_id, version_stage: read(
            self, secret_id, version_id, version_stage or (None if version_id else "AWSCURRENT")
        )
    )


def _functions_run() -> None:
    """
    A function runs, from the archive that was deployed, in a process of its own.

    It is told the secret's ARN, as AWS does, and no further step once one has failed.
    """
    failed: set[str] = set()

    def run(self, event):
        backend = secretsmanager.secretsmanager_backends[self.account_id][self.region]
        event = {**event, "SecretId": backend.secrets[event["SecretId"]].arn}
        token = event.get("ClientRequestToken")
        if token in failed:
            return "an earlier step failed", True, ""
        with tempfile.TemporaryDirectory(prefix="function-") as folder:
            zipfile.ZipFile(io.BytesIO(self.code_bytes)).extractall(folder)
            process = subprocess.run(
                [sys.executable, str(RUNNER), folder, self.handler],
                input=json.dumps(event),
                capture_output=True,
                text=True,
                env={**_without_aws(), **self.environment_vars, **_access()},
                timeout=60,
                check=False,
            )
        sys.stdout.write(f"function {event.get('Step')}: {process.returncode}\n{process.stderr}")
        sys.stdout.flush()
        if process.returncode:
            failed.add(token)
        return process.stdout or process.stderr, process.returncode != 0, process.stderr

    awslambda.LambdaFunction._invoke_lambda = run


def _without_aws() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("AWS")}


def _access() -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{sys.argv[1]}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "emulated",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AUTHORITIES": str(Path(os.environ["EMULATED_DATABASE"]) / "ca.pem"),
    }


def main() -> None:
    """Serve until the process is ended."""
    mend()
    ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]), verbose=False).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
