//! A service on a loopback server of its own.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, rt};

use super::breaking_body::BreakingBody;
use super::{Configured, Ending, Reply, Request, Service, Simulation};
use crate::loopback::{DateHeader, LoopbackServer, client_is_there, cut_connection};
use crate::wall_clock;

/// So often a delayed reply looks whether its client is still there.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server. Dropping it stops it.
pub struct Server<S> {
    server: LoopbackServer,
    simulation: Arc<Simulation<S>>,
}

impl<S: Configured> Server<S> {
    /// Starts a server for a service without content.
    pub fn start(options: S::Options) -> Self {
        Server::serve(Simulation::<S>::new(options))
    }
}

impl<S: Service> Server<S> {
    /// Starts a server on a free port of 127.0.0.1.
    pub(crate) fn serve(simulation: Simulation<S>) -> Self {
        let simulation = Arc::new(simulation);
        let same_simulation = Data::from(Arc::clone(&simulation));
        let server = LoopbackServer::start(move |config: &mut ServiceConfig| {
            config
                .app_data(same_simulation.clone())
                .default_service(web::to(carry::<S>));
        });
        Server { server, simulation }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// Sets what the `Date` header of every reply says from now on.
    pub fn set_date(&self, header: DateHeader) {
        self.server.date().set(header);
    }

    /// The service behind the server.
    pub(crate) fn simulation(&self) -> Arc<Simulation<S>> {
        Arc::clone(&self.simulation)
    }
}

impl<S> Deref for Server<S> {
    type Target = Simulation<S>;

    fn deref(&self) -> &Simulation<S> {
        &self.simulation
    }
}

/// Tells the service at the end of a request, however it ends.
struct Underway<'a, S: Service> {
    simulation: &'a Simulation<S>,
    tag: Option<usize>,
    sent: bool,
}

impl<S: Service> Drop for Underway<'_, S> {
    fn drop(&mut self) {
        self.simulation.finish(self.tag, self.sent);
    }
}

async fn carry<S: Service>(simulation: Data<Simulation<S>>, http: HttpRequest, payload: Payload) -> HttpResponse {
    if simulation.lock().cuts_before_body(http.path()) {
        cut_connection(&http);
        return HttpResponse::NoContent().finish();
    }
    let Ok(Ok(body)) = payload.to_bytes_limited(S::LARGEST_BODY_BYTES).await else {
        let mut service = simulation.lock();
        service.controls().violation("a body could not be read to its end");
        return HttpResponse::BadRequest().finish();
    };
    let reply = simulation.reply(&request(&http, body.to_vec()), wall_clock::now());
    let mut underway = Underway {
        simulation: &simulation,
        tag: reply.tag,
        sent: false,
    };
    if let Some(delay) = reply.delay {
        wait(delay, &http).await;
    }
    if reply.ending == Ending::Cut {
        cut_connection(&http);
        underway.sent = true;
    } else {
        underway.sent = client_is_there(&http);
    }
    response(reply)
}

fn request(http: &HttpRequest, body: Vec<u8>) -> Request {
    let headers = http.headers().iter();
    Request {
        method: http.method().to_string(),
        origin: format!("http://{}", http.app_config().local_addr()),
        path: http.path().to_owned(),
        query: http.query_string().to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body,
    }
}

fn response(reply: Reply) -> HttpResponse {
    // A cut connection still needs a value here; it is written to nobody.
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for header in reply.headers {
        response.insert_header(header);
    }
    match reply.ending {
        Ending::BreaksAfter(bytes) => response.body(BreakingBody::new(reply.body, bytes)),
        Ending::Whole | Ending::Cut => response.body(reply.body),
    }
}

/// Waits for so long, or until the client has gone.
async fn wait(delay: Duration, request: &HttpRequest) {
    let due = Instant::now() + delay;
    while client_is_there(request) {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        rt::time::sleep(left.min(LOOK_EVERY)).await;
    }
}
