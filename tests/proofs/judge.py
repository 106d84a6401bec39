"""IAM's judgement, by the local cloud's own evaluator of policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.proofs.ministack import Ask, asking
from tests.proofs.needs import Need

CODE = """
from ministack.core.iam_evaluator import EvalContext, ParsedStatement, evaluate

def allows(statement, resource, need):
    context = {"aws:tagkeys": None} | {key.lower(): value for key, value in need["context"].items()}
    asked = EvalContext("arn:aws:iam::123456789012:role/function", "AssumedRole", "123456789012", need["action"], need["resource"], "",
                        service_context=context)
    said = ParsedStatement("", "Allow", statement["Action"], [], [resource], [], statement["Condition"])
    return evaluate(asked, [[said]]).decision == "Allow"

def answer(asked):
    return [[[name, number] for name, statement in asked["statements"].items()
             for number, resource in enumerate(statement["Resource"]) if resource and allows(statement, resource, need)]
            for need in asked["needs"]]
"""


class Judge:
    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def allowed_by(self, statements: Mapping[int, Any], needs: Sequence[Need]) -> list[list[tuple[int, int]]]:
        """For each need, the statements that allow it, each with which of its resources does."""
        asked = {"statements": statements, "needs": [vars(one) for one in needs]}
        return [[(int(name), number) for name, number in found] for found in self._ask(asked)]


@contextmanager
def judge() -> Iterator[Judge]:
    """A judge for the length of a `with` block."""
    with asking(CODE) as ask:
        yield Judge(ask)
