//! Starts that fail: one line of the log names the setting, and if the program was started by hand, says what to run instead.

use std::process::Command;

use axum::{Json, Router, http::StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{function::BINARY, log::lines, management::SECRET};

const MANAGE: &str = env!("CARGO_BIN_EXE_manage");

/// All that a start needs. Nobody listens on port 9.
const SETTINGS: [(&str, &str); 11] = [
    ("ASSISTANTS_TABLE", "Assistants"),
    ("TOKEN_CLAIMS_TABLE", "Claims"),
    ("JWT_SECRET", SECRET),
    ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
    ("AWS_LAMBDA_FUNCTION_NAME", "f"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_SECRET_ACCESS_KEY", "local"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
];

/// A setting, its value in place of the usual one, and how the cause begins after the setting's name.
const FAULTS: [(&str, Option<&str>, &str); 10] = [
    (
        "AWS_LAMBDA_RUNTIME_API",
        None,
        "is required but not set. This program runs in AWS Lambda. On this machine, use `make run`",
    ),
    (
        "AWS_LAMBDA_RUNTIME_API",
        Some("not a host"),
        "must be a host and a port",
    ),
    ("AWS_LAMBDA_RUNTIME_API", Some(""), "must be a host and a port"),
    (
        "AWS_LAMBDA_RUNTIME_API",
        Some("127.0.0.1:9/.rt"),
        "must be a host and a port",
    ),
    (
        "AWS_LAMBDA_RUNTIME_API",
        Some("127.0.0.1:9"),
        "no event comes from there (Connection refused",
    ),
    ("AWS_LAMBDA_FUNCTION_NAME", None, "is required"),
    ("AWS_LAMBDA_FUNCTION_VERSION", None, "is required"),
    (
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        Some("much"),
        "must be a number of megabytes",
    ),
    ("ASSISTANTS_TABLE", None, "is required but not set"),
    ("TOKEN_CLAIMS_TABLE", None, "is required but not set"),
];

/// The cause in the one line that a function with only these settings writes, at a level that Lambda does not drop.
fn failed_start<'a>((program, binary): (&str, &str), settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let settings: Vec<_> = settings.into_iter().collect();
    let output = Command::new(binary)
        .env_clear()
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let log = String::from_utf8(output.stdout).unwrap();
    let failed = lines(&log, "the function did not start");
    let [line] = failed.as_slice() else { panic!("{log}") };
    let is_fatal = settings.contains(&("AWS_LAMBDA_LOG_LEVEL", "FATAL"));
    assert_eq!(line["level"], if is_fatal { "FATAL" } else { "ERROR" }, "{line}");
    assert_eq!(line["function"], program);
    line["cause"].as_str().unwrap().to_owned()
}

const PROGRAMS: [(&str, &str); 2] = [("endpoint", BINARY), ("manage", MANAGE)];

/// All that a start needs, except the setting of this name.
fn without(name: &str) -> impl Iterator<Item = (&str, &str)> {
    SETTINGS.into_iter().filter(move |(other, _)| *other != name)
}

/// Started by hand, or by an emulator that sets too little.
#[test]
fn a_start_outside_lambda_ends_with_one_line_that_says_what_to_do() {
    for (name, value, expected) in FAULTS {
        for program in PROGRAMS {
            let cause = failed_start(program, without(name).chain(value.map(|value| (name, value))));
            assert!(cause.starts_with(&format!("{name}: {expected}")), "{cause}");
        }
    }
    // With nothing at all, the pointer is there too.
    for program in PROGRAMS {
        let cause = failed_start(program, []);
        assert!(cause.contains("make run"), "{cause}");
    }
}

#[test]
fn a_management_function_without_a_way_to_check_jwts_does_not_start() {
    let start = |secret| {
        failed_start(
            ("manage", MANAGE),
            without("JWT_SECRET").chain([("JWT_SECRET", secret)]),
        )
    };
    assert!(start("").starts_with("JWT_SECRET: is required"));
    assert_eq!(start("too short"), "JWT_SECRET: its secret must have at least 32 bytes");
}

#[test]
fn no_log_level_drops_the_line_of_a_failed_start() {
    for level in ["WARN", "ERROR", "FATAL"] {
        for program in PROGRAMS {
            let cause = failed_start(
                program,
                without("ASSISTANTS_TABLE").chain([("AWS_LAMBDA_LOG_LEVEL", level)]),
            );
            assert_eq!(cause, "ASSISTANTS_TABLE: is required but not set");
        }
    }
}

/// A missing permission, a missing secret and a network without a way out have different cures.
#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_secret_that_cannot_be_read_says_why() {
    for cause in ["AccessDeniedException", "ResourceNotFoundException", "no answer"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        if cause == "no answer" {
            drop(listener);
        } else {
            let error = (
                StatusCode::BAD_REQUEST,
                Json(json!({"__type": cause, "message": "No."})),
            );
            let routes = Router::new().fallback(async move || error);
            tokio::spawn(async move { axum::serve(listener, routes).await });
        }
        let others = [
            ("JWT_SECRET_ID", "jwt"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &*address),
        ];
        let told = failed_start(("manage", MANAGE), without("JWT_SECRET").chain(others));
        let expected = format!("JWT_SECRET_ID: its secret cannot be read from Secrets Manager ({cause})");
        assert_eq!(told, expected);
    }
}
