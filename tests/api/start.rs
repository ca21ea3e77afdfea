//! Starts that fail: one line on stderr names the setting, and where the program was started by hand, what to run instead.

use std::process::Command;

use crate::support::{function::BINARY, management::SECRET};

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

/// A setting, its value in place of the usual one, and how the line begins after the setting's name.
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

/// The one line of a program that has only these settings.
fn failed_start<'a>(binary: &str, settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let output = Command::new(binary).env_clear().envs(settings).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

/// Started by hand, or by an emulator that sets too little.
#[test]
fn a_start_outside_lambda_ends_with_one_line_that_says_what_to_do() {
    for (name, value, expected) in FAULTS {
        for (program, binary) in [("endpoint", BINARY), ("manage", MANAGE)] {
            let others = SETTINGS.into_iter().filter(|(other, _)| *other != name);
            let error = failed_start(binary, others.chain(value.map(|value| (name, value))));
            assert!(error.starts_with(&format!("{program}: {name}: {expected}")), "{error}");
        }
    }
    // With nothing at all, the pointer is there too.
    for binary in [BINARY, MANAGE] {
        let error = failed_start(binary, []);
        assert!(error.contains("make run"), "{error}");
    }
}

#[test]
fn a_management_function_without_a_way_to_check_jwts_does_not_start() {
    let start = |secret| {
        let others = SETTINGS.into_iter().filter(|(name, _)| *name != "JWT_SECRET");
        failed_start(MANAGE, others.chain([("JWT_SECRET", secret)]))
    };
    assert!(start("").starts_with("manage: JWT_SECRET: is required"));
    assert_eq!(
        start("too short"),
        "manage: JWT_SECRET: its secret must have at least 32 bytes\n"
    );
}
