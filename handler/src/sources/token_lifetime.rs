//! How long an access token may be used.

use std::time::Duration;

/// An hour if the server does not say, and never more than a day.
pub fn lifetime(expires_in: Option<&serde_json::Value>) -> Duration {
    let seconds = match expires_in {
        Some(serde_json::Value::String(text)) => text.trim().parse::<f64>().ok(),
        Some(value) => value.as_f64(),
        None => None,
    };
    let seconds = seconds.filter(|seconds| !seconds.is_nan()).unwrap_or(3600.0);
    Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lifetime_is_read_however_it_is_written_and_is_never_absurd() {
        for (value, seconds) in [
            (json!(36_000), 36_000),
            (json!("120"), 120),
            (json!(59.0), 59),
            (json!(u64::MAX), 86_400),
            (json!("inf"), 86_400),
            (json!(-5), 0),
            (json!("NaN"), 3600),
            (json!("soon"), 3600),
            (json!(null), 3600),
        ] {
            assert_eq!(lifetime(Some(&value)), Duration::from_secs(seconds), "{value}");
        }
        assert_eq!(lifetime(None), Duration::from_secs(3600));
    }
}
