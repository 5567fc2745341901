//! Everything the endpoint remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::rngs::StdRng;
use serde_json::Value;

use super::contract::{Call, IngestionFault, LARGEST_BODY_BYTES, Rule};
use crate::managed_identity::Identity;
use crate::random;
use crate::service::{Controls, Simulation};

/// A data collection endpoint.
#[derive(Debug)]
pub struct Endpoint {
    pub(super) controls: Controls<IngestionFault>,
    pub(super) rows: BTreeMap<String, Vec<Value>>,
    pub(super) calls: Vec<Call>,
    pub(super) denied_rules: BTreeSet<String>,
    pub(super) refused_texts: Vec<String>,
    pub(super) largest_body: usize,
    pub(super) identity: Arc<Simulation<Identity>>,
    pub(super) rules: Vec<Rule>,
    /// Rules whose streams declare none of the added columns.
    pub(super) rules_of_older_templates: BTreeSet<String>,
    rng: StdRng,
}

impl Endpoint {
    pub(super) fn new(identity: Arc<Simulation<Identity>>, rules: Vec<Rule>) -> Self {
        Endpoint {
            controls: Controls::default(),
            rows: BTreeMap::new(),
            calls: Vec::new(),
            denied_rules: BTreeSet::new(),
            refused_texts: Vec::new(),
            largest_body: LARGEST_BODY_BYTES,
            identity,
            rules,
            rules_of_older_templates: BTreeSet::new(),
            rng: random::for_one_server(),
        }
    }

    /// Takes the rows; gives their number.
    pub(super) fn take(&mut self, table: &str, rows: Vec<Value>) -> usize {
        let taken = rows.len();
        self.rows.entry(table.to_owned()).or_default().extend(rows);
        taken
    }

    /// Remembers a call under a new request id, and gives that.
    pub(super) fn record(&mut self, call: Call) -> String {
        let request_id = self.request_id();
        self.calls.push(Call {
            request_id: request_id.clone(),
            ..call
        });
        request_id
    }

    pub(super) fn request_id(&mut self) -> String {
        random::uuid(&mut self.rng)
    }

    /// Whether the text of a row, or of a whole body, holds a text that is refused on purpose.
    pub(super) fn is_refused_on_purpose(&self, json: &str) -> bool {
        self.refused_texts.iter().any(|refused| json.contains(refused))
    }
}
