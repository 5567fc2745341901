//! What is worth a look of a run that did not fail.

use chrono::{DateTime, Utc};

use crate::report::{ErrorCode, Outcome, Problem, StreamReport, shortened};
use crate::state::{LastError, TimerRecord};
use crate::time::rfc3339_millis;

const LONGEST_MESSAGE: usize = 2048;

/// The first that applies: events that may be lost, dead letters, a run that ended before its work did.
pub fn warning_of(reports: &[&StreamReport], dead_lettered: u64) -> Option<Problem> {
    if let Some(at) = reports.iter().flat_map(|report| &report.possible_losses).next() {
        let message = format!("events may have been lost around {}", rfc3339_millis(*at));
        return Some(Problem::new(ErrorCode::PossibleLoss, message));
    }
    if dead_lettered > 0 {
        let message = format!("{dead_lettered} events could not become rows, or their rows were refused");
        return Some(Problem::new(ErrorCode::DeadLetters, message));
    }
    let cut_off = reports.iter().find(|report| report.outcome == Outcome::BudgetEnded)?;
    let message = cut_off.notices.last().cloned();
    let message = message.unwrap_or_else(|| "the run's time ended before the work did".to_owned());
    Some(Problem::new(ErrorCode::BudgetEnded, message))
}

/// That wakes poll, where the timer was not invoked since.
pub fn timer_warning(record: &TimerRecord) -> Option<Problem> {
    let wake = record.last_wake_poll.filter(|_| record.is_replaced_by_wakes())?;
    let silent = match record.last_invocation {
        Some(time) => format!("was invoked last at {}", rfc3339_millis(time)),
        None => "was never invoked".to_owned(),
    };
    let message = format!(
        "function-timer {silent}; GET /api/wake polled in its place, last at {}",
        rfc3339_millis(wake)
    );
    Some(Problem::new(ErrorCode::TimerSilent, message))
}

/// As it is remembered and shown.
pub fn remembered(problem: &Problem, at: Option<DateTime<Utc>>) -> LastError {
    LastError {
        at,
        code: problem.code.word().to_owned(),
        message: shortened(&problem.message, LONGEST_MESSAGE),
        remedy: shortened(problem.remedy(), LONGEST_MESSAGE),
    }
}
