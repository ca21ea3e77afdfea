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

from monitoring import monitoring_checks, undocumented
from template_model import (
    ARN, BEDROCK, CACHED_ERRORS, CACHE_POLICY, CEILINGS, CERTIFICATE, CLAIMS, CLOUDFRONT, DISTRIBUTION_HOST, DOMAIN, ENDPOINT_HOST,
    FUNCTIONS, GRANTS, JWKS, KEEPING_POLICY, MANAGE_HOST, METHODS, NUMBERS, ORIGIN_REQUEST_POLICY, ORIGIN_SECRETS, READING, RESOURCES,
    RESPONSES, RETAINED,
    SECRET, USAGE, accepted, at, canonical, grants, listed, load, optional, resolve, takes,
)
from template_mutations import DELETE, mutate, mutations


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
        elsewhere = [grant for grant in grants(role) if grant not in BEDROCK]
        yield f"{name} has no wildcard but for Bedrock's models", "*" not in canonical(elsewhere)
        yield f"{name} has no managed policy", not at(role, "Properties/ManagedPolicyArns")
        trust = at(role, "Properties/AssumeRolePolicyDocument/Statement")
        lambda_only = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        yield f"{name} can be assumed by Lambda only", trust == [lambda_only]
    actions = {grant[0] for grant in grants(at(t, "Resources/EndpointRole")) if grant[1] != RESPONSES}
    may_write = {action for action in actions - READING if not str(action).startswith("logs:")}
    yield "outside the Responses table the public function writes nothing but logs and counts", not may_write
    updated = [grant for grant in grants(at(t, "Resources/EndpointRole")) if grant[0] == "dynamodb:UpdateItem"]
    yield "the public function updates the Usage table alone", updated == [("dynamodb:UpdateItem", USAGE)]
    all_grants = [grant for name in GRANTS for grant in grants(at(t, f"Resources/{name}"))]
    on_claims = {str(grant[0]) for grant in all_grants if canonical(CLAIMS) in canonical(grant)}
    yield "claims are read and put, never deleted", on_claims <= {"dynamodb:GetItem", "dynamodb:PutItem"}
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

    tables = {"AssistantsTable": key("assistant_id"), "TokenClaimsTable": key("token_digest"), "UsageTable": key("assistant_id", "period"), "ResponsesTable": key("assistant_id", "response_id")}
    for table, keys in tables.items():
        properties = f"Resources/{table}/Properties"
        yield equal(f"{properties}/KeySchema", keys)
        yield equal(f"{properties}/BillingMode", "PAY_PER_REQUEST")
        yield equal(f"{properties}/SSESpecification/SSEEnabled", True)
    for table in ("AssistantsTable", "TokenClaimsTable"):
        yield equal(f"Resources/{table}/Properties/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", True)
    expiry = {"AttributeName": "expires_at", "Enabled": True}
    for table in ("TokenClaimsTable", "UsageTable", "ResponsesTable"):
        yield equal(f"Resources/{table}/Properties/TimeToLiveSpecification", expiry)
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

    yield equal("Parameters/StoreResponses/Default", "false")
    yield equal("Parameters/StoreResponses/AllowedValues", ["true", "false"])
    yield equal("Conditions/KeepResponses", {"Fn::Equals": [{"Ref": "StoreResponses"}, "true"]})
    yield equal("Resources/ResponsesTable/Condition", "KeepResponses")
    yield equal("Resources/ResponsesTable/DeletionPolicy", "Delete")
    yield equal("Resources/ResponsesTable/UpdateReplacePolicy", "Delete")
    # A copy would outlive what a visitor or an owner deletes.
    yield equal("Resources/ResponsesTable/Properties/PointInTimeRecoverySpecification", None)

    yield from jwt_checks(t, equal)
    yield from limit_checks(t, equal)
    yield from distribution_checks(t, equal)
    yield from monitoring_checks(t, equal)

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
    yield equal("Outputs/UsageTableName/Value", {"Ref": "UsageTable"})
    yield equal("Outputs/ProviderKeysSecretArn/Value", SECRET)
    yield equal("Outputs/NextPutProviderKey/Value/Fn::Sub/1/Secret", SECRET)


