//! The HTTP function: pushes under `push/<vendor>`, and `status`.

use std::sync::Arc;

use serde_json::json;

use crate::app::{Runtime, RuntimeUnavailable, takes_pushes};
use crate::functions::status;
use crate::host::{HttpCall, HttpReply};
use crate::jobs::{PushAnswer, PushRequest};
use crate::tables::RowNotes;
use crate::time::Deadline;

/// How long a sender shall wait before it sends again, in seconds.
const RETRY_AFTER_SECONDS: u32 = 10;

/// Answers a request. `runtime` is why there is none when the settings are bad: then a push is to be sent again.
pub async fn answer(
    runtime: Result<Arc<Runtime>, RuntimeUnavailable>,
    call: HttpCall,
    deadline: Deadline,
) -> HttpReply {
    // The host's routes do not tell capitals apart.
    let path = call.path.to_ascii_lowercase();
    if path == "status" {
        return status::answer(runtime, &call).await;
    }
    let Some(vendor) = path.strip_prefix("push/").filter(|vendor| takes_pushes(vendor)) else {
        return refusal(404, "no such route");
    };
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(reason) => {
            log::error!(source = vendor; "push/{vendor}: answered 503: {reason}");
            return unavailable("the handler cannot work at present; its log says why");
        }
    };
    let Some(receiver) = runtime.receivers.get(vendor) else {
        return refusal(404, "this route is not switched on");
    };
    if call.method != "POST" {
        let mut reply = refusal(405, "events are sent with POST");
        reply.headers.push(("Allow", "POST".to_owned()));
        return reply;
    }
    let content_encoding = call
        .header("content-encoding")
        .map(|value| String::from_utf8_lossy(value).into_owned());
    let authorization = call.header("authorization").map(<[u8]>::to_vec);
    let request = PushRequest {
        authorization,
        content_encoding,
        body: call.body,
    };
    let answer = receiver.receive(request, deadline).await;
    log_answer(vendor, &answer);
    reply(answer)
}

fn reply(answer: PushAnswer) -> HttpReply {
    match answer {
        PushAnswer::Stored {
            stored, dead_lettered, ..
        } => json_reply(200, &json!({"stored": stored, "dead_lettered": dead_lettered})),
        PushAnswer::Malformed(reason) => refusal(400, &reason),
        PushAnswer::Unauthorized(reason) => {
            let mut reply = refusal(401, reason);
            reply.headers.push(("WWW-Authenticate", "Bearer".to_owned()));
            reply
        }
        PushAnswer::TooLarge(reason) => refusal(413, &reason),
        PushAnswer::UnknownEncoding => refusal(415, "the Content-Encoding must be gzip, or absent"),
        PushAnswer::Unavailable(reason) => unavailable(&reason),
    }
}

/// The one place where the outcome of a push is logged.
fn log_answer(vendor: &str, answer: &PushAnswer) {
    let refused = match answer {
        PushAnswer::Stored {
            stored,
            dead_lettered,
            notes,
        } => return log_stored(vendor, *stored, *dead_lettered, *notes),
        PushAnswer::Unavailable(reason) => {
            log::error!(source = vendor; "push/{vendor}: answered 503: {reason}");
            return;
        }
        PushAnswer::Malformed(reason) => format!("400: {reason}"),
        PushAnswer::Unauthorized(reason) => format!("401: {reason}"),
        PushAnswer::TooLarge(reason) => format!("413: {reason}"),
        PushAnswer::UnknownEncoding => "415: unknown Content-Encoding".to_owned(),
    };
    log::warn!(source = vendor; "push/{vendor}: answered {refused}");
}

fn log_stored(vendor: &str, stored: usize, dead_lettered: usize, notes: RowNotes) {
    let line = stored_line(vendor, stored, dead_lettered, notes);
    log::info!(
        source = vendor, events = stored + dead_lettered, stored = stored, dead_lettered = dead_lettered,
        unfit_values = notes.unfit, cut_values = notes.cut; "{line}"
    );
}

fn stored_line(vendor: &str, stored: usize, dead_lettered: usize, notes: RowNotes) -> String {
    let mut line = format!("push/{vendor}: {stored} events stored");
    if dead_lettered > 0 {
        line.push_str(&format!(", {dead_lettered} dead-lettered"));
    }
    for (count, what) in [
        (notes.unfit, "values did not fit their column"),
        (notes.cut, "values cut to fit"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    line
}

fn unavailable(reason: &str) -> HttpReply {
    let mut reply = refusal(503, reason);
    reply.headers.push(("Retry-After", RETRY_AFTER_SECONDS.to_string()));
    reply
}

fn refusal(status: u16, reason: &str) -> HttpReply {
    json_reply(status, &json!({"error": reason}))
}

fn json_reply(status: u16, body: &serde_json::Value) -> HttpReply {
    HttpReply {
        status,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dead_lettered_is_not_said_to_be_stored() {
        let line = |stored, dead_lettered| stored_line("pingone", stored, dead_lettered, RowNotes::default());
        assert_eq!(line(0, 7), "push/pingone: 0 events stored, 7 dead-lettered");
        assert_eq!(line(5, 2), "push/pingone: 5 events stored, 2 dead-lettered");
        assert_eq!(line(7, 0), "push/pingone: 7 events stored");
    }
}
