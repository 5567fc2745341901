//! The command line: one file per command, each a single call into the wiring.

mod backfill;
mod check;
mod confirm;
mod exit_code;
mod host_gone;
mod poll;
mod prepare;
mod progress;
mod replay;
mod serve;
mod signals;
mod status;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use self::exit_code::{CommandEnd, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, failed};
use crate::app::about;
use crate::config::{Environment, log_format};
use crate::logging;

#[derive(Debug, Parser)]
#[command(name = "handler", version, about = about())]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The custom handler behind the Azure Functions host (the default).
    Serve(serve::ServeArguments),
    /// One pass over the configured streams and the spool.
    Poll(poll::PollArguments),
    /// Tries every credential, permission, endpoint and table, and the state store; delivers nothing.
    Check(check::CheckArguments),
    /// Fills what a past window lacks.
    Backfill(backfill::BackfillArguments),
    /// Sends what was set aside: dead letters and the spool.
    Replay(replay::ReplayArguments),
    /// How every stream stands, from the state store alone.
    Status(status::StatusArguments),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let environment = Arc::new(Environment::of_process());
    logging::start(log_format(environment.as_ref()), environment.get("RUST_LOG"));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format!("the process cannot start its threads ({error})")),
    };
    let command = arguments
        .command
        .unwrap_or(Command::Serve(serve::ServeArguments::default()));
    let end: CommandEnd = runtime.block_on(async {
        match command {
            Command::Poll(arguments) => poll::run(environment, arguments).await,
            Command::Check(arguments) => check::run(environment, arguments).await,
            Command::Backfill(arguments) => backfill::run(environment, arguments).await,
            Command::Replay(arguments) => replay::run(environment, arguments).await,
            Command::Status(arguments) => status::run(environment, arguments).await,
            Command::Serve(arguments) => serve::run(environment, arguments).await,
        }
    });
    // A thread that hangs in the file system must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    end.unwrap_or_else(|code| code)
}
