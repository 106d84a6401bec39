"""IAM Roles Anywhere in memory, as far as trust anchors need it: moto does not have the service."""

from copy import deepcopy
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.validate import validate_parameters

from automations import aws
from tests.unit.hooks import hook

ANCHOR = "4b6c3a1e-7d52-4f0e-9c1b-2a8d6e5f7c90"


class TrustAnchors:
    """Answers the client in the place of AWS.

    botocore has checked a request against its model before it comes here, and the answers are checked in the same way, as botocore's
    Stubber does it.
    """

    def __init__(self) -> None:
        self.anchors: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}
        hook(aws.rolesanywhere(), "before-parameter-build.rolesanywhere.*", self._keep)
        hook(aws.rolesanywhere(), "before-call.rolesanywhere.*", self._answer, first=True)

    def add(self, anchor: dict[str, Any]) -> None:
        self.anchors[anchor["trustAnchorId"]] = deepcopy(anchor)

    def _keep(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        try:
            answer = self._call(model.name, context["asked"])
        except KeyError:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "The resource could not be found."}}
            return AWSResponse("", 404, HTTPHeaders(), None), error
        validate_parameters(answer, model.output_shape)
        return AWSResponse("", 200, HTTPHeaders(), None), answer

    def _call(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "ListTagsForResource":
            self.anchors[asked["resourceArn"].rpartition("/")[2]]  # or there is none
            return {"tags": self.tags.get(asked["resourceArn"], [])}
        if operation == "TagResource":
            self.tags.setdefault(asked["resourceArn"], []).extend(asked["tags"])
            return {}
        anchor = self.anchors[asked["trustAnchorId"]]
        if operation == "DeleteTrustAnchor":
            del self.anchors[asked["trustAnchorId"]]
        elif operation != "GetTrustAnchor":
            anchor["enabled"] = {"EnableTrustAnchor": True, "DisableTrustAnchor": False}[operation]
        return {"trustAnchor": deepcopy(anchor)}
