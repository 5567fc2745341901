//! PingOne for Enterprise: a poll subscription that forgets what it gave.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use reqwest::Request;
use serde_json::json;

use super::world::{Answer, World, reply};
use crate::http::Reply;
use crate::time::rfc3339_millis;

const BATCH: usize = 7;

#[derive(Debug, Default)]
pub struct Enterprise {
    waiting: VecDeque<(String, DateTime<Utc>)>,
    /// Everything that was ever given away, with the time of the reply. What a torn reply did not hold whole is no
    /// longer in it: nobody can know of it.
    pub given: Vec<(Vec<String>, DateTime<Utc>)>,
    emitted: usize,
}

impl Enterprise {
    pub fn emit(&mut self, recorded: DateTime<Utc>) {
        self.waiting.push_back((format!("#e{}#", self.emitted), recorded));
        self.emitted += 1;
    }

    fn poll(&mut self, now: DateTime<Utc>) -> Reply {
        let count = self.waiting.len().min(BATCH);
        let batch: Vec<_> = self.waiting.drain(..count).collect();
        let events: Vec<_> = batch
            .iter()
            .map(|(mark, recorded)| json!({"id": mark, "source": "SSO", "recorded": rfc3339_millis(*recorded)}))
            .collect();
        if !batch.is_empty() {
            self.given
                .push((batch.into_iter().map(|(mark, _)| mark).collect(), now));
        }
        reply(200, &[], serde_json::Value::from(events).to_string().as_bytes())
    }
}

pub async fn answer(world: &World, request: &Request) -> Answer {
    let is_token = request.url().path().contains("token");
    let serve = || {
        if is_token {
            return reply(200, &[], br#"{"access_token":"enterprise-token"}"#);
        }
        world.enterprise().poll(world.now())
    };
    let given = world.enterprise().given.len();
    let answer = world.vendor_fault(serve).await;
    if let (Ok(torn), false) = (&answer, is_token)
        && torn.status.is_success()
    {
        let text = String::from_utf8_lossy(&torn.body).into_owned();
        let mut enterprise = world.enterprise();
        for (marks, _) in enterprise.given.iter_mut().skip(given) {
            marks.retain(|mark| text.split(mark.as_str()).nth(1).is_some_and(|rest| rest.contains('}')));
        }
    }
    answer
}
