"""Webhooks that webhook_receiver verified and put on the application bus, and the payloads that are shown readably.

The source is `webhook.<provider>`, the detail type the provider's own name for what happened. Of the payloads only what names
the thing is required: providers change them without notice.
"""

from typing import Any

from pydantic import Field

from automations.events import Detail, Event


class WebhookDetail(Detail):
    """What is in `detail`.

    Attributes:
        id: the provider's id of the message, or a hash of what it signed. It stays when the message comes again.
        scheme: how the provider signs, and so whose payload it is.
        payload: the body, whole.
    """

    id: str
    scheme: str
    payload: dict[str, Any]


class WebhookReceived(Event):
    """A provider's message."""

    source: str = Field(pattern=r"^webhook\..+$")
    detail: WebhookDetail


class GitHubRepository(Detail):
    full_name: str
    html_url: str = ""


class GitHubUser(Detail):
    login: str = ""


class GitHubPusher(Detail):
    name: str = ""


class GitHubCommit(Detail):
    id: str = ""
    message: str = ""


class GitHubPush(Detail):
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#push"""

    repository: GitHubRepository
    ref: str
    compare: str = ""
    forced: bool = False
    deleted: bool = False
    pusher: GitHubPusher = GitHubPusher()
    commits: tuple[GitHubCommit, ...] = ()
    head_commit: GitHubCommit = GitHubCommit()


class GitHubBranch(Detail):
    ref: str = ""


class GitHubThread(Detail):
    """A pull request or an issue."""

    number: int
    title: str = ""
    html_url: str = ""
    state: str = ""
    merged: bool = False
    user: GitHubUser = GitHubUser()
    head: GitHubBranch = GitHubBranch()
    base: GitHubBranch = GitHubBranch()


class GitHubAction(Detail):
    """What somebody, or GitHub, did to something of a repository."""

    repository: GitHubRepository
    action: str
    sender: GitHubUser = GitHubUser()


class GitHubPullRequest(GitHubAction):
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request"""

    thread: GitHubThread = Field(alias="pull_request")


class GitHubIssue(GitHubAction):
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues"""

    thread: GitHubThread = Field(alias="issue")


class GitHubRun(Detail):
    name: str = "workflow"
    html_url: str = ""
    run_number: int | None = None
    event: str = ""
    status: str = ""
    conclusion: str = ""
    head_branch: str = ""
    head_sha: str = ""


class GitHubWorkflowRun(GitHubAction):
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run"""

    run: GitHubRun = Field(alias="workflow_run")


class StripeObject(Detail):
    """Amounts are in the currency's smallest unit; which one there is depends on the kind of object."""

    object: str = ""
    id: str = ""
    amount: int | None = None
    amount_total: int | None = None
    amount_due: int | None = None
    currency: str = ""


class StripeData(Detail):
    object: StripeObject


class StripeEvent(Detail):
    """https://docs.stripe.com/api/events/object"""

    id: str
    type: str
    livemode: bool = True
    data: StripeData


class ZendeskChange(Detail):
    """What changed, of events that tell of one value."""

    current: Any = None
    previous: Any = None


class ZendeskWebhook(Detail):
    """https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/

    `detail` is the ticket, with ids as strings, and with status, priority and type in capital letters.
    """

    type: str
    detail: dict[str, Any]
    event: ZendeskChange = ZendeskChange()


class DatadogWebhook(Detail):
    """The payload that docs/webhooks.md has one configure: https://docs.datadoghq.com/integrations/webhooks/#variables"""

    title: str = "notification"
    alert_transition: str = ""
    alert_query: str = ""
    priority: str = ""
    tags: str = ""
    link: str = ""
    body: str = ""
