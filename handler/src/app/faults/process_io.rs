//! The world as one process reaches it: every request is a point at which a fault can strike, and before or after which
//! the process can be killed.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue};
use simulator::logs_ingestion::AUDIENCE;

use super::crash_points::CrashPoints;
use super::ingestion;
use super::marks::marks_in;
use super::vendors::Vendor;
use super::world::{INGESTION, World};
use crate::azure::{IdentityError, TokenSource};
use crate::config::Secret;
use crate::http::{ConnectFailure, Reply, Script, TransportError};
use crate::time::Deadline;

/// A reply, or a fault on the way.
pub type Answer = Result<Reply, TransportError>;

pub struct ProcessIo {
    pub world: Arc<World>,
    pub crash_points: Arc<CrashPoints>,
    pub process: u32,
}

impl std::fmt::Debug for ProcessIo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ProcessIo({})", self.process)
    }
}

impl ProcessIo {
    /// A request begins. What a pause leaves in flight may be delivered again by whoever goes on in the meantime.
    pub async fn before(&self) -> u64 {
        let (number, is_paused) = self.crash_points.arrive();
        if is_paused {
            let mut deliveries = self.world.deliveries();
            deliveries.allow_repeat_of_last(self.process);
            deliveries.allow_repeat_of_next(self.process);
        }
        self.crash_points.before().await;
        number
    }
}

#[async_trait]
impl Script for ProcessIo {
    async fn answer(&self, request: reqwest::Request) -> Answer {
        let number = self.before().await;
        tokio::time::sleep(self.world.rng.millis(1, 120)).await;
        let request = simulated(&request);
        let answer = match Vendor::at(&request.origin) {
            Some(vendor) => ask_vendor(&self.world, vendor, &request).await,
            None if request.origin == INGESTION => ingestion::answer(self, &request).await,
            None => panic!("nobody answers at {}", request.origin),
        };
        self.crash_points.after(number).await;
        answer
    }
}

fn simulated(request: &reqwest::Request) -> simulator::Request {
    let url = request.url();
    let headers = request.headers().iter();
    let body = request.body().and_then(reqwest::Body::as_bytes);
    simulator::Request {
        method: request.method().to_string(),
        origin: url.origin().ascii_serialization(),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.unwrap_or_default().to_vec(),
    }
}

async fn ask_vendor(world: &World, vendor: Vendor, request: &simulator::Request) -> Answer {
    let answer = with_faults(world, vendor, request).await;
    world.trace(|| {
        let outcome = match &answer {
            Ok(reply) => {
                let marks = marks_in(&String::from_utf8_lossy(&reply.body));
                format!("{} {marks:?}", reply.status)
            }
            Err(error) => error.to_string(),
        };
        format!("{vendor:?}: {} {:?} -> {outcome}", request.path, request.query)
    });
    answer
}

/// A fault that any server or network can bring, most of them passing. In some of them the vendor has done what it was
/// asked for all the same.
async fn with_faults(world: &World, vendor: Vendor, request: &simulator::Request) -> Answer {
    let serve = || {
        let now = world.vendor_now(vendor);
        let reply = world.vendors.reply(vendor, request, now);
        if vendor == Vendor::Enterprise {
            let marks = marks_in(&String::from_utf8_lossy(&reply.body));
            world.published().note_consumed(marks, world.now());
        }
        dated(http_reply(reply), now)
    };
    let refused = |status| simulator::Reply::empty(status);
    let sent = |reply| Ok(dated(http_reply(reply), world.vendor_now(vendor)));
    if !world.rng.hits(world.fault_rates().vendors) {
        return Ok(serve());
    }
    world.count_fault();
    match world.rng.between(0, 9) {
        0 => {
            world.vendors.expire_tokens(vendor);
            Ok(serve())
        }
        1 => sent(refused(429).with_header("retry-after", "2")),
        2 => sent(refused(500)),
        3 => sent(refused(503).with_header("retry-after", "1")),
        4 => Err(TransportError::Connect(ConnectFailure::NoAnswer("refused".to_owned()))),
        5 => Err(TransportError::Interrupted("reset before the answer".to_owned())),
        6 => {
            serve();
            Err(TransportError::Interrupted("reset in the answer".to_owned()))
        }
        7 => {
            let mut whole = serve();
            let half = whole.body.len() / 2;
            whole.body.truncate(half);
            Ok(whole)
        }
        _ => {
            let reply = serve();
            tokio::time::sleep(world.rng.millis(20_000, 90_000)).await;
            Ok(reply)
        }
    }
}

/// The reply as the handler's client gives it.
pub fn http_reply(reply: simulator::Reply) -> Reply {
    let headers = reply.headers.iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    });
    Reply {
        status: StatusCode::from_u16(reply.status).unwrap(),
        headers: headers.collect::<HeaderMap>(),
        body: reply.body,
    }
}

fn dated(mut reply: Reply, now: DateTime<Utc>) -> Reply {
    let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    reply.headers.insert(DATE, HeaderValue::from_str(&date).unwrap());
    reply
}

/// Tokens of the managed identity. That asking for them fails is tested elsewhere.
#[derive(Debug)]
pub struct Tokens {
    world: Arc<World>,
    current: Mutex<Option<String>>,
}

impl Tokens {
    pub fn new(world: Arc<World>) -> Self {
        Self {
            world,
            current: Mutex::default(),
        }
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, _scope: &str, _deadline: Deadline) -> Result<Secret, IdentityError> {
        let issue = || self.world.identity.issue(AUDIENCE, self.world.now());
        let token = self.current.lock().get_or_insert_with(issue).clone();
        Ok(Secret::new(token))
    }

    fn renew(&self) {
        *self.current.lock() = None;
    }
}
