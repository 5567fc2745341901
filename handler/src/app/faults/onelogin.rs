//! OneLogin: events that its webhook pushes and its API shows under another key, some of them only one of the two.
//!
//! What both forms share does not tell all events apart: a few users, one kind, whole seconds.

use chrono::{DateTime, SubsecRound, Utc};
use reqwest::Request;
use serde_json::{Value, json};

use super::chance::Chance;
use super::world::{Answer, World, reply};
use crate::http::Reply;
use crate::time::rfc3339_millis;

#[derive(Debug)]
pub struct OneLogin {
    page_size: usize,
    events: Vec<Event>,
}

#[derive(Clone, Debug)]
pub struct Event {
    number: usize,
    pub created_at: DateTime<Utc>,
    pub user: u64,
    pub is_in_api: bool,
}

impl Event {
    /// What both forms share.
    pub fn common(&self) -> (DateTime<Utc>, u64) {
        (self.created_at.trunc_subsecs(0), self.user)
    }

    /// In the rows of its pushed form.
    pub fn pushed_mark(&self) -> String {
        format!("#o{}#", self.number)
    }

    /// In the rows of the form that the API shows.
    pub fn read_mark(&self) -> String {
        format!("#a{}#", self.number)
    }

    pub fn pushed(&self, poison: &str) -> Value {
        json!({"event_timestamp": self.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(), "event_type_id": 5,
            "user_id": self.user, "user_name": format!("{} {poison}", self.pushed_mark())})
    }

    fn read(&self) -> Value {
        json!({"id": 1000 + self.number, "created_at": rfc3339_millis(self.created_at), "event_type_id": 5,
            "user_id": self.user, "user_name": self.read_mark()})
    }
}

impl OneLogin {
    pub fn new(page_size: usize) -> Self {
        Self {
            page_size,
            events: Vec::new(),
        }
    }

    pub fn emit(&mut self, created_at: DateTime<Utc>, is_in_api: bool, chance: &Chance) -> Event {
        let event = Event {
            number: self.events.len(),
            created_at,
            user: chance.between(1, 4),
            is_in_api,
        };
        self.events.push(event.clone());
        event
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }

    fn page(&self, request: &Request) -> Reply {
        let query = |name: &str| {
            let mut pairs = request.url().query_pairs();
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let bound = |name: &str| query(name).unwrap().parse::<DateTime<Utc>>().unwrap();
        let (since, until) = (bound("since"), bound("until"));
        let skip: usize = query("after_cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let found: Vec<&Event> = self
            .events
            .iter()
            .filter(|event| event.is_in_api && since < event.created_at && event.created_at < until)
            .collect();
        let page: Vec<Value> = found
            .iter()
            .skip(skip)
            .take(self.page_size)
            .map(|event| event.read())
            .collect();
        let end = skip + page.len();
        let cursor = (end < found.len()).then(|| end.to_string());
        list(&page, cursor.as_deref())
    }
}

fn list(data: &[Value], cursor: Option<&str>) -> Reply {
    let body = json!({"status": {"error": false, "code": 200, "type": "success", "message": "Success"},
        "pagination": {"before_cursor": null, "after_cursor": cursor}, "data": data});
    reply(200, &[], body.to_string().as_bytes())
}

pub async fn answer(world: &World, request: &Request) -> Answer {
    let path = request.url().path();
    let serve = || match path {
        _ if path.contains("token") => reply(200, &[], br#"{"access_token":"onelogin-token","expires_in":36000}"#),
        _ if path.ends_with("/users") => list(&[], None),
        _ => world.onelogin().page(request),
    };
    let answer = world.vendor_fault(serve).await;
    world.tell(|| {
        let outcome = match &answer {
            Ok(reply) => format!(
                "{} {:?}",
                reply.status,
                super::ingestion::marks_in(&String::from_utf8_lossy(&reply.body))
            ),
            Err(error) => error.to_string(),
        };
        format!(
            "OneLogin: {path} {:?} -> {outcome}",
            request.url().query().unwrap_or_default()
        )
    });
    answer
}
