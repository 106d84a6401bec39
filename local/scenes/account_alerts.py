"""account_alerts, played."""

from local.stage import Stage


def account_alerts(stage: Stage) -> None:
    """GuardDuty, AWS Health, Trusted Advisor and root's sign-in: EventBridge writes the e-mails itself, by a copy of each rule."""
    alert(
        stage, "guardduty-high", "GuardDutyFindingRule", "GuardDuty: i-0123456789abcdef0 is performing SSH brute force"
    )
    alert(stage, "health-event", "HealthEventRule", "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED")
    alert(stage, "trusted-advisor-error", "TrustedAdvisorErrorRule", "Exposed Access Keys")
    alert(stage, "root-sign-in", "RootSignInRule", "The root user of account")
    stage.send(stage.sample("account_alerts/guardduty-medium"), expect=None)


def alert(stage: Stage, situation: str, rule: str, containing: str) -> None:
    """Send the sample and wait for its mail, which is kept in the folder."""
    stage.send(stage.sample(f"account_alerts/{situation}"), expect=rule)

    def look() -> str | None:
        texts = [str(mail["Message"]) for mail in stage.take(stage.alerts)]
        return next((text for text in texts if containing in text), None)

    text = stage.expect("an alert was mailed", look, "AlertsTopic")
    stage.say("mail", text.splitlines()[0])
    stage.keep(f"{rule}-mail.txt", text.encode())
