"""Why the cloud did not answer, and what to do about it, in words."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from local.cloud import LocalError

STOPPED = "The local cloud does not answer. Start it again, in a terminal: make local"
NO_CREDENTIALS = (
    "There are no AWS credentials here. Sign in, then load this page anew; or name a profile, in a terminal: "
    "make console PROFILE=name"
)
SIGN_IN = "Sign in to AWS again, in a terminal (a profile of IAM Identity Center: aws sso login --profile NAME), then load this page anew."
SIGNED_OUT = (SSOError, LoginError, TokenRetrievalError, CredentialRetrievalError, PartialCredentialsError)
EXPIRED = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "AuthFailure"),
        *("UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"),
    }
)
"""By these AWS refuses credentials that have expired or that it does not know.

https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})


def said(error: LocalError | BotoCoreError | ClientError) -> str:
    """The reason, and the remedy where one is known."""
    match error:
        case NoCredentialsError():
            return NO_CREDENTIALS
        case ProfileNotFound():
            return f"{error}. See which there are, in a terminal: aws configure list-profiles"
        case EndpointConnectionError():
            endpoint = error.kwargs["endpoint_url"]
            # That of AWS is never without TLS.
            return (
                STOPPED
                if endpoint.startswith("http://")
                else f"AWS does not answer at {endpoint}. Is there a way to it?"
            )
        case ClientError():
            code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
            if code in EXPIRED:
                return f"AWS does not take these credentials: {message} {SIGN_IN}"
            if code in DENIED:
                return (
                    f"AWS does not allow {error.operation_name}: {message} docs/console.md lists the permissions "
                    "that the console needs."
                )
    if isinstance(error, SIGNED_OUT):
        return f"{error} {SIGN_IN}"
    return str(error)
