"""Runs a deployed function once: ``function_runner.py FOLDER HANDLER < event``."""

import importlib
import json
import os
import socket
import sys

folder, handler = sys.argv[1:]
sys.path.insert(0, folder)
connect = socket.create_connection


def to_the_test_database(address, *args, **kwargs):
    """Reach the database of the test under the name that Aurora gave it."""
    if address[0].endswith(".rds.amazonaws.com"):
        address = ("127.0.0.1", int(os.environ["EMULATED_DATABASE_PORT"]))
    return connect(address, *args, **kwargs)


socket.create_connection = to_the_test_database
module, _, function = handler.rpartition(".")
answer = getattr(importlib.import_module(module), function)(json.load(sys.stdin), None)
sys.stdout.write(json.dumps(answer))
