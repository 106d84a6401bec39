"""Events for which a third party's API is called."""

import json
from collections.abc import Callable
from typing import Any

from local.receiver import Answer
from moto.rdsdata.responses import RDSDataServiceResponse

from tests.proofs.calls import Fault
from tests.proofs.situations import ANOTHER_ID, NOT_RECORDED, Situation, sent_twice
from tests.proofs.world import World
from tests.samples import sample
from tests.unit.api_caller.conftest import ENVIRONMENT, Api, create_api

TOKENS = "/token"
TOKEN = "access-t0ken-0001"
SAME_KEY = "the API knows the second call by its Idempotency-Key"
NOT_KEPT = {f"dynamodb:PutItem, {fault}": SAME_KEY for fault in NOT_RECORDED} | {
    f"s3:PutObject, {fault}": SAME_KEY for fault in Fault
}
CALLED_TWICE = sent_twice("http:POST", SAME_KEY) | NOT_KEPT
REFUSED = {"http:POST, access denied": "the database has a row for each answer, also for the refusal"}
PASSING = {"called_at", "latency_ms", "attempts", "expires_at", "headers"}
"""What tells when and how the answer came, not which it was."""


def _database(world: World) -> Callable[[], list[str]]:
    """A database as table.sql makes it, which moto does not keep; returns what reads its rows, one for each answer."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}

    def execute(request: RDSDataServiceResponse) -> str:
        row = {one["name"]: next(iter(one["value"].values())) for one in json.loads(request.body)["parameters"]}
        rows.setdefault((row["call_id"], row["called_at"]), _lasting(row))
        return json.dumps({"numberOfRecordsUpdated": 1})

    world.environment.setattr(RDSDataServiceResponse, "execute_statement", execute)
    world.set(
        database_cluster="arn:aws:rds:ap-northeast-2:111122223333:cluster:records",
        database_secret="arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:records-a1B2c3",  # its name
        database_name="records",
    )
    return lambda: [str(row) for row in rows.values()]


def _deployed(world: World) -> Api:
    api = create_api(world.web)
    world.set(**ENVIRONMENT)
    return api


def _kept(api: Api) -> Any:
    answers = {key: _lasting(kept) for key, kept in api.answers().items()}
    return answers, [_lasting(item) for item in api.items()]


def _lasting(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kept.items() if name not in PASSING}


def api_caller_called(world: World) -> Situation:
    """An API that wants a token is called, and the answer is kept in a database, too."""
    api = _deployed(world)
    rows = _database(world)
    secret = api.store({"client_id": "app", "client_secret": "t0ps3cret"}, "eventbridge-automations/api/client")
    tokens = {"type": "oauth-client-credentials", "token_url": world.web.url + TOKENS, "secret": secret}
    api.configure(auth=tokens)
    token = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
    world.web.always(TOKENS, Answer(body=json.dumps(token).encode()))
    event = sample("api_caller/pipeline-failed")
    again = ANOTHER_ID
    return Situation(
        "api_caller", event, lambda: _kept(api), told=rows, again=event | again, exceptions=CALLED_TWICE | REFUSED
    )


def api_caller_found(world: World) -> Situation:
    """An API was called, and the function ended before the database had the answer."""
    api = _deployed(world)
    event = sample("api_caller/pipeline-failed")
    world.deliver("api_caller", event)
    world.forget_deliveries()
    rows = _database(world)
    return Situation("api_caller", event, lambda: _kept(api), told=rows)


SITUATIONS = (api_caller_called, api_caller_found)
