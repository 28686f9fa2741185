"""AWS's predefined TLS policies: which speak TLS 1.2 or newer alone, which keep secrets forward."""

from __future__ import annotations

from datetime import date

from policies.aws import engines
from policies.engine.graph import ResourceGraph
from policies.engine.values import UnknownValue

WRITTEN_ON = date(2026, 11, 24)

_ELB = "ELBSecurityPolicy-"
FORWARD = frozenset(
    f"{_ELB}{name}"
    for name in (
        "FS-1-2-2019-08", "FS-1-2-Res-2019-08", "FS-1-2-Res-2020-10",
        "TLS13-1-2-2021-06", "TLS13-1-2-FIPS-2023-04", "TLS13-1-2-FIPS-PQ-2025-09",
        "TLS13-1-2-Ext0-FIPS-2023-04", "TLS13-1-2-Ext0-FIPS-PQ-2025-09", "TLS13-1-2-PQ-2025-09",
        "TLS13-1-2-RFC9151-FIPS-2023-07", "TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07",
        "TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07", "TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07",
        "TLS13-1-2-Res-2021-06", "TLS13-1-2-Res-FIPS-2023-04", "TLS13-1-2-Res-FIPS-PQ-2025-09",
        "TLS13-1-2-Res-PQ-2025-09", "TLS13-1-3-2021-06", "TLS13-1-3-FIPS-2023-04",
        "TLS13-1-3-FIPS-PQ-2025-09", "TLS13-1-3-PQ-2025-09", "TLS13-1-3-RFC9151-FIPS-2023-07",
    )
)  # fmt: skip
"""Those of load balancers with which a key that is stolen later opens no recorded session."""

MODERN = FORWARD | frozenset({
    *(
        f"{_ELB}{name}"
        for name in (
            "TLS-1-2-2017-01", "TLS-1-2-Ext-2018-06",
            "TLS13-1-2-Ext0-RFC9151-FIPS-2023-07", "TLS13-1-2-Ext1-2021-06",
            "TLS13-1-2-Ext1-FIPS-2023-04", "TLS13-1-2-Ext1-FIPS-PQ-2025-09",
            "TLS13-1-2-Ext1-PQ-2025-09", "TLS13-1-2-Ext2-2021-06", "TLS13-1-2-Ext2-FIPS-2023-04",
            "TLS13-1-2-Ext2-FIPS-PQ-2025-09", "TLS13-1-2-Ext2-PQ-2025-09",
            "TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07",
        )
    ),
    "TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025",
    "TLS_1_2", "SecurityPolicy_TLS12_2018_EDGE", "SecurityPolicy_TLS12_PFS_2025_EDGE",
    "SecurityPolicy_TLS13_1_2_2021_06", "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09",
    "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "SecurityPolicy_TLS13_1_2_PQ_2025_09",
    "SecurityPolicy_TLS13_1_3_2025_09", "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
    "SecurityPolicy_TLS13_2025_EDGE",
    "Policy-Min-TLS-1-2-2019-07", "Policy-Min-TLS-1-2-PFS-2023-10",
    "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08",
})  # fmt: skip
"""Those of load balancers, CloudFront, API Gateway and OpenSearch with TLS 1.2 or newer alone."""

OLD = frozenset({
    *(
        f"{_ELB}{name}"
        for name in (
            "2011-08", "2014-01", "2014-10", "2015-02", "2015-03", "2015-05", "2016-08",
            "FS-1-1-2019-08", "FS-2018-06", "TLS-1-0-2015-04", "TLS-1-1-2017-01",
            "TLS13-1-0-2021-06", "TLS13-1-0-FIPS-2023-04", "TLS13-1-0-FIPS-PQ-2025-09",
            "TLS13-1-0-PQ-2025-09", "TLS13-1-1-2021-06", "TLS13-1-1-FIPS-2023-04",
        )
    ),
    "SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016", "TLS_1_0", "Policy-Min-TLS-1-0-2019-07",
})  # fmt: skip


def is_modern(policy: str, graph: ResourceGraph) -> bool:
    """
    Whether *policy* speaks TLS 1.2 or newer alone.

    Raises:
        UnknownValue: It is none that is known here, or the list is stale.
    """
    if policy in OLD:
        return False
    if policy not in MODERN:
        raise UnknownValue(f"{policy} is none of the TLS policies known on {WRITTEN_ON}")
    engines.require_fresh("TLS policies", WRITTEN_ON, engines.day(graph))
    return True
