import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import pytest

from tests.conftest import ROOT
from tests.e2e import mariadb, terraform

ACCOUNT = "111122223333"
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
                "EMULATED_DATABASE_PORT": str(database.port),
                "EMULATED_AUTHORITIES": str(database.authorities),
            },
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/moto-api/data.json").close()
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    yield Emulation(address, log)
    process.terminate()
    process.wait(timeout=30)


class Emulation:
    """The emulated AWS: its address, and its log."""

    def __init__(self, address, log):
        self.address = address
        self.log = log

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
def password():
    """Return the first password of the database, made for this run."""
    return secrets.token_urlsafe(24)


@pytest.fixture(scope="session")
def workspaces(synthesized, emulation, password, tmp_path_factory):
    """
    Return the stacks of dev, by name, each with Terraform set up beside it.

    What the test needs stands in an override file: the stacks are those that ship.
    """
    emulation.client("route53").create_hosted_zone(Name="example.com", CallerReference="test")
    made = {}
    for stack in STACKS:
        folder = tmp_path_factory.mktemp("stacks") / stack
        shutil.copytree(synthesized / "stacks" / stack, folder)
        (folder / "emulation_override.tf.json").write_text(json.dumps(override(emulation.address)))
        made[stack] = terraform.workspace(folder, tmp_path_factory.mktemp("settings"))
        made[stack].environment["TF_VAR_bootstrap_password"] = password
    return made


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
                    "access_key": "emulated",
                    "secret_key": "emulated",
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
