"""What is kept in Secrets Manager and Parameter Store, cached for some minutes.

Secrets are named by reference: `secretsmanager:<name or ARN>` or `ssm:<name of a SecureString>`.
"""

import base64
from functools import cache
from typing import Annotated

from aws_lambda_powertools.utilities.parameters import SecretsProvider, SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from pydantic import AfterValidator

from automations import aws
from automations.errors import SecretError, SettingsError

CACHED_SECONDS = 300


def reference(text: str) -> str:
    """Check that the text is a reference. It is not repeated, for it may be the secret itself."""
    if not text.startswith(("secretsmanager:", "ssm:/")):
        raise ValueError("write secretsmanager:NAME or ssm:/NAME, where the secret is kept")
    return text


Reference = Annotated[str, AfterValidator(reference)]
"""In the model of a configuration."""


@cache
def _secrets_manager() -> SecretsProvider:
    return SecretsProvider(boto3_client=aws.secretsmanager())


@cache
def _parameter_store() -> SSMProvider:
    return SSMProvider(boto3_client=aws.ssm())


def read_secret(reference: str) -> str:
    """The secret's text, at most five minutes old.

    Raises:
        SecretError: names the reference and what is wrong with it, never the text.
    """
    store, _, name = reference.partition(":")
    try:
        if store == "secretsmanager" and name:
            text = _secrets_manager().get(name, max_age=CACHED_SECONDS)
        elif store == "ssm" and name:
            text = _parameter_store().get(name, max_age=CACHED_SECONDS, decrypt=True)
        else:
            # Not repeated, for it may be the secret itself, put where its name belongs.
            raise SecretError("A reference to a secret has another form: write secretsmanager:NAME or ssm:/NAME")
    except GetParameterError as error:
        raise SecretError(
            f"The secret {reference} cannot be read ({error}). Create it, or correct the stack's parameter that names it; "
            "a customer managed key must allow this function's role to decrypt."
        ) from None
    if not isinstance(text, str) or not text.strip():
        raise SecretError(f"The secret {reference} is empty or not text. Store the value as its plain text.")
    return text.strip()


def standard_key(secret: str) -> bytes:
    """The key that a secret of Standard Webhooks holds, `whsec_` and Base64, padded or not; empty when it is written otherwise.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    text = secret.removeprefix("whsec_")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""


def read_parameter(name: str, *, fresh: bool = False) -> str:
    """The text of a parameter that holds configuration, String or SecureString, at most five minutes old, or just read.

    Raises:
        SettingsError: names the parameter and why it cannot be read.
    """
    try:
        return str(_parameter_store().get(name, max_age=CACHED_SECONDS, decrypt=True, force_fetch=fresh))
    except GetParameterError as error:
        raise SettingsError(
            f"The parameter {name} cannot be read ({error}). Create it, or correct the stack's parameter that names it."
        ) from None


def forget_secrets() -> None:
    """Drop what is cached. For tests."""
    _secrets_manager.cache_clear()
    _parameter_store.cache_clear()
