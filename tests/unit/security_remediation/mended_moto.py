"""What moto lacks of CloudTrail and Route 53 Resolver; importing this module adds it."""

import json
from typing import Any

from moto.cloudtrail.models import Trail
from moto.route53resolver.exceptions import ResourceNotFoundException
from moto.route53resolver.models import Route53ResolverBackend
from moto.route53resolver.responses import Route53ResolverResponse


def _topic_arn(self: Any) -> str | None:
    """A topic may be given by its ARN, too. moto takes a name only."""
    name: str | None = self.sns_topic_name
    return name if not name or name.startswith("arn:") else _of_name(self)


_trail: Any = Trail
_of_name = _trail.topic_arn.fget
_trail.topic_arn = property(_topic_arn)


def _disassociate(self: Any) -> str:
    associations = self.route53resolver_backend.resolver_query_log_config_associations
    wanted = (self._get_param("ResolverQueryLogConfigId"), self._get_param("ResourceId"))
    for key, one in [*associations.items()]:
        if (one.resolver_query_log_config_id, one.resource_id) == wanted:
            return json.dumps({"ResolverQueryLogConfigAssociation": associations.pop(key).description()})
    raise ResourceNotFoundException(f"There is no association of {wanted}")


def _delete(self: Any) -> str:
    config = self._get_param("ResolverQueryLogConfigId")
    backend = self.route53resolver_backend
    backend.get_resolver_query_log_config(config)
    return json.dumps({"ResolverQueryLogConfig": backend.resolver_query_log_configs.pop(config).description()})


def _matched_arn(self: Any, resource_arn: str) -> None:
    """Query logging configurations have tags, too."""
    if resource_arn not in {one.arn for one in self.resolver_query_log_configs.values()}:
        _of_the_others(self, resource_arn)


_of_the_others = Route53ResolverBackend._matched_arn
Route53ResolverBackend._matched_arn = _matched_arn  # type: ignore[method-assign]
Responses: Any = Route53ResolverResponse
Responses.disassociate_resolver_query_log_config = _disassociate
Responses.delete_resolver_query_log_config = _delete
