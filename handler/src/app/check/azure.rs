//! The identity: a token for every audience that the settings need.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Check, Finding, Probe};
use crate::azure::TokenSource;
use crate::config::{DestinationChoice, StateLocation};
use crate::state::STORAGE_SCOPE;
use crate::time::Deadline;

impl Check {
    pub(super) fn identities(&self, deadline: Deadline) -> Vec<(String, Probe)> {
        let scopes = self.scopes();
        let tokens = match self.workplace.tokens() {
            Ok(tokens) => tokens,
            Err(error) => {
                let finding = Finding::failed("identity", error.to_string());
                return vec![("identity".to_owned(), Box::pin(std::future::ready(vec![finding])))];
            }
        };
        let probes = scopes.into_iter().map(|scope| {
            let subject = format!("identity for {}", scope.trim_end_matches("/.default"));
            let probe: Probe = Box::pin(token(tokens.clone(), subject.clone(), scope, deadline));
            (subject, probe)
        });
        probes.collect()
    }

    /// Where rows are to go, as the settings say it.
    pub(super) fn destination_choices(&self) -> impl Iterator<Item = &DestinationChoice> {
        let settings = &self.settings;
        let pingone = settings.pingone.iter().map(|instance| &instance.destination);
        let enterprise = settings.pingone_enterprise.iter().map(|instance| &instance.destination);
        let sentinelone = settings.sentinelone.iter().map(|instance| &instance.destination);
        let onelogin = settings.onelogin.iter().map(|instance| &instance.destination);
        let health = settings.health.enabled.then_some(&settings.health.destination);
        pingone
            .chain(enterprise)
            .chain(sentinelone)
            .chain(onelogin)
            .chain(health)
    }

    fn scopes(&self) -> BTreeSet<String> {
        let mut scopes: BTreeSet<String> = self
            .destination_choices()
            .filter_map(|choice| match choice {
                DestinationChoice::Rule(rule) => Some(format!("{}/.default", rule.audience)),
                DestinationChoice::Directory => None,
            })
            .collect();
        if let StateLocation::Blob { endpoint, .. } = &self.settings.state
            && !endpoint.is_loopback()
        {
            scopes.insert(STORAGE_SCOPE.to_owned());
        }
        scopes
    }
}

async fn token(tokens: Arc<dyn TokenSource>, subject: String, scope: String, deadline: Deadline) -> Vec<Finding> {
    let finding = match tokens.token(&scope, deadline).await {
        Ok(_) => Finding::fine(subject, "a token was given"),
        Err(error) => Finding::failed(subject, error.to_string()),
    };
    vec![finding]
}
