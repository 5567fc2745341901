//! The managed identity endpoint of App Service and Functions, protocol version 2019-08-01.
//!
//! Contract: `GET {IDENTITY_ENDPOINT}?api-version=2019-08-01&resource={audience}[&client_id={id}]` with the
//! header `X-IDENTITY-HEADER`; the resource is an audience without `/.default`; `expires_on` is text. A token is a JWT
//! of Microsoft Entra ID in its form, with a signature that nobody can check.

mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use rand::rngs::StdRng;
use serde_json::json;

use crate::loopback::LoopbackServer;
use crate::query::{only_value, pairs, unexpected_names};
use crate::random;
use crate::wall_clock;

/// How long a token lives, as told to the client; no clock runs here.
const LIFETIME_SECONDS: i64 = 24 * 3600;

const VERSION: &str = "2019-08-01";

/// A running identity endpoint.
pub struct ManagedIdentity {
    server: LoopbackServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    header: String,
    /// Token to audience.
    valid: HashMap<String, String>,
    /// The `client_id` of each token given out; `None` asks for the system-assigned identity.
    client_ids: Vec<Option<String>>,
    failing: bool,
    rng: StdRng,
}

impl ManagedIdentity {
    /// Starts an endpoint that has given out no token.
    pub fn start() -> Self {
        let mut rng = random::for_one_server();
        let state = Arc::new(Mutex::new(State {
            header: random::uuid(&mut rng),
            valid: HashMap::new(),
            client_ids: Vec::new(),
            failing: false,
            rng,
        }));
        let same_state = Data::from(Arc::clone(&state));
        let server = LoopbackServer::start(move |config: &mut ServiceConfig| {
            config.app_data(same_state.clone()).default_service(web::to(serve));
        });
        ManagedIdentity { server, state }
    }

    /// The value of `IDENTITY_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("{}/msi/token", self.server.origin())
    }

    /// The value of `IDENTITY_HEADER`.
    pub fn header(&self) -> String {
        lock(&self.state).header.clone()
    }

    /// Whether `token` was given out for `audience` and has not been revoked.
    pub fn is_valid(&self, token: &str, audience: &str) -> bool {
        lock(&self.state)
            .valid
            .get(token)
            .is_some_and(|of_token| of_token == without_slash(audience))
    }

    /// Makes one token invalid.
    pub fn revoke(&self, token: &str) {
        lock(&self.state).valid.remove(token);
    }

    /// Makes every token invalid.
    pub fn revoke_all(&self) {
        lock(&self.state).valid.clear();
    }

    /// How many tokens have been given out.
    pub fn issued(&self) -> usize {
        lock(&self.state).client_ids.len()
    }

    /// The `client_id` of each token given out, in order.
    pub fn client_ids(&self) -> Vec<Option<String>> {
        lock(&self.state).client_ids.clone()
    }

    /// Answers every request with 500 until told otherwise.
    pub fn set_failing(&self, failing: bool) {
        lock(&self.state).failing = failing;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no request panics while it holds the state")
}

async fn serve(state: Data<Mutex<State>>, request: HttpRequest) -> HttpResponse {
    match lock(&state).give(&request) {
        Ok(body) => HttpResponse::Ok().content_type("application/json").body(body),
        Err((status, message)) => refusal(status, message),
    }
}

fn refusal(status: StatusCode, message: &str) -> HttpResponse {
    let body = json!({"statusCode": status.as_u16(), "message": message});
    HttpResponse::build(status)
        .content_type("application/json")
        .body(body.to_string())
}

impl State {
    /// The body with a new token, or why there is none.
    fn give(&mut self, request: &HttpRequest) -> Result<String, (StatusCode, &'static str)> {
        if request.path() != "/msi/token" {
            return Err((StatusCode::NOT_FOUND, "There is nothing at this path"));
        }
        if request.method() != "GET" {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "Tokens are asked with GET"));
        }
        match request.headers().get("X-IDENTITY-HEADER") {
            None => return Err((StatusCode::UNAUTHORIZED, "X-IDENTITY-HEADER is missing")),
            Some(shown) if shown.as_bytes() != self.header.as_bytes() => {
                return Err((StatusCode::FORBIDDEN, "X-IDENTITY-HEADER is wrong"));
            }
            Some(_) => {}
        }
        if self.failing {
            return Err((StatusCode::INTERNAL_SERVER_ERROR, "The request failed on purpose"));
        }
        let query = pairs(request.query_string());
        if only_value(&query, "api-version") != Some(VERSION) {
            return Err((StatusCode::BAD_REQUEST, "The api-version is not supported"));
        }
        let Some(resource) = only_value(&query, "resource") else {
            return Err((StatusCode::BAD_REQUEST, "The resource is missing"));
        };
        if !resource.starts_with("https://") || resource.ends_with("/.default") {
            return Err((StatusCode::BAD_REQUEST, "The resource is no audience"));
        }
        let known = ["api-version", "resource", "client_id"];
        if !unexpected_names(&query, &known).is_empty() {
            return Err((StatusCode::BAD_REQUEST, "There is an unknown parameter"));
        }
        Ok(self.token_for(resource, only_value(&query, "client_id")))
    }

    fn token_for(&mut self, resource: &str, client_id: Option<&str>) -> String {
        let now = wall_clock::now().timestamp();
        let token = token::sign(resource, now, now + LIFETIME_SECONDS, &mut self.rng);
        self.valid.insert(token.clone(), without_slash(resource).to_owned());
        self.client_ids.push(client_id.map(str::to_owned));
        json!({
            "access_token": token,
            "expires_on": (now + LIFETIME_SECONDS).to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id.unwrap_or("5f1c3f6a-8f1b-4c7e-9f55-b1f0c2d9a704"),
        })
        .to_string()
    }
}

/// One slash at the end makes no other audience.
fn without_slash(audience: &str) -> &str {
    audience.strip_suffix('/').unwrap_or(audience)
}

#[cfg(test)]
mod tests;
