import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_backup.database import Database, Kind, Source
from rds_backup.handler import Settings
from rds_backup.plan import expired, plan, plan_copies
from rds_backup.snapshot import Snapshot, identifier

MIDNIGHT = datetime(2026, 11, 21, 15, tzinfo=UTC)  # in Seoul
ORDERS = Source(Kind.INSTANCE, "orders")
LEDGER = Source(Kind.CLUSTER, "ledger")
TAGGED = {"automations:backup": "true"}


def settings(**given: object) -> Settings:
    return Settings.model_validate({"alerts_topic": "topic", "idempotency_table": "table"} | given)


def snapshot(days: float, source: Source = ORDERS, status: str = "available", own: bool = True) -> Snapshot:
    at = MIDNIGHT - timedelta(days=days)
    return Snapshot(identifier(source, at), f"arn:{source}:{days}", source, status, own, created_at=at)


def test_the_name_says_database_and_scheduled_time_in_utc() -> None:
    seoul = MIDNIGHT.astimezone().replace(microsecond=0)

    assert identifier(ORDERS, seoul) == "automations-orders-20261121-1500"


database_ids = st.from_regex(r"[a-z](-?[a-z0-9]){0,62}", fullmatch=True).filter(lambda name: len(name) <= 63)


@given(database_ids)
def test_every_name_keeps_the_rules_of_rds(database: str) -> None:
    name = identifier(Source(Kind.CLUSTER, database), MIDNIGHT)

    assert re.fullmatch(r"[a-z](-?[a-z0-9])*", name)
    assert len(name) <= 63


def test_long_identifiers_that_differ_only_at_their_end_have_different_names() -> None:
    names = {identifier(Source(Kind.CLUSTER, "a" * 60 + end), MIDNIGHT) for end in ("b", "c")}

    assert len(names) == 2


@pytest.mark.parametrize(
    ("selection", "tags", "taken"),
    [
        ("tagged", TAGGED, True),
        ("tagged", {"automations:backup": "TRUE"}, True),
        ("tagged", {"automations:backup": "false"}, False),
        ("tagged", {}, False),
        ("all", {}, True),
    ],
)
def test_the_tag_or_the_parameter_selects_a_database(selection: str, tags: dict[str, str], taken: bool) -> None:
    todo = plan(MIDNIGHT, [Database(ORDERS, "mysql", "available", tags)], [], settings(backup_selection=selection))

    assert (ORDERS in todo.create) is taken
    assert not todo.skipped


@pytest.mark.parametrize("engine", ["mysql", "postgres", "oracle-ee", "sqlserver-se", "db2-se", "custom-oracle-ee"])
def test_the_engine_does_not_matter(engine: str) -> None:
    assert plan(MIDNIGHT, [Database(ORDERS, engine, "available", TAGGED)], [], settings()).create


@pytest.mark.parametrize(
    ("source", "status", "ready"),
    [
        (ORDERS, "available", True),
        (ORDERS, "storage-optimization", True),
        (ORDERS, "modifying", False),
        (ORDERS, "stopped", False),
        (ORDERS, "backing-up", False),
        (LEDGER, "available", True),
        (LEDGER, "modifying", False),
    ],
)
def test_a_database_that_is_not_ready_is_skipped_with_its_status(source: Source, status: str, ready: bool) -> None:
    todo = plan(MIDNIGHT, [Database(source, "mysql", status, TAGGED)], [], settings())

    assert bool(todo.create) is ready
    assert dict(todo.skipped) == ({} if ready else {str(source): f"Its status is {status}."})


def test_what_an_earlier_attempt_made_is_neither_made_again_nor_reported_as_being_backed_up() -> None:
    todo = plan(
        MIDNIGHT, [Database(ORDERS, "mysql", "backing-up", TAGGED)], [snapshot(0, status="creating")], settings()
    )

    assert not todo.create
    assert not todo.skipped


def test_an_instance_and_a_cluster_of_one_name_do_not_stand_in_for_each_other() -> None:
    cluster = Source(Kind.CLUSTER, "orders")
    databases = [Database(source, "mysql", "available", TAGGED) for source in (ORDERS, cluster)]

    assert set(plan(MIDNIGHT, databases, [snapshot(0, cluster)], settings()).create) == {ORDERS}


def test_a_cluster_of_another_service_is_reported_only_when_somebody_tagged_it() -> None:
    graph = Database(Source(Kind.CLUSTER, "graph"), "neptune", "available", TAGGED)
    documents = Database(Source(Kind.CLUSTER, "documents"), "docdb", "available")

    todo = plan(MIDNIGHT, [graph, documents], [], settings(backup_selection="all"))

    assert not todo.create
    assert list(todo.skipped) == ["cluster graph"]
    assert "Amazon Neptune" in todo.skipped["cluster graph"]


def test_a_snapshot_that_failed_is_reported() -> None:
    todo = plan(MIDNIGHT, [], [snapshot(1, status="failed"), snapshot(2, status="failed", own=False)], settings())

    assert list(todo.broken) == ["instance snapshot automations-orders-20261120-1500"]


def test_snapshots_older_than_the_retention_are_deleted() -> None:
    kept, old = [snapshot(1), snapshot(7), snapshot(14)], [snapshot(14.1), snapshot(30)]

    assert expired([*old, *kept], MIDNIGHT, 14, 1) == old


def test_the_minimum_counts_for_each_database() -> None:
    orders, ledger = [snapshot(day) for day in (20, 21, 22)], [snapshot(day, LEDGER) for day in (30, 31)]

    assert expired([*orders, *ledger], MIDNIGHT, 14, 2) == [orders[2]]


def test_only_available_snapshots_count_towards_the_minimum() -> None:
    unusable = [snapshot(0, status="creating"), snapshot(1, status="failed"), snapshot(2, own=False)]

    assert expired([*unusable, snapshot(20)], MIDNIGHT, 14, 1) == []


@given(
    st.lists(
        st.builds(
            snapshot,
            st.integers(0, 60),
            st.sampled_from([ORDERS, LEDGER]),
            st.sampled_from(["available", "creating", "failed"]),
            st.booleans(),
        ),
        max_size=40,
        unique_by=lambda item: (item.source, item.id),
    ),
    st.integers(1, 30),
    st.integers(1, 5),
)
def test_retention_never_deletes_what_it_must_keep(snapshots: list[Snapshot], days: int, minimum: int) -> None:
    deleted = expired(snapshots, MIDNIGHT, days, minimum)

    usable = [item for item in snapshots if item.own and item.status == "available"]
    before = Counter(item.source for item in usable)
    after = before - Counter(item.source for item in deleted)
    for item in deleted:
        assert item in usable
        assert item.created_at is not None
        assert item.created_at < MIDNIGHT - timedelta(days=days)
        assert after[item.source] >= minimum
        assert any(
            other.created_at and other.created_at >= item.created_at
            for other in usable
            if other.source == item.source and other not in deleted
        )


def test_the_newest_available_snapshot_is_copied_when_its_copy_is_missing() -> None:
    here = [snapshot(0, status="creating"), snapshot(1), snapshot(2), snapshot(1, LEDGER), snapshot(1, own=False)]

    todo = plan_copies(MIDNIGHT, here, [snapshot(1, LEDGER)], settings())

    assert todo.copy == [snapshot(1)]


def test_copies_have_a_retention_of_their_own() -> None:
    copies = [snapshot(1), snapshot(5), snapshot(9)]

    todo = plan_copies(MIDNIGHT, [], copies, settings(backup_copy_retention_days=3, backup_minimum_copies=2))

    assert todo.delete == [snapshot(9)]
