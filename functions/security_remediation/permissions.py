"""Resources of the account, as the remediations name them in their permissions."""

from security_remediation.plan import Allow

ANY_BUCKET = "arn:${AWS::Partition}:s3:::*"
ANY_USER = "arn:${AWS::Partition}:iam::${AWS::AccountId}:user/*"
ANY_GROUP = "arn:${AWS::Partition}:iam::${AWS::AccountId}:group/*"
ANY_ROLE = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"
ANY_OWN_POLICY = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/*"
ANY_POLICY = (ANY_OWN_POLICY, "arn:${AWS::Partition}:iam::aws:policy/*")
ANY_TRAIL = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/*"

NO_RESOURCES = "These know no resource-level permissions."
ANY_ONE = "Any one of the account may be the one that was opened."


def ec2(kind: str) -> str:
    """Any resource of Amazon EC2 of this kind, in the stack's region."""
    return f"arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:${{AWS::AccountId}}:{kind}/*"


READ_BUCKET_TAGS = Allow(("s3:GetBucketTagging",), ANY_BUCKET)
READ_USER_TAGS = Allow(("iam:ListUserTags",), ANY_USER)
READ_ROLE_TAGS = Allow(("iam:ListRoleTags",), ANY_ROLE)
