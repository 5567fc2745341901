//! The identity: a token for every audience that the settings need.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::finding::{Finding, Probe};
use crate::app::runtime_provider::RuntimeProvider;
use crate::app::settings::Settings;
use crate::azure::TokenSource;
use crate::destination::DestinationChoice;
use crate::state::{STORAGE_SCOPE, StateLocation};
use crate::time::Deadline;

/// A part for every audience.
pub fn probes(provider: &RuntimeProvider, settings: &Settings, deadline: Deadline) -> Vec<Probe> {
    let scopes = scopes_of(settings);
    let tokens = match provider.tokens() {
        Ok(tokens) => tokens,
        Err(error) => {
            let finding = Finding::failed("identity", error.to_string());
            return vec![Probe::new("identity", std::future::ready(vec![finding]))];
        }
    };
    let probes = scopes.into_iter().map(|scope| {
        let subject = format!("identity for {}", scope.trim_end_matches("/.default"));
        Probe::new(subject.clone(), token(tokens.clone(), subject, scope, deadline))
    });
    probes.collect()
}

fn scopes_of(settings: &Settings) -> BTreeSet<String> {
    let mut scopes: BTreeSet<String> = settings
        .destinations()
        .filter_map(|choice| match choice {
            DestinationChoice::Rule(rule) => Some(format!("{}/.default", rule.audience)),
            DestinationChoice::Directory => None,
        })
        .collect();
    if let StateLocation::Blob(container) = &settings.state
        && !container.endpoint.is_loopback()
    {
        scopes.insert(STORAGE_SCOPE.to_owned());
    }
    scopes
}

async fn token(tokens: Arc<dyn TokenSource>, subject: String, scope: String, deadline: Deadline) -> Vec<Finding> {
    let finding = match tokens.token(&scope, deadline).await {
        Ok(_) => Finding::fine(subject, "a token was given"),
        Err(error) => Finding::failed(subject, error.to_string()),
    };
    vec![finding]
}
