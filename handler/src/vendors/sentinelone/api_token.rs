//! When the API token ends, as the console tells it.
//!
//! `POST users/api-token-details` with the token in the body, `{"data": {"createdAt": ..., "expiresAt": ...}}`. Source:
//! the vendor's description of its management API 2.1. Not every user may ask.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::console::Console;
use crate::sources::endpoint::{AskOutcome, Unreadable, address};
use crate::sources::{CredentialNote, SourceError};
use crate::time::{Deadline, VendorTime};

const ASKED: &str = "the endpoint of token details";
/// Somebody needs this long to get a new token.
const SOON: TimeDelta = TimeDelta::days(30);

#[derive(Deserialize)]
struct Details {
    data: Option<Dates>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dates {
    expires_at: Option<String>,
}

/// Asks the console. A console that does not tell is no error.
pub async fn end_of_token(console: &Console, deadline: Deadline) -> Result<CredentialNote, SourceError> {
    let endpoint = console.endpoint(ASKED);
    let url = address(&console.api.origin, "/web/api/v2.1/users/api-token-details", &[]);
    let url = url.ok_or_else(|| endpoint.no_address())?;
    // It may repeat the token.
    let read = |body: Vec<u8>| {
        serde_json::from_slice::<Details>(&body)
            .map_err(|_| Unreadable::not_shown("it is not the JSON that was expected"))
    };
    let setting = console.token_setting();
    let answer = endpoint
        .ask(|| console.ask_about_token(url.clone()), read, deadline)
        .await?;
    let not_told = |why: &str| CredentialNote {
        is_urgent: false,
        text: format!("the console does not tell when the token in {setting} ends{why}; look it up in the console"),
    };
    match answer {
        AskOutcome::Read(details) => {
            let end = details.data.and_then(|data| data.expires_at);
            let end = end.and_then(|end| VendorTime::parse(&end).map(|end| end.utc()));
            Ok(end.map_or_else(|| not_told(""), |end| note(&setting, end, console.api.now())))
        }
        AskOutcome::Refused(reply) if reply.status.as_u16() == 401 => Err(console.refusal(&endpoint, &reply)),
        AskOutcome::Refused(reply) => Ok(not_told(&format!(" (it answered {})", reply.status.as_u16()))),
        AskOutcome::TooLarge(error) | AskOutcome::Incomplete(_, error) => Err(error),
    }
}

fn note(setting: &str, end: DateTime<Utc>, now: DateTime<Utc>) -> CredentialNote {
    let left = end - now;
    let (day, days) = (end.format("%Y-%m-%d"), left.num_days());
    let remedy = "create a new one for the service user in the console";
    let is_urgent = left < SOON;
    let text = match is_urgent {
        true if left <= TimeDelta::zero() => format!("the token in {setting} ended on {day}; {remedy}"),
        true => format!("the token in {setting} ends on {day}, in {days} days; {remedy} before it does"),
        false => format!("the token in {setting} ends on {day}, in {days} days"),
    };
    CredentialNote { is_urgent, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_within_a_month_is_urgent() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        for (end, is_urgent, word) in [
            ("2026-11-20T11:59:59Z", true, "ended on 2026-11-20"),
            ("2026-12-01T12:00:00Z", true, "in 11 days; create a new one"),
            ("2027-05-01T12:00:00Z", false, "ends on 2027-05-01"),
        ] {
            let note = note("SENTINELONE__API_TOKEN", end.parse().unwrap(), now);
            assert_eq!(note.is_urgent, is_urgent, "{end}");
            assert!(
                note.text.contains(word) && note.text.contains("SENTINELONE__API_TOKEN"),
                "{}",
                note.text
            );
        }
    }
}