def limit_checks(t, equal):
    for name in [*CEILINGS, "OriginSecrets"]:
        yield equal(f"Conditions/Has{name}", {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]})
        yield equal(f"Parameters/{name}/Default", "")
    for name in CEILINGS:
        yield f"{name} is a whole number above 0 or empty", takes(t, name, {"": True, "20": True, "0": False, "-1": False, "1.5": False})
    yield equal("Parameters/OriginSecrets/NoEcho", True)
    yield equal("Parameters/ClosedToDirectAccess/Default", "false")
    secret = ORIGIN_SECRETS["OriginSecrets"].split(",")[0]
    samples = {"": True, secret: True, ORIGIN_SECRETS["OriginSecrets"]: True, "too-short": False, f"{secret},": False, f"{secret} x": False}
    yield "OriginSecrets is one secret, two or none", takes(t, "OriginSecrets", {**samples, ",".join([secret] * 3): False})
    yield "OriginSecrets is accepted with CloudFront", accepted(t, ORIGIN_SECRETS)
    yield "OriginSecrets without CloudFront is refused", not accepted(t, {**ORIGIN_SECRETS, "WithCloudFront": "false"})
    closed = {"ClosedToDirectAccess": "true"}
    yield "direct access is closed beside secrets", accepted(t, {**ORIGIN_SECRETS, **closed})
    yield "direct access is not closed without secrets", not accepted(t, {**CLOUDFRONT, **closed})

    config = at(t, "Resources/Distribution/Properties/DistributionConfig")
    for name, wanted in ("", None), (ORIGIN_SECRETS["OriginSecrets"], [{"HeaderName": "x-origin-secret", "HeaderValue": secret}]):
        origins = at(resolve(t, config, {**CLOUDFRONT, "OriginSecrets": name}), "Origins") or []
        sent = [at(origin, "OriginCustomHeaders") for origin in origins]
        yield f"with {'two secrets the first' if name else 'no secret nothing'} is sent to both origins", sent == [wanted] * 2
    yield equal("Resources/ViewerAddressFunction/Condition", "CreateDistribution")
    yield equal("Resources/ViewerAddressFunction/Properties/AutoPublish", True)
    code = at(t, "Resources/ViewerAddressFunction/Properties/FunctionCode") or ""
    set_header = "request.headers['cloudfront-viewer-address'] = { value: event.viewer.ip + ':0' };"
    yield "the viewer's address replaces what a viewer sends", set_header in code and "return request;" in code
    association = {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["ViewerAddressFunction", "FunctionARN"]}}
    for behavior in "DefaultCacheBehavior", *(f"CacheBehaviors/{number}" for number in range(3)):
        path = f"Resources/Distribution/Properties/DistributionConfig/{behavior}/FunctionAssociations"
        yield equal(path, [association])


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

    yield equal("Conditions/HasOidcClientId", {"Fn::Not": [{"Fn::Equals": [{"Ref": "OidcClientId"}, ""]}]})
    yield equal("Parameters/OidcClientId/Default", "")
    yield "OidcScopes holds openid", takes(t, "OidcScopes", {"openid": True, "openid email": True, "email": False})
    yield "OidcClientId is accepted with JwksUrl", accepted(t, {**JWKS, "OidcClientId": "page"})
    yield "OidcClientId without JwksUrl is refused", not accepted(t, {"OidcClientId": "page"})
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
    managed = ["/assistants*", "/", "/settings-schema.json", "/ui/*"]
    yield "the page and /assistants* are managed, the rest is the endpoint's", targets == {"*": "endpoint", **dict.fromkeys(managed, "manage")}
    files = behaviors.get("/ui/*") or {}
    yield "the page's files are kept", files.get("CachePolicyId") == KEEPING_POLICY
    yield "the page's files are read only", set(files.get("AllowedMethods") or []) == {"GET", "HEAD", "OPTIONS"}
    for path in behaviors:
        behavior = behaviors.get(path) or {}
        yield f"{path} gets all headers but Host", behavior.get("OriginRequestPolicyId") == ORIGIN_REQUEST_POLICY
        yield f"{path} is not compressed: streams would stall", behavior.get("Compress") is False
        yield f"{path} is https only", behavior.get("ViewerProtocolPolicy") == "https-only"
    for path in "*", *managed[:3]:
        behavior = behaviors.get(path) or {}
        yield f"{path} is never cached", behavior.get("CachePolicyId") == CACHE_POLICY
        yield f"{path} takes every method", set(behavior.get("AllowedMethods") or []) == METHODS
        yield f"{path} caches no preflight", "OPTIONS" not in (behavior.get("CachedMethods") or [])
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
    problems = [f"{paths[0]}: not so: {label}" for label, holds in results if not holds] + undocumented(template)
    print("\n".join(problems) or f"template ok: {len(results)} assertions")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
