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
    "ManageFunction": "AWS::Serverless::Function",
    "ManageRole": "AWS::IAM::Role",
    "ManageLogGroup": "AWS::Logs::LogGroup",
    "AssistantsTable": "AWS::DynamoDB::Table",
    "TokenClaimsTable": "AWS::DynamoDB::Table",
    "ProviderKeysSecret": "AWS::SecretsManager::Secret",
    "JwtSecret": "AWS::SecretsManager::Secret",
    "Distribution": "AWS::CloudFront::Distribution",
}
RETAINED = ["EndpointLogGroup", "ManageLogGroup", "AssistantsTable", "TokenClaimsTable", "ProviderKeysSecret"]

SECRET = {"Fn::If": ["CreateSecret", {"Ref": "ProviderKeysSecret"}, {"Ref": "ProviderKeysSecretArn"}]}
ASSISTANTS, CLAIMS = ({"Fn::GetAtt": [table, "Arn"]} for table in ("AssistantsTable", "TokenClaimsTable"))
# All that each role may do, as (action, resource) or (action, resource, condition).
GRANTS = {
    "EndpointRole": [
        ("dynamodb:GetItem", ASSISTANTS),
        ("dynamodb:GetItem", CLAIMS),
        ("dynamodb:Query", {"Fn::Sub": "${AssistantsTable.Arn}/index/by_token_digest"}),
        ("secretsmanager:GetSecretValue", SECRET),
        ("logs:CreateLogStream", {"Fn::GetAtt": ["EndpointLogGroup", "Arn"]}),
        ("logs:PutLogEvents", {"Fn::GetAtt": ["EndpointLogGroup", "Arn"]}),
    ],
    "ManageRole": [
        ("dynamodb:GetItem", ASSISTANTS),
        ("dynamodb:PutItem", ASSISTANTS),
        ("dynamodb:DeleteItem", ASSISTANTS),
        ("dynamodb:GetItem", CLAIMS),
        ("dynamodb:PutItem", CLAIMS),
        ("dynamodb:DeleteItem", CLAIMS),
        ("dynamodb:Query", {"Fn::Sub": "${AssistantsTable.Arn}/index/by_owner"}),
        ("secretsmanager:GetSecretValue", {"Ref": "JwtSecret"}, "CreateJwtSecret"),
        ("logs:CreateLogStream", {"Fn::GetAtt": ["ManageLogGroup", "Arn"]}),
        ("logs:PutLogEvents", {"Fn::GetAtt": ["ManageLogGroup", "Arn"]}),
    ],
}
# What the public function may do at all, logs aside: it answers anybody, so it changes nothing.
READING = {"dynamodb:GetItem", "dynamodb:Query", "secretsmanager:GetSecretValue"}

NUMBERS = {  # parameter: least, greatest, default
    "TimeoutSeconds": (3, 900, 300),
    "MemoryMegabytes": (128, 10240, 256),
    "ReservedConcurrency": (-1, 10000, -1),
}

COMMON_ENVIRONMENT = {
    "ASSISTANTS_TABLE": {"Ref": "AssistantsTable"},
    "TOKEN_CLAIMS_TABLE": {"Ref": "TokenClaimsTable"},
    "SSL_CERT_FILE": "/etc/pki/tls/certs/ca-bundle.crt",
}
FUNCTIONS = {
    "Endpoint": {
        "binary": "endpoint",
        "timeout": {"Ref": "TimeoutSeconds"},
        "environment": {
            **COMMON_ENVIRONMENT,
            "PROVIDER_KEYS_SECRET": SECRET,
        },
        # May be left unset. Of the documented variables these are missing on purpose: keys (they belong in the secret),
        # ALLOW_PRIVATE_PROVIDERS (local use only), AWS_ENDPOINT_URL_* (tests), JWT_* and PUBLIC_URL (not this function's).
        "optional": {
            "COMMIT_AFTER_SECONDS", "KEEP_ALIVE_SECONDS", "PROVIDER_CONNECT_TIMEOUT_SECONDS",
            "PROVIDER_IDLE_TIMEOUT_SECONDS", "BUFFERED_TIMEOUT_SECONDS", "MAX_STREAM_SECONDS", "OPENAI_BASE_URL",
            "AZURE_OPENAI_ENDPOINT", "ANTHROPIC_BASE_URL", "GEMINI_BASE_URL", "MISTRAL_BASE_URL", "GROQ_BASE_URL",
            "OPENROUTER_BASE_URL", "TOGETHER_BASE_URL", "FIREWORKS_BASE_URL", "DEEPSEEK_BASE_URL", "XAI_BASE_URL",
            "OLLAMA_BASE_URL",
        },
    },
    "Manage": {
        "binary": "manage",
        "timeout": 30,
        "environment": {
            **COMMON_ENVIRONMENT,
            "JWT_SECRET_ID": {"Fn::If": ["CreateJwtSecret", {"Ref": "JwtSecret"}, NO_VALUE]},
            "JWKS_URL": {"Fn::If": ["HasJwksUrl", {"Ref": "JwksUrl"}, NO_VALUE]},
            "JWT_ISSUER": {"Fn::If": ["HasJwtIssuer", {"Ref": "JwtIssuer"}, NO_VALUE]},
            "JWT_AUDIENCE": {"Fn::If": ["HasJwtAudience", {"Ref": "JwtAudience"}, NO_VALUE]},
        },
        # JWT_SECRET is missing on purpose: it belongs in the secret.
        "optional": {"PUBLIC_URL"},
    },
}  # fmt: skip

