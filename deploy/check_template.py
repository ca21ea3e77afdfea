#!/usr/bin/env python3
"""Asserts of template.yaml what `sam validate --lint` and cfn-lint let through.

    check_template.py [template.yaml]              one line per problem and exit 1, or "template ok: N assertions"
    check_template.py --self-test [template.yaml]  breaks the parsed template in many ways: each must be caught, and
                                                   each assertion must be seen failing
"""

import copy
import json
import pathlib
import re
import sys

import yaml

NO_VALUE = {"Ref": "AWS::NoValue"}

RESOURCES = {
    "EndpointFunction": "AWS::Serverless::Function",
    "EndpointRole": "AWS::IAM::Role",
    "EndpointLogGroup": "AWS::Logs::LogGroup",
    "AssistantsTable": "AWS::DynamoDB::Table",
    "TokenClaimsTable": "AWS::DynamoDB::Table",
    "ProviderKeysSecret": "AWS::SecretsManager::Secret",
}
RETAINED = ["EndpointLogGroup", "AssistantsTable", "TokenClaimsTable", "ProviderKeysSecret"]

SECRET = {"Fn::If": ["CreateSecret", {"Ref": "ProviderKeysSecret"}, {"Ref": "ProviderKeysSecretArn"}]}
LOG_GROUP = {"Fn::GetAtt": ["EndpointLogGroup", "Arn"]}
# All that each role may do. Reading only, apart from logs.
GRANTS = {
    "EndpointRole": [
        ("dynamodb:GetItem", {"Fn::GetAtt": ["AssistantsTable", "Arn"]}),
        ("dynamodb:GetItem", {"Fn::GetAtt": ["TokenClaimsTable", "Arn"]}),
        ("dynamodb:Query", {"Fn::Sub": "${AssistantsTable.Arn}/index/by_token_digest"}),
        ("secretsmanager:GetSecretValue", SECRET),
        ("logs:CreateLogStream", LOG_GROUP),
        ("logs:PutLogEvents", LOG_GROUP),
    ]
}

NUMBERS = {  # parameter: least, greatest, default
    "TimeoutSeconds": (3, 900, 300),
    "MemoryMegabytes": (128, 10240, 256),
    "ReservedConcurrency": (-1, 10000, -1),
}

ENVIRONMENT = {
    "ASSISTANTS_TABLE": {"Ref": "AssistantsTable"},
    "TOKEN_CLAIMS_TABLE": {"Ref": "TokenClaimsTable"},
    "PROVIDER_KEYS_SECRET": SECRET,
    "SSL_CERT_FILE": "/etc/pki/tls/certs/ca-bundle.crt",
}
# May be left unset. Of the documented variables these are missing on purpose: keys (they belong in the secret),
# ALLOW_PRIVATE_PROVIDERS (local use only), AWS_ENDPOINT_URL_* (tests), JWT_* and PUBLIC_URL (not this function's).
OPTIONAL_ENVIRONMENT = {
    "COMMIT_AFTER_SECONDS", "KEEP_ALIVE_SECONDS", "PROVIDER_CONNECT_TIMEOUT_SECONDS", "PROVIDER_IDLE_TIMEOUT_SECONDS",
    "BUFFERED_TIMEOUT_SECONDS", "MAX_STREAM_SECONDS", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "ANTHROPIC_BASE_URL",
    "GEMINI_BASE_URL", "MISTRAL_BASE_URL", "GROQ_BASE_URL", "OPENROUTER_BASE_URL",
    "TOGETHER_BASE_URL", "FIREWORKS_BASE_URL", "DEEPSEEK_BASE_URL", "XAI_BASE_URL", "OLLAMA_BASE_URL",
}  # fmt: skip

FUNCTION_URL = "https://abc123.lambda-url.us-east-1.on.aws/"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"


def load(text):
    """The template with CloudFormation's short tags written out, as in JSON."""

    class Loader(yaml.SafeLoader):
        pass

    def construct(loader, name, node):
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}

    Loader.add_multi_constructor("!", construct)
    return yaml.load(text, Loader)


def at(value, path):
    """What is at a path like Resources/X/Properties/0, or None."""
    for key in path.split("/"):
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


def listed(value):
    return value if isinstance(value, list) else [value]


