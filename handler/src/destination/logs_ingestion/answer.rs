//! What the service's answers mean.

use crate::destination::IngestionRule;
use crate::http::{Reply, error_code, excerpt};

/// The code of a call whose rows span more time than the table takes. Source: Logs Ingestion API error codes.
const SPAN_TOO_LONG: &str = "RecordsTimeRangeIsMoreThan30Minutes";
/// Codes of a 400 that no other choice of rows can avoid: the call itself is wrong.
const ABOUT_THE_CALL: [&str; 5] = [
    "InvalidStream",
    "InvalidStreamName",
    "InvalidDcrImmutableId",
    "InvalidApiVersion",
    "UnsupportedApiVersion",
];

/// An answer that decides about the rows of a call.
#[derive(Debug)]
pub enum CallOutcome {
    /// They are stored.
    Accepted,
    /// The call is too large, or at least one of the rows cannot be taken.
    Refused(Reply),
    /// The rows span too much time.
    SpansTooLong,
}

impl CallOutcome {
    /// `None` if the refusal is not about the rows.
    pub fn of_refusal(reply: &Reply) -> Option<Self> {
        let code = error_code(&reply.body);
        let code = code.as_deref().unwrap_or_default();
        match reply.status.as_u16() {
            413 => Some(Self::Refused(reply.clone())),
            400 if code == SPAN_TOO_LONG => Some(Self::SpansTooLong),
            400 if !ABOUT_THE_CALL.contains(&code) => Some(Self::Refused(reply.clone())),
            _ => None,
        }
    }
}

/// Why a row is refused, for people.
pub fn reason(reply: &Reply) -> String {
    format!(
        "the Logs Ingestion API refused this row alone with {}: {}",
        reply.status.as_u16(),
        excerpt(&reply.body, &[])
    )
}

/// The service's number of the call.
pub fn request_id(reply: &Reply) -> Option<String> {
    let id = reply.headers.get("x-ms-request-id")?.to_str().ok()?;
    Some(id.chars().take(100).collect())
}

/// What a person can do about a final status of a call with rows.
pub fn remedy(status: u16, rule: &IngestionRule, table: &str) -> String {
    let advice = advice(status, rule, table);
    match status {
        401 | 413 | 300..=399 => advice,
        _ => format!("{advice}. The rows are kept"),
    }
}

/// The same, also where there are no rows.
pub fn advice(status: u16, rule: &IngestionRule, table: &str) -> String {
    let IngestionRule {
        rule_id,
        rule_setting,
        endpoint_setting,
        ..
    } = rule;
    match status {
        400 => format!(
            "no row fits the stream Custom-{table} of the rule {rule_id} ({rule_setting}); compare the stream's columns and \
             its transformation with the table's columns"
        ),
        401 => {
            "the identity's token is refused; check LOGS_INGESTION__AUDIENCE, which must be that of the rule's cloud"
                .to_owned()
        }
        403 => format!(
            "give the handler's identity the role Monitoring Metrics Publisher on the data collection rule {rule_id} \
             ({rule_setting}); a new role assignment can take 30 minutes to count"
        ),
        404 => format!(
            "there is no rule {rule_id} ({rule_setting}) with a stream Custom-{table} at this endpoint; check \
             {rule_setting} (the immutable id, dcr-...) and {endpoint_setting}"
        ),
        413 => {
            "the service takes less in one call than it documents; if this lasts, report it with this line".to_owned()
        }
        300..=399 => format!("redirects are not followed; check {endpoint_setting}"),
        _ => "the call was refused; if this lasts, report it with this line".to_owned(),
    }
}
