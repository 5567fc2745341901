//! Calls to cargo, which knows where everything is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The root of the checkout.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// `cargo` in the root.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command; its output goes to the terminal.
pub fn run(mut command: Command) -> Result<(), String> {
    let status = command
        .status()
        .map_err(|error| format!("{command:?} cannot be started: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} ended with {status}"))
    }
}

/// Runs a command and gives what it prints; its errors go to the terminal.
pub fn output(mut command: Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{command:?} cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Builds the handler and asks cargo where its executable is.
pub fn build_handler(profile: &[&str]) -> Result<PathBuf, String> {
    let arguments = [
        "build",
        "--package",
        "handler",
        "--bin",
        "handler",
        "--message-format",
        "json-render-diagnostics",
    ];
    let mut command = cargo(&arguments);
    let output = command.args(profile).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !output.status.success() {
        return Err("the handler does not build".to_owned());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut executables = messages.lines().rev().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    });
    executables
        .next()
        .ok_or_else(|| "cargo named no executable of the handler".to_owned())
}
