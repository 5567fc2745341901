//! The status for a person's terminal: aligned, no colours.

use super::model::{QueueStatus, Status, StreamStatus, whole_second};
use super::new_fields::NewField;
use crate::state::DeadLetterStats;

/// Lines that end with a line feed.
pub fn status_text(status: &Status) -> String {
    let mut lines = vec![format!("{}  handler {}", whole_second(status.at), status.handler)];
    lines.extend(status.problems.iter().cloned());
    let width = status
        .streams
        .iter()
        .map(|stream| stream.stream.to_string().len())
        .max()
        .unwrap_or_default();
    for stream in &status.streams {
        lines.push(String::new());
        add_stream(status, stream, width, &mut lines);
    }
    lines.push(String::new());
    add_spool(status, &mut lines);
    add_dead_letters(status, &mut lines);
    let fields = status.new_fields.iter();
    lines.extend(fields.map(|field| format!("new field     {}: {}", field.table, describe_field(field))));
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn add_stream(status: &Status, stream: &StreamStatus, width: usize, lines: &mut Vec<String>) {
    let mut first = format!("{:width$}  {}", stream.stream.to_string(), stream.status.word());
    if stream.consecutive_failures > 0 {
        first.push_str(&format!(", {} failed runs in a row", stream.consecutive_failures));
    }
    lines.push(first);
    for table in &stream.tables {
        let read_up_to = table.read_up_to(status.at).unwrap_or_default();
        lines.push(format!("  {}  {read_up_to}", table.table));
        lines.push(format!("    {}", table.numbers()));
        lines.extend(table.remarks().iter().map(|remark| format!("    {remark}")));
    }
    let facts = stream.facts(status.at).into_iter();
    lines.extend(facts.map(|(name, text)| format!("  {name:13} {text}")));
}

fn add_spool(status: &Status, lines: &mut Vec<String>) {
    if status.spool.is_empty() {
        lines.push("spool         nothing waits".to_owned());
    }
    for queue in &status.spool {
        lines.push(format!("spool         {}: {}", queue.queue, describe_queue(queue)));
    }
}

/// For people.
pub fn describe_queue(queue: &QueueStatus) -> String {
    let mut text = format!("{} entries, {} bytes", queue.waiting.entries, queue.waiting.bytes);
    if let Some(oldest) = queue.waiting.oldest {
        text.push_str(&format!(", the oldest of {}", whole_second(oldest)));
    }
    if queue.stream.is_none() {
        text.push_str("; of a source that is not configured");
    }
    text
}

fn add_dead_letters(status: &Status, lines: &mut Vec<String>) {
    if status.dead_letters.is_empty() {
        lines.push("dead letters  none".to_owned());
    }
    for (stream, letters) in &status.dead_letters {
        lines.push(format!("dead letters  {stream}: {}", describe_letters(letters)));
    }
}

/// For people.
pub fn describe_letters(letters: &DeadLetterStats) -> String {
    let at_least = if letters.all_read { "" } else { "at least " };
    let mut text = format!("{at_least}{} in {} files", letters.letters, letters.files);
    if let Some(newest) = letters.newest {
        text.push_str(&format!(", the newest of {}", whole_second(newest)));
    }
    text
}

/// For people.
pub fn describe_field(field: &NewField) -> String {
    format!(
        "{} ({} events, first seen {}, last seen {})",
        field.field,
        field.count,
        whole_second(field.first_seen),
        whole_second(field.last_seen)
    )
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::super::model::{Overlap, StreamKind, StreamState, TableStatus};
    use super::*;
    use crate::event::StreamName;
    use crate::state::{Counts, LastError, Span};

    fn minute(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(number)
    }

    fn example() -> Status {
        let mut status = Status::new(minute(60));
        status.problems.push("POLL_SCHEDULE: is missing".to_owned());
        let name = StreamName {
            source: "pingone",
            instance: "default".to_owned(),
            stream: "activities",
        };
        let mut stream = StreamStatus::never_run(name, StreamKind::Poll);
        stream.status = StreamState::Failing;
        stream.consecutive_failures = 2;
        stream.last_success = Some(minute(40));
        stream.last_failure = Some(minute(59));
        stream.last_error = Some(LastError {
            at: Some(minute(59)),
            code: "credentials_rejected".to_owned(),
            message: "<401> & \"more\"".to_owned(),
            remedy: "renew it".to_owned(),
        });
        stream.tables.push(TableStatus {
            table: "T_CL".to_owned(),
            begin: Some(minute(0)),
            watermark: Some(minute(30)),
            lag_seconds: Some(1800.0),
            ahead_seconds: None,
            coverage: Vec::new(),
            holes: vec![Span {
                from: minute(10),
                to: minute(12),
            }],
            overlap: Some(Overlap::EveryTenthRun),
            counts: Counts {
                received: 12,
                delivered: 11,
                dead_lettered: 1,
                ..Counts::default()
            },
            pushed: None,
        });
        status.streams.push(stream);
        status.dead_letters.insert(
            "pingone/default/activities".to_owned(),
            DeadLetterStats {
                letters: 1,
                newest: Some(minute(20)),
                files: 1,
                all_read: true,
            },
        );
        status
    }

    #[test]
    fn everything_that_is_not_well_has_a_line() {
        let text = status_text(&example());
        for line in [
            "POLL_SCHEDULE: is missing",
            "pingone/default/activities  failing, 2 failed runs in a row",
            "  T_CL  read up to 1970-01-01 00:30:00Z, 30 min ago",
            "    12 received, 11 delivered, 0 seen before, 1 dead lettered",
            "    not read: 1970-01-01 00:10:00Z to 1970-01-01 00:12:00Z",
            "  last error    credentials_rejected: <401> & \"more\"",
            "spool         nothing waits",
            "dead letters  pingone/default/activities: 1 in 1 files, the newest of 1970-01-01 00:20:00Z",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
        assert!(text.contains("every tenth run") && !text.contains('\u{1b}'));
    }
}
