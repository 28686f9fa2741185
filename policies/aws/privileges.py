"""What IAM's actions are able to do, and what names every resource of a kind."""

from __future__ import annotations

from collections.abc import Iterable

from policies.aws import iam

SAMPLE_KEYS = frozenset({
    "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000",
    "arn:aws:kms:us-east-1:111122223333:key/f9e8d7c6-ffff-4fff-bfff-ffffffffffff",
})  # fmt: skip
"""Two keys with nothing in common: what covers both covers every key."""

DECRYPTION = frozenset({"kms:decrypt", "kms:reencryptfrom"})

ADMINISTERING = frozenset({
    "kms:createalias", "kms:deletealias", "kms:deleteimportedkeymaterial", "kms:disablekey",
    "kms:importkeymaterial", "kms:putkeypolicy", "kms:schedulekeydeletion", "kms:updatealias",
})  # fmt: skip
USING = frozenset({
    "kms:decrypt", "kms:derivesharedsecret", "kms:encrypt", "kms:generatedatakey",
    "kms:generatedatakeypair", "kms:reencryptfrom", "kms:reencryptto", "kms:sign",
})  # fmt: skip

SAMPLE_LOGS = frozenset({
    "arn:aws:logs:us-east-1:111122223333:log-group:a1b2c3:log-stream:x",
    "arn:aws:logs:us-east-1:111122223333:log-group:/zz/99:log-stream:y",
})  # fmt: skip
"""Two log groups with nothing in common: what covers both covers every log."""

LOG_TYPES = ("aws_cloudwatch_log_group", "aws_cloudtrail")
UNDOING = frozenset({
    "logs:deleteloggroup", "logs:deletelogstream", "logs:deleteretentionpolicy",
    "logs:deletesubscriptionfilter", "logs:putretentionpolicy", "cloudtrail:deletetrail",
    "cloudtrail:puteventselectors", "cloudtrail:stoplogging", "cloudtrail:updatetrail",
})  # fmt: skip
"""What makes a log shorter, or a trail blind."""

EMPTYING = frozenset({
    "s3:bypassgovernanceretention", "s3:deletebucket", "s3:deleteobject", "s3:deleteobjectversion",
    "s3:putlifecycleconfiguration",
})  # fmt: skip
"""What empties a bucket, logs and all."""

SAMPLE_ROLES = frozenset(
    {
        "arn:aws:iam::111122223333:role/a1b2c3",
        "arn:aws:iam::111122223333:role/zz/99",
    }
)
SAMPLES = (
    SAMPLE_ROLES,
    *(
        frozenset({f"arn:aws:{place}{name}" for name in ("a1b2c3", "zz-99")})
        for place in (
            "iam::111122223333:user/",
            "iam::111122223333:group/",
            "iam::111122223333:policy/",
            "ec2:us-east-1:111122223333:instance/i-",
            "glue:us-east-1:111122223333:devEndpoint/",
            "lambda:us-east-1:111122223333:function:",
            "sagemaker:us-east-1:111122223333:notebook-instance/",
        )
    ),
)
"""Of each kind, two with nothing in common: what covers both covers every one."""

BECOMING = frozenset({
    "ec2-instance-connect:sendsshpublickey", "glue:updatedevendpoint", "iam:addusertogroup",
    "iam:attachgrouppolicy", "iam:attachrolepolicy", "iam:attachuserpolicy", "iam:createaccesskey",
    "iam:createloginprofile", "iam:createpolicyversion", "iam:createservicespecificcredential",
    "iam:deleterolepermissionsboundary", "iam:deleteuserpermissionsboundary",
    "iam:putgrouppolicy", "iam:putrolepermissionsboundary", "iam:putrolepolicy",
    "iam:putuserpermissionsboundary", "iam:putuserpolicy", "iam:setdefaultpolicyversion",
    "iam:updateassumerolepolicy", "iam:updateloginprofile", "lambda:updatefunctioncode",
    "lambda:updatefunctionconfiguration", "sagemaker:createpresignednotebookinstanceurl",
    "ssm:sendcommand", "ssm:startsession", "sts:assumerole",
})  # fmt: skip
"""What each alone makes its holder somebody else, where it is not bound to one resource."""

