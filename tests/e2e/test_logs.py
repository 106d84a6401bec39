"""What a function logs is in its log group, also when it comes late."""

import io
import json
import sys
import zipfile

from local.cloud import ACCOUNT, Cloud

LATE = """
import subprocess

def handler(event, context):
    # The function has answered long before its log has this line, as on a machine that has much to do.
    subprocess.Popen("sleep 0.3; echo It was late. >&2", shell=True)
"""


def test_a_line_that_comes_after_the_functions_answer_is_in_its_log(local_cloud: Cloud) -> None:
    functions, name = local_cloud.client("lambda"), "logs-late"
    with io.BytesIO() as archive:
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("late.py", LATE)
        functions.create_function(
            FunctionName=name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=f"arn:aws:iam::{ACCOUNT}:role/late",
            Handler="late.handler",
            Code={"ZipFile": archive.getvalue()},
        )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)

    answer = functions.invoke(FunctionName=name)

    assert json.load(answer["Payload"]) is None
    events = local_cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert "It was late." in [event["message"] for event in events]
    functions.delete_function(FunctionName=name)
