//! A server on a free port of 127.0.0.1, on a thread of its own, until it is dropped.

use std::any::Any;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::{Extensions, ServerHandle, Service};
use actix_web::http::header::{DATE, HeaderValue};
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpRequest, HttpServer, rt};
use chrono::TimeDelta;
use parking_lot::Mutex;

use crate::wall_clock;

/// A running server. It works under any runtime because it brings its own.
pub(crate) struct LoopbackServer {
    address: SocketAddr,
    date: ServedDate,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// What the `Date` header of every answer says; the time of the machine until something is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServedDate(Arc<Mutex<Option<DateHeader>>>);

/// What a server says of the time in its `Date` header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DateHeader {
    /// Its clock is so far ahead of the machine's (behind, where negative).
    Offset(TimeDelta),
    /// Always this text.
    Text(String),
}

impl ServedDate {
    pub(crate) fn set(&self, header: DateHeader) {
        *self.0.lock() = Some(header);
    }

    fn value(&self) -> Option<HeaderValue> {
        let header = self.0.lock().clone()?;
        let text = match header {
            DateHeader::Offset(offset) => (wall_clock::now() + offset)
                .format("%a, %d %b %Y %H:%M:%S GMT")
                .to_string(),
            DateHeader::Text(text) => text,
        };
        Some(HeaderValue::from_str(&text).expect("a test's header is a header"))
    }
}

/// The accepted connection of a request, to be cut without an answer.
struct Connection(TcpStream);

impl LoopbackServer {
    /// Starts a server with the services that `configure` adds; it listens when this returns.
    pub(crate) fn start<C>(configure: C) -> Self
    where
        C: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port can be bound");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (handles, received) = mpsc::sync_channel(1);
        let date = ServedDate::default();
        let same_date = date.clone();
        let thread = std::thread::spawn(move || serve(listener, configure, &same_date, &handles));
        let handle = received.recv().expect("the server thread starts its server");
        LoopbackServer {
            address,
            date,
            handle,
            thread: Some(thread),
        }
    }

    /// What the `Date` header of its answers says.
    pub(crate) fn date(&self) -> &ServedDate {
        &self.date
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        // The command is sent by the call itself; the future would only wait for it.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            // A panic of the server thread has already been printed; a second one here would abort.
            let _ = thread.join();
        }
    }
}

/// Closes the connection of `request` in both directions, so that its client gets no answer.
pub(crate) fn cut_connection(request: &HttpRequest) {
    if let Some(Connection(stream)) = request.conn_data::<Connection>() {
        // An error means that the client was faster: the connection is gone either way.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Whether the client of `request` has not closed its connection yet.
pub(crate) fn client_is_there(request: &HttpRequest) -> bool {
    let Some(Connection(stream)) = request.conn_data::<Connection>() else {
        return true;
    };
    // The stream does not block: an open one without further bytes is an error here, a closed one has none.
    !matches!(stream.peek(&mut [0]), Ok(0))
}

fn serve<C>(listener: TcpListener, configure: C, date: &ServedDate, handles: &mpsc::SyncSender<ServerHandle>)
where
    C: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let date = date.clone();
    rt::System::new().block_on(async move {
        let app = move || {
            let date = date.clone();
            App::new()
                .wrap_fn(move |request, service| {
                    let date = date.clone();
                    let answer = service.call(request);
                    async move {
                        let mut answer = answer.await?;
                        if let Some(value) = date.value() {
                            answer.headers_mut().insert(DATE, value);
                        }
                        Ok(answer)
                    }
                })
                .configure(configure.clone())
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            // Idle connections and slow test machines must not look like faults.
            .keep_alive(Duration::from_secs(600))
            .client_request_timeout(Duration::from_secs(600))
            .on_connect(remember_connection)
            .listen(listener)
            .expect("a bound listener can be served")
            .run();
        handles
            .send(server.handle())
            .expect("the starting thread waits for the handle");
        server.await.expect("the server runs until it is stopped");
    });
}

fn remember_connection(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<rt::net::TcpStream>() else {
        return;
    };
    if let Ok(second_handle) = duplicate(stream) {
        data.insert(Connection(second_handle));
    }
}

#[cfg(unix)]
fn duplicate(stream: &rt::net::TcpStream) -> std::io::Result<TcpStream> {
    use std::os::fd::AsFd;
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn duplicate(stream: &rt::net::TcpStream) -> std::io::Result<TcpStream> {
    use std::os::windows::io::AsSocket;
    Ok(stream.as_socket().try_clone_to_owned()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::plain_client;
    use actix_web::{HttpResponse, web};
    use chrono::DateTime;

    fn services(config: &mut ServiceConfig) {
        config.route("/answer", web::get().to(HttpResponse::Ok)).route(
            "/cut",
            web::get().to(|request: HttpRequest| async move {
                cut_connection(&request);
                "written to nobody"
            }),
        );
    }

    #[tokio::test]
    async fn a_server_answers_and_cuts_a_connection_without_an_answer() {
        let server = LoopbackServer::start(services);

        let answer = plain_client().get(format!("{}/answer", server.origin())).send().await;
        let cut = plain_client().get(format!("{}/cut", server.origin())).send().await;

        assert_eq!(answer.expect("the route answers").status(), 200);
        assert!(cut.is_err());
    }

    #[tokio::test]
    async fn a_server_stops_in_the_middle_of_an_answer() {
        let (arrived, arrival) = mpsc::sync_channel(1);
        let server = LoopbackServer::start(move |config: &mut ServiceConfig| {
            let arrived = arrived.clone();
            config.default_service(web::to(move || {
                arrived.send(()).expect("the test waits");
                std::future::pending::<HttpResponse>()
            }));
        });
        let asking = tokio::spawn(plain_client().get(server.origin()).send());
        tokio::task::spawn_blocking(move || arrival.recv())
            .await
            .expect("the waiting does not panic")
            .expect("the request arrives");

        drop(server);

        assert!(asking.await.expect("the request does not panic").is_err());
    }

    #[tokio::test]
    async fn the_date_of_the_answers_is_what_a_test_sets() {
        let server = LoopbackServer::start(services);
        let date = async || {
            let answer = plain_client().get(format!("{}/answer", server.origin())).send().await;
            let answer = answer.expect("the route answers");
            let dates: Vec<_> = answer.headers().get_all(DATE.as_str()).iter().cloned().collect();
            assert_eq!(dates.len(), 1, "{dates:?}");
            dates[0].to_str().expect("it is text").to_owned()
        };
        server.date().set(DateHeader::Text("yesterday".to_owned()));
        assert_eq!(date().await, "yesterday");
        server.date().set(DateHeader::Offset(TimeDelta::minutes(-12)));
        let said = DateTime::parse_from_rfc2822(&date().await)
            .expect("an instant")
            .to_utc();
        let behind = wall_clock::now() - said;
        assert!((12..14).contains(&behind.num_minutes()), "{behind}");
    }

    #[tokio::test]
    async fn a_dropped_server_no_longer_listens() {
        let server = LoopbackServer::start(services);
        let origin = server.origin();

        drop(server);

        assert!(plain_client().get(format!("{origin}/answer")).send().await.is_err());
    }
}
