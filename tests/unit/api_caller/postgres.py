"""A real PostgreSQL server for the length of a test run, and the RDS Data API's way of handing it a statement."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from local.cloud import wait_for

from api_caller.database import Statement

# How the Data API types what it hands over; text without a hint is `varchar`, which PostgreSQL does not turn into a UUID.
HINTED = {"UUID": "uuid", "TIMESTAMP": "timestamp", "JSON": "json"}
TYPED = {"stringValue": "varchar", "longValue": "bigint", "booleanValue": "boolean"}


@dataclass(frozen=True)
class Postgres:
    psql: str
    socket: Path

    def query(self, sql: str) -> list[list[str]]:
        """Run SQL; returns the rows, each value as text.

        Raises:
            AssertionError: PostgreSQL refused it.
        """
        done = subprocess.run(
            [self.psql, "-h", self.socket, "-U", "test", "-d", "postgres", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            input=sql,
            env={"LC_ALL": "C.UTF-8", "PGCLIENTENCODING": "UTF8", "PGTZ": "Asia/Seoul"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [line.split("|") for line in done.stdout.splitlines()]

    def execute(self, statement: Statement, role: str = "test") -> None:
        """Run a statement as the Data API does: prepared, with typed parameters in place of the named ones."""
        names = [parameter["name"] for parameter in statement.parameters]
        sql = re.sub(r":(\w+)", lambda found: f"${names.index(found[1]) + 1}", statement.sql)
        types = ", ".join(_type(parameter) for parameter in statement.parameters)
        values = ", ".join(_literal(*parameter["value"].values()) for parameter in statement.parameters)
        self.query(f"SET ROLE {role};\nPREPARE statement ({types}) AS {sql};\nEXECUTE statement ({values});")


def _type(parameter: dict[str, Any]) -> str:
    [kind] = parameter["value"]
    return HINTED[parameter["typeHint"]] if "typeHint" in parameter else TYPED[kind]


def _literal(value: str | int | bool) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).lower()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server on a socket in a folder of its own; nothing of it is left afterwards."""
    programs = {name: _find(name) for name in ("initdb", "postgres", "psql")}
    missing = [name for name, path in programs.items() if not path]
    if missing:
        pytest.skip(f"PostgreSQL is not on this machine ({', '.join(missing)}); on Debian: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    how: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "nobody")
        how |= {"user": "nobody", "extra_groups": []}
    data = folder / "data"
    try:
        subprocess.run(
            [programs["initdb"], "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, **how,
        )  # fmt: skip
        server = subprocess.Popen(
            [programs["postgres"], "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
            **how,
        )  # fmt: skip
        try:
            postgres = Postgres(programs["psql"], folder)
            assert wait_for(lambda: _answers(postgres)), "PostgreSQL did not start"
            yield postgres
        finally:
            server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find(program: str) -> str:
    """Its path; Debian keeps the server's programs out of the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return shutil.which(program) or (str(debian[-1]) if debian else "")


def _answers(postgres: Postgres) -> bool:
    try:
        return postgres.query("SELECT 1") == [["1"]]
    except AssertionError:
        return False
