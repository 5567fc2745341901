use std::convert::Infallible;

use chrono::{DateTime, Utc};

use super::*;
use crate::client::plain_client;

#[derive(Default)]
struct Echo {
    controls: Controls<Infallible>,
    open: usize,
}

impl Service for Echo {
    type Fault = Infallible;

    const LARGEST_BODY_BYTES: usize = 10;

    fn controls(&mut self) -> &mut Controls<Infallible> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, _: DateTime<Utc>) -> Reply {
        self.open += 1;
        let reply = Reply::json(200, format!("\"{} {}\"", request.decoded_url(), self.open));
        match request.path.as_str() {
            "/cut" => Reply::cut(),
            "/half" => reply.truncated(),
            "/broken" => reply.broken(),
            "/origin" => Reply::json(200, request.origin.clone()),
            _ => reply,
        }
    }

    fn finish(&mut self, _: Option<usize>, sent: bool) {
        self.open -= usize::from(sent);
    }
}

#[tokio::test]
async fn replies_come_whole_halved_or_not_at_all_and_each_is_finished() {
    let server = Server::serve(Simulation::of(Echo::default()));
    let get = |path: &str| plain_client().get(format!("{}{path}", server.origin())).send();

    let whole = get("/é?a=1").await.expect("a reply").text().await.expect("a body");
    let half = get("/half").await.expect("a reply").text().await.expect("a body");
    let origin = get("/origin").await.expect("a reply").text().await.expect("a body");

    assert_eq!(whole, "\"/é?a=1 1\"");
    assert_eq!(half, "\"/hal");
    assert_eq!(origin, server.origin());
    assert!(get("/cut").await.is_err());
    let mut broken = get("/broken").await.expect("a reply");
    assert_eq!(broken.content_length(), Some(12));
    assert_eq!(broken.chunk().await.expect("a chunk").as_deref(), Some(&b"\"/brok"[..]));
    assert!(broken.chunk().await.is_err());
    let next = get("/next").await.expect("a reply").text().await.expect("a body");
    assert_eq!(next, "\"/next? 1\"");
    let statuses: Vec<u16> = server.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 200, 200, 0, 200, 200]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_violation() {
    let server = Server::serve(Simulation::of(Echo::default()));
    let post = |body: &'static str| plain_client().post(server.origin()).body(body).send();

    assert_eq!(post("ten bytes.").await.expect("a reply").status(), 200);
    assert_eq!(post("more than ten").await.expect("a reply").status(), 400);
    assert_eq!(server.violations().len(), 1);
}
