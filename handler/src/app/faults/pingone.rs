//! PingOne: activities by a filter on `recordedAt`, newest first, page by page. What was emitted late is shown late.

use chrono::{DateTime, Utc};
use reqwest::Request;
use serde_json::json;

use super::world::{Answer, PINGONE, World, reply};
use crate::http::Reply;
use crate::time::rfc3339_millis;

pub struct PingOne {
    page_size: usize,
    activities: Vec<Activity>,
}

#[derive(Clone, Debug)]
pub struct Activity {
    pub mark: String,
    pub recorded_at: DateTime<Utc>,
}

impl Activity {
    pub fn json(&self) -> serde_json::Value {
        let time = rfc3339_millis(self.recorded_at);
        json!({"id": self.mark, "recordedAt": time, "createdAt": time, "action": {"type": "USER.CREATED"}})
    }
}

impl PingOne {
    pub fn new(page_size: usize) -> Self {
        Self {
            page_size,
            activities: Vec::new(),
        }
    }

    pub fn emit(&mut self, recorded_at: DateTime<Utc>) -> Activity {
        let activity = Activity {
            mark: format!("#p{}#", self.activities.len()),
            recorded_at,
        };
        self.activities.push(activity.clone());
        activity
    }

    pub fn activities(&self) -> &[Activity] {
        &self.activities
    }

    fn page(&self, request: &Request) -> Reply {
        let query = |name: &str| {
            let mut pairs = request.url().query_pairs();
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let filter = query("filter").unwrap();
        let bound = |operator: &str| -> DateTime<Utc> {
            let text = filter.split(operator).nth(1).unwrap();
            text.split('"').nth(1).unwrap().parse().unwrap()
        };
        let (above, below) = (bound(" gt "), bound(" lt "));
        let skip: usize = query("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let mut found: Vec<&Activity> = self
            .activities
            .iter()
            .filter(|activity| above < activity.recorded_at && activity.recorded_at < below)
            .collect();
        found.sort_by_key(|activity| std::cmp::Reverse(activity.recorded_at));
        let page: Vec<_> = found
            .iter()
            .skip(skip)
            .take(self.page_size)
            .map(|activity| activity.json())
            .collect();
        let mut links = json!({"self": {"href": request.url().as_str()}});
        if skip + page.len() < found.len() {
            let mut next = request.url().clone();
            next.query_pairs_mut()
                .clear()
                .append_pair("filter", &filter)
                .append_pair("cursor", &(skip + page.len()).to_string());
            links["next"] = json!({"href": next.as_str()});
        }
        let body = json!({"_links": links, "_embedded": {"activities": page}});
        reply(200, &[], body.to_string().as_bytes())
    }
}

pub async fn answer(world: &World, request: &Request) -> Answer {
    assert!(request.url().as_str().starts_with(PINGONE));
    let serve = || {
        if request.url().path().ends_with("/as/token") {
            return reply(200, &[], br#"{"access_token":"pingone-token","expires_in":3600}"#);
        }
        world.pingone().page(request)
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
        format!("PingOne: {:?} -> {outcome}", request.url().query().unwrap_or_default())
    });
    answer
}
