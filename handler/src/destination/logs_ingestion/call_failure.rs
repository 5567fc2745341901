//! What a try without an answer about the rows means, and what to do.

use std::time::Duration;

use chrono::TimeDelta;

use crate::destination::{CallFailure, IngestionRule};
use crate::http::{Reply, TransportError};
use crate::time::span_text;

const IF_IT_LASTS: &str = "if it lasts, look at the status of Azure";

/// No request could be made.
pub fn not_asked(advice: String) -> CallFailure {
    CallFailure {
        what: "was not asked".to_owned(),
        advice,
    }
}

/// No whole answer came.
pub fn not_answered(error: &TransportError, rule: &IngestionRule) -> CallFailure {
    let setting = &rule.endpoint_setting;
    let (what, advice) = match error {
        TransportError::Connect(failure) => ("cannot be reached".to_owned(), failure.advice(setting)),
        TransportError::Timeout(_) => (
            error.to_string(),
            format!("check that {setting} can be reached from here"),
        ),
        TransportError::Interrupted(_) | TransportError::TooLarge(_) => (error.to_string(), IF_IT_LASTS.to_owned()),
    };
    CallFailure { what, advice }
}

/// A status that may pass by itself.
pub fn failure_of(reply: &Reply, asked_pause: Option<Duration>, rule: &IngestionRule) -> CallFailure {
    let status = reply.status.as_u16();
    let asked = asked_pause.and_then(|pause| TimeDelta::from_std(pause).ok());
    let advice = match (status, asked) {
        (429, Some(pause)) => format!(
            "the rule {} takes no more now and asks to wait {} (Retry-After)",
            rule.rule_id,
            span_text(pause)
        ),
        (429, None) => format!("the rule {} takes no more now", rule.rule_id),
        _ => IF_IT_LASTS.to_owned(),
    };
    CallFailure {
        what: format!("answered {status}"),
        advice,
    }
}

/// Another call to the rule was answered 429, and the pause that it was told to make is longer than the time that is left.
pub fn asked_to_wait(rule: &IngestionRule) -> CallFailure {
    CallFailure {
        what: "asked to wait (429)".to_owned(),
        advice: format!("the rule {} takes no more now", rule.rule_id),
    }
}

/// A good status that is not the service's.
pub fn not_accepted(reply: &Reply) -> CallFailure {
    let with_body = match reply.body.trim_ascii().is_empty() {
        true => "",
        false => " with a body",
    };
    CallFailure {
        what: format!("answered {}{with_body}", reply.status.as_u16()),
        advice: "only 204 means that rows were taken, so something else answers in its place, a proxy or a sign-in page; let \
                 the handler reach the endpoint without it"
            .to_owned(),
    }
}
