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
    /// Of a run: events that waited in the spool when it began. They came in an earlier run and were counted then.
    #[serde(skip_serializing_if = "is_zero")]
    pub taken_up: u64,
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
    "the ledger does not balance: {came} events received and taken up, but {delivered} delivered + {seen_before} seen before + \
     {dead_lettered} dead letters + {spooled} in the spool + {in_flight} in flight = {accounted}; please report it with \
     this line",
    came = .0.came(), delivered = .0.delivered, seen_before = .0.seen_before, dead_lettered = .0.dead_lettered,
    spooled = .0.spooled, in_flight = .0.in_flight, accounted = .0.accounted()
)]
pub struct Imbalance(Counts);

impl Counts {
    /// The sum of the places where an event can be.
    pub fn accounted(&self) -> u64 {
        self.delivered + self.seen_before + self.dead_lettered + self.spooled + self.in_flight
    }

    fn came(&self) -> u64 {
        self.received + self.taken_up
    }

    /// Adds a run to what its table came to since the beginning. What is in flight will come again, and what waits in
    /// the spool is only what waits now: so an event counts once, however often it was tried.
    pub fn add_run(&mut self, run: Self) {
        *self += Self {
            spooled: 0,
            in_flight: 0,
            taken_up: 0,
            ..run
        };
        self.wait(run.spooled);
    }

    /// So many events were set aside and are delivered now. Gives how many of them are none of these.
    pub fn replay(&mut self, delivered: u64) -> u64 {
        let own = delivered.min(self.dead_lettered);
        self.dead_lettered -= own;
        self.delivered += own;
        delivered - own
    }

    /// So many events wait in the spool, and no others are under way.
    pub fn wait(&mut self, spooled: u64) {
        self.spooled = spooled;
        self.in_flight = 0;
        self.taken_up = 0;
        self.received = self.accounted();
    }

    /// What came since a ledger stood at `earlier`.
    pub fn since(&self, earlier: Self) -> Self {
        self.combined(earlier, u64::saturating_sub)
    }

    /// Each count of this one with the same count of another.
    fn combined(self, other: Self, of_both: fn(u64, u64) -> u64) -> Self {
        Self {
            received: of_both(self.received, other.received),
            taken_up: of_both(self.taken_up, other.taken_up),
            delivered: of_both(self.delivered, other.delivered),
            seen_before: of_both(self.seen_before, other.seen_before),
            dead_lettered: of_both(self.dead_lettered, other.dead_lettered),
            spooled: of_both(self.spooled, other.spooled),
            in_flight: of_both(self.in_flight, other.in_flight),
            perhaps_doubled: of_both(self.perhaps_doubled, other.perhaps_doubled),
            old_rows: of_both(self.old_rows, other.old_rows),
            unfit_values: of_both(self.unfit_values, other.unfit_values),
            cut_values: of_both(self.cut_values, other.cut_values),
            replaced_bytes: of_both(self.replaced_bytes, other.replaced_bytes),
        }
    }

    /// Fails with the numbers unless every event is somewhere.
    pub fn check(&self) -> Result<(), Imbalance> {
        match self.accounted() == self.came() {
            true => Ok(()),
            false => Err(Imbalance(*self)),
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = self.combined(other, |one, other| one + other);
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_tried_in_many_runs_counts_once_since_the_beginning() {
        let first = Counts {
            received: 20,
            spooled: 20,
            ..Counts::default()
        };
        let again = Counts {
            taken_up: 20,
            spooled: 20,
            ..Counts::default()
        };
        let last = Counts {
            received: 3,
            taken_up: 20,
            delivered: 21,
            dead_lettered: 1,
            in_flight: 1,
            ..Counts::default()
        };
        let mut total = Counts::default();
        for run in [first, again, again] {
            assert_eq!(run.check(), Ok(()));
            total.add_run(run);
            assert_eq!((total.received, total.delivered, total.spooled), (20, 0, 20));
            assert_eq!(total.check(), Ok(()));
        }
        assert_eq!(last.check(), Ok(()));
        total.add_run(last);
        assert_eq!((total.received, total.delivered, total.spooled), (22, 21, 0));
        assert_eq!(total.check(), Ok(()));
    }

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
