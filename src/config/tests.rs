use super::*;

fn read(settings: &[(&str, &str)]) -> Result<Config, String> {
    let mut all = HashMap::from([
        ("ASSISTANTS_TABLE", "Assistants"),
        ("TOKEN_CLAIMS_TABLE", "TokenClaims"),
    ]);
    all.extend(settings.iter().copied());
    Config::read(|name| all.get(name).map(|value| (*value).to_owned())).map_err(|error| error.to_string())
}

#[test]
fn two_tables_are_enough_and_both_are_needed() {
    let config = read(&[]).unwrap();
    assert_eq!(config.timeouts.commit_after, Duration::from_secs(10));
    assert!(!config.rules.allow_private_providers && config.provider_keys.is_empty());
    assert_eq!((config.tables.responses, config.responses_ttl_days), (None, 30));
    assert_eq!(
        read(&[("TOKEN_CLAIMS_TABLE", " ")]).unwrap_err(),
        "TOKEN_CLAIMS_TABLE: is required but not set"
    );
}

#[test]
fn the_management_function_needs_a_way_to_check_jwts() {
    let read = |settings: &[(&str, &str)]| {
        let mut all = HashMap::from([("ASSISTANTS_TABLE", "A"), ("TOKEN_CLAIMS_TABLE", "C")]);
        all.extend(settings.iter().copied());
        let read = ManageConfig::read(|name| all.get(name).map(|value| (*value).to_owned()));
        read.map(|_| ()).map_err(|error| error.to_string())
    };
    let long = "0123456789abcdef0123456789abcdef";
    let secret = ("JWT_SECRET", long);
    read(&[secret]).unwrap();
    read(&[("JWT_SECRET_ID", "jwt")]).unwrap();
    let jwks = ("JWKS_URL", "https://issuer.example/jwks.json");
    read(&[jwks, ("JWT_ISSUER", "i"), ("JWT_AUDIENCE", "a")]).unwrap();
    for (settings, variable) in [
        (vec![], "JWT_SECRET: "),
        (vec![("JWT_SECRET", &long[1..])], "JWT_SECRET: "),
        (vec![jwks, ("JWT_AUDIENCE", "a")], "JWT_ISSUER: "),
        (vec![jwks, ("JWT_ISSUER", "i")], "JWT_AUDIENCE: "),
        // Of none: any token of the issuer's would be let in, whoever it was made for.
        (
            vec![jwks, ("JWT_ISSUER", "i"), ("JWT_AUDIENCE", " ,, ")],
            "JWT_AUDIENCE: ",
        ),
        (vec![secret, ("JWT_AUDIENCE", ",")], "JWT_AUDIENCE: "),
        (
            vec![secret, ("PUBLIC_URL", "https://api.example.com/#a")],
            "PUBLIC_URL: ",
        ),
        (
            vec![secret, ("PUBLIC_URL", "https://u:p@api.example.com")],
            "PUBLIC_URL: ",
        ),
        (vec![("JWKS_URL", "issuer.example")], "JWKS_URL: "),
        (
            vec![("JWKS_URL", "https://user:pw99@issuer.example/keys")],
            "JWKS_URL: ",
        ),
        (
            vec![
                jwks,
                ("JWT_ISSUER", "i"),
                ("JWT_AUDIENCE", "a"),
                ("JWT_SECRET", "short"),
            ],
            "JWT_SECRET: ",
        ),
        (
            vec![("JWT_SECRET", long), ("AWS_ENDPOINT_URL_DYNAMODB", "nonsense")],
            "AWS_ENDPOINT_URL_DYNAMODB: ",
        ),
    ] {
        let error = read(&settings).unwrap_err();
        assert!(error.starts_with(variable) && !error.contains(&long[1..]), "{error}");
    }
}

