"""Why the cloud did not answer, in words."""

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from local.cloud import LocalError
from local.console.troubles import said


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "Why it is so."}}, "ListRules")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), ["There are no AWS credentials here", "make console PROFILE=name"]),
        (ProfileNotFound(profile="shop"), ["(shop) could not be found", "aws configure list-profiles"]),
        (UnauthorizedSSOTokenError(), ["has expired", "Sign in to AWS again"]),
        (refusal("ExpiredTokenException"), ["does not take these credentials: Why it is so.", "Sign in to AWS again"]),
        (refusal("InvalidClientTokenId"), ["does not take these credentials", "Sign in to AWS again"]),
        (refusal("AccessDeniedException"), ["does not allow ListRules: Why it is so.", "docs/console.md"]),
        (refusal("ValidationException"), ["ValidationException", "Why it is so."]),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/"),
            ["The local cloud does not answer", "make local"],
        ),
        (
            EndpointConnectionError(endpoint_url="https://sqs.eu-west-1.amazonaws.com/"),
            ["AWS does not answer at https://"],
        ),
        (LocalError("There is no stack shop. Name another: --stack NAME"), ["no stack shop", "--stack NAME"]),
    ],
)
def test_what_a_person_can_mend_is_said_with_the_remedy(error: LocalError, words: list[str]) -> None:
    for part in words:
        assert part in said(error)