def canonical(value):
    return json.dumps(value, sort_keys=True)


def grants(role):
    """Every (action, resource) that a role's own policies allow; an unusual statement comes out whole, to match nothing."""
    found = []
    for policy in listed(at(role, "Properties/Policies")):
        for statement in listed(at(policy, "PolicyDocument/Statement")):
            if not isinstance(statement, dict) or statement.get("Effect") != "Allow" or set(statement) - {
                "Sid", "Effect", "Action", "Resource",
            }:  # fmt: skip
                found.append(("unusual statement", statement))
                continue
            for action in listed(statement.get("Action")):
                found += [(action, resource) for resource in listed(statement.get("Resource"))]
    return sorted(canonical(grant) for grant in found)


def evaluate(value):
    """The few intrinsic functions that a URL output is made of."""
    if not isinstance(value, dict):
        return value
    (name, argument), *_ = value.items()
    if value == {"Fn::GetAtt": ["EndpointFunctionUrl", "FunctionUrl"]}:
        return FUNCTION_URL
    if name == "Fn::Split":
        return evaluate(argument[1]).split(argument[0])
    if name == "Fn::Select":
        return evaluate(argument[1])[argument[0]]
    if name == "Fn::Sub":
        text, names = argument if isinstance(argument, list) else (argument, {})
        for key, inner in names.items():
            text = text.replace("${" + key + "}", evaluate(inner))
        return text.replace("${EndpointFunctionUrl.FunctionUrl}", FUNCTION_URL)
    return None


def optional(template, value, unset):
    """Whether a value is a parameter that is passed on unless it still equals `unset`."""
    condition, chosen, otherwise = (at(value, f"Fn::If/{part}") for part in "012")
    test = at(template, f"Conditions/{condition}")
    parameter = at(chosen, "Ref")
    return (
        otherwise == NO_VALUE
        and test == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, unset]}]}
        and str(at(template, f"Parameters/{parameter}/Default")) == unset
    )


