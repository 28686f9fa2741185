"""A database server of the test's own: TLS with a certificate, and nothing without it."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pymysql

CLUSTER = "c0ffee000000"
HOST = f"financial-aurora-dev.cluster-{CLUSTER}.us-east-1.rds.amazonaws.com"
"""The name that the emulated Aurora gives its cluster, and the certificate is for."""

FIRST_PASSWORD = "first-password"
"""The file, beside the data, with the password that the cluster was made with."""

START_SECONDS = 60


def is_installed() -> bool:
    """Whether this machine has a server to start."""
    return bool(shutil.which("mariadbd") and shutil.which("mariadb-install-db"))


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def authorities(self) -> Path:
        """The file of the authority that signed the server's certificate."""
        return self.folder / "ca.pem"

    def login(self, user: str, password: str, *, tls: bool = True) -> pymysql.Connection:
        """
        Log in as *user*.

        Raises:
            pymysql.err.OperationalError: The server refuses.
        """
        context = ssl.create_default_context(cafile=str(self.authorities))
        context.check_hostname = False
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            ssl=context if tls else None,
            ssl_disabled=not tls,
            connect_timeout=5,
        )

    def administer(self, statement: str) -> None:
        """Run *statement* as the server's own administrator."""
        administer(self.folder, statement)

    def stop(self) -> None:
        """End the server."""
        self.process.terminate()
        self.process.wait(timeout=60)


def administer(folder: Path, statement: str) -> None:
    """Run *statement* as the administrator of the server in *folder*, over its socket."""
    _quietly("mariadb", "--no-defaults", f"--socket={folder}/socket", "-e", statement)


def start(folder: Path, port: int) -> Server:
    """Start a server with its data in *folder*; return once it answers."""
    if not (folder / "data").exists():
        _make_certificates(folder)
        _quietly(
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={folder}/data",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *_as_root(),
        )
    process = subprocess.Popen(
        [
            "mariadbd",
            "--no-defaults",
            f"--datadir={folder}/data",
            f"--socket={folder}/socket",
            f"--pid-file={folder}/pid",
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--ssl-ca={folder}/ca.pem",
            f"--ssl-cert={folder}/server.pem",
            f"--ssl-key={folder}/server.key",
            "--require-secure-transport=ON",
            *_as_root(),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Server(folder=folder, port=port, process=process)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            server.administer("SELECT 1")
        except subprocess.CalledProcessError:
            time.sleep(0.2)
        else:
            return server
    raise TimeoutError(f"the database did not start within {START_SECONDS} seconds")


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _make_certificates(folder: Path) -> None:
    """Make an authority, and a certificate for the name that Aurora would have."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "extensions").write_text(f"subjectAltName=DNS:{HOST}\n")
    request = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    authority = [*request, "-x509", "-days", "2", "-subj", "/CN=authority"]
    _quietly(*authority, "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem")
    server = [*request, "-subj", "/CN=database"]
    _quietly(*server, "-keyout", f"{folder}/server.key", "-out", f"{folder}/server.csr")
    sign = ["openssl", "x509", "-req", "-days", "2", "-CAcreateserial"]
    names = ["-extfile", f"{folder}/extensions", "-out", f"{folder}/server.pem"]
    keys = ["-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key"]
    _quietly(*sign, *keys, *names, "-in", f"{folder}/server.csr")


def _quietly(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
