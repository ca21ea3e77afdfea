//! The operator's program: keeps assistants, and runs everything on one machine.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use assistant_endpoint::{assistant::store::transaction::WriteError, local::embedded_store::Error, log};
use clap::{Parser, Subcommand};

/// `println!`, but that whoever reads may go away, as in `assistants list | head`: the program then ends quietly.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::written($crate::printed(format_args!($($text)*)), false)
    };
}

mod commands;
mod demo;
mod describe;
mod invoke;
mod serve;
mod settings;
mod show;
mod token;
mod usage;

/// Keeps AI assistants and serves them to any tool that speaks OpenAI's API.
///
/// Assistants are kept in the DynamoDB tables that ASSISTANTS_TABLE and TOKEN_CLAIMS_TABLE name, reached with the usual
/// AWS credentials, or with --local in the store of a running `assistants serve`.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create an assistant and print its public token, once
    Create(commands::Create),
    /// List assistants
    List(commands::List),
    /// Show an assistant
    Show(commands::Show),
    /// Change an assistant's settings
    Update(commands::Update),
    /// Give an assistant a new public token; the old one stops working at once, or after --grace
    RotateToken(commands::RotateToken),
    /// Delete an assistant; callers with its token get a 404 from then on
    Delete(commands::Delete),
    /// Show what an assistant used, by the day
    Usage(usage::ShowUsage),
    /// Say what can be set: each setting's name, values and meaning
    Settings(describe::Describe),
    /// Sign a JWT for the management API
    Token(token::SignToken),
    /// Serve the endpoint on 127.0.0.1 over an embedded store
    Serve(serve::Serve),
    /// Send one Function URL event through the Lambda binary and print what comes back
    Invoke(invoke::Invoke),
}

fn printed(text: std::fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Ends the program where nobody reads what it prints, or where it cannot be written. What `is_shown_once` is lost then.
fn written(result: io::Result<()>, is_shown_once: bool) {
    match result {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !is_shown_once => std::process::exit(0),
        Err(error) => {
            eprintln!("assistants: the output cannot be written ({error}), though the command was carried out.");
            std::process::exit(1);
        }
    }
}

const STORE_ADVICE: &str = "Check AWS credentials and region (`aws sts get-caller-identity`) and the tables' names; with --local, \
                            that `assistants serve` is running there.";

/// What is kept from clients, but the operator has to know.
fn cause(error: &Error) -> Option<&str> {
    let store_error = match error.downcast_ref::<WriteError>() {
        Some(WriteError::Store(error) | WriteError::Unsettled(error)) => Some(error),
        _ => error.downcast_ref(),
    };
    store_error.and_then(assistant_endpoint::error::Error::cause)
}

#[tokio::main]
async fn main() -> ExitCode {
    log::human();
    let done = match Cli::parse().command {
        Command::Create(create) => create.run().await,
        Command::List(list) => list.run().await,
        Command::Show(show) => show.run().await,
        Command::Update(update) => update.run().await,
        Command::RotateToken(rotate) => rotate.run().await,
        Command::Delete(delete) => delete.run().await,
        Command::Usage(usage) => usage.run().await,
        Command::Settings(describe) => {
            describe.run();
            Ok(())
        }
        Command::Token(token) => token.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Invoke(invoke) => invoke.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match cause(&error) {
                Some(cause) => eprintln!("assistants: the store cannot be used ({cause}). {STORE_ADVICE}"),
                None => eprintln!("assistants: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}
