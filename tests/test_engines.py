"""Tables of a day: what they say on that day, on the day after an end, and when they are stale."""

from datetime import date, timedelta

import pytest

from policies.aws import engines, tls
from policies.engine.graph import ResourceGraph
from policies.engine.values import UnknownValue
from tests.conftest import TODAY


def on(day):
    return ResourceGraph((), today=day)


@pytest.mark.parametrize(
    ("engine", "version", "known"),
    [
        ("aurora-mysql", "8.0.mysql_aurora.3.10.0", "aurora-mysql 3.10"),
        ("aurora-mysql", "8.0.mysql_aurora.3.04.2", "aurora-mysql 3.04"),
        ("aurora-mysql", "8.0", "aurora-mysql 3"),
        ("aurora-mysql", "5.7.mysql_aurora.2.11.1", "aurora-mysql 2"),
        ("aurora-postgresql", "16.6", "aurora-postgresql 16"),
        ("mysql", "8.0.35", "mysql 8.0"),
        ("postgres", "9.6.24", "postgres 9.6"),
        ("postgres", "17", "postgres 17"),
        ("mariadb", "10.11.8", "mariadb 10.11"),
        ("sqlserver-se", "15.00.4316.3.v1", "sqlserver 15"),
        ("oracle-ee-cdb", "19.0.0.0.ru-2024-01.rur-2024-01.r1", "oracle 19"),
    ],
)
def test_a_version_is_found_in_the_table(engine, version, known):
    assert known == engines.database(engine, version)
    engines.is_mended("databases", known, on(TODAY))


@pytest.mark.parametrize(
    ("engine", "version"), [("aurora-mysql", "8.4.mysql_aurora.8.4.7"), ("mysql", "latest")]
)
def test_a_version_of_no_known_form_is_not_known(engine, version):
    with pytest.raises(UnknownValue):
        engines.database(engine, version)


@pytest.mark.parametrize(
    ("day", "extended", "mended"),
    [
        (date(2026, 7, 31), False, True),
        (date(2026, 8, 1), False, False),
        (date(2026, 8, 1), True, True),
        (date(2029, 8, 1), True, False),
    ],
)
def test_support_ends_on_a_day(day, extended, mended):
    assert mended is engines.is_mended("databases", "mysql 8.0", on(day), extended=extended)


@pytest.mark.parametrize(
    ("table", "version"), [("runtimes", "python9.9"), ("databases", "db2 11"), ("clusters", "2.0")]
)
def test_what_the_table_does_not_have_is_not_known(table, version):
    with pytest.raises(UnknownValue, match="known on"):
        engines.is_mended(table, version, on(TODAY))


def test_a_stale_table_tells_only_what_has_ended():
    later = TODAY + engines.FRESH + timedelta(days=1)

    assert not engines.is_mended("runtimes", "python3.8", on(later))
    with pytest.raises(UnknownValue, match="stale"):
        engines.is_mended("runtimes", "python3.14", on(later))
    with pytest.raises(UnknownValue, match="stale"):
        tls.is_modern("TLSv1.2_2021", on(later))
    assert not tls.is_modern("TLSv1", on(later))


def test_a_policy_that_no_list_has_is_not_known():
    with pytest.raises(UnknownValue):
        tls.is_modern("ELBSecurityPolicy-TLS13-1-3-2031-01", on(TODAY))


def test_no_policy_is_both_old_and_modern():
    assert not tls.OLD & tls.MODERN
    assert tls.FORWARD < tls.MODERN
