//! A log line as JSON.

use chrono::{DateTime, Utc};
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Record};
use serde::Serializer;

use super::invocation::invocation_id;
use crate::time::rfc3339_millis;

/// The members that every line has, in this order; `invocation_id` follows in lines of an invocation, then what the line
/// itself brings.
const TIME: &str = "time";
const LEVEL: &str = "level";
const MESSAGE: &str = "message";
const INVOCATION_ID: &str = "invocation_id";

/// The line, without a line feed.
pub fn json_line(record: &Record<'_>, now: DateTime<Utc>) -> String {
    let mut members = Members(vec![
        (TIME.to_owned(), rfc3339_millis(now).into()),
        (LEVEL.to_owned(), record.level().as_str().to_lowercase().into()),
        (MESSAGE.to_owned(), record.args().to_string().into()),
    ]);
    if let Some(id) = invocation_id() {
        members.add(INVOCATION_ID, (*id).into());
    }
    let _ = record.key_values().visit(&mut members);
    let mut line = Vec::new();
    // Neither the members nor the memory can fail to take it.
    let _ = serde_json::Serializer::new(&mut line).collect_map(members.0);
    let line = String::from_utf8(line).unwrap_or_default();
    match record.level() {
        Level::Error => without_the_word_warn(line),
        _ => line,
    }
}

/// The host takes a line on stderr for a warning where it contains "warn" in any case, and for an error otherwise: in the
/// line of an error the `a` of that word is escaped, which every reader of JSON undoes.
fn without_the_word_warn(line: String) -> String {
    let lower = line.to_ascii_lowercase();
    let mut escaped = String::with_capacity(line.len());
    let mut copied = 0;
    for (start, _) in lower.match_indices("warn") {
        let letter = start + 1;
        escaped.push_str(&line[copied..letter]);
        escaped.push_str(if line.as_bytes()[letter] == b'a' {
            "\\u0061"
        } else {
            "\\u0041"
        });
        copied = letter + 1;
    }
    escaped.push_str(&line[copied..]);
    escaped
}

struct Members(Vec<(String, serde_json::Value)>);

impl Members {
    /// The first of a name stands.
    fn add(&mut self, name: &str, value: serde_json::Value) {
        if self.0.iter().all(|(known, _)| known != name) {
            self.0.push((name.to_owned(), value));
        }
    }
}

impl<'kvs> VisitSource<'kvs> for Members {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let value = match (value.to_u64(), value.to_f64(), value.to_bool()) {
            (Some(number), _, _) => number.into(),
            (_, Some(number), _) => number.into(),
            (_, _, Some(flag)) => flag.into(),
            _ => value.to_string().into(),
        };
        self.add(key.as_str(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::in_invocation;

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn line(level: Level, message: &str, pairs: &[(&str, Value<'_>)]) -> String {
        json_line(
            &Record::builder()
                .level(level)
                .args(format_args!("{message}"))
                .key_values(&pairs)
                .build(),
            NOW.parse().unwrap(),
        )
    }

    #[test]
    fn a_line_begins_with_time_level_and_message_and_is_one_line() {
        let pairs: [(&str, Value<'_>); 4] = [
            ("stream", "pingone/default".into()),
            ("rows", 7_u64.into()),
            ("a_flag", true.into()),
            ("level", "other".into()),
        ];
        assert_eq!(
            line(Level::Warn, "a \"b\"\nc", &pairs),
            "{\"time\":\"2026-11-20T12:00:00.000Z\",\"level\":\"warn\",\"message\":\"a \\\"b\\\"\\nc\",\
             \"stream\":\"pingone/default\",\"rows\":7,\"a_flag\":true}"
        );
    }

    #[test]
    fn the_line_of_an_error_does_not_contain_the_word_that_makes_it_a_warning() {
        for message in [
            "a warning",
            "WARN wArN",
            "w\\arn \\warn",
            "no such word",
            "änd wärn warn",
        ] {
            let error = line(Level::Error, message, &[]);
            assert!(!error.to_ascii_lowercase().contains("warn"), "{error}");
            let read: serde_json::Value = serde_json::from_str(&error).unwrap();
            assert_eq!(read["message"], message);
            assert!(line(Level::Warn, message, &[]).contains("warn"));
        }
    }

    #[tokio::test]
    async fn a_line_of_an_invocation_has_its_id_behind_the_message() {
        let said = in_invocation(Some("an-id".into()), async {
            line(Level::Info, "a", &[("b", 1_u64.into())])
        })
        .await;
        assert!(
            said.ends_with("\"message\":\"a\",\"invocation_id\":\"an-id\",\"b\":1}"),
            "{said}"
        );
    }
}