#[test]
fn a_malformed_setting_is_named_and_never_quoted() {
    for (name, value) in [
        ("KEEP_ALIVE_SECONDS", "ten"),
        ("MAX_STREAM_SECONDS", "-1"),
        ("ALLOW_PRIVATE_PROVIDERS", "maybe"),
        ("OPENAI_BASE_URL", "api.example.com"),
        ("OPENAI_BASE_URL", "https://api.example.com/v1?a=b"),
        ("OPENAI_BASE_URL", "https://user:pw99@api.example.com/v1"),
        ("AZURE_OPENAI_ENDPOINT", "https://pw99@api.example.com"),
        ("PUBLIC_URL", "https://:pw99@api.example.com"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "nonsense"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "nonsense"),
        ("PUBLIC_URL", "nonsense"),
        ("METRICS_NAMESPACE", "AWS/Lambda"),
        ("METRICS_NAMESPACE", ":ours"),
        ("METRICS_NAMESPACE", "für uns"),
        ("ASSISTANTS_TABLE", "no such table!"),
        ("GROQ_API_KEY", "gsk\nb"),
        ("MAX_REQUESTS_PER_MINUTE", "many"),
        ("MAX_TOKENS_PER_DAY", "00"),
        ("MAX_OUTPUT_TOKENS", "-1"),
        ("MAX_ASSISTANTS_PER_OWNER", "1.5"),
        ("RESPONSES_TABLE", "no such table!"),
        ("RESPONSES_TTL_DAYS", "00"),
        ("RESPONSES_TTL_DAYS", "1.5"),
        ("ORIGIN_SECRETS", "too-short"),
        ("ORIGIN_SECRETS", "0123456789abcdef,too-short"),
        ("ORIGIN_SECRETS", "0123456789abcdef,fedcba9876543210,0123456789fedcba"),
        ("ORIGIN_SECRETS", "0123456789 abcdef"),
        ("ORIGIN_SECRETS", " , "),
        ("CLOSED_TO_DIRECT_ACCESS", "maybe"),
    ] {
        let error = read(&[(name, value)]).unwrap_err();
        assert!(error.starts_with(&format!("{name}: must be ")), "{error}");
        assert!(!error.contains(value), "{error}");
    }
}

#[test]
fn keys_and_endpoints_are_read_by_provider() {
    let config = read(&[
        ("OPENAI_API_KEY", "sk-a"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:1/v1/"),
        ("PROVIDER_IDLE_TIMEOUT_SECONDS", "0.5"),
    ])
    .unwrap();
    assert!(config.provider_keys.contains_key("OPENAI_API_KEY"));
    assert_eq!(config.provider_base_urls[&Provider::OpenAi], "http://127.0.0.1:1/v1");
    assert_eq!(config.timeouts.provider_idle, Duration::from_millis(500));
    assert!(!format!("{config:?}").contains("sk-a"));
}

#[test]
fn what_needs_another_variable_says_so() {
    for (name, value, needed) in [
        ("MAX_REQUESTS_PER_MINUTE", "5", "USAGE_TABLE"),
        ("MAX_TOKENS_PER_DAY", "5", "USAGE_TABLE"),
        ("CLOSED_TO_DIRECT_ACCESS", "true", "ORIGIN_SECRETS"),
    ] {
        assert_eq!(
            read(&[(name, value)]).unwrap_err(),
            format!("{name}: needs {needed}, which is not set")
        );
    }
    let config = read(&[
        ("MAX_OUTPUT_TOKENS", "5"),
        ("ORIGIN_SECRETS", "0123456789abcdef, fedcba9876543210"),
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
    read(&[("MAX_TOKENS_PER_DAY", "5"), ("USAGE_TABLE", "Usage")]).unwrap();
}

#[test]
fn signing_in_goes_with_the_issuers_keys_alone() {
    let read = |settings: &[(&str, &str)]| {
        let mut all = HashMap::from([
            ("ASSISTANTS_TABLE", "A"),
            ("TOKEN_CLAIMS_TABLE", "C"),
            ("OIDC_CLIENT_ID", "page"),
        ]);
        all.extend(settings.iter().copied());
        let read = ManageConfig::read(|name| all.get(name).map(|value| (*value).to_owned()));
        read.map(|config| config.page.sign_in.unwrap())
            .map_err(|error| error.to_string())
    };
    let keys = ("JWKS_URL", "https://id.example/keys");
    let (issuer, audience) = (("JWT_ISSUER", "https://id.example/"), ("JWT_AUDIENCE", "api,page"));
    let sign_in = read(&[keys, issuer, audience]).unwrap();
    assert_eq!(
        (sign_in.client_id.as_str(), sign_in.scopes.as_str()),
        ("page", "openid")
    );
    let secret = "0123456789abcdef0123456789abcdef";
    for (settings, problem) in [
        (vec![("JWT_SECRET", secret)], "OIDC_CLIENT_ID: cannot stand beside"),
        (
            vec![keys, issuer, audience, ("JWT_SECRET", secret)],
            "OIDC_CLIENT_ID: cannot stand beside",
        ),
        (
            vec![keys, issuer, audience, ("JWT_SECRET_ID", "jwt")],
            "OIDC_CLIENT_ID: cannot stand beside",
        ),
        (
            vec![keys, issuer, ("JWT_AUDIENCE", "api")],
            "OIDC_CLIENT_ID: must be one of JWT_AUDIENCE",
        ),
        (
            vec![keys, issuer, audience, ("OIDC_SCOPES", "email")],
            "OIDC_SCOPES: must hold `openid`",
        ),
        (
            vec![keys, ("JWT_ISSUER", "not a url"), audience],
            "JWT_ISSUER: must be an http or https URL",
        ),
    ] {
        let error = read(&settings).unwrap_err();
        assert!(error.starts_with(problem), "{error}");
    }
}
