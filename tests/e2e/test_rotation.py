"""The rotation function against a real database: every step, repeated, broken, recovered."""

import json
import socket
import ssl
import time
import uuid

import boto3
import pymysql
import pytest
from moto import mock_aws
from moto.secretsmanager.models import secretsmanager_backends

from infra.rotation import handler
from tests.e2e import mariadb

STEPS = tuple(handler.STEPS)
FIRST = "first-password"
ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture
def user(database):
    """Return a new user of the database, who may do what Aurora lets its master user do."""
    name = f"owner_{uuid.uuid4().hex[:8]}"
    database.administer(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{FIRST}'")
    database.administer(f"GRANT CREATE USER ON *.* TO '{name}'@'%'")
    return name


@pytest.fixture
def secret(user, database, monkeypatch):
    """Return a secret in Secrets Manager that holds the user's credential and rotates."""
    connect = socket.create_connection

    def to_the_test_database(address, *args, **kwargs):
        if address[0] == mariadb.HOST:
            address = ("127.0.0.1", database.port)
        return connect(address, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", to_the_test_database)
    monkeypatch.setenv("AUTHORITIES", str(database.authorities))
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "emulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "emulated")
    with mock_aws():
        made = Secret(user)
        monkeypatch.setenv("SECRET_ARN", made.arn)
        yield made


class Secret:
    """A secret, and what Secrets Manager does to it."""

    def __init__(self, user):
        self.client = boto3.client("secretsmanager")
        credential = {
            "engine": "mysql",
            "host": mariadb.HOST,
            "port": 3306,
            "username": user,
            "password": FIRST,
        }
        made = self.client.create_secret(Name=user, SecretString=json.dumps(credential))
        self.arn = made["ARN"]
        self.backend = secretsmanager_backends[ACCOUNT][REGION]
        self.backend.secrets[self.arn].rotation_requested = True
        self.backend.secrets[self.arn].rotation_enabled = True

    def begin(self):
        """Make a pending version without a value, as Secrets Manager does; return its token."""
        token = str(uuid.uuid4())
        self.backend.secrets[self.arn].versions[token] = {
            "createdate": int(time.time()),
            "version_id": token,
            "version_stages": ["AWSPENDING"],
        }
        return token

    def password(self, stage="AWSCURRENT"):
        """Return the password of the version at *stage*."""
        answer = self.client.get_secret_value(SecretId=self.arn, VersionStage=stage)
        return json.loads(answer["SecretString"])["password"]

    def step(self, name, token):
        """Have the function take one step."""
        handler.handle({"SecretId": self.arn, "ClientRequestToken": token, "Step": name}, None)

    def rotate(self, *, times_each=1):
        """Have the function take every step; return the token."""
        token = self.begin()
        for name in STEPS:
            for _ in range(times_each):
                self.step(name, token)
        return token


def accepts(database, user, password, *, tls=True):
    try:
        database.login(user, password, tls=tls).close()
    except pymysql.err.OperationalError:
        return False
    return True


def test_the_first_rotation_and_three_more(secret, user, database):
    passwords = [FIRST]
    for _ in range(4):
        secret.rotate()
        passwords.append(secret.password())

    assert 5 == len(set(passwords))
    assert accepts(database, user, passwords[-1])
    assert not [old for old in passwords[:-1] if accepts(database, user, old)]
    assert not accepts(database, user, passwords[-1], tls=False)


def test_every_step_may_be_repeated(secret, user, database):
    secret.rotate(times_each=3)

    assert FIRST != secret.password()
    assert accepts(database, user, secret.password())


def test_a_repeated_step_changes_nothing(secret):
    token = secret.begin()
    secret.step("createSecret", token)
    pending = secret.password("AWSPENDING")
    secret.step("createSecret", token)

    assert pending == secret.password("AWSPENDING")


@pytest.mark.parametrize("interrupted", [1, 2, 3])
def test_a_rotation_that_is_interrupted_is_recovered_by_the_next(
    secret, user, database, interrupted
):
    """Between setSecret and finishSecret the database knows a password that is not current."""
    token = secret.begin()
    for name in STEPS[:interrupted]:
        secret.step(name, token)
    for name in STEPS:
        secret.step(name, token)

    assert accepts(database, user, secret.password())
    assert not accepts(database, user, FIRST)


def test_a_lost_finish_is_recovered_from_the_previous_password(secret, user, database):
    """The secret says one password, the database still has the one before it."""
    secret.rotate()
    database.administer(f"ALTER USER '{user}'@'%' IDENTIFIED BY '{FIRST}'")
    secret.rotate()

    assert accepts(database, user, secret.password())
    assert not accepts(database, user, FIRST)


def test_a_password_that_the_database_refuses_is_not_made_current(secret, user, database):
    token = secret.begin()
    secret.step("createSecret", token)
    secret.step("setSecret", token)
    database.administer(f"ALTER USER '{user}'@'%' IDENTIFIED BY 'another'")

    with pytest.raises(handler.RotationError, match="refuses the pending password"):
        secret.step("testSecret", token)
    assert FIRST == secret.password()


def test_a_database_that_knows_no_password_of_ours_is_told(secret, user, database):
    database.administer(f"ALTER USER '{user}'@'%' IDENTIFIED BY 'another'")
    token = secret.begin()
    secret.step("createSecret", token)

    with pytest.raises(handler.RotationError, match="refuses the current and the previous"):
        secret.step("setSecret", token)


def test_a_database_that_is_down_fails_the_step_and_not_the_next_run(
    secret, user, database, monkeypatch
):
    token = secret.begin()
    secret.step("createSecret", token)
    with monkeypatch.context() as down:
        down.setattr(socket, "create_connection", lambda *_, **__: _refuse())
        with pytest.raises(pymysql.err.OperationalError):
            secret.step("setSecret", token)
    for name in STEPS:
        secret.step(name, token)

    assert accepts(database, user, secret.password())


def _refuse():
    raise ConnectionRefusedError


def test_a_certificate_of_another_authority_is_refused(secret, monkeypatch):
    monkeypatch.setenv("AUTHORITIES", "infra/rotation/rds-ca.pem")
    token = secret.begin()
    secret.step("createSecret", token)

    with pytest.raises((ssl.SSLError, pymysql.err.OperationalError), match="CERTIFICATE_VERIFY"):
        secret.step("setSecret", token)


def test_another_secret_is_refused(secret, monkeypatch):
    token = secret.begin()
    monkeypatch.setenv("SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:other")

    with pytest.raises(handler.RotationError, match="rotates another secret"):
        secret.step("createSecret", token)


def test_a_version_that_is_not_pending_is_refused(secret):
    with pytest.raises(handler.RotationError, match="not pending"):
        secret.step("createSecret", str(uuid.uuid4()))


def test_a_secret_that_does_not_rotate_is_refused(secret):
    token = secret.begin()
    secret.backend.secrets[secret.arn].rotation_enabled = False

    with pytest.raises(handler.RotationError, match="rotation is not enabled"):
        secret.step("createSecret", token)


def test_no_line_of_the_log_holds_a_password(secret, caplog):
    caplog.set_level("INFO", logger="root")
    secret.rotate()

    assert "createSecret: done" in caplog.text
    assert secret.password() not in caplog.text
    assert FIRST not in caplog.text
