//! Everything outside of the handler: vendors, the ingestion endpoint, and what they remember.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Request, StatusCode};

use super::chance::Chance;
use super::enterprise::Enterprise;
use super::ingestion::Ingestion;
use super::onelogin::OneLogin;
use super::pingone::PingOne;
use super::plug::Plug;
use crate::azure::{IdentityError, TokenSource};
use crate::config::Secret;
use crate::http::{Reply, Script, TransportError};
use crate::time::{Clock, Deadline};

pub const PINGONE: &str = "http://127.0.0.1:9001";
pub const ENTERPRISE: &str = "http://127.0.0.1:9002";
pub const INGESTION: &str = "http://127.0.0.1:9003";
pub const ONELOGIN: &str = "http://127.0.0.1:9004";

/// How likely a request to each of them meets a fault.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub vendors: f64,
    pub destination: f64,
    pub state: f64,
}

pub struct World {
    pub chance: Chance,
    pub clock: Arc<dyn Clock>,
    pub pingone: Mutex<PingOne>,
    pub enterprise: Mutex<Enterprise>,
    pub ingestion: Mutex<Ingestion>,
    pub onelogin: Mutex<OneLogin>,
    /// A table whose rows are answered 403 at present.
    refused_table: Mutex<Option<&'static str>>,
    weather: Mutex<Weather>,
    /// How often something went wrong.
    faults: Mutex<u64>,
    /// Tells what happens, where one schedule is looked at alone.
    is_told: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("World")
    }
}

/// A fault on the way or of the server.
pub type Answer = Result<Reply, TransportError>;

impl World {
    pub fn new(chance: Chance, clock: Arc<dyn Clock>, page_size: usize, is_told: bool) -> Self {
        Self {
            chance,
            clock,
            pingone: Mutex::new(PingOne::new(page_size)),
            enterprise: Mutex::default(),
            ingestion: Mutex::default(),
            onelogin: Mutex::new(OneLogin::new(page_size)),
            refused_table: Mutex::default(),
            weather: Mutex::default(),
            faults: Mutex::default(),
            is_told,
        }
    }

    pub fn weather(&self) -> Weather {
        *lock(&self.weather)
    }

    pub fn set_weather(&self, weather: Weather) {
        *lock(&self.weather) = weather;
    }

    /// From now on; `None` ends it.
    pub fn refuse(&self, table: Option<&'static str>) {
        *lock(&self.refused_table) = table;
    }

    pub fn refuses(&self, table: &str) -> bool {
        *lock(&self.refused_table) == Some(table)
    }

    pub fn tell(&self, what: impl FnOnce() -> String) {
        if self.is_told {
            println!("{} {}", self.now().format("%H:%M:%S%.3f"), what());
        }
    }

    pub fn count_fault(&self) {
        *lock(&self.faults) += 1;
    }

    pub fn faults(&self) -> u64 {
        *lock(&self.faults)
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn pingone(&self) -> MutexGuard<'_, PingOne> {
        lock(&self.pingone)
    }

    pub fn onelogin(&self) -> MutexGuard<'_, OneLogin> {
        lock(&self.onelogin)
    }

    pub fn enterprise(&self) -> MutexGuard<'_, Enterprise> {
        lock(&self.enterprise)
    }

    pub fn ingestion(&self) -> MutexGuard<'_, Ingestion> {
        lock(&self.ingestion)
    }

    /// A fault that any server or network can bring, most of them passing. `serve` is what the server would do; it is
    /// done in some of them all the same.
    pub async fn vendor_fault(&self, serve: impl FnOnce() -> Reply) -> Answer {
        if !self.chance.hits(self.weather().vendors) {
            return Ok(serve());
        }
        self.count_fault();
        match self.chance.between(0, 9) {
            0 => Ok(reply(401, &[], br#"{"code":"INVALID_TOKEN"}"#)),
            1 => Ok(reply(429, &[("retry-after", "2")], b"")),
            2 => Ok(reply(500, &[], b"")),
            3 => Ok(reply(503, &[("retry-after", "1")], b"")),
            4 => Err(TransportError::Connect("refused".to_owned())),
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
                let answer = serve();
                tokio::time::sleep(self.chance.millis(20_000, 90_000)).await;
                Ok(answer)
            }
        }
    }
}

/// The world as one process sees it.
pub struct Line {
    pub world: Arc<World>,
    pub plug: Arc<Plug>,
    pub process: u32,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Line({})", self.process)
    }
}

impl Line {
    /// A moment has come; what a pause leaves in flight may be doubled by whoever goes on in the meantime.
    pub async fn before(&self) -> u64 {
        let (number, is_paused) = self.plug.arrive();
        if is_paused {
            self.world.ingestion().excuse(self.process);
            self.world.ingestion().excuse_next(self.process);
        }
        self.plug.before().await;
        number
    }
}

#[async_trait]
impl Script for Line {
    async fn answer(&self, request: Request) -> Answer {
        let number = self.before().await;
        let pause = self.world.chance.millis(1, 120);
        tokio::time::sleep(pause).await;
        let answer = match request.url().port() {
            Some(9001) => super::pingone::answer(&self.world, &request).await,
            Some(9002) => super::enterprise::answer(&self.world, &request).await,
            Some(9003) => super::ingestion::answer(&self.world, &request, self.process, &self.plug).await,
            Some(9004) => super::onelogin::answer(&self.world, &request).await,
            other => panic!("nobody stands at port {other:?}"),
        };
        self.plug.after(number).await;
        answer
    }
}

/// Tokens that never fail: the identity has its own tests.
pub struct Tokens;

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, _scope: &str, _deadline: Deadline) -> Result<Secret, IdentityError> {
        Ok(Secret::new("identity-token"))
    }

    fn renew(&self) {}
}

pub fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect();
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.to_vec(),
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
