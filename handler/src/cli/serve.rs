//! `handler serve`

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::exit_code::{CommandEnd, failed, misused};
use super::host_gone::stop_with_host;
use super::signals;
use crate::app::settings::InstanceSettings;
use crate::app::{RuntimeProvider, Settings, disabled_names};
use crate::config::{Environment, SettingProblems};
use crate::functions::ConnectorFunctions;
use crate::host;
use crate::state::Holder;

const DEFAULT_PORT: u16 = 8080;
/// Of the ten seconds that a process has to end: so much after the word, pushes on their way are left to themselves.
const TIME_FOR_PUSHES: Duration = Duration::from_secs(7);
const TIME_FOR_THE_LEDGERS: Duration = Duration::from_secs(1);

/// What follows `serve`.
#[derive(Args, Debug, Default)]
pub struct ServeArguments {
    /// The port on 127.0.0.1; else FUNCTIONS_CUSTOMHANDLER_PORT, else 8080.
    #[arg(long)]
    port: Option<u16>,
}

/// Serves until the process is told to stop. Bad settings do not end it: the host would give up after three ends, and
/// then nobody would be told what is wrong.
pub async fn run(environment: Arc<Environment>, arguments: ServeArguments) -> CommandEnd {
    let port = port(environment.as_ref(), arguments.port).map_err(misused)?;
    // Whoever finds the port open may end the process in good order.
    let stop = signals::listen();
    // Bound before anything else: the host's first question finds an open port.
    let (listener, port) = bind(port).map_err(|error| {
        failed(format!(
            "port {port} on 127.0.0.1 cannot be opened ({error}); choose another with --port"
        ))
    })?;
    if environment.is_of_functions_host() {
        tokio::spawn(stop_with_host(stop.clone()));
    }
    let provider = RuntimeProvider::new(environment, Holder::of_command("serve"), stop.clone());
    say_what_is_served(port, &provider);
    tokio::spawn(provider.clone().keep_ledgers());
    let functions = Arc::new(ConnectorFunctions::new(provider.clone()));
    let server = host::start(listener, functions.clone())
        .map_err(|error| failed(format!("the server cannot start ({error})")))?;
    let (handle, asked) = (server.handle(), stop.clone());
    tokio::spawn(async move {
        asked.requested().await;
        handle.stop(true).await;
    });
    server
        .await
        .map_err(|error| failed(format!("the server ended ({error})")))?;
    functions.log_rest();
    // Uploads that were broken off free what they held in the spool.
    tokio::select! {
        () = provider.pushes_settled() => {}
        () = stop.grace_elapsed(TIME_FOR_PUSHES) => {}
    }
    // The last counts of this process; a ledger that cannot be saved is no reason to stay.
    let _ = tokio::time::timeout(TIME_FOR_THE_LEDGERS, provider.save_ledgers()).await;
    Ok(ExitCode::SUCCESS)
}

fn bind(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// At once, and again when the secrets have come.
fn say_what_is_served(port: u16, provider: &RuntimeProvider) {
    let unresolved = provider.unresolved();
    let state = match unresolved {
        0 => describe(&provider.settings()),
        _ => format!("resolving the Key Vault references in {unresolved} settings"),
    };
    log::info!(port = port; "handler {} listens on 127.0.0.1:{port}: {state}", env!("CARGO_PKG_VERSION"));
    if unresolved > 0 {
        let provider = provider.clone();
        tokio::spawn(async move {
            provider.look_up().await;
            log::info!("handler {}", describe(&provider.settings()));
        });
    }
}

fn port(environment: &Environment, argument: Option<u16>) -> Result<u16, String> {
    if let Some(port) = argument {
        return Ok(port);
    }
    let Some(text) = environment
        .get("FUNCTIONS_CUSTOMHANDLER_PORT")
        .filter(|text| !text.trim().is_empty())
    else {
        return Ok(DEFAULT_PORT);
    };
    text.trim()
        .parse()
        .map_err(|_| "FUNCTIONS_CUSTOMHANDLER_PORT: must be a port number".to_owned())
}

fn describe(settings: &Result<Arc<Settings>, SettingProblems>) -> String {
    let Ok(settings) = settings else {
        return "with settings that cannot be used (see above)".to_owned();
    };
    if settings.nothing_configured() {
        return "nothing is configured, so there is nothing to poll and nothing to receive".to_owned();
    }
    let instances = || settings.instances.iter();
    let polls = instances().filter(|instance| instance.vendor.is_polled());
    let pushes = instances().filter(|instance| !instance.vendor.push_tokens().is_empty());
    let polls = polls.map(InstanceSettings::name).collect();
    let pushes = pushes.map(InstanceSettings::name).collect();
    let list = |names: Vec<String>| {
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        }
    };
    let disabled = disabled_names(settings);
    let disabled = match disabled.is_empty() {
        true => String::new(),
        false => format!("; switched off, see its status: {}", disabled.join(", ")),
    };
    format!("polls {}; receives {}{disabled}", list(polls), list(pushes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn onelogin_with_an_api_credential_is_said_to_be_polled() {
        let api = [
            ("ONELOGIN__URL", "https://example.onelogin.com"),
            ("ONELOGIN__CLIENT_ID", "client"),
            ("ONELOGIN__CLIENT_SECRET", "secret"),
        ];
        let said = |given: &[(&'static str, &'static str)]| {
            let environment = Environment::from(given.iter().copied());
            describe(&Settings::load(&environment).map(Arc::new))
        };
        assert_eq!(said(&api), "polls onelogin/default; receives nothing");
        let token = ("ONELOGIN__BEARER_TOKEN", "a-token-of-twenty-letters");
        assert_eq!(said(&[token]), "polls nothing; receives onelogin/default");
        let bad = ("PINGONE__ACME__REGION", "mars");
        assert_eq!(
            said(&[token, bad]),
            "polls nothing; receives onelogin/default; switched off, see its status: pingone/acme"
        );
    }
}