def checks(t):
    """Yields (what is asserted, whether it holds)."""

    def equal(path, value):
        return f"{path} is {canonical(value)}", canonical(at(t, path)) == canonical(value)

    yield "no Globals: they would reach the function unseen", "Globals" not in t
    kinds = {name: resource.get("Type") for name, resource in t["Resources"].items()}
    yield "the resources are the expected ones", kinds == RESOURCES
    yield "everything is ASCII: CloudFormation garbles the rest", canonical(t) == json.dumps(t, sort_keys=True, ensure_ascii=False)

    function = "Resources/EndpointFunction/Properties"
    yield equal("Resources/EndpointFunction/Metadata", {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": "endpoint"}})
    yield equal(f"{function}/Runtime", "provided.al2023")
    yield equal(f"{function}/Architectures", ["arm64"])
    yield equal(f"{function}/CodeUri", ".")
    yield equal(f"{function}/Handler", "bootstrap")
    yield equal(f"{function}/Timeout", {"Ref": "TimeoutSeconds"})
    yield equal(f"{function}/MemorySize", {"Ref": "MemoryMegabytes"})
    yield equal(f"{function}/Role", {"Fn::GetAtt": ["EndpointRole", "Arn"]})
    yield equal(f"{function}/LoggingConfig", {"LogGroup": {"Ref": "EndpointLogGroup"}, "LogFormat": "JSON"})
    yield equal(f"{function}/Tracing", None)
    yield equal(f"{function}/FunctionUrlConfig/AuthType", "NONE")
    yield equal(f"{function}/FunctionUrlConfig/InvokeMode", "RESPONSE_STREAM")
    yield equal(f"{function}/FunctionUrlConfig/Cors", None)
    concurrency = at(t, f"{function}/ReservedConcurrentExecutions")
    yield "concurrency is reserved unless the parameter is -1", optional(t, concurrency, "-1")

    for name, (least, greatest, default) in NUMBERS.items():
        parameter = at(t, f"Parameters/{name}") or {}
        limits = tuple(parameter.get(key) for key in ("Type", "MinValue", "MaxValue", "Default"))
        yield f"{name} is a number from {least} to {greatest}, by default {default}", limits == ("Number", least, greatest, default)
    described = [bool(parameter.get("Description")) for parameter in t["Parameters"].values()]
    yield "every parameter has a description", all(described)

    variables = at(t, f"{function}/Environment/Variables") or {}
    for name, value in ENVIRONMENT.items():
        yield equal(f"{function}/Environment/Variables/{name}", value)
    others = {name: value for name, value in variables.items() if name not in ENVIRONMENT}
    yield "every variable is one that this function documents", set(others) <= OPTIONAL_ENVIRONMENT
    yield "optional variables are absent, not empty, when unset", all(optional(t, value, "") for value in others.values())

    for name, expected in GRANTS.items():
        role = at(t, f"Resources/{name}") or {}
        yield f"{name} allows exactly what it should", grants(role) == sorted(canonical(grant) for grant in expected)
        yield f"{name} has no wildcard", "*" not in canonical(role)
        yield f"{name} has no managed policy", not at(role, "Properties/ManagedPolicyArns")
        trust = at(role, "Properties/AssumeRolePolicyDocument/Statement")
        lambda_only = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        yield f"{name} can be assumed by Lambda only", trust == [lambda_only]

    for name in RETAINED:
        yield equal(f"Resources/{name}/DeletionPolicy", "Retain")
        yield equal(f"Resources/{name}/UpdateReplacePolicy", "Retain")
    yield equal("Resources/EndpointLogGroup/Properties/RetentionInDays", {"Ref": "LogRetentionDays"})
    yield "LogRetentionDays is one of a list", at(t, "Parameters/LogRetentionDays/Default") in (at(t, "Parameters/LogRetentionDays/AllowedValues") or [])

    def key(*names):
        return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"))]

    for table, name in ("AssistantsTable", "assistant_id"), ("TokenClaimsTable", "token_digest"):
        properties = f"Resources/{table}/Properties"
        yield equal(f"{properties}/KeySchema", key(name))
        yield equal(f"{properties}/BillingMode", "PAY_PER_REQUEST")
        yield equal(f"{properties}/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", True)
        yield equal(f"{properties}/SSESpecification/SSEEnabled", True)
    attributes = listed(at(t, "Resources/AssistantsTable/Properties/AttributeDefinitions"))
    yield "all key attributes are strings", all(at(attribute, "AttributeType") == "S" for attribute in attributes)
    indexes = at(t, "Resources/AssistantsTable/Properties/GlobalSecondaryIndexes") or []
    found = {index.get("IndexName"): (index.get("KeySchema"), at(index, "Projection/ProjectionType")) for index in indexes}
    yield "by_token_digest is an index on token_digest, KEYS_ONLY", found.get("by_token_digest") == (key("token_digest"), "KEYS_ONLY")
    yield "by_owner is an index on owner_id and created_at, ALL", found.get("by_owner") == (key("owner_id", "created_at"), "ALL")

    yield equal("Conditions/CreateSecret", {"Fn::Equals": [{"Ref": "ProviderKeysSecretArn"}, ""]})
    yield equal("Resources/ProviderKeysSecret/Condition", "CreateSecret")
    yield equal("Resources/ProviderKeysSecret/Properties/SecretString", "{}")
    pattern = at(t, "Parameters/ProviderKeysSecretArn/AllowedPattern") or ""
    samples = {"": True, f"{ARN}keys/prod-AbC123": True, f"{ARN}*": False, f"{ARN}*-AbC123": False, f"{ARN}key?-AbC123": False, "keys": False}
    accepted = {sample: bool(re.fullmatch(pattern, sample)) for sample in samples}
    yield "ProviderKeysSecretArn takes one full ARN or nothing, no wildcard", accepted == samples

    base_url = evaluate(at(t, "Outputs/BaseUrl/Value"))
    yield "BaseUrl is the function's URL and /public/openai/v1, without //", base_url == f"{FUNCTION_URL}public/openai/v1"
    chat = evaluate(at(t, "Outputs/NextChat/Value")) or ""
    yield "NextChat posts to the chat completions", f" {FUNCTION_URL}public/openai/v1/chat/completions " in chat
    create = at(t, "Outputs/NextCreateAssistant/Value/Fn::Sub") or ""
    wanted = "ASSISTANTS_TABLE=${AssistantsTable} TOKEN_CLAIMS_TABLE=${TokenClaimsTable} assistants create "
    yield "NextCreateAssistant names both tables", wanted in create
    yield equal("Outputs/AssistantsTableName/Value", {"Ref": "AssistantsTable"})
    yield equal("Outputs/TokenClaimsTableName/Value", {"Ref": "TokenClaimsTable"})
    yield equal("Outputs/ProviderKeysSecretArn/Value", SECRET)
    yield equal("Outputs/NextPutProviderKey/Value/Fn::Sub/1/Secret", SECRET)


DELETE = object()


def mutations():
    """(path, new value): each breaks something that the linters, some of them, would let through."""
    function, role = "Resources/EndpointFunction/Properties", "Resources/EndpointRole/Properties"
    url, variables = f"{function}/FunctionUrlConfig", f"{function}/Environment/Variables"
    statements = f"{role}/Policies/0/PolicyDocument/Statement"
    index = "Resources/AssistantsTable/Properties/GlobalSecondaryIndexes"
    yield "Globals", {"Function": {"Tracing": "Active"}}
    yield "Resources/Extra", {"Type": "AWS::IAM::ManagedPolicy"}
    yield "Description", "caf\u00e9"
    for path in ("BuildMethod", "BuildProperties", "BuildProperties/Binary"):
        yield f"Resources/EndpointFunction/Metadata/{path}", DELETE
    yield "Resources/EndpointFunction/Metadata/BuildProperties/Binary", "assistants"
    yield f"{function}/Runtime", "provided.al2"
    yield f"{function}/Architectures", ["x86_64"]
    yield f"{function}/Architectures", DELETE  # the default is x86_64
    yield f"{function}/CodeUri", "src"
    yield f"{function}/Handler", "endpoint"
    yield f"{function}/Timeout", 901
    yield f"{function}/Timeout", DELETE  # the default is 3 seconds
    yield f"{function}/MemorySize", DELETE
    yield f"{function}/Role", DELETE  # SAM would make one
    yield f"{function}/LoggingConfig", DELETE
    yield f"{function}/LoggingConfig/LogFormat", "Text"
    yield f"{function}/Tracing", "Active"
    yield f"{url}/AuthType", "AWS_IAM"
    yield f"{url}/InvokeMode", "BUFFERED"
    yield f"{url}/InvokeMode", DELETE  # the default is BUFFERED
    yield f"{url}/Cors", {"AllowOrigins": ["*"]}
    yield url, DELETE
    yield f"{function}/ReservedConcurrentExecutions", {"Ref": "ReservedConcurrency"}  # -1 would reach Lambda
    yield "Conditions/ReserveConcurrency/Fn::Not/0/Fn::Equals/1", "0"
    for name in NUMBERS:
        for key, value in ("MaxValue", 10**6), ("MinValue", DELETE), ("Default", 64), ("Type", "String"):
            yield f"Parameters/{name}/{key}", value
    yield "Parameters/MaxStreamSeconds/Description", DELETE
    for name in ENVIRONMENT:
        yield f"{variables}/{name}", DELETE
        yield f"{variables}/{name}", "elsewhere"
    for name in ("ALLOW_PRIVATE_PROVIDERS", "OPENAI_API_KEY", "MAX_STREAM_SECOND"):
        yield f"{variables}/{name}", {"Fn::If": ["HasMaxStream", {"Ref": "MaxStreamSeconds"}, NO_VALUE]}
    yield f"{variables}/MAX_STREAM_SECONDS", {"Ref": "MaxStreamSeconds"}  # would be empty when unset
    yield f"{variables}/MAX_STREAM_SECONDS", {"Fn::If": ["HasBufferedTimeout", {"Ref": "MaxStreamSeconds"}, NO_VALUE]}
    yield "Conditions/HasOpenAiBaseUrl/Fn::Not/0/Fn::Equals/0/Ref", "MaxStreamSeconds"
    for action in ("dynamodb:PutItem", "dynamodb:*", "*", "dynamodb:Scan", ["dynamodb:GetItem", "dynamodb:Query"]):
        yield f"{statements}/0/Action", action
    for number in range(4):
        yield f"{statements}/{number}/Resource", "*"
        yield f"{statements}/{number}", DELETE
        yield f"{statements}/{number}/Effect", "Deny"
    yield f"{statements}/0/NotAction", "dynamodb:PutItem"
    yield f"{statements}/1/Resource", {"Fn::Sub": "${AssistantsTable.Arn}/index/*"}
    yield f"{statements}/1/Resource", {"Fn::Sub": "${AssistantsTable.Arn}/index/by_owner"}
    yield f"{statements}/2/Action", ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    yield f"{role}/Policies/1", {"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "x"}}}
    yield f"{role}/ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]
    yield f"{role}/AssumeRolePolicyDocument/Statement/0/Principal", {"AWS": "*"}
    for name in RETAINED:
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            yield f"Resources/{name}/{policy}", "Delete"
            yield f"Resources/{name}/{policy}", DELETE
    yield "Resources/EndpointLogGroup/Properties/RetentionInDays", DELETE  # kept, and paid for, for ever
    yield "Parameters/LogRetentionDays/AllowedValues", DELETE
    for table in ("AssistantsTable", "TokenClaimsTable"):
        properties = f"Resources/{table}/Properties"
        yield f"{properties}/KeySchema/0/AttributeName", "name"
        yield f"{properties}/BillingMode", "PROVISIONED"
        yield f"{properties}/PointInTimeRecoverySpecification", DELETE
        yield f"{properties}/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", False
        yield f"{properties}/SSESpecification", DELETE
        yield f"{properties}/SSESpecification/SSEEnabled", False
    yield "Resources/AssistantsTable/Properties/AttributeDefinitions/1/AttributeType", "B"
    yield f"{index}/0/IndexName", "by_digest"
    yield f"{index}/0/Projection/ProjectionType", "ALL"
    yield f"{index}/0/KeySchema/0/AttributeName", "owner_id"
    yield f"{index}/1/Projection/ProjectionType", "KEYS_ONLY"
    yield f"{index}/1/KeySchema/1", DELETE
    yield "Conditions/CreateSecret/Fn::Equals/1", "none"
    yield "Resources/ProviderKeysSecret/Condition", DELETE
    yield "Resources/ProviderKeysSecret/Properties/SecretString", DELETE
    yield "Parameters/ProviderKeysSecretArn/AllowedPattern", "^$|^arn:.+$"
    for name in ("BaseUrl", "NextChat", "NextCreateAssistant", "AssistantsTableName", "TokenClaimsTableName", "ProviderKeysSecretArn", "NextPutProviderKey"):
        yield f"Outputs/{name}", DELETE
    yield "Outputs/BaseUrl/Value", {"Fn::Sub": "${EndpointFunctionUrl.FunctionUrl}/public/openai/v1"}


def mutate(template, path, value):
    parent, _, key = path.rpartition("/")
    holder = at(template, parent) if parent else template
    if isinstance(holder, list):
        holder[int(key) : int(key) + 1] = [] if value is DELETE else [value]
    elif value is DELETE:
        del holder[key]
    else:
        holder[key] = value


def self_test(template):
    """The template's own problems do not matter here; only that each mutation adds one."""
    sound = {label for label, holds in checks(template) if holds}
    failed, mistakes, count = set(), [], 0
    for count, (path, value) in enumerate(mutations(), 1):
        broken = copy.deepcopy(template)
        mutate(broken, path, value)
        caught = sound & {label for label, holds in checks(broken) if not holds}
        failed |= caught
        if not caught:
            mistakes.append(f"not caught: {path} {'deleted' if value is DELETE else f'set to {canonical(value)}'}")
    mistakes += [f"never seen failing: {label}" for label in sorted(sound - failed)]
    print("\n".join(mistakes) or f"self-test ok: {count} mutations caught, {len(failed)} assertions seen failing")
    return bool(mistakes)


def main(arguments):
    paths = [argument for argument in arguments if argument != "--self-test"] or ["template.yaml"]
    template = load(pathlib.Path(paths[0]).read_text(encoding="utf-8"))
    if "--self-test" in arguments:
        return self_test(template)
    results = list(checks(template))
    problems = [f"{paths[0]}: not so: {label}" for label, holds in results if not holds]
    print("\n".join(problems) or f"template ok: {len(results)} assertions")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