PASSING = frozenset({"iam:passrole"})
STARTING = frozenset({
    "apprunner:createservice", "autoscaling:createautoscalinggroup",
    "autoscaling:createlaunchconfiguration", "batch:submitjob", "cloudformation:createchangeset",
    "cloudformation:createstack", "cloudformation:createstackset", "cloudformation:updatestack",
    "codebuild:createproject", "codestar:createproject", "datapipeline:createpipeline",
    "ec2:associateiaminstanceprofile", "ec2:createlaunchtemplate",
    "ec2:replaceiaminstanceprofileassociation", "ec2:requestspotinstances", "ec2:runinstances",
    "ecs:createservice", "ecs:registertaskdefinition", "ecs:runtask", "ecs:starttask",
    "eks:createnodegroup", "events:puttargets", "glue:createdevendpoint", "glue:createjob",
    "glue:updatejob", "lambda:createfunction", "sagemaker:createnotebookinstance",
    "sagemaker:createprocessingjob", "sagemaker:createtrainingjob", "ssm:startautomationexecution",
    "states:createstatemachine",
})  # fmt: skip
"""What starts something that then works with the role that was passed to it."""

READING = frozenset({
    "dynamodb:getitem", "dynamodb:query", "dynamodb:scan", "s3:getobject",
    "secretsmanager:getsecretvalue", "sqs:receivemessage", "ssm:getparameter",
    "ssm:getparameters", "ssm:getparametersbypath",
})  # fmt: skip
SAMPLE_DATA = {
    service: frozenset({f"arn:aws:{service}:{sample}"})
    for service, sample in {
        "dynamodb": "us-east-1:111122223333:table/zz",
        "s3": "::a1b2c3/object",
        "secretsmanager": "us-east-1:111122223333:secret:zz-99",
        "sqs": "us-east-1:111122223333:zz",
        "ssm": "us-east-1:111122223333:parameter/zz",
    }.items()
}
"""What no policy names by chance, by service: a resource that covers it covers everything."""

LOG_READING = frozenset({
    "logs:filterlogevents", "logs:getlogevents", "logs:getlogrecord", "logs:getqueryresults",
    "logs:startlivetail", "logs:startquery", "logs:unmask",
})  # fmt: skip

SUBSTITUTION = frozenset({
    "kms:createalias", "kms:deletealias", "kms:importkeymaterial", "kms:putkeypolicy",
    "kms:updatealias", "kms:updateprimaryregion",
})  # fmt: skip
SAMPLE_ALIASES = frozenset({
    "arn:aws:kms:us-east-1:111122223333:alias/a1b2c3",
    "arn:aws:kms:us-east-1:111122223333:alias/zz/99",
})  # fmt: skip


def everywhere(
    statement: iam.Statement, wanted: frozenset[str], *arns: frozenset[str]
) -> list[str]:
    """Return the actions of *statement* that reach *wanted*, where it covers all of some *arns*."""
    found = [action for action in statement.actions() if iam.reaches(action, wanted)]
    covered = found and any(
        iam.covers_arns(text, each) for text in statement.named_resources() for each in arns
    )
    return found if covered else []


def started_with_any_role(statements: Iterable[iam.Statement]) -> list[str]:
    """Return the actions that start something, where *statements* let any role be passed to it."""
    passes, starting = False, []
    for statement in statements:
        if statement.allows:
            passes = passes or bool(everywhere(statement, PASSING, SAMPLE_ROLES))
            starting += [a for a in statement.actions() if iam.reaches(a, STARTING)]
    return starting if passes else []
