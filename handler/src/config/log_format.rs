//! How log lines look.

use crate::config::environment::Environment;
use crate::config::invalid_value::InvalidValue;

/// How log lines look: `LOG_FORMAT`, default `json` under the Functions host, else `text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for the host.
    Json,
    /// Plain lines, for people.
    Text,
}

/// The format to log in. It is asked for before the settings are checked, so a bad value counts as
/// absent here; loading the settings refuses it.
pub fn log_format(environment: &Environment) -> LogFormat {
    let written = environment.get("LOG_FORMAT").unwrap_or_default();
    if let Ok(format) = accept_log_format(written.trim_ascii()) {
        return format;
    }
    match environment.is_of_functions_host() {
        true => LogFormat::Json,
        false => LogFormat::Text,
    }
}

/// Accepts `json` or `text`, in any case.
pub fn accept_log_format(text: &str) -> Result<LogFormat, InvalidValue> {
    match text.to_ascii_lowercase().as_str() {
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Err(InvalidValue::new("must be json or text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::environment::Environment;

    #[test]
    fn the_setting_decides_and_otherwise_the_host() {
        for (environment, expected) in [
            (vec![], LogFormat::Text),
            (vec![("FUNCTIONS_CUSTOMHANDLER_PORT", "7071")], LogFormat::Json),
            (vec![("WEBSITE_SITE_NAME", "site")], LogFormat::Json),
            (vec![("WEBSITE_SITE_NAME", " ")], LogFormat::Text),
            (vec![("LOG_FORMAT", "json")], LogFormat::Json),
            (
                vec![("LOG_FORMAT", " TEXT "), ("WEBSITE_SITE_NAME", "site")],
                LogFormat::Text,
            ),
            (
                vec![("LOG_FORMAT", "xml"), ("WEBSITE_SITE_NAME", "site")],
                LogFormat::Json,
            ),
        ] {
            let environment = Environment::from(environment);
            assert_eq!(log_format(&environment), expected, "{environment:?}");
        }
    }
}
