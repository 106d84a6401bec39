"""Secrets by reference: `secretsmanager:<name or ARN>` or `ssm:<name of a SecureString>`, cached for some minutes."""

from functools import cache

from aws_lambda_powertools.utilities.parameters import SecretsProvider, SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from automations import aws
from automations.errors import SecretError

CACHED_SECONDS = 300


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
            raise SecretError(f"'{reference}' is no reference to a secret: write secretsmanager:NAME or ssm:/NAME")
    except GetParameterError as error:
        raise SecretError(
            f"The secret {reference} cannot be read ({error}). Create it, or correct the stack's parameter that names it; "
            "a customer managed key must allow this function's role to decrypt."
        ) from None
    if not isinstance(text, str) or not text.strip():
        raise SecretError(f"The secret {reference} is empty. Store the value as its plain text.")
    return text.strip()


def forget_secrets() -> None:
    """Drop what is cached. For tests."""
    _secrets_manager.cache_clear()
    _parameter_store.cache_clear()