# CachingDisabled and AllViewerExceptHostHeader, the same in every account.
CACHE_POLICY, ORIGIN_REQUEST_POLICY = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "b689b0a8-53d0-40ab-baf2-68738e2966ac"
METHODS = {"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"}
CACHED_ERRORS = {400, 403, 404, 405, 414, 500, 501, 502, 503, 504}

ENDPOINT_HOST, MANAGE_HOST = "abc123.lambda-url.us-east-1.on.aws", "def456.lambda-url.us-east-1.on.aws"
DISTRIBUTION_HOST = "d111.cloudfront.net"
# What resources give away once they are there.
ATTRIBUTES = {
    "EndpointFunctionUrl.FunctionUrl": f"https://{ENDPOINT_HOST}/",
    "ManageFunctionUrl.FunctionUrl": f"https://{MANAGE_HOST}/",
    "Distribution.DomainName": DISTRIBUTION_HOST,
}
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
JWKS = {"JwksUrl": "https://id.example.com/keys", "JwtIssuer": "https://id.example.com/", "JwtAudience": "assistants"}
CLOUDFRONT = {"WithCloudFront": "true"}
DOMAIN = {**CLOUDFRONT, "DomainName": "api.example.com", "CertificateArn": CERTIFICATE}


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
    """What a role's own policies allow, as in GRANTS; an unusual statement comes out whole, to match nothing."""
    found = []
    for policy in listed(at(role, "Properties/Policies")):
        for statement in listed(at(policy, "PolicyDocument/Statement")):
            condition = []
            if at(statement, "Fn::If/2") == NO_VALUE:
                name, statement, _ = statement["Fn::If"]
                condition = [name]
            if not isinstance(statement, dict) or statement.get("Effect") != "Allow" or set(statement) - {
                "Sid", "Effect", "Action", "Resource",
            }:  # fmt: skip
                found.append(("unusual statement", statement))
                continue
            for action in listed(statement.get("Action")):
                found += [(action, resource, *condition) for resource in listed(statement.get("Resource"))]
    return found


def resolve(template, value, parameters):
    """A value as CloudFormation makes it under these parameters, the others having their defaults."""

    def inner(value):
        return resolve(template, value, parameters)

    def known(name):
        default = at(template, f"Parameters/{name}/Default")
        return parameters.get(name, ATTRIBUTES.get(name, f"<{name}>" if default is None else default))

    if isinstance(value, list):
        return [inner(item) for item in value if item != NO_VALUE]
    if not isinstance(value, dict):
        return value
    name, argument = next(iter(value.items())) if len(value) == 1 else (None, None)
    if name == "Ref":
        return None if value == NO_VALUE else known(argument)
    if name == "Fn::GetAtt":
        return known(".".join(argument))
    if name == "Fn::If":
        chosen = argument[1 if inner(at(template, f"Conditions/{argument[0]}")) else 2]
        return inner(chosen)
    if name == "Fn::Equals":
        return inner(argument[0]) == inner(argument[1])
    if name == "Fn::Not":
        return not inner(argument[0])
    if name == "Fn::Split":
        return inner(argument[1]).split(argument[0])
    if name == "Fn::Select":
        return inner(argument[1])[argument[0]]
    if name == "Fn::Sub":
        text, names = argument if isinstance(argument, list) else (argument, {})
        names = {key: inner(item) for key, item in names.items()}
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(names[found[1]] if found[1] in names else known(found[1])), text)
    return {key: inner(item) for key, item in value.items() if inner(item) is not None}


def accepted(template, parameters):
    """Whether the template's rules let these parameters pass."""
    rules = at(template, "Rules") or {}
    asserted = [
        resolve(template, at(assertion, "Assert"), parameters)
        for rule in rules.values()
        if resolve(template, rule.get("RuleCondition", True), parameters)
        for assertion in listed(rule.get("Assertions"))
    ]
    return all(asserted)


