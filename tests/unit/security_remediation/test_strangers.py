"""What people are told of strangers."""

from automations.notify import Severity
from security_remediation.plan import State
from security_remediation.policies import Trust, exposures
from security_remediation.strangers import doubts, named, nothing_sure, taken_out
from tests.unit.security_remediation.policy_documents import FOREIGN, OWN

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
POLICY = {
    "Statement": [
        {**EVERYTHING, "Sid": "Shared", "Principal": {"AWS": [OWN, FOREIGN]}},
        {**EVERYTHING, "Sid": "Theirs", "Principal": {"AWS": FOREIGN}},
    ]
}
EXPOSED = exposures(POLICY, Trust(frozenset({OWN})))


def test_a_stranger_whom_two_statements_let_in_is_named_once():
    assert named(EXPOSED) == f"account {FOREIGN}"


def test_a_statement_for_others_too_loses_only_the_strangers():
    assert taken_out(EXPOSED, "bucket policy") == (
        f"Take account {FOREIGN} out of statement Shared of the bucket policy.",
        "Remove statement Theirs from the bucket policy.",
    )


def test_a_stranger_who_may_be_one_s_own_is_a_warning_and_nothing_is_done():
    organisation = {"StringEquals": {"aws:PrincipalOrgID": "o-strangers1"}}
    doubtful = {"Statement": {**EVERYTHING, "Principal": "*", "Condition": organisation}}
    exposed = exposures(doubtful, Trust(frozenset({OWN})))

    plan = nothing_sure("S3 bucket b", State(doubtful), exposed, exposed, remark=doubts(exposed))

    assert plan.finding == "has a policy that lets in organisation o-strangers1"
    assert (plan.severity, plan.steps) == (Severity.WARNING, ())
    assert "TrustedOrganizations" in plan.remark
