//! What the vendors' servers have in common: a state behind a lock that answers whole requests.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, rt};
use percent_encoding::percent_decode_str;

use crate::loopback::{DateHeader, LoopbackServer, client_is_there, cut_connection};

/// A request body of these vendors is small; more is not read.
const LARGEST_BODY_BYTES: usize = 1024 * 1024;

/// So often a delayed answer looks whether its client is still there.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One request as it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query string as sent, without the question mark.
    pub query: String,
    /// The body as text.
    pub body: String,
    /// The status of the answer; 0 where the connection was cut.
    pub status: u16,
}

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Incoming {
    fn new(request: &HttpRequest, body: Vec<u8>) -> Self {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Incoming {
            method: request.method().to_string(),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            authorization: header("Authorization"),
            content_type: header("Content-Type").unwrap_or_default(),
            body,
        }
    }

    pub(crate) fn recorded(&self, status: u16) -> RecordedRequest {
        RecordedRequest {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: String::from_utf8_lossy(&self.body).into_owned(),
            status,
        }
    }

    /// Whether the content type is `kind`, whatever its parameters.
    pub(crate) fn is_of_type(&self, kind: &str) -> bool {
        let given = self.content_type.split(';').next().unwrap_or_default();
        given.trim().eq_ignore_ascii_case(kind)
    }

    /// Path and query, decoded, to look for secrets.
    pub(crate) fn url(&self) -> String {
        let encoded = format!("{}?{}", self.path, self.query);
        percent_decode_str(&encoded).decode_utf8_lossy().into_owned()
    }
}

/// An answer in the making.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// 0 where the connection is cut instead.
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) retry_after: Option<u64>,
    /// The challenge of a 401, where the service gives one.
    pub(crate) www_authenticate: Option<&'static str>,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Option<Duration>,
    pub(crate) cut: bool,
    /// Ends the connection after so many bytes of the body; the Content-Length is that of the whole.
    pub(crate) breaks_after: Option<usize>,
    /// A number of the service's own, given back at the end of the request.
    pub(crate) tag: Option<usize>,
}

impl Reply {
    /// JSON text.
    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply {
            status,
            content_type: "application/json",
            retry_after: None,
            www_authenticate: None,
            body: body.into(),
            delay: None,
            cut: false,
            breaks_after: None,
            tag: None,
        }
    }

    /// A page of markup under a good status, as a proxy in between would send.
    pub(crate) fn html() -> Self {
        let page = "<!doctype html><html><body><h1>One moment</h1></body></html>";
        Reply {
            content_type: "text/html; charset=utf-8",
            ..Self::json(200, page.to_owned())
        }
    }

    /// No answer at all: the connection is closed.
    pub(crate) fn cut() -> Self {
        Reply {
            cut: true,
            ..Self::json(0, String::new())
        }
    }

    /// The same answer with the first half of its body.
    pub(crate) fn truncated(mut self) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        let end = text.floor_char_boundary(text.len() / 2);
        self.body = text[..end].to_owned().into_bytes();
        self
    }

    /// The same answer, but the connection ends in the middle of its body.
    pub(crate) fn broken(self) -> Self {
        Reply {
            breaks_after: Some(self.body.len() / 2),
            ..self
        }
    }

    fn into_response(self) -> HttpResponse {
        // A cut connection still needs a value here; it is written to nobody.
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        response.content_type(self.content_type);
        if let Some(seconds) = self.retry_after {
            response.insert_header(("Retry-After", seconds.to_string()));
        }
        if let Some(challenge) = self.www_authenticate {
            response.insert_header(("WWW-Authenticate", challenge));
        }
        match self.breaks_after {
            Some(bytes) => response.body(BreakingBody::new(self.body, bytes)),
            None => response.body(self.body),
        }
    }
}

/// A body that ends with an error, upon which the server closes the connection.
struct BreakingBody {
    whole_length: u64,
    beginning: Option<Bytes>,
    was_flushed: bool,
}

impl BreakingBody {
    fn new(mut whole: Vec<u8>, bytes: usize) -> Self {
        let whole_length = whole.len() as u64;
        whole.truncate(bytes);
        BreakingBody {
            whole_length,
            beginning: Some(whole.into()),
            was_flushed: false,
        }
    }
}

impl MessageBody for BreakingBody {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.whole_length)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(beginning) = self.beginning.take() {
            return Poll::Ready(Some(Ok(beginning)));
        }
        // The server sends what it has when a body has nothing more for the moment, but not when it fails.
        if !self.was_flushed {
            self.was_flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}

