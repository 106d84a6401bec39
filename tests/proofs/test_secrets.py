"""Secrets are put wherever a function meets them: into Secrets Manager and Parameter Store, into the addresses of webhooks, into
what an API answers that gives out tokens and, as members that no model knows, into each object of the event (card numbers,
passwords, tokens). Then each situation runs with all loggers at DEBUG and with traces: as it is, with each kind of call refused
by an answer that repeats the whole request, and with each not answered. What the function logs, counts, traces, answers and
tells people is searched for each secret: as it is, escaped for JSON and for addresses, and in Base64.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from automations import aws
from tests.proofs.calls import Call, Fault
from tests.proofs.conftest import Row
from tests.proofs.outputs import captured
from tests.proofs.situations import Arrange, Situation, every_situation, name
from tests.proofs.situations.api_caller import TOKEN
from tests.proofs.situations.webhook_receiver import WRONG, webhook_receiver_refused
from tests.proofs.world import World, new_world
from tests.unit.webhook_receiver.requests import signed

IN_EVENTS = {
    "cardNumber": "4242424242424242",
    "pan": "5555 5555 5555 4444",
    "password": 'pass/w0rd+of "an" événement',
    "accessToken": "xoxb-0123456789-token+of/an=event",
}
"""Members that are put into each object of an event. The numbers are those that providers of payments publish for tests."""
IN_ADDRESSES = "token-of/an=address+0001"
SIGNED_HEADERS = ("authorization", "signature", "token")
SHORTEST = 8
"""Characters of a secret that is searched for. A shorter one is found anywhere."""


# ---------------------------------------------------------------- the secrets


@cache
def forms(secret: str) -> set[str]:
    """How the secret may be written.

    In Base64 a part of it depends on what stands before and behind it; that part is left out.
    """
    raw = secret.encode()
    in_base64 = {base64.b64encode(raw[start : start + (len(raw) - start) // 3 * 3]).decode() for start in range(3)}
    return in_json(in_json({secret})) | {quote(secret), quote(secret, safe=""), quote_plus(secret)} | in_base64


def in_json(texts: set[str]) -> set[str]:
    """The texts, and how they stand within strings of JSON."""
    return texts | {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in texts for ascii_only in (True, False)}


def found(secrets: set[str], text: str) -> list[str]:
    """The secrets that the text holds in any form, card numbers also in groups of digits."""
    ungrouped = text.replace(" ", "").replace("-", "")
    return [one for one in sorted(secrets) if any(form in text or form in ungrouped for form in forms(one))]


def strings(value: Any) -> Iterator[str]:
    """All strings of a JSON value, those within strings of JSON, too."""
    match value:
        case dict():
            for one in value.values():
                yield from strings(one)
        case list():
            for one in value:
                yield from strings(one)
        case str():
            within = json_in(value)
            yield from [value] if within is None else strings(within)


def planted(value: Any) -> Any:
    """The JSON value with the members of `IN_EVENTS` in each of its objects, those within strings of JSON, too."""
    match value:
        case dict():
            return {name: planted(one) for name, one in value.items()} | IN_EVENTS
        case list():
            return [planted(one) for one in value]
        case str():
            within = json_in(value)
            return value if within is None else json.dumps(planted(within))
        case _:
            return value


def json_in(text: str) -> Any:
    """The object or list that the text is in JSON; None for any other text."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def delivered(arrange: Arrange, situation: Situation) -> dict[str, Any]:
    """The situation's event with the secrets in it; a webhook is signed again."""
    event = situation.event
    if situation.function == "webhook_receiver":
        body = planted(json.loads(event["body"]))
        return signed(event["rawPath"].strip("/"), body, secret=WRONG if arrange is webhook_receiver_refused else None)
    changed: dict[str, Any] = planted(event)
    return changed


def secrets_of(world: World, event: dict[str, Any]) -> set[str]:
    """What nobody may see: secrets of the account, of the event and its headers, and the token that an API gives out."""
    headers = (event.get("headers") or {}).items()
    within = [
        IN_ADDRESSES,
        TOKEN,
        *IN_EVENTS.values(),
        *(value for name, value in headers if any(part in name.lower() for part in SIGNED_HEADERS)),
        *(text for secret in stored(world) for text in strings(secret)),
    ]
    return {one for one in within if len(one) >= SHORTEST}


def stored(world: World) -> list[str]:
    """The values of all secrets of the account. A secret that is an address gets a token."""
    manager, parameters, values = aws.secretsmanager(), aws.ssm(), []
    for secret in manager.list_secrets()["SecretList"]:
        value = manager.get_secret_value(SecretId=secret["ARN"])["SecretString"]
        if value.startswith(world.web.url):
            value += f"?token={quote(IN_ADDRESSES, safe='')}"
            manager.put_secret_value(SecretId=secret["ARN"], SecretString=value)
        values.append(value)
    for parameter in parameters.describe_parameters()["Parameters"]:
        value = parameters.get_parameter(Name=parameter["Name"], WithDecryption=True)["Parameter"]["Value"]
        # A configuration names things, and its addresses may hold tokens; any other value is a secret as a whole.
        values += [value] if json_in(value) is None else re.findall(r"[?&]\w+=([^&\"]+)", value)
    return values


