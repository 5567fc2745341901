//! The HTTP server that the host talks to.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::{KeepAlive, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use tokio::runtime::Handle;

use super::body::{Read, read};
use super::envelope::{api_path, http_call, http_reply, timer_call, timer_reply};
use super::functions::{Functions, HttpCall, HttpReply, TimerReply};
use super::invocation::{answer_in_invocation, invocation_id_of};
use super::read_budget::ReadBudget;
use super::reason_phrase::reason_phrase;
use crate::logging::spawn_in_invocation_on;

/// A raw body, compressed or not. What it may become inflated is the function's business.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// An envelope: a body in it grows by its escapes, or by a third in base64.
const ENVELOPE_LIMIT: usize = 64 * 1024 * 1024;
/// A tick of the timer.
const TICK_LIMIT: usize = 1024 * 1024;
/// Memory for what is read at once, of each of the two kinds of requests from outside.
const READING_ROOM: usize = 64 * 1024 * 1024;
/// The host keeps its connections between ticks; one that we close under it fails an invocation.
const KEEP_ALIVE: Duration = Duration::from_secs(600);
const SHUTDOWN_SECONDS: u64 = 8;

/// Invokes functions on the runtime that started the server, not on the server's threads: work goes on to its end
/// when the host breaks off the connection, and all connections outward live on one runtime.
#[derive(Clone)]
struct Invoker {
    functions: Arc<dyn Functions>,
    runtime: Handle,
    // Each kind of request has its own memory: none waits for another's senders.
    ticks: ReadBudget,
    envelopes: ReadBudget,
    raw: ReadBudget,
}

/// Serves on a bound listener, until the server is stopped by its handle. Must be called on the runtime that the
/// functions shall run on.
pub fn start(listener: TcpListener, functions: Arc<dyn Functions>) -> std::io::Result<Server> {
    let invoker = Data::new(Invoker {
        functions,
        runtime: Handle::current(),
        ticks: ReadBudget::new(4 * TICK_LIMIT),
        envelopes: ReadBudget::new(READING_ROOM),
        raw: ReadBudget::new(READING_ROOM),
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(invoker.clone())
            .wrap(from_fn(answer_in_invocation))
            .route("/", web::route().to(ready))
            .route("/function-timer", web::post().to(timer))
            .route("/function-http", web::post().to(http_in_envelope))
            .default_service(web::route().to(http_as_it_is))
    });
    let server = server
        .workers(2)
        .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
        .client_request_timeout(Duration::ZERO)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

async fn ready(payload: Payload, invoker: Data<Invoker>) -> HttpResponse {
    read(payload, 0, &invoker.ticks).await;
    HttpResponse::Ok()
        .content_type("application/json")
        .body("{\"ready\":true}")
}

async fn timer(request: HttpRequest, payload: Payload, invoker: Data<Invoker>) -> HttpResponse {
    let body = match read(payload, TICK_LIMIT, &invoker.ticks).await {
        Read::Whole(body, _) => body,
        Read::TooLarge | Read::NoRoom | Read::TooSlow(_) | Read::BrokenOff(_) => Vec::new(),
    };
    let call = timer_call(&body, invocation_id_of(request.headers()).map(str::to_owned));
    let functions = invoker.functions.clone();
    let reply = spawn_in_invocation_on(&invoker.runtime, async move { functions.timer(call).await }).await;
    let reply = reply.unwrap_or_else(|error| {
        log::error!("the timer function ended abnormally ({error}); please report it with this line");
        TimerReply {
            failure: Some("internal: the timer function ended abnormally; the log says why".to_owned()),
            lines: Vec::new(),
        }
    });
    let mut response = json(StatusCode::OK, timer_reply(&reply));
    if let Some(failure) = &reply.failure {
        let head = response.head_mut();
        head.status = StatusCode::INTERNAL_SERVER_ERROR;
        head.reason = Some(reason_phrase(failure));
    }
    response
}

async fn http_in_envelope(request: HttpRequest, payload: Payload, invoker: Data<Invoker>) -> HttpResponse {
    let (call, _held) = match read(payload, ENVELOPE_LIMIT, &invoker.envelopes).await {
        Read::Whole(body, held) => (http_call(&body, BODY_LIMIT), Some(held)),
        Read::TooLarge => {
            let reply = HttpReply::error(413, &format!("the invocation is larger than {ENVELOPE_LIMIT} bytes"));
            return json(StatusCode::OK, http_reply(&reply));
        }
        Read::NoRoom => return json(StatusCode::OK, http_reply(&no_room())),
        Read::TooSlow(bytes) => return json(StatusCode::OK, http_reply(&too_slow(bytes))),
        Read::BrokenOff(bytes) => (Err(format!("the invocation broke off after byte {bytes}")), None),
    };
    let reply = match call {
        Ok(call) => {
            let invocation_id = invocation_id_of(request.headers()).map(str::to_owned);
            let call = HttpCall { invocation_id, ..call };
            invoke(&invoker, call).await
        }
        Err(reason) => HttpReply::error(400, &reason),
    };
    json(StatusCode::OK, http_reply(&reply))
}

async fn http_as_it_is(request: HttpRequest, payload: Payload, invoker: Data<Invoker>) -> HttpResponse {
    let (body, _held) = match read(payload, BODY_LIMIT, &invoker.raw).await {
        Read::Whole(body, held) => (Some(body), Some(held)),
        Read::TooLarge => (None, None),
        Read::NoRoom => return raw(&no_room()),
        Read::TooSlow(bytes) => return raw(&too_slow(bytes)),
        Read::BrokenOff(bytes) => {
            let reason = format!("the body broke off before its end, after byte {bytes}");
            return raw(&HttpReply::error(400, &reason));
        }
    };
    if !request.path().to_ascii_lowercase().starts_with("/api/") {
        return raw(&HttpReply::error(404, "no such route; the functions stand under /api/"));
    }
    let headers = request.headers().iter();
    let call = HttpCall {
        method: request.method().as_str().to_owned(),
        path: api_path(request.path()).to_owned(),
        query: request.query_string().to_owned(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body,
        invocation_id: invocation_id_of(request.headers()).map(str::to_owned),
    };
    raw(&invoke(&invoker, call).await)
}

async fn invoke(invoker: &Invoker, call: HttpCall) -> HttpReply {
    let functions = invoker.functions.clone();
    match spawn_in_invocation_on(&invoker.runtime, async move { functions.http(call).await }).await {
        Ok(reply) => reply,
        Err(error) => {
            log::error!("the http function ended abnormally ({error}); please report it with this line");
            HttpReply::error(500, "internal error")
        }
    }
}

fn no_room() -> HttpReply {
    let reason = "too many bodies are being received at once; send it again";
    log::warn!("a request was answered 503: {reason}");
    HttpReply::unavailable(reason)
}

/// The rest may still come: the connection cannot be used again.
fn too_slow(bytes: usize) -> HttpReply {
    let reason = format!("the body did not come to its end in time; {bytes} bytes of it came");
    log::warn!("a request was answered 408: {reason}");
    HttpReply::error(408, &reason).with_header("Connection", "close")
}

fn raw(reply: &HttpReply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in &reply.headers {
        response.insert_header((*name, value.as_str()));
    }
    response.body(reply.body.clone())
}

fn json(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status).content_type("application/json").body(body)
}
