"""The policy suite: what must be true, one module per subject, listed here once."""

from policies import (
    audit_logs,
    compute,
    database,
    functions,
    house,
    intake,
    keys,
    load_balancer,
    monitoring,
    network,
    permissions,
    secrets,
    security_groups,
)
from policies.engine.evaluate import collect

POLICIES = collect(
    intake,
    network,
    security_groups,
    load_balancer,
    compute,
    functions,
    database,
    keys,
    secrets,
    permissions,
    audit_logs,
    monitoring,
    house,
)