def takes(template, parameter, samples):
    """Whether a parameter's pattern tells the samples apart."""
    pattern = at(template, f"Parameters/{parameter}/AllowedPattern") or ""
    return all(bool(re.fullmatch(pattern, sample)) == wanted for sample, wanted in samples.items())


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

    for name, wanted in FUNCTIONS.items():
        function = f"Resources/{name}Function/Properties"
        metadata = {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": wanted["binary"]}}
        yield equal(f"Resources/{name}Function/Metadata", metadata)
        yield equal(f"{function}/Runtime", "provided.al2023")
        yield equal(f"{function}/Architectures", ["arm64"])
        yield equal(f"{function}/CodeUri", ".")
        yield equal(f"{function}/Handler", "bootstrap")
        yield equal(f"{function}/Timeout", wanted["timeout"])
        yield equal(f"{function}/MemorySize", {"Ref": "MemoryMegabytes"})
        yield equal(f"{function}/Role", {"Fn::GetAtt": [f"{name}Role", "Arn"]})
        yield equal(f"{function}/LoggingConfig", {"LogGroup": {"Ref": f"{name}LogGroup"}, "LogFormat": "JSON"})
        yield equal(f"{function}/Tracing", None)
        yield equal(f"{function}/FunctionUrlConfig/AuthType", "NONE")
        yield equal(f"{function}/FunctionUrlConfig/InvokeMode", "RESPONSE_STREAM")
        yield equal(f"{function}/FunctionUrlConfig/Cors", None)
        variables = at(t, f"{function}/Environment/Variables") or {}
        for variable, value in wanted["environment"].items():
            yield equal(f"{function}/Environment/Variables/{variable}", value)
        others = set(variables) - set(wanted["environment"])
        yield f"every variable of {name}Function is one that it documents", others <= wanted["optional"]
        yield equal(f"Resources/{name}LogGroup/Properties/RetentionInDays", {"Ref": "LogRetentionDays"})
    concurrency = at(t, "Resources/EndpointFunction/Properties/ReservedConcurrentExecutions")
    yield "concurrency is reserved unless the parameter is -1", optional(t, concurrency, "-1")

    for name, (least, greatest, default) in NUMBERS.items():
        parameter = at(t, f"Parameters/{name}") or {}
        limits = tuple(parameter.get(key) for key in ("Type", "MinValue", "MaxValue", "Default"))
        yield f"{name} is a number from {least} to {greatest}, by default {default}", limits == ("Number", least, greatest, default)
    described = [bool(parameter.get("Description")) for parameter in t["Parameters"].values()]
    yield "every parameter has a description", all(described)

    variables = at(t, "Resources/EndpointFunction/Properties/Environment/Variables") or {}
    others = set(variables) - set(FUNCTIONS["Endpoint"]["environment"]) - {"BUFFERED_TIMEOUT_SECONDS"}
    yield "optional variables are absent, not empty, when unset", all(optional(t, variables[name], "") for name in others)

    def buffered(parameters):
        return resolve(t, variables.get("BUFFERED_TIMEOUT_SECONDS"), parameters)

    yield "BUFFERED_TIMEOUT_SECONDS is absent when unset", buffered({}) is None
    yield "BUFFERED_TIMEOUT_SECONDS is below CloudFront's limit when unset", buffered(CLOUDFRONT) == "55"
    chosen = [buffered({**other, "BufferedTimeoutSeconds": "28"}) for other in ({}, CLOUDFRONT)]
    yield "BUFFERED_TIMEOUT_SECONDS is the parameter", chosen == ["28", "28"]

    for name, expected in GRANTS.items():
        role = at(t, f"Resources/{name}") or {}
        allowed = sorted(canonical(grant) for grant in grants(role))
        yield f"{name} allows exactly what it should", allowed == sorted(canonical(grant) for grant in expected)
        yield f"{name} has no wildcard", "*" not in canonical(role)
        yield f"{name} has no managed policy", not at(role, "Properties/ManagedPolicyArns")
        trust = at(role, "Properties/AssumeRolePolicyDocument/Statement")
        lambda_only = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        yield f"{name} can be assumed by Lambda only", trust == [lambda_only]
    actions = {grant[0] for grant in grants(at(t, "Resources/EndpointRole"))}
    may_write = {action for action in actions - READING if not str(action).startswith("logs:")}
    yield "the public function writes nothing but logs", not may_write
    manage = canonical([at(t, "Resources/ManageRole"), at(t, "Resources/ManageFunction")])
    yield "the management function has no way to the providers' keys", "ProviderKeysSecret" not in manage
    endpoint = canonical([at(t, "Resources/EndpointRole"), at(t, "Resources/EndpointFunction")])
    yield "the public function has no way to the JWT secret", "JwtSecret" not in endpoint

    for name in RETAINED:
        yield equal(f"Resources/{name}/DeletionPolicy", "Retain")
        yield equal(f"Resources/{name}/UpdateReplacePolicy", "Retain")
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
    samples = {"": True, f"{ARN}keys/prod-AbC123": True, f"{ARN}*": False, f"{ARN}*-AbC123": False, f"{ARN}key?-AbC123": False, "keys": False}
    yield "ProviderKeysSecretArn takes one full ARN or nothing, no wildcard", takes(t, "ProviderKeysSecretArn", samples)

    yield from jwt_checks(t, equal)
    yield from distribution_checks(t, equal)

    def output(name, parameters):
        return resolve(t, at(t, f"Outputs/{name}/Value"), parameters) or ""

    base_url = f"https://{ENDPOINT_HOST}/public/openai/v1"
    yield "BaseUrl is the function's URL and /public/openai/v1, without //", output("BaseUrl", {}) == base_url
    yield "NextChat posts to the chat completions", f" {base_url}/chat/completions " in output("NextChat", {})
    yield "ManagementUrl is the function's URL, without a slash", output("ManagementUrl", {}) == f"https://{MANAGE_HOST}"
    post = output("NextPostAssistant", {})
    yield "NextPostAssistant posts an assistant", f"curl -X POST https://{MANAGE_HOST}/assistants " in post
    body = re.search(r"-d '(.*)'", post)
    config = {"configurable": {"type==agent/access_mode": "public_token", "type==agent/model": "gpt-4o-mini"}}
    wanted = {"name": "My bot", "config": config}
    yield "NextPostAssistant's body is a public assistant", body is not None and json.loads(body[1]) == wanted
    create = at(t, "Outputs/NextCreateAssistant/Value/Fn::Sub") or ""
    wanted = "ASSISTANTS_TABLE=${AssistantsTable} TOKEN_CLAIMS_TABLE=${TokenClaimsTable} assistants create "
    yield "NextCreateAssistant names both tables", wanted in create
    yield equal("Outputs/AssistantsTableName/Value", {"Ref": "AssistantsTable"})
    yield equal("Outputs/TokenClaimsTableName/Value", {"Ref": "TokenClaimsTable"})
    yield equal("Outputs/ProviderKeysSecretArn/Value", SECRET)
    yield equal("Outputs/NextPutProviderKey/Value/Fn::Sub/1/Secret", SECRET)


def jwt_checks(t, equal):
    yield equal("Conditions/CreateJwtSecret", {"Fn::Equals": [{"Ref": "JwksUrl"}, ""]})
    for name in JWKS:
        yield equal(f"Conditions/Has{name}", {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]})
        yield equal(f"Parameters/{name}/Default", "")
    yield equal("Resources/JwtSecret/Condition", "CreateJwtSecret")
    generated = {"PasswordLength": 64, "ExcludePunctuation": True}
    yield equal("Resources/JwtSecret/Properties/GenerateSecretString", generated)
    yield equal("Resources/JwtSecret/DeletionPolicy", "Delete")
    samples = {"": True, JWKS["JwksUrl"]: True, "http://id.example.com/keys": False}
    yield "JwksUrl is https or empty", takes(t, "JwksUrl", samples)

    yield "the defaults are accepted", accepted(t, {})
    yield "JwksUrl, issuer and audience are accepted", accepted(t, JWKS)
    for name in "JwtIssuer", "JwtAudience":
        yield f"JwksUrl without {name} is refused", not accepted(t, {**JWKS, name: ""})
        yield f"{name} alone is accepted: the secret can have one too", accepted(t, {name: JWKS[name]})

    for name in "JwtSecretArn", "NextSignToken":
        yield equal(f"Outputs/{name}/Condition", "CreateJwtSecret")
    yield equal("Outputs/JwtSecretArn/Value", {"Ref": "JwtSecret"})
    sign = "make token OWNER=you STACK=assistant-endpoint"
    stack = {"AWS::Region": "eu-west-1", "AWS::StackName": "assistant-endpoint"}
    told = resolve(t, at(t, "Outputs/NextSignToken/Value"), stack)
    yield "NextSignToken names the region and the stack", told == f"AWS_REGION=eu-west-1 {sign}"
    told = resolve(t, at(t, "Outputs/NextSignToken/Value"), {**stack, "JwtIssuer": "me", "JwtAudience": "us"})
    claims = "JWT_ISSUER='me' JWT_AUDIENCE='us'"
    yield "NextSignToken signs what the function expects", told == f"AWS_REGION=eu-west-1 {claims} {sign}"


