//! Tries a stream of a rule without writing a row.
//!
//! The service has no call for that. An array without rows is one it can do nothing with: it looks at the address, the
//! token, the role on the rule and the rule itself before it looks at the rows. Whether it looks at the stream too is
//! documented nowhere, and a good answer is no proof that rows would be stored: it answers 204 to rows that it drops.

use std::sync::Arc;

use super::answer::{CallOutcome, advice};
use super::call::Call;
use super::rule_client::RuleClient;
use crate::destination::{Batch, DeliveryError, ProbeError, Refusal};
use crate::time::Deadline;

/// What it proves, or what is wrong and what to do.
pub async fn probe(to: &RuleClient, table: &Arc<str>, deadline: Deadline) -> Result<String, ProbeError> {
    let batch = Batch::without_rows(table.clone());
    let call = Call {
        to,
        batch: &batch,
        rows: &[],
    };
    let rule = &to.rule.rule_id;
    match call.send(deadline).await.outcome {
        Ok(CallOutcome::Accepted) => Ok(format!(
            "rule {rule} took a call without rows: its endpoint, the identity's token and role are right. That the columns \
             fit, and that rows show in the table, only the first rows prove"
        )),
        // It came as far as the rows, so what is checked before them is right.
        Ok(CallOutcome::Refused(reply)) => Ok(format!(
            "rule {rule} refused a call without rows with {}, as it may: its endpoint, the identity's token and role are \
             right. Its stream Custom-{table}, and that the columns fit, only the first rows prove",
            reply.status.as_u16()
        )),
        Ok(CallOutcome::SpansTooLong) => Ok(format!("rule {rule} answers; only the first rows prove more")),
        Err(DeliveryError::Identity { .. }) => Err(ProbeError::NoToken(to.rule.audience.clone())),
        Err(error) if misses_the_stream(&error) => Err(ProbeError::NoStream(without_rows(error, to, table))),
        Err(error) => Err(ProbeError::Failed(without_rows(error, to, table))),
    }
}

/// Whether the rule is not there, or has no stream of the table.
fn misses_the_stream(error: &DeliveryError) -> bool {
    match error {
        DeliveryError::Refused(Refusal { status, code, .. }) => {
            *status == 404 || is_about_the_stream(*status, code.as_deref())
        }
        _ => false,
    }
}

fn is_about_the_stream(status: u16, code: Option<&str>) -> bool {
    status == 400 && code.is_some_and(|code| code.contains("Stream"))
}

/// The errors speak of rows, and here there were none.
fn without_rows(error: DeliveryError, to: &RuleClient, table: &str) -> String {
    match error {
        DeliveryError::Refused(Refusal { status, code, .. }) => {
            let remedy = match is_about_the_stream(status, code.as_deref()) {
                true => format!(
                    "the rule {} ({}) has no stream Custom-{table}; add it, as infra/ does, or take the table out of the settings",
                    to.rule.rule_id, to.rule.rule_setting
                ),
                false => advice(status, &to.rule, table),
            };
            let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
            format!("the Logs Ingestion API answered {status}{code}: {remedy}")
        }
        DeliveryError::Unavailable { failure, .. } => format!("the Logs Ingestion API {failure}: {}", failure.advice),
        DeliveryError::OutOfTime { .. } => format!(
            "the Logs Ingestion API gave no answer in the time of a check; check that {} can be reached from here",
            to.rule.endpoint_setting
        ),
        error => error.to_string(),
    }
}
