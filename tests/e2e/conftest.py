import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import pytest

from tests.conftest import ROOT
from tests.e2e import emulated_aws, mariadb, terraform

ACCOUNT = "210987654321"
FILLED_IN = {
    "111122223333": ACCOUNT,
    "payments-dev.example.com": "payments.emulated.internal",
    "Z00000000EXAMPLE": emulated_aws.HOSTED_ZONE,
    "alerts@example.com": "alerts@emulated.internal",
}
"""What somebody who deploys writes into infra/environment.py."""

STACKS = ("financial-account-dev", "financial-dev")
SERVICES = (
    "acm", "autoscaling", "backup", "cloudtrail", "cloudwatch", "cloudwatchevents",
    "cloudwatchlogs", "configservice", "ec2", "elbv2", "firehose", "guardduty", "iam", "kms",
    "lambda", "rds", "route53", "s3", "s3control", "secretsmanager", "sns", "ssm", "sts", "wafv2",
)  # fmt: skip


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    """Return a running MariaDB: TLS only, its certificate signed by an authority of its own."""
    if not mariadb.is_installed():
        pytest.skip("there is no mariadbd on PATH; .ci/run installs it from Debian")
    server = mariadb.start(tmp_path_factory.mktemp("mariadb"), mariadb.free_port())
    yield server
    server.stop()


@pytest.fixture(scope="session")
def emulation(database, tmp_path_factory):
    """Return the address of an emulated AWS."""
    port = mariadb.free_port()
    log = tmp_path_factory.mktemp("emulation") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.emulated_aws", str(port)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "MOTO_ACCOUNT_ID": ACCOUNT,
                "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
                "EMULATED_DATABASE": str(database.folder),
                "EMULATED_DATABASE_PORT": str(database.port),
            },
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/moto-api/data.json").close()
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    yield Emulation(address, log, database.folder / mariadb.FIRST_PASSWORD)
    process.terminate()
    process.wait(timeout=30)


class Emulation:
    """The emulated AWS: its address, and its log."""

    def __init__(self, address, log, first_password):
        self.address = address
        self.log = log
        self._first_password = first_password

    @property
    def first_password(self):
        """The password that the database was made with, which the emulator alone was told."""
        return self._first_password.read_text()

    def client(self, service):
        """Return a client of *service*."""
        return boto3.client(
            service,
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id="emulated",
            aws_secret_access_key="emulated",
        )


@pytest.fixture(scope="session")
def checkout(tmp_path_factory, emulation):
    """
    Return a copy of infra with an environment filled in, and what it synthesizes.

    What Terraform needs for the emulated AWS stands in an override file beside each stack:
    the stacks are those that would be deployed.
    """
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "infra", folder / "infra")
    environment = folder / "infra" / "environment.py"
    text = environment.read_text()
    for placeholder, value in FILLED_IN.items():
        text = text.replace(placeholder, value)
    environment.write_text(text)
    subprocess.run([sys.executable, "-m", "infra"], cwd=folder, check=True)
    for stack in STACKS:
        beside = folder / "cdktf.out" / "stacks" / stack / "emulation_override.tf.json"
        beside.write_text(json.dumps(override(emulation.address)))
    emulation.client("route53").create_hosted_zone(Name="emulated.internal", CallerReference="test")
    return folder


@pytest.fixture(scope="session")
def workspaces(checkout, tmp_path_factory):
    """Return the stacks of dev, by name, each with Terraform set up beside it."""
    settings = tmp_path_factory.mktemp("settings")
    return {
        stack: terraform.workspace(checkout / "cdktf.out" / "stacks" / stack, settings)
        for stack in STACKS
    }


def override(address):
    """
    Return what Terraform needs to work on the emulated AWS at *address*.

    S3's control interface puts the account in front of the host's name; the proxy leads
    that to the same server.
    """
    return {
        "provider": {
            "aws": [
                {
                    "skip_credentials_validation": True,
                    "skip_metadata_api_check": "true",
                    "s3_use_path_style": True,
                    "http_proxy": address,
                    "endpoints": [dict.fromkeys(SERVICES, address)],
                }
            ]
        }
    }


def pytest_collection_modifyitems(items):
    reason = terraform.why_not()
    if reason:
        for item in items:
            if "workspaces" in item.fixturenames:
                item.add_marker(pytest.mark.skip(reason=reason))
