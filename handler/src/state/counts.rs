//! The ledger of a table: what became of every event that was received.

use serde::{Deserialize, Serialize};

/// What became of events and their values.
///
/// Every event that was received is in exactly one of the five places of [`Counts::accounted`]; a difference is a
/// defect of ours, and is said.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct Counts {
    /// Events that came, those that came again included.
    pub received: u64,
    /// Rows that the destination accepted.
    pub delivered: u64,
    /// Events dropped because they were delivered before.
    pub seen_before: u64,
    /// Events set aside with a reason.
    pub dead_lettered: u64,
    /// Events that wait in the spool.
    pub spooled: u64,
    /// Events that were neither when the run ended: they are read and counted again.
    pub in_flight: u64,
    /// Rows that may be there twice, because an answer was lost after the destination may have taken them.
    pub perhaps_doubled: u64,
    /// Rows older than 48 hours: Azure Monitor replaces their `TimeGenerated` by the time of arrival.
    pub old_rows: u64,
    /// Values left out because they do not fit their column.
    pub unfit_values: u64,
    /// Values shortened to the field limit.
    pub cut_values: u64,
    /// Places where bytes that are not UTF-8 were replaced.
    pub replaced_bytes: u64,
}

/// Events that came and are nowhere, or the other way round.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the ledger does not balance: {received} events received, but {delivered} delivered + {seen_before} seen before + \
     {dead_lettered} dead letters + {spooled} in the spool + {in_flight} in flight = {accounted}; please report it with \
     this line"
)]
pub struct Imbalance {
    received: u64,
    delivered: u64,
    seen_before: u64,
    dead_lettered: u64,
    spooled: u64,
    in_flight: u64,
    accounted: u64,
}

impl Counts {
    /// The sum of the places where an event can be.
    pub fn accounted(&self) -> u64 {
        self.delivered + self.seen_before + self.dead_lettered + self.spooled + self.in_flight
    }

    /// What came since a ledger stood at `earlier`.
    pub fn since(&self, earlier: Self) -> Self {
        Self {
            received: self.received.saturating_sub(earlier.received),
            delivered: self.delivered.saturating_sub(earlier.delivered),
            seen_before: self.seen_before.saturating_sub(earlier.seen_before),
            dead_lettered: self.dead_lettered.saturating_sub(earlier.dead_lettered),
            spooled: self.spooled.saturating_sub(earlier.spooled),
            in_flight: self.in_flight.saturating_sub(earlier.in_flight),
            perhaps_doubled: self.perhaps_doubled.saturating_sub(earlier.perhaps_doubled),
            old_rows: self.old_rows.saturating_sub(earlier.old_rows),
            unfit_values: self.unfit_values.saturating_sub(earlier.unfit_values),
            cut_values: self.cut_values.saturating_sub(earlier.cut_values),
            replaced_bytes: self.replaced_bytes.saturating_sub(earlier.replaced_bytes),
        }
    }

    /// Fails with the numbers unless every event is somewhere.
    pub fn check(&self) -> Result<(), Imbalance> {
        let accounted = self.accounted();
        if accounted == self.received {
            return Ok(());
        }
        Err(Imbalance {
            received: self.received,
            delivered: self.delivered,
            seen_before: self.seen_before,
            dead_lettered: self.dead_lettered,
            spooled: self.spooled,
            in_flight: self.in_flight,
            accounted,
        })
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.delivered += other.delivered;
        self.seen_before += other.seen_before;
        self.dead_lettered += other.dead_lettered;
        self.spooled += other.spooled;
        self.in_flight += other.in_flight;
        self.perhaps_doubled += other.perhaps_doubled;
        self.old_rows += other.old_rows;
        self.unfit_values += other.unfit_values;
        self.cut_values += other.cut_values;
        self.replaced_bytes += other.replaced_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named_with_its_numbers() {
        let balanced = Counts {
            received: 15,
            delivered: 1,
            seen_before: 2,
            dead_lettered: 3,
            spooled: 4,
            in_flight: 5,
            ..Counts::default()
        };
        assert_eq!(balanced.check(), Ok(()));
        let lost = Counts {
            delivered: 0,
            ..balanced
        };
        let text = lost.check().unwrap_err().to_string();
        assert!(text.contains("15 events received") && text.contains("= 14"), "{text}");
    }
}