/// Answers requests, one at a time.
pub(crate) trait Service: Send + 'static {
    /// The answer; the state already holds what follows from it.
    fn answer(&mut self, incoming: &Incoming) -> Reply;

    /// Called when the answer, after its delay, is on its way (`sent`), or when its client went away before.
    fn answered(&mut self, tag: Option<usize>, sent: bool) {
        let _ = (tag, sent);
    }
}

/// A service on a loopback server of its own.
pub(crate) struct Served<S> {
    server: LoopbackServer,
    state: Arc<Mutex<S>>,
}

impl<S: Service> Served<S> {
    /// Starts a server for the service.
    pub(crate) fn start(service: S) -> Self {
        let state = Arc::new(Mutex::new(service));
        let same_state = Data::from(Arc::clone(&state));
        let server = LoopbackServer::start(move |config: &mut ServiceConfig| {
            config.app_data(same_state.clone()).default_service(web::to(serve::<S>));
        });
        Served { server, state }
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn origin(&self) -> String {
        self.server.origin()
    }

    /// Sets what the `Date` header of every answer says.
    pub(crate) fn set_date(&self, header: DateHeader) {
        self.server.date().set(header);
    }

    /// The state, for as long as the guard lives.
    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        lock(&self.state)
    }
}

fn lock<S>(state: &Mutex<S>) -> MutexGuard<'_, S> {
    state.lock().expect("no request panics while it holds the state")
}

/// Tells the service at the end of a request, however it ends.
struct Underway<'a, S: Service> {
    state: &'a Mutex<S>,
    tag: Option<usize>,
    sent: bool,
}

impl<S: Service> Drop for Underway<'_, S> {
    fn drop(&mut self) {
        if let Ok(mut state) = self.state.lock() {
            state.answered(self.tag, self.sent);
        }
    }
}

async fn serve<S: Service>(state: Data<Mutex<S>>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let body = match payload.to_bytes_limited(LARGEST_BODY_BYTES).await {
        Ok(Ok(body)) => body.to_vec(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let incoming = Incoming::new(&request, body);
    let reply = lock(&state).answer(&incoming);
    let mut underway = Underway {
        state: &state,
        tag: reply.tag,
        sent: false,
    };
    if let Some(delay) = reply.delay {
        wait(delay, &request).await;
    }
    if reply.cut {
        cut_connection(&request);
        underway.sent = true;
    } else {
        underway.sent = client_is_there(&request);
    }
    reply.into_response()
}

/// Waits for so long, or until the client has gone.
async fn wait(delay: Duration, request: &HttpRequest) {
    let mut left = delay;
    while !left.is_zero() && client_is_there(request) {
        let step = left.min(LOOK_EVERY);
        rt::time::sleep(step).await;
        left -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::plain_client;

    #[derive(Default)]
    struct Echo {
        open: usize,
    }

    impl Service for Echo {
        fn answer(&mut self, incoming: &Incoming) -> Reply {
            self.open += 1;
            let reply = Reply::json(200, format!("\"{} {}\"", incoming.url(), self.open));
            match incoming.path.as_str() {
                "/cut" => Reply::cut(),
                "/half" => reply.truncated(),
                "/broken" => reply.broken(),
                _ => reply,
            }
        }

        fn answered(&mut self, _: Option<usize>, sent: bool) {
            self.open -= usize::from(sent);
        }
    }

    #[tokio::test]
    async fn answers_come_whole_halved_or_not_at_all_and_each_is_ended() {
        let served = Served::start(Echo::default());
        let get = |path: &str| plain_client().get(format!("{}{path}", served.origin())).send();

        let whole = get("/é?a=1").await.expect("an answer").text().await.expect("a body");
        let half = get("/half").await.expect("an answer").text().await.expect("a body");

        assert_eq!(whole, "\"/é?a=1 1\"");
        assert_eq!(half, "\"/hal");
        assert!(get("/cut").await.is_err());
        let mut broken = get("/broken").await.expect("an answer");
        assert_eq!(broken.content_length(), Some(12));
        assert_eq!(broken.chunk().await.expect("a chunk").as_deref(), Some(&b"\"/brok"[..]));
        assert!(broken.chunk().await.is_err());
        let next = get("/next").await.expect("an answer").text().await.expect("a body");
        assert_eq!(next, "\"/next? 1\"");
    }
}
