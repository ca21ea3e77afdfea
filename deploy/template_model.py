"""What template.yaml is expected to hold, and how its intrinsics and conditions come out."""

import json
import re

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
    "UsageTable": "AWS::DynamoDB::Table",
    "ResponsesTable": "AWS::DynamoDB::Table",
    "ProviderKeysSecret": "AWS::SecretsManager::Secret",
    "JwtSecret": "AWS::SecretsManager::Secret",
    "ViewerAddressFunction": "AWS::CloudFront::Function",
    "Distribution": "AWS::CloudFront::Distribution",
    "Dashboard": "AWS::CloudWatch::Dashboard",
    "ProviderFailingAlarm": "AWS::CloudWatch::Alarm",
    "ProviderAccountAlarm": "AWS::CloudWatch::Alarm",
    "StoreUnavailableAlarm": "AWS::CloudWatch::Alarm",
    "SlowFirstTextAlarm": "AWS::CloudWatch::Alarm",
    "EndpointErrorsAlarm": "AWS::CloudWatch::Alarm",
    "EndpointThrottlesAlarm": "AWS::CloudWatch::Alarm",
    "ManageErrorsAlarm": "AWS::CloudWatch::Alarm",
}
RETAINED = ["EndpointLogGroup", "ManageLogGroup", "AssistantsTable", "TokenClaimsTable", "UsageTable", "ProviderKeysSecret"]

SECRET = {"Fn::If": ["CreateSecret", {"Ref": "ProviderKeysSecret"}, {"Ref": "ProviderKeysSecretArn"}]}
ASSISTANTS, CLAIMS, USAGE, RESPONSES = (
    {"Fn::GetAtt": [table, "Arn"]} for table in ("AssistantsTable", "TokenClaimsTable", "UsageTable", "ResponsesTable")
)
# All that each role may do, as (action, resource) or (action, resource, condition).
BEDROCK = [
    (action, {"Fn::Sub": f"arn:${{AWS::Partition}}:bedrock:*:{model}/*"})
    for action in ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
    for model in (":foundation-model", *(f"${{AWS::AccountId}}:{kind}" for kind in (
        "inference-profile", "application-inference-profile", "provisioned-model", "custom-model-deployment",
        "imported-model",
    )))
]  # fmt: skip

GRANTS = {
    "EndpointRole": [
        *BEDROCK,
        ("dynamodb:GetItem", ASSISTANTS),
        ("dynamodb:GetItem", CLAIMS),
        ("dynamodb:Query", {"Fn::Sub": "${AssistantsTable.Arn}/index/by_token_digest"}),
        ("dynamodb:GetItem", USAGE),
        ("dynamodb:UpdateItem", USAGE),
        ("dynamodb:GetItem", RESPONSES, "KeepResponses"),
        ("dynamodb:BatchGetItem", RESPONSES, "KeepResponses"),
        ("dynamodb:PutItem", RESPONSES, "KeepResponses"),
        ("dynamodb:DeleteItem", RESPONSES, "KeepResponses"),
        ("secretsmanager:GetSecretValue", SECRET),
        ("logs:CreateLogStream", {"Fn::GetAtt": ["EndpointLogGroup", "Arn"]}),
        ("logs:PutLogEvents", {"Fn::GetAtt": ["EndpointLogGroup", "Arn"]}),
    ],
    "ManageRole": [
        ("dynamodb:GetItem", ASSISTANTS),
        ("dynamodb:PutItem", ASSISTANTS),
        ("dynamodb:UpdateItem", ASSISTANTS),
        ("dynamodb:DeleteItem", ASSISTANTS),
        ("dynamodb:ConditionCheckItem", ASSISTANTS),
        ("dynamodb:PutItem", CLAIMS),
        ("dynamodb:Query", {"Fn::Sub": "${AssistantsTable.Arn}/index/by_owner"}),
        ("dynamodb:Query", USAGE),
        ("dynamodb:Query", RESPONSES, "KeepResponses"),
        ("dynamodb:BatchWriteItem", RESPONSES, "KeepResponses"),
        ("secretsmanager:GetSecretValue", {"Ref": "JwtSecret"}, "CreateJwtSecret"),
        ("logs:CreateLogStream", {"Fn::GetAtt": ["ManageLogGroup", "Arn"]}),
        ("logs:PutLogEvents", {"Fn::GetAtt": ["ManageLogGroup", "Arn"]}),
    ],
}
# What the public function may do at all, logs and the Responses table aside: it answers anybody, so it changes nothing but
# counts.
READING = {"dynamodb:UpdateItem", "dynamodb:GetItem", "dynamodb:Query", "secretsmanager:GetSecretValue", *(action for action, _ in BEDROCK)}

