//! Log lines: JSON on stdout under the Functions host, text on stderr for a person.
//!
//! The host takes what comes on stderr for errors, so under it everything goes to stdout, one line each.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use env_logger::{Builder, Target};
use log::kv::{Error, Key, Value, VisitSource};
use log::{LevelFilter, Record};
use serde_json::Map;

use crate::config::LogFormat;
use crate::time::{Clock, SystemClock, rfc3339_millis};

/// Libraries that tell of their own affairs at `info`: the web server, and those of Azure (`typespec_client_core` logs
/// each request that failed, also one that is tried again).
const TALKATIVE: [&str; 5] = [
    "actix_server",
    "azure_core",
    "azure_identity",
    "azure_security_keyvault_secrets",
    "typespec_client_core",
];

static BAR_IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Starts logging. `filter` is the value of RUST_LOG; the default is `info`, without the libraries' own lines.
pub fn start(format: LogFormat, filter: Option<&str>) {
    let mut builder = filtered(filter);
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

fn filtered(filter: Option<&str>) -> Builder {
    let mut builder = Builder::new();
    if let Some(filter) = filter.filter(|filter| !filter.trim().is_empty()) {
        builder.parse_filters(filter);
        return builder;
    }
    builder.filter_level(LevelFilter::Info);
    for library in TALKATIVE {
        builder.filter_module(library, LevelFilter::Warn);
    }
    builder
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

/// Says that a progress bar stands on the error output from now on, or that it is gone.
pub fn bar_is_shown(is_shown: bool) {
    BAR_IS_SHOWN.store(is_shown, Ordering::Relaxed);
}

/// The line takes the place of the bar, which draws itself anew below it.
fn text_line(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    let clear = if BAR_IS_SHOWN.load(Ordering::Relaxed) {
        "\r\x1b[2K"
    } else {
        ""
    };
    writeln!(out, "{clear}{:<5} {}", record.level(), record.args())
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
    fn the_libraries_own_lines_are_heard_from_warnings_on_unless_asked_for() {
        let is_heard = |filter: Option<&str>, target: &str, level| {
            let record = Record::builder().target(target).level(level).build();
            filtered(filter).build().matches(&record)
        };
        for target in [
            "azure_identity::managed_identity_credential",
            "typespec_client_core::http::policies::logging",
            "azure_core::http",
            "actix_server::builder",
        ] {
            for filter in [None, Some(""), Some(" ")] {
                assert!(!is_heard(filter, target, Level::Info), "{target}");
                assert!(is_heard(filter, target, Level::Warn), "{target}");
            }
            assert!(is_heard(Some("info"), target, Level::Info), "{target}");
        }
        assert!(is_heard(None, "handler::pipeline", Level::Info));
        assert!(!is_heard(None, "handler::pipeline", Level::Debug));
    }

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
