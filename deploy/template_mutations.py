"""Every way in which the self-test breaks the template: each must be caught."""

from monitoring import monitoring_mutations
from template_model import ASSISTANTS, CEILINGS, CLAIMS, FUNCTIONS, GRANTS, JWKS, NO_VALUE, NUMBERS, RESPONSES, RETAINED, SECRET, at

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
    for table in ("AssistantsTable", "TokenClaimsTable", "UsageTable", "ResponsesTable"):
        properties = f"Resources/{table}/Properties"
        yield f"{properties}/KeySchema/0/AttributeName", "name"
        yield f"{properties}/BillingMode", "PROVISIONED"
        yield f"{properties}/SSESpecification", DELETE
        yield f"{properties}/SSESpecification/SSEEnabled", False
    for table in ("AssistantsTable", "TokenClaimsTable"):
        properties = f"Resources/{table}/Properties"
        yield f"{properties}/PointInTimeRecoverySpecification", DELETE
        yield f"{properties}/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", False
    for table in ("TokenClaimsTable", "UsageTable", "ResponsesTable"):
        expiry = f"Resources/{table}/Properties/TimeToLiveSpecification"
        yield expiry, DELETE
        yield f"{expiry}/Enabled", False
        yield f"{expiry}/AttributeName", "valid_until"  # claims would go with their grace period
    yield "Resources/UsageTable/Properties/KeySchema/1", DELETE
    yield from response_mutations()
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
        "BaseUrl", "ManagementUrl", "CloudFrontUrl", "CloudFrontDomainName", "AssistantsTableName", "TokenClaimsTableName", "UsageTableName",
        "ProviderKeysSecretArn", "JwtSecretArn", "NextPutProviderKey", "NextCreateAssistant", "NextSignToken",
        "NextPostAssistant", "NextChat",
    ):  # fmt: skip
        yield f"Outputs/{name}", DELETE
    yield "Outputs/BaseUrl/Value", {"Fn::Sub": "${EndpointFunctionUrl.FunctionUrl}/public/openai/v1"}
    yield "Outputs/ManagementUrl/Value", {"Fn::GetAtt": ["ManageFunctionUrl", "FunctionUrl"]}
    yield "Outputs/NextPostAssistant/Value/Fn::Sub/0", "curl -X POST https://${Host}/assistants -d '{\"name\": \"My bot\"}'"
    yield from jwt_mutations()
    yield from limit_mutations()
    yield from distribution_mutations()
    yield from monitoring_mutations(DELETE)


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
        for number in range(5):
            yield f"{statements}/{number}", DELETE
        for number in range(4):
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
    for action in "DeleteItem", "GetItem", "UpdateItem", "*":
        yield f"{manage}/2/Action", ["dynamodb:PutItem", f"dynamodb:{action}"]
    yield f"{manage}/2/Action", "dynamodb:DeleteItem"
    yield f"{manage}/2/Resource", [CLAIMS, ASSISTANTS]
    yield f"{manage}/0/Resource", [ASSISTANTS, CLAIMS]
    yield f"{manage}/0/Resource", CLAIMS
    yield f"{manage}/0/Action", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]  # no take-over
    for statement in "2", "3", "4/Fn::If/1":
        for secret in SECRET, {"Ref": "ProviderKeysSecret"}, {"Ref": "ProviderKeysSecretArn"}:
            yield f"{manage}/{statement}/Resource", [{"Ref": "JwtSecret"}, secret]
    yield f"{manage}/4/Fn::If/0", "CreateSecret"
    yield f"{manage}/4/Fn::If/2", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "x"}
    yield f"{manage}/4/Fn::If/1/Resource", "*"
    yield f"{manage}/4/Fn::If/1/Action", "secretsmanager:*"
    yield "Resources/ManageFunction/Properties/Environment/Variables/PROVIDER_KEYS_SECRET", SECRET