NUMBERS = {  # parameter: least, greatest, default
    "TimeoutSeconds": (3, 900, 300),
    "MemoryMegabytes": (128, 10240, 256),
    "ReservedConcurrency": (-1, 10000, -1),
    "ResponsesTtlDays": (1, 3650, 30),
}

COMMON_ENVIRONMENT = {
    "ASSISTANTS_TABLE": {"Ref": "AssistantsTable"},
    "TOKEN_CLAIMS_TABLE": {"Ref": "TokenClaimsTable"},
    "METRICS_NAMESPACE": {"Fn::Sub": "AssistantEndpoint/${AWS::StackName}"},
    "USAGE_TABLE": {"Ref": "UsageTable"},
    "RESPONSES_TABLE": {"Fn::If": ["KeepResponses", {"Ref": "ResponsesTable"}, NO_VALUE]},
    "MAX_REQUESTS_PER_MINUTE": {"Fn::If": ["HasMaxRequestsPerMinute", {"Ref": "MaxRequestsPerMinute"}, NO_VALUE]},
    "MAX_TOKENS_PER_DAY": {"Fn::If": ["HasMaxTokensPerDay", {"Ref": "MaxTokensPerDay"}, NO_VALUE]},
    "MAX_OUTPUT_TOKENS": {"Fn::If": ["HasMaxOutputTokens", {"Ref": "MaxOutputTokens"}, NO_VALUE]},
    "ORIGIN_SECRETS": {"Fn::If": ["HasOriginSecrets", {"Ref": "OriginSecrets"}, NO_VALUE]},
    "CLOSED_TO_DIRECT_ACCESS": {"Ref": "ClosedToDirectAccess"},
    "SSL_CERT_FILE": "/etc/pki/tls/certs/ca-bundle.crt",
}
FUNCTIONS = {
    "Endpoint": {
        "binary": "endpoint",
        "timeout": {"Ref": "TimeoutSeconds"},
        "environment": {
            **COMMON_ENVIRONMENT,
            "RESPONSES_TTL_DAYS": {"Fn::If": ["KeepResponses", {"Ref": "ResponsesTtlDays"}, NO_VALUE]},
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
            "MAX_ASSISTANTS_PER_OWNER": {"Fn::If": ["HasMaxAssistantsPerOwner", {"Ref": "MaxAssistantsPerOwner"}, NO_VALUE]},
            "JWT_SECRET_ID": {"Fn::If": ["CreateJwtSecret", {"Ref": "JwtSecret"}, NO_VALUE]},
            "JWKS_URL": {"Fn::If": ["HasJwksUrl", {"Ref": "JwksUrl"}, NO_VALUE]},
            "JWT_ISSUER": {"Fn::If": ["HasJwtIssuer", {"Ref": "JwtIssuer"}, NO_VALUE]},
            "JWT_AUDIENCE": {"Fn::If": ["HasJwtAudience", {"Ref": "JwtAudience"}, NO_VALUE]},
            "OIDC_CLIENT_ID": {"Fn::If": ["HasOidcClientId", {"Ref": "OidcClientId"}, NO_VALUE]},
            "OIDC_SCOPES": {"Ref": "OidcScopes"},
        },
        # JWT_SECRET is missing on purpose: it belongs in the secret.
        "optional": {"PUBLIC_URL"},
    },
}  # fmt: skip

# CachingDisabled, CachingOptimized and AllViewerExceptHostHeader, the same in every account.
KEEPING_POLICY = "658327ea-f89d-4fab-a63d-7e88639e58f6"
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
    "ViewerAddressFunction.FunctionARN": "arn:aws:cloudfront::123456789012:function/viewer-address",
}
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
JWKS = {"JwksUrl": "https://id.example.com/keys", "JwtIssuer": "https://id.example.com/", "JwtAudience": "assistants"}
CLOUDFRONT = {"WithCloudFront": "true"}
CEILINGS = ["MaxRequestsPerMinute", "MaxTokensPerDay", "MaxOutputTokens", "MaxAssistantsPerOwner"]
ORIGIN_SECRETS = {**CLOUDFRONT, "OriginSecrets": "the-new-secret-of-ours,the-old-secret-of-ours"}
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
