//! What the text of a lease says, whatever the backend.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ended_run::{EndedRuns, read_leniently};
use super::lease_notes::{LastRead, LeaseNotes};
use super::leases::{HeldBy, Holder};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct LeaseText {
    /// Grows with every holder.
    pub fence: u64,
    /// For people: the command and the process.
    pub who: String,
    /// True for a holder that releases the lease soon.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    yields: bool,
    /// When the lease ends unless it is renewed; `None` once it is released.
    pub until: Option<DateTime<Utc>>,
    /// How the last runs ended.
    #[serde(
        default,
        deserialize_with = "read_leniently",
        skip_serializing_if = "Option::is_none"
    )]
    pub runs: Option<EndedRuns>,
    /// When each stream was last read.
    #[serde(default, skip_serializing_if = "LastRead::is_empty")]
    pub last_read: LastRead,
}

impl LeaseText {
    /// The text of the next holder.
    pub fn next(self, holder: &Holder, until: DateTime<Utc>) -> Self {
        Self {
            fence: self.fence + 1,
            who: holder.who.clone(),
            yields: holder.yields,
            until: Some(until),
            runs: self.runs,
            last_read: self.last_read,
        }
    }

    /// What is noted in it.
    pub fn notes(self) -> LeaseNotes {
        LeaseNotes {
            runs: self.runs.unwrap_or_default(),
            last_read: self.last_read,
        }
    }

    /// With these notes.
    pub fn note(&mut self, notes: LeaseNotes) {
        self.runs = Some(notes.runs);
        self.last_read = notes.last_read;
    }

    /// Who has the lease.
    pub fn held_by(self) -> HeldBy {
        if self.who.is_empty() {
            return HeldBy {
                until: self.until,
                ..HeldBy::unknown()
            };
        }
        HeldBy {
            // A text without the field, as earlier executables write it, says it by the name of the command.
            yields: self.yields || self.who.split(' ').next() == Some("backfill"),
            who: self.who,
            until: self.until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> LeaseText {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn who_yields_says_so_in_the_text_and_a_text_without_the_field_by_its_command() {
        let until = DateTime::UNIX_EPOCH;
        let holder = |command: &str| Holder::of_command(command);
        for (holder, yields) in [
            (holder("poll"), false),
            (holder("backfill"), true),
            (holder("fill").yielding(), true),
        ] {
            let text = serde_json::to_string(&LeaseText::default().next(&holder, until)).unwrap();
            assert_eq!(read(&text).held_by().yields, yields, "{text}");
        }
        for (who, yields) in [
            ("backfill (process 7)", true),
            ("serve (process 7)", false),
            ("backfilled (process 7)", false),
            ("", false),
        ] {
            let text = read(&format!(r#"{{"fence":3,"who":"{who}","until":null}}"#));
            assert_eq!(text.held_by().yields, yields, "{who}");
        }
    }

    #[test]
    fn the_text_of_a_holder_that_does_not_yield_has_the_keys_that_it_always_had() {
        let text = LeaseText::default().next(&Holder::of_command("poll"), DateTime::UNIX_EPOCH);
        let json = serde_json::to_value(text).unwrap();
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["fence", "until", "who"]);
    }
}