def response_mutations():
    table = "Resources/ResponsesTable"
    yield f"{table}/Properties/KeySchema/1", DELETE
    yield f"{table}/Condition", DELETE
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        yield f"{table}/{policy}", "Retain"
    yield f"{table}/Properties/PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": True}
    yield "Parameters/StoreResponses/Default", "true"
    yield "Parameters/StoreResponses/AllowedValues", DELETE
    yield "Conditions/KeepResponses/Fn::Equals/1", "false"
    for role, number in ("Endpoint", 6), ("Manage", 6):
        statement = f"Resources/{role}Role/Properties/Policies/0/PolicyDocument/Statement/{number}"
        yield statement, DELETE
        yield f"{statement}/Fn::If/0", "CreateSecret"
        yield f"{statement}/Fn::If/1/Action", "dynamodb:*"
        yield f"{statement}/Fn::If/1/Resource", [RESPONSES, ASSISTANTS]
        yield f"{statement}/Fn::If/1/Resource", "*"


def limit_mutations():
    for name in [*CEILINGS, "OriginSecrets"]:
        yield f"Conditions/Has{name}/Fn::Not/0/Fn::Equals/0/Ref", "DomainName"
        yield f"Parameters/{name}/Default", "20"
        yield f"Parameters/{name}/AllowedPattern", "^.*$"
    yield "Parameters/OriginSecrets/NoEcho", DELETE
    yield "Parameters/ClosedToDirectAccess/Default", "true"
    for rule in "OriginSecretsNeedCloudFront", "ClosedToDirectAccessNeedsOriginSecrets":
        yield f"Rules/{rule}", DELETE
        yield f"Rules/{rule}/Assertions/0/Assert", True
        yield f"Rules/{rule}/Assertions/0/Assert", False
    yield "Rules/ClosedToDirectAccessNeedsOriginSecrets/RuleCondition", DELETE
    function = "Resources/ViewerAddressFunction"
    yield f"{function}/Condition", DELETE
    yield f"{function}/Properties/AutoPublish", False
    yield f"{function}/Properties/FunctionCode", "function handler(event) { return event.request; }"
    config = "Resources/Distribution/Properties/DistributionConfig"
    for number in range(2):
        header = f"{config}/Origins/{number}/OriginCustomHeaders"
        yield header, DELETE
        yield f"{header}/Fn::If/0", "HasDomainName"
        yield f"{header}/Fn::If/2", [{"HeaderName": "x-origin-secret", "HeaderValue": ""}]
        yield f"{header}/Fn::If/1/0/HeaderValue", {"Ref": "OriginSecrets"}
        yield f"{header}/Fn::If/1/0/HeaderName", "x-origin"
    for behavior in "DefaultCacheBehavior", *(f"CacheBehaviors/{number}" for number in range(3)):
        yield f"{config}/{behavior}/FunctionAssociations", DELETE
        yield f"{config}/{behavior}/FunctionAssociations/0/EventType", "viewer-response"


def jwt_mutations():
    yield "Conditions/CreateJwtSecret/Fn::Equals/1", "none"
    for name in JWKS:
        yield f"Conditions/Has{name}/Fn::Not/0/Fn::Equals/0/Ref", "DomainName"
        yield f"Parameters/{name}/Default", "x"
    yield "Parameters/JwksUrl/AllowedPattern", "^$|^https?://.+$"
    yield "Parameters/OidcClientId/Default", "page"
    yield "Parameters/OidcScopes/AllowedPattern", "^.*$"
    yield "Conditions/HasOidcClientId/Fn::Not/0/Fn::Equals/0/Ref", "JwksUrl"
    yield "Rules/OidcClientIdNeedsJwksUrl", DELETE
    yield "Rules/OidcClientIdNeedsJwksUrl/Assertions/0/Assert", False
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
    yield f"{config}/CacheBehaviors/3/CachePolicyId", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    yield f"{config}/CacheBehaviors/3/AllowedMethods", DELETE
    for key, value in ("OriginRequestPolicyId", DELETE), ("Compress", True), ("ViewerProtocolPolicy", "allow-all"):
        yield f"{config}/CacheBehaviors/3/{key}", value
    for behavior in "DefaultCacheBehavior", *(f"CacheBehaviors/{number}" for number in range(3)):
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
