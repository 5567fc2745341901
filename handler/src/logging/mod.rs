//! Log lines: JSON on stdout under the Functions host, text on stderr for a person.
//!
//! The host takes what comes on stderr for errors, so under it everything goes to stdout, one line each.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use env_logger::{Builder, Target};
use log::kv::{Error, Key, Value, VisitSource};
use log::{LevelFilter, Record};
use serde_json::Map;

use crate::settings::LogFormat;
use crate::time::{Clock, SystemClock, rfc3339_millis};

/// Starts logging. `filter` is the value of RUST_LOG; the default is `info`, without the web server's own lines.
pub fn start(format: LogFormat, filter: Option<&str>) {
    let mut builder = Builder::new();
    match filter.filter(|filter| !filter.trim().is_empty()) {
        Some(filter) => builder.parse_filters(filter),
        None => builder
            .filter_level(LevelFilter::Info)
            .filter_module("actix_server", LevelFilter::Warn),
    };
    match format {
        LogFormat::Json => builder
            .target(Target::Stdout)
            .format(|out, record| writeln!(out, "{}", json_line(record, SystemClock.now()))),
        LogFormat::Text => builder.target(Target::Stderr).format(text_line),
    };
    // A panic is a defect that ends its own task only; under the host its text must be a log line as well.
    std::panic::set_hook(Box::new(|panic| {
        log::error!("internal error: {}", panic.to_string().replace('\n', " "))
    }));
    // A second start (only tests do that) keeps the first.
    let _ = builder.try_init();
}

fn json_line(record: &Record<'_>, now: DateTime<Utc>) -> String {
    let mut fields = Fields(Map::new());
    let _ = record.key_values().visit(&mut fields);
    let mut line = Map::new();
    line.insert("time".to_owned(), rfc3339_millis(now).into());
    line.insert("level".to_owned(), record.level().as_str().to_lowercase().into());
    line.insert("message".to_owned(), record.args().to_string().into());
    line.extend(fields.0);
    serde_json::Value::Object(line).to_string()
}

fn text_line(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    writeln!(out, "{:<5} {}", record.level(), record.args())
}

struct Fields(Map<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let value = match (value.to_u64(), value.to_f64(), value.to_bool()) {
            (Some(number), _, _) => number.into(),
            (_, Some(number), _) => number.into(),
            (_, _, Some(flag)) => flag.into(),
            _ => value.to_string().into(),
        };
        self.0.entry(key.as_str()).or_insert(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Level;

    #[test]
    fn a_json_line_is_one_line_with_the_fields_beside_the_message() {
        let pairs: [(&str, Value<'_>); 3] = [
            ("stream", "pingone/default".into()),
            ("rows", 7_u64.into()),
            ("ok", true.into()),
        ];
        let line = json_line(
            &Record::builder()
                .level(Level::Warn)
                .args(format_args!("a \"b\"\nc"))
                .key_values(&pairs)
                .build(),
            "2026-11-20T12:00:00Z".parse().unwrap(),
        );
        let expected = serde_json::json!({"time": "2026-11-20T12:00:00.000Z", "level": "warn", "message": "a \"b\"\nc",
            "stream": "pingone/default", "rows": 7, "ok": true});
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), expected);
    }
}