# ---------------------------------------------------------------- the runs

MAY_HOLD = {
    ("partner_relay", "posts to /crm"): "a webhook gets the partner's event as it is",
    ("slack_sender", "posts to /slack"): "Slack gets the message as it was put on the queue",
    ("slack_sender", "what others get"): "Slack gets what it had refused, when it is tried again",
    ("webhook_receiver", "what others get"): "the bus gets the provider's message as it is",
}
"""Where what is in an event may come out, by the function and the kind of output, and why. Nothing else may, and it anywhere else."""

FAULTS_OF_RECEIVERS = (Fault.SERVER_ERROR, Fault.ACCESS_DENIED, Fault.TIMEOUT_BEFORE)


@dataclass(frozen=True)
class Leaks:
    """Attributes:
    secrets: what was searched for.
    searched: what was searched, by the kind of output.
    found: the secrets found, by the kind of output.
    calls: those of the function.
    """

    secrets: set[str]
    searched: dict[str, str]
    found: dict[str, list[str]]
    calls: list[Call]


def leaks(arrange: Arrange, fails: tuple[Call, Fault] | None = None) -> Leaks:
    """Deliver the event with the secrets, let a call fail, and search what comes out."""
    with new_world() as world:
        situation = arrange(world)
        event = delivered(arrange, situation)
        secrets = secrets_of(world, event)
        world.begin()
        world.calls.fail, world.calls.hostile = fails, True
        with captured(situation.function) as outputs:
            failure = world.deliver(situation.function, event)
        assert not fails or world.calls.failed
        calls = list(world.calls.made)
        world.calls.forget()
        texts = outputs.texts() | {
            "answers": json.dumps([world.answer, failure], ensure_ascii=False),
            "e-mails": "\n".join(mail["Subject"] + mail["Message"] for mail in world.alerts.received()),
            "what others get": "\n".join(situation.told()),
        }
        for post in world.web.requests:
            kind = f"posts to {post.path.partition('?')[0]}"
            texts[kind] = texts.get(kind, "") + post.body.decode(errors="replace")
        return Leaks(
            secrets, texts, {kind: hits for kind, text in texts.items() if (hits := found(secrets, text))}, calls
        )


def faults(calls: list[Call]) -> Iterator[tuple[Call, Fault]]:
    """The first call of each operation, failing in the ways that have a text."""
    for call in calls:
        if call.nth == 1:
            yield from (
                (call, fault) for fault in (FAULTS_OF_RECEIVERS if call.service == "http" else FAULTS_OF_RECEIVERS[:1])
            )


@pytest.mark.parametrize("arrange", every_situation(), ids=lambda arrange: arrange.__name__)
def test_no_secret_comes_out_of_a_function_wherever_it_is_put_and_whatever_fails(arrange: Arrange, row: Row) -> None:
    plain = leaks(arrange)
    runs = [plain, *(leaks(arrange, fault) for fault in faults(plain.calls))]

    function = arrange.__module__.rpartition(".")[2]
    for one in runs:
        for kind, hits in one.found.items():
            assert (function, kind) in MAY_HOLD, f"in {kind}: {hits}"
            assert set(hits) <= set(IN_EVENTS.values()), f"in {kind}: {hits}"
    come_out = sorted({f"only in {kind}: {MAY_HOLD[function, kind]}" for one in runs for kind in one.found})
    row(
        "Secrets",
        function=function,
        situation=name(arrange),
        runs=len(runs),
        secrets=len(plain.secrets),
        come_out="; ".join(come_out) or "nowhere",
    )


def test_the_search_finds_a_secret_however_it_is_written() -> None:
    secret = IN_EVENTS["password"]
    written = {
        "as it is": f"refused {secret}!",
        "in JSON": json.dumps({"a": secret}),
        "in JSON, within JSON": json.dumps(json.dumps(secret, ensure_ascii=False), ensure_ascii=False),
        "in an address": f"https://hooks.example.com/?key={quote_plus(secret)}",
        "in Base64": base64.b64encode(f"Bearer {secret}, and more".encode()).decode(),
    }

    assert [how for how, text in written.items() if found({secret}, text) != [secret]] == []
    assert found({IN_EVENTS["cardNumber"]}, "4242-4242 4242-4242") == [IN_EVENTS["cardNumber"]]
    assert found({secret}, "nothing of it") == []