def distribution_checks(t, equal):
    yield equal("Parameters/WithCloudFront/Default", "false")
    yield equal("Parameters/WithCloudFront/AllowedValues", ["true", "false"])
    yield equal("Conditions/CreateDistribution", {"Fn::Equals": [{"Ref": "WithCloudFront"}, "true"]})
    yield equal("Resources/Distribution/Condition", "CreateDistribution")
    yield "CloudFront is accepted, with a domain and without", accepted(t, CLOUDFRONT) and accepted(t, DOMAIN)
    for name, unset in {"WithCloudFront": "false", "DomainName": "", "CertificateArn": ""}.items():
        yield f"a domain without {name} is refused", not accepted(t, {**DOMAIN, name: unset})
    samples = {"": True, CERTIFICATE: True, CERTIFICATE.replace("us-east-1", "eu-west-1"): False}
    yield "CertificateArn is one of us-east-1 or empty", takes(t, "CertificateArn", samples)
    samples = {"": True, DOMAIN["DomainName"]: True, "*.example.com": False, "https://api.example.com": False}
    yield "DomainName is a host name or empty", takes(t, "DomainName", samples)

    config = resolve(t, at(t, "Resources/Distribution/Properties/DistributionConfig"), CLOUDFRONT) or {}
    own = resolve(t, at(t, "Resources/Distribution/Properties/DistributionConfig"), DOMAIN) or {}
    yield "the distribution is on", config.get("Enabled") is True
    yield "the distribution speaks HTTP/2", config.get("HttpVersion") == "http2"
    default = {"CloudFrontDefaultCertificate": True}
    yield "without a domain there is CloudFront's name", "Aliases" not in config and config.get("ViewerCertificate") == default
    certificate = {"AcmCertificateArn": CERTIFICATE, "SslSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
    yield "a domain is an alias", own.get("Aliases") == [DOMAIN["DomainName"]]
    yield "a domain has its certificate", own.get("ViewerCertificate") == certificate

    origins = {at(origin, "Id"): origin for origin in listed(config.get("Origins"))}
    hosts = {name: at(origin, "DomainName") for name, origin in origins.items()}
    yield "the origins are the function URLs' hosts", hosts == {"endpoint": ENDPOINT_HOST, "manage": MANAGE_HOST}
    for name in "endpoint", "manage":
        origin = origins.get(name) or {}
        yield f"{name} is reached over https", at(origin, "CustomOriginConfig/OriginProtocolPolicy") == "https-only"
        yield f"{name} is reached over TLS 1.2", at(origin, "CustomOriginConfig/OriginSSLProtocols") == ["TLSv1.2"]
        # More than 60 needs a higher quota in older accounts.
        yield f"{name} may be silent for 60 seconds", at(origin, "CustomOriginConfig/OriginReadTimeout") == 60
        yield f"{name} gets the viewer's Authorization, no signature", "OriginAccessControlId" not in origin

    behaviors = {at(behavior, "PathPattern"): behavior for behavior in listed(config.get("CacheBehaviors"))}
    behaviors["*"] = config.get("DefaultCacheBehavior")
    targets = {path: at(behavior, "TargetOriginId") for path, behavior in behaviors.items()}
    yield "/assistants* is managed, the rest is the endpoint's", targets == {"*": "endpoint", "/assistants*": "manage"}
    for path in "*", "/assistants*":
        behavior = behaviors.get(path) or {}
        yield f"{path} is never cached", behavior.get("CachePolicyId") == CACHE_POLICY
        yield f"{path} gets all headers but Host", behavior.get("OriginRequestPolicyId") == ORIGIN_REQUEST_POLICY
        yield f"{path} takes every method", set(behavior.get("AllowedMethods") or []) == METHODS
        yield f"{path} caches no preflight", "OPTIONS" not in (behavior.get("CachedMethods") or [])
        yield f"{path} is not compressed: streams would stall", behavior.get("Compress") is False
        yield f"{path} is https only", behavior.get("ViewerProtocolPolicy") == "https-only"
    kept = {at(error, "ErrorCode"): at(error, "ErrorCachingMinTTL") for error in listed(config.get("CustomErrorResponses"))}
    yield "no error is kept for the next caller", kept == dict.fromkeys(CACHED_ERRORS, 0)
    replaced = [error for error in listed(config.get("CustomErrorResponses")) if at(error, "ResponsePagePath")]
    yield "no error is replaced", not replaced

    public_url = at(t, "Resources/ManageFunction/Properties/Environment/Variables/PUBLIC_URL")
    urls = [resolve(t, public_url, parameters) for parameters in ({}, CLOUDFRONT, DOMAIN)]
    # With CloudFront's own name it would be circular: the distribution needs the function's URL.
    wanted = [f"https://{ENDPOINT_HOST}"] * 2 + ["https://api.example.com"]
    yield "PUBLIC_URL is the domain, else the endpoint's URL", urls == wanted
    for name in "CloudFrontUrl", "CloudFrontDomainName":
        yield equal(f"Outputs/{name}/Condition", "CreateDistribution")
    yield equal("Outputs/CloudFrontDomainName/Value", {"Fn::GetAtt": ["Distribution", "DomainName"]})
    urls = [resolve(t, at(t, "Outputs/CloudFrontUrl/Value"), parameters) for parameters in (CLOUDFRONT, DOMAIN)]
    yield "CloudFrontUrl is the domain, else CloudFront's", urls == [f"https://{DISTRIBUTION_HOST}", "https://api.example.com"]


DELETE = object()


def mutations():
    """(path, new value): each breaks something that the linters, some of them, would let through."""
    index = "Resources/AssistantsTable/Properties/GlobalSecondaryIndexes"
    yield "Globals", {"Function": {"Tracing": "Active"}}
    yield "Resources/Extra", {"Type": "AWS::IAM::ManagedPolicy"}
    yield "Description", "caf\u00e9"
    for name in FUNCTIONS:
        yield from function_mutations(name)
    function = "Resources/EndpointFunction/Properties"
    yield f"{function}/Timeout", 901
    yield f"{function}/ReservedConcurrentExecutions", {"Ref": "ReservedConcurrency"}  # -1 would reach Lambda
    yield "Conditions/ReserveConcurrency/Fn::Not/0/Fn::Equals/1", "0"
    for name in NUMBERS:
        for key, value in ("MaxValue", 10**6), ("MinValue", DELETE), ("Default", 64), ("Type", "String"):
            yield f"Parameters/{name}/{key}", value
    yield "Parameters/MaxStreamSeconds/Description", DELETE
    variables = f"{function}/Environment/Variables"
    for name in ("ALLOW_PRIVATE_PROVIDERS", "OPENAI_API_KEY", "MAX_STREAM_SECOND"):
        yield f"{variables}/{name}", {"Fn::If": ["HasMaxStream", {"Ref": "MaxStreamSeconds"}, NO_VALUE]}
    yield f"{variables}/MAX_STREAM_SECONDS", {"Ref": "MaxStreamSeconds"}  # would be empty when unset
    yield f"{variables}/MAX_STREAM_SECONDS", {"Fn::If": ["HasBufferedTimeout", {"Ref": "MaxStreamSeconds"}, NO_VALUE]}
    yield "Conditions/HasOpenAiBaseUrl/Fn::Not/0/Fn::Equals/0/Ref", "MaxStreamSeconds"
    buffered = f"{variables}/BUFFERED_TIMEOUT_SECONDS"
    yield buffered, DELETE
    yield buffered, {"Ref": "BufferedTimeoutSeconds"}
    yield f"{buffered}/Fn::If/2", NO_VALUE
    yield f"{buffered}/Fn::If/2", "55"
    yield f"{buffered}/Fn::If/0", "HasMaxStream"
    yield from role_mutations()
    for name in RETAINED:
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            yield f"Resources/{name}/{policy}", "Delete"
            yield f"Resources/{name}/{policy}", DELETE
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
    for name in (
        "BaseUrl", "ManagementUrl", "CloudFrontUrl", "CloudFrontDomainName", "AssistantsTableName", "TokenClaimsTableName",
        "ProviderKeysSecretArn", "JwtSecretArn", "NextPutProviderKey", "NextCreateAssistant", "NextSignToken",
        "NextPostAssistant", "NextChat",
    ):  # fmt: skip
        yield f"Outputs/{name}", DELETE
    yield "Outputs/BaseUrl/Value", {"Fn::Sub": "${EndpointFunctionUrl.FunctionUrl}/public/openai/v1"}
    yield "Outputs/ManagementUrl/Value", {"Fn::GetAtt": ["ManageFunctionUrl", "FunctionUrl"]}
    yield "Outputs/NextPostAssistant/Value/Fn::Sub/0", "curl -X POST https://${Host}/assistants -d '{\"name\": \"My bot\"}'"
    yield from jwt_mutations()
    yield from distribution_mutations()


def function_mutations(name):
    function = f"Resources/{name}Function/Properties"
    url, variables = f"{function}/FunctionUrlConfig", f"{function}/Environment/Variables"
    for path in ("BuildMethod", "BuildProperties", "BuildProperties/Binary"):
        yield f"Resources/{name}Function/Metadata/{path}", DELETE
    yield f"Resources/{name}Function/Metadata/BuildProperties/Binary", "assistants"
    yield f"{function}/Runtime", "provided.al2"
    yield f"{function}/Architectures", ["x86_64"]
    yield f"{function}/Architectures", DELETE  # the default is x86_64
    yield f"{function}/CodeUri", "src"
    yield f"{function}/Handler", "endpoint"
    yield f"{function}/Timeout", DELETE  # the default is 3 seconds
    yield f"{function}/MemorySize", DELETE
    yield f"{function}/Role", DELETE  # SAM would make one
    other = next(other for other in FUNCTIONS if other != name)
    yield f"{function}/Role", {"Fn::GetAtt": [f"{other}Role", "Arn"]}
    yield f"{function}/LoggingConfig", DELETE
    yield f"{function}/LoggingConfig/LogFormat", "Text"
    yield f"{function}/LoggingConfig/LogGroup", {"Ref": f"{other}LogGroup"}
    yield f"{function}/Tracing", "Active"
    yield f"{url}/AuthType", "AWS_IAM"
    yield f"{url}/InvokeMode", "BUFFERED"
    yield f"{url}/InvokeMode", DELETE  # the default is BUFFERED
    yield f"{url}/Cors", {"AllowOrigins": ["*"]}
    yield url, DELETE
    for variable in FUNCTIONS[name]["environment"]:
        yield f"{variables}/{variable}", DELETE
        yield f"{variables}/{variable}", "elsewhere"
    yield f"{variables}/SURPRISE", "1"
    yield f"Resources/{name}LogGroup/Properties/RetentionInDays", DELETE  # kept, and paid for, for ever


def role_mutations():
    for name, expected in GRANTS.items():
        role = f"Resources/{name}/Properties"
        statements = f"{role}/Policies/0/PolicyDocument/Statement"
        for action in ("dynamodb:PutItem", "dynamodb:*", "*", "dynamodb:Scan", ["dynamodb:GetItem", "dynamodb:UpdateItem"]):
            yield f"{statements}/0/Action", action
        for number in range(4):
            yield f"{statements}/{number}", DELETE
        for number in range(3):
            yield f"{statements}/{number}/Resource", "*"
            yield f"{statements}/{number}/Effect", "Deny"
        yield f"{statements}/0/NotAction", "dynamodb:PutItem"
        for index in "*", "by_owner", "by_token_digest":
            resource = {"Fn::Sub": f"${{AssistantsTable.Arn}}/index/{index}"}
            if ("dynamodb:Query", resource) not in expected:
                yield f"{statements}/1/Resource", resource
        more = {"Statement": {"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": "x"}}
        yield f"{role}/Policies/1", {"PolicyDocument": more}
        yield f"{role}/ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]
        yield f"{role}/AssumeRolePolicyDocument/Statement/0/Principal", {"AWS": "*"}
    public = "Resources/EndpointRole/Properties/Policies/0/PolicyDocument/Statement"
    yield f"{public}/2/Action", ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    yield f"{public}/2/Resource", [SECRET, {"Ref": "JwtSecret"}]
    yield f"{public}/3/Resource", "*"
    manage = "Resources/ManageRole/Properties/Policies/0/PolicyDocument/Statement"
    for statement in "2", "3/Fn::If/1":
        for secret in SECRET, {"Ref": "ProviderKeysSecret"}, {"Ref": "ProviderKeysSecretArn"}:
            yield f"{manage}/{statement}/Resource", [{"Ref": "JwtSecret"}, secret]
    yield f"{manage}/3/Fn::If/0", "CreateSecret"
    yield f"{manage}/3/Fn::If/2", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "x"}
    yield f"{manage}/3/Fn::If/1/Resource", "*"
    yield f"{manage}/3/Fn::If/1/Action", "secretsmanager:*"
    yield "Resources/ManageFunction/Properties/Environment/Variables/PROVIDER_KEYS_SECRET", SECRET


