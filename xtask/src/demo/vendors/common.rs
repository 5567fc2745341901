//! What the vendors of the demo share.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

/// Of everything that is generated.
pub const SEED: u64 = 2026;

/// What a table must hold in the end.
pub struct Expected {
    pub table: &'static str,
    /// What names the event, or the version of a thing, that a row was made of.
    pub name_of: fn(&Value) -> Option<String>,
    pub names: Vec<String>,
}

/// A part of the scenario, with a tick of the timer at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// What the vendors have when the handler comes.
    Beginning,
    /// What happens, changes and is shown late after that.
    Changes,
    /// What is sent again because an answer got lost.
    Repeats,
}

impl Phase {
    pub const ALL: [Self; 3] = [Self::Beginning, Self::Changes, Self::Repeats];
}

/// What names a version: the vendor's id and a time.
pub fn name(id: &str, at: DateTime<Utc>) -> String {
    format!("{id} of {}", at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The same from the columns of a row, or the members of an object.
pub fn name_from(object: &Value, id: &str, time: &str) -> Option<String> {
    let at = object.get(time)?.as_str()?.parse().ok()?;
    Some(name(object.get(id)?.as_str()?, at))
}

/// An error if the webhook was not answered with success.
pub fn accepted(accepted: bool, vendor: &str) -> Result<(), String> {
    if accepted {
        Ok(())
    } else {
        Err(format!("a push of {vendor} was not accepted"))
    }
}
