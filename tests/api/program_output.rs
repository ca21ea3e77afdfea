//! What the `assistants` program writes: to a reader who goes away, a full disk, an operator's terminal.

use std::process::{Output, Stdio};

use crate::{
    program::{json_of, text},
    support::{TestApp, provider::FakeProvider},
};

/// Tokio's own command would capture the output instead.
fn with_stdout(arguments: &[&str], stdout: Stdio) -> Output {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_assistants"));
    let child = program
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn();
    child.unwrap().wait_with_output().unwrap()
}

/// As in `assistants list | head -1`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_goes_away_ends_the_program_quietly() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    app.assistant().await;
    let local = app.store_address.to_string();
    for arguments in [
        &["settings", "--markdown"][..],
        &["list", "--local", &local],
        &["list", "--json", "--local", &local],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = with_stdout(arguments, writer.into());
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    }
}

/// A full disk, for one: the token is shown this once.
#[test]
fn what_cannot_be_written_is_no_success() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = with_stdout(&["settings", "--markdown"], full.into());
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        String::from_utf8_lossy(&ended.stderr).contains("cannot be written"),
        "{ended:?}"
    );
}

/// As in `assistants create … | true`: the token would be lost without a word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_nobody_reads_is_no_success() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let local = app.store_address.to_string();
    for more in [&[][..], &["--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let create = ["create", "--name", "Bob", "--model", "gpt-4o", "--local", &local];
        let ended = with_stdout(&[&create[..], more].concat(), writer.into());
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.code() == Some(1) && said.contains("cannot be written"),
            "{more:?}: {ended:?}"
        );
    }
}

/// Any owner may choose a name, and the operator's terminal shows it.
#[tokio::test]
async fn a_name_is_no_command_to_the_operators_terminal() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let store = app.store_address;
    let name = "ok\u{1b}]0;owned\u{7}\nforged";
    let created = json_of(store, &["create", "--name", name, "--model", "gpt-4o"]).await;
    let id = created["assistant_id"].as_str().unwrap();
    for arguments in [&["list"][..], &["show", id], &["delete", id]] {
        let shown = text(store, arguments).await;
        assert!(!shown.contains('\u{1b}') && !shown.contains("\nforged"), "{shown}");
        assert!(shown.contains(r"ok\u{1b}]0;owned"), "{shown}");
    }
}

#[test]
fn a_jwt_is_signed_only_where_a_server_would_take_it() {
    let short = ("JWT_SECRET", "short");
    let long = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");
    for (arguments, secret, why) in [
        (&["--owner", "me", "--hours", "99999999999999999"][..], long, "--hours"),
        (&["--owner", "me", "--hours", "0"], long, "--hours"),
        (&["--owner", ""], long, "blank"),
        (&["--owner", "me"], short, "32 bytes"),
    ] {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_assistants"));
        let output = program
            .arg("token")
            .args(arguments)
            .env(secret.0, secret.1)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && error.contains(why) && !error.contains("panicked"),
            "{error}"
        );
    }
}

#[test]
fn a_jwt_of_no_local_run_is_not_signed_and_nothing_is_made() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("elsewhere-{}", uuid::Uuid::new_v4()));
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_assistants"));
    let data = folder.join("assistants.db");
    let output = program
        .args(["token", "--owner", "me", "--data"])
        .arg(&data)
        .env_remove("JWT_SECRET")
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{error}");
    for named in [folder.to_str().unwrap(), "make run", "--data", "--secret-id"] {
        assert!(error.contains(named), "{error}");
    }
    assert!(!folder.exists());
}
