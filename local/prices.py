"""What AWS asks for Lambda: public list prices with their date, for the reports and the measurements."""

from __future__ import annotations

MILLION = 1_000_000
REGION = "ap-northeast-2"
READ = "2026-10-01"
"""When these prices were read in AWS's price list for `REGION`, by others: nothing here asks AWS. The list is at
https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AWSLambda/current/ap-northeast-2/index.json"""
GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
"""US dollars, by architecture, of the first tier."""
INVOCATIONS = 0.20
"""US dollars for a million."""


def of_lambda(gb_seconds: float, invocations: float, architecture: str) -> float:
    """US dollars for what a function used, without the free tier."""
    return gb_seconds * GB_SECOND[architecture] + invocations / MILLION * INVOCATIONS