def jwt_mutations():
    yield "Conditions/CreateJwtSecret/Fn::Equals/1", "none"
    for name in JWKS:
        yield f"Conditions/Has{name}/Fn::Not/0/Fn::Equals/0/Ref", "DomainName"
        yield f"Parameters/{name}/Default", "x"
    yield "Parameters/JwksUrl/AllowedPattern", "^$|^https?://.+$"
    for path in ("Condition", "Properties/GenerateSecretString"):
        yield f"Resources/JwtSecret/{path}", DELETE
    yield "Resources/JwtSecret/DeletionPolicy", "Retain"
    yield "Resources/JwtSecret/Properties/GenerateSecretString/PasswordLength", 16
    yield "Resources/JwtSecret/Properties/GenerateSecretString/ExcludePunctuation", False
    yield "Rules", DELETE
    for rule in ("JwksUrlNeedsIssuerAndAudience", "DomainNameNeedsCloudFrontAndCertificate", "CertificateNeedsDomainName"):
        yield f"Rules/{rule}", DELETE
        yield f"Rules/{rule}/RuleCondition", DELETE  # would refuse the defaults
        yield f"Rules/{rule}/Assertions/0/Assert", True
        yield f"Rules/{rule}/Assertions/0", DELETE
    yield "Rules/JwksUrlNeedsIssuerAndAudience/Assertions/1", DELETE
    yield "Rules/DomainNameNeedsCloudFrontAndCertificate/Assertions/1", DELETE
    for name in ("JwtIssuer", "JwtAudience"):
        alone = {"RuleCondition": {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]}, "Assertions": [{"Assert": False}]}
        yield "Rules/Another", alone
    yield "Rules/Another", {"Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "WithCloudFront"}, "false"]}}]}
    yield "Outputs/JwtSecretArn/Condition", DELETE
    yield "Outputs/NextSignToken/Condition", DELETE
    yield "Outputs/NextSignToken/Value", {"Fn::Sub": "make token"}
    yield "Outputs/NextSignToken/Value", {"Fn::Sub": "AWS_REGION=${AWS::Region} make token OWNER=you STACK=${AWS::StackName}"}


def distribution_mutations():
    config = "Resources/Distribution/Properties/DistributionConfig"
    yield "Parameters/WithCloudFront/Default", "true"
    yield "Parameters/WithCloudFront/AllowedValues", DELETE
    yield "Parameters/CertificateArn/AllowedPattern", "^$|^arn:.+$"
    yield "Parameters/DomainName/AllowedPattern", "^.*$"
    yield "Conditions/CreateDistribution/Fn::Equals/1", "false"
    yield "Conditions/HasDomainName/Fn::Not/0/Fn::Equals/0/Ref", "JwksUrl"
    yield "Conditions/HasCertificate/Fn::Not/0/Fn::Equals/0/Ref", "JwksUrl"
    yield "Resources/Distribution/Condition", DELETE
    yield f"{config}/Enabled", False
    yield f"{config}/HttpVersion", "http1.1"
    yield f"{config}/Aliases", DELETE
    yield f"{config}/Aliases", [{"Ref": "DomainName"}]  # would be [""]
    yield f"{config}/ViewerCertificate", DELETE
    yield f"{config}/ViewerCertificate/Fn::If/1/MinimumProtocolVersion", "TLSv1"
    yield f"{config}/Origins/0/DomainName", {"Fn::GetAtt": ["EndpointFunctionUrl", "FunctionUrl"]}
    yield f"{config}/Origins/1", DELETE
    for number in range(2):
        yield f"{config}/Origins/{number}/OriginAccessControlId", "x"
        for key, value in (("OriginProtocolPolicy", "match-viewer"), ("OriginSSLProtocols", ["TLSv1"]), ("OriginReadTimeout", 30)):
            yield f"{config}/Origins/{number}/CustomOriginConfig/{key}", value
    yield f"{config}/CacheBehaviors/0/PathPattern", "/manage*"
    yield f"{config}/CacheBehaviors", DELETE
    for behavior in "DefaultCacheBehavior", "CacheBehaviors/0":
        for key, value in (
            ("TargetOriginId", "elsewhere"),
            ("CachePolicyId", "658327ea-f89d-4fab-a63d-7e88639e58f6"),  # CachingOptimized
            ("OriginRequestPolicyId", "216adef6-5c7f-47e4-b989-5492eafa07d3"),  # AllViewer, Host included
            ("OriginRequestPolicyId", DELETE),
            ("AllowedMethods", ["GET", "HEAD", "OPTIONS"]),
            ("AllowedMethods", DELETE),
            ("CachedMethods", ["GET", "HEAD", "OPTIONS"]),
            ("Compress", True),
            ("Compress", DELETE),
            ("ViewerProtocolPolicy", "allow-all"),
            ("ViewerProtocolPolicy", "redirect-to-https"),
        ):
            yield f"{config}/{behavior}/{key}", value
    yield f"{config}/CustomErrorResponses", DELETE
    yield f"{config}/CustomErrorResponses/2/ErrorCachingMinTTL", DELETE
    yield f"{config}/CustomErrorResponses/2/ErrorCachingMinTTL", 10
    yield f"{config}/CustomErrorResponses/2/ResponsePagePath", "/404.html"
    public_url = "Resources/ManageFunction/Properties/Environment/Variables/PUBLIC_URL"
    yield public_url, DELETE
    yield public_url, {"Fn::Sub": "https://${Distribution.DomainName}"}
    yield f"{public_url}/Fn::If/2", {"Fn::GetAtt": ["ManageFunctionUrl", "FunctionUrl"]}
    for name in ("CloudFrontUrl", "CloudFrontDomainName"):
        yield f"Outputs/{name}/Condition", DELETE
    yield "Outputs/CloudFrontUrl/Value", {"Fn::Sub": "https://${DomainName}"}


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
