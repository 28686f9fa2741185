"""What Terraform runs and no document shows the effect of: never passed, always told."""

from __future__ import annotations

from policies.engine.model import Policy, Verdict
from policies.engine.read import FORGET, MODULE, PROVISIONER

MODULES = Policy(
    prohibits=(MODULE,),
    verdict_if_found=Verdict.UNKNOWN,
    title="Every module is expanded",
    why="A stack calls a module whose resources stand elsewhere; its plan shows them.",
)

PROVISIONERS = Policy(
    prohibits=(PROVISIONER,),
    verdict_if_found=Verdict.UNKNOWN,
    title="Nothing is changed by a provisioner",
    why="A script that runs during apply can change what was judged.",
)

FORGOTTEN = Policy(
    prohibits=(FORGET,),
    verdict_if_found=Verdict.UNKNOWN,
    title="Nothing is left behind unmanaged",
    why="What Terraform forgets stays in the account, and no later run sees it.",
)
