//! `handler status`

use std::io;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::exit_code::{CommandEnd, failed};
use super::prepare::prepare;
use crate::app::RuntimeProvider;
use crate::config::Environment;
use crate::state::Holder;
use crate::status::status_text;

/// What follows `status`.
#[derive(Args, Debug)]
pub struct StatusArguments {
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// Reads the state and nothing else: makes no folder, and needs no secret, destination or right to write. Exit 0
/// whatever it shows, 1 if the state store cannot be read, 64 for bad settings or nothing configured.
pub async fn run(environment: Arc<Environment>, arguments: StatusArguments) -> CommandEnd {
    let provider = RuntimeProvider::read_only(environment, Holder::of_command("status"));
    let (_, runtime) = prepare(&provider).await?;
    let status = runtime.status().await.map_err(failed)?;
    let text = if arguments.json {
        format!("{}\n", status.to_json())
    } else {
        status_text(&status)
    };
    // Whoever reads may have closed the pipe; that is their choice.
    let _ = io::stdout().lock().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}
