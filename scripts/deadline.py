"""A time within which something has to end, whatever it is fed with."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


class OutOfTime(BaseException):
    """It took too long; nothing on the way may take this for an error of its own."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """
    Interrupt what runs inside once *seconds* have passed.

    Raises:
        OutOfTime: They have.
    """

    def interrupt(_signal: int, _frame: object) -> NoReturn:
        raise OutOfTime(f"not judged within {seconds} seconds; judge its stacks one by one")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
