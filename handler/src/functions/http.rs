//! The routes of the HTTP function that are answered at once: pushes under `push/<vendor>`, and `status`.

use std::sync::Arc;

use serde_json::json;

use super::refused_pushes::RefusedPushes;
use crate::app::{Runtime, RuntimeUnavailable, takes_pushes};
use crate::functions::status;
use crate::host::{HttpCall, HttpReply};
use crate::jobs::{PushAnswer, PushRequest};
use crate::tables::RowNotes;
use crate::time::Deadline;

/// Answers a request. `runtime` is why there is none when the settings are bad: then a push is to be sent again.
pub async fn answer(
    runtime: Result<Arc<Runtime>, RuntimeUnavailable>,
    call: HttpCall,
    deadline: Deadline,
    refused: &RefusedPushes,
) -> HttpReply {
    // The host's routes do not tell capitals apart.
    let path = call.path.to_ascii_lowercase();
    if path == "status" {
        return status::answer(runtime, &call).await;
    }
    let Some(vendor) = path.strip_prefix("push/").filter(|vendor| takes_pushes(vendor)) else {
        return HttpReply::error(404, "no such route");
    };
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(reason) => {
            log::error!(source = vendor; "push/{vendor}: answered 503: {reason}");
            return HttpReply::unavailable("the handler cannot work at present; its log says why");
        }
    };
    let Some(receiver) = runtime.receivers.get(vendor) else {
        return HttpReply::error(404, "this route is not switched on");
    };
    if call.method != "POST" {
        return HttpReply::error(405, "events are sent with POST").with_header("Allow", "POST");
    }
    let content_encoding = call.header("content-encoding");
    let request = PushRequest {
        authorization: call.header("authorization").map(<[u8]>::to_vec),
        content_encoding: content_encoding.map(|value| String::from_utf8_lossy(value).into_owned()),
        body: call.body,
    };
    let answer = receiver.receive(request, deadline).await;
    reply(vendor, answer, refused)
}

/// The reply to a push, and the one place where its outcome is logged.
fn reply(vendor: &str, answer: PushAnswer, refused: &RefusedPushes) -> HttpReply {
    let (reply, logged) = match answer {
        PushAnswer::Stored {
            stored,
            dead_lettered,
            notes,
        } => {
            log_stored(vendor, stored, dead_lettered, notes);
            let body = json!({"stored": stored, "dead_lettered": dead_lettered});
            return HttpReply::json(200, body.to_string());
        }
        PushAnswer::Unavailable(reason) => {
            log::error!(source = vendor; "push/{vendor}: answered 503: {reason}");
            return HttpReply::unavailable(&reason);
        }
        PushAnswer::Malformed(reason) => (HttpReply::error(400, &reason), reason),
        PushAnswer::Unauthorized(reason) => {
            let reply = HttpReply::error(401, reason).with_header("WWW-Authenticate", "Bearer");
            (reply, reason.to_owned())
        }
        PushAnswer::TooLarge(reason) => (HttpReply::error(413, &reason), reason),
        PushAnswer::UnknownEncoding => {
            let reply = HttpReply::error(415, "the Content-Encoding must be gzip, or absent");
            (reply, "unknown Content-Encoding".to_owned())
        }
    };
    refused.log(vendor, reply.status, logged);
    reply
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
