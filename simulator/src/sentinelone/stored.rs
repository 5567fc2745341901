//! One object as the API shows it now.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::contract::{Column, Contract, FRACTION_DIGITS, text_at};
use super::cursor::{Place, SortKey};
use crate::times::utc_time;

/// One object as it is shown now.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) id: SortKey,
    /// The values that the contract sorts and filters by, with their pointers.
    columns: Vec<(&'static str, Value)>,
    /// The object byte for byte as it was published.
    pub(super) json: Arc<str>,
    /// The times of the contract, in its order.
    pub(super) times: Vec<Option<DateTime<Utc>>>,
    /// The number of its version in the history.
    pub(super) version: usize,
}

impl Stored {
    pub(super) fn new(contract: &Contract, value: &Value, json: Arc<str>, version: usize) -> Self {
        let times = contract.times.iter();
        let columns = contract.pointers();
        Stored {
            id: SortKey::of(value.pointer(contract.id)),
            columns: columns
                .filter_map(|pointer| Some((pointer, value.pointer(pointer)?.clone())))
                .collect(),
            json,
            times: times
                .map(|column| utc_time(text_at(value, column.pointer)?, FRACTION_DIGITS))
                .collect(),
            version,
        }
    }

    /// The value at the pointer as text, empty where there is none.
    pub(super) fn text_at(&self, pointer: &str) -> String {
        match self.column(pointer) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    pub(super) fn place(&self, sort: Column) -> Place {
        Place {
            key: SortKey::of(self.column(sort.pointer)),
            id: self.id.clone(),
        }
    }

    fn column(&self, pointer: &str) -> Option<&Value> {
        let found = self.columns.iter().find(|(known, _)| *known == pointer);
        found.map(|(_, value)| value)
    }
}
