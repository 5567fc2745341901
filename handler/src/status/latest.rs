//! What is stored of a stream, brought up to date by what its last good run left in the lease.

use chrono::{DateTime, Utc};

use crate::state::{EndedRun, StreamHealth, TablePosition};

/// Adds the last good run to the health, where that came after what is stored.
pub fn add_last_run(health: &mut StreamHealth, ended: &EndedRun) {
    if health.last_run.as_ref().is_none_or(|run| run.at < ended.run.at) {
        health.last_success = health.last_success.max(Some(ended.run.at));
        health.last_run = Some(ended.run.clone());
    }
}

/// A table's position as the last good run left it. `saved_at` is when the checkpoint was written.
pub fn latest_position(
    table: &str,
    position: &TablePosition,
    saved_at: DateTime<Utc>,
    ended: Option<&EndedRun>,
) -> TablePosition {
    let mut latest = position.clone();
    let Some(ended) = ended else { return latest };
    latest.counts += ended.unsaved.get(table).copied().unwrap_or_default();
    let is_later = |read_to: &&DateTime<Utc>| ended.run.at >= saved_at && **read_to >= position.watermark;
    if let Some(read_to) = ended.read_to.get(table).filter(is_later) {
        // Every run reads on from the saved position.
        latest.coverage.add(position.watermark, *read_to);
        latest.watermark = *read_to;
    }
    latest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;

    use super::*;
    use crate::state::{Counts, LastRun, RunOutcome, TableCounts};

    fn minute(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(number)
    }

    fn ended(at: DateTime<Utc>, read_to: DateTime<Utc>) -> EndedRun {
        let counts = Counts {
            received: 4,
            seen_before: 4,
            ..Counts::default()
        };
        EndedRun {
            run: LastRun {
                at,
                seconds: 1.0,
                outcome: RunOutcome::Done,
                tables: TableCounts::new(),
                warning: None,
            },
            read_to: BTreeMap::from([("T_CL".to_owned(), read_to)]),
            unsaved: BTreeMap::from([("T_CL".to_owned(), counts)]),
        }
    }

    #[test]
    fn a_run_that_saved_nothing_is_seen_without_a_false_hole_and_an_older_one_changes_no_position() {
        let mut position = TablePosition::beginning_at(minute(0));
        position.watermark = minute(5);
        position.coverage.add(minute(0), minute(5));
        let latest = latest_position("T_CL", &position, minute(6), Some(&ended(minute(9), minute(8))));
        assert_eq!(latest.watermark, minute(8));
        assert!(latest.coverage.holes(minute(0), minute(8)).is_empty());
        assert_eq!(latest.counts.seen_before, 4);
        let older = latest_position("T_CL", &position, minute(6), Some(&ended(minute(5), minute(4))));
        assert_eq!((older.watermark, older.counts.seen_before), (minute(5), 4));
    }

    #[test]
    fn the_later_run_is_the_last_one_and_a_failure_stays() {
        let mut health = StreamHealth::default();
        health.last_success = Some(minute(1));
        health.last_run = Some(ended(minute(1), minute(1)).run);
        let mut seen = health.clone();
        add_last_run(&mut seen, &ended(minute(3), minute(2)));
        assert_eq!(seen.last_success, Some(minute(3)));
        health.consecutive_failures = 1;
        health.last_run = Some(ended(minute(4), minute(2)).run);
        let mut seen = health;
        add_last_run(&mut seen, &ended(minute(3), minute(2)));
        assert_eq!((seen.consecutive_failures, seen.last_run.unwrap().at), (1, minute(4)));
    }
}
