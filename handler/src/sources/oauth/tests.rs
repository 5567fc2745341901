use parking_lot::Mutex as StdMutex;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::json;

use super::*;
use crate::sources::TOKEN_ENDPOINT;

/// Grants `token-<number>` to the ways that are accepted, and writes down how it was asked.
struct Server {
    accepts: StdMutex<ClientAuthentication>,
    lasts: Option<Duration>,
    asked: StdMutex<Vec<ClientAuthentication>>,
}

#[async_trait]
impl TokenEndpoint for Arc<Server> {
    fn authentications(&self) -> (ClientAuthentication, Option<ClientAuthentication>) {
        (ClientAuthentication::BasicHeader, Some(ClientAuthentication::FormBody))
    }

    async fn ask(&self, authentication: ClientAuthentication, _: Deadline) -> Result<TokenOutcome, SourceError> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let mut asked = self.asked.lock();
        asked.push(authentication);
        if *self.accepts.lock() == authentication {
            let token = Secret::new(format!("token-{}", asked.len()));
            let lasts = self.lasts;
            return Ok(TokenOutcome::Granted(GrantedToken { token, lasts }));
        }
        Ok(TokenOutcome::Refused(Reply {
            status: StatusCode::UNAUTHORIZED,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }))
    }

    fn refusal(&self, reply: &Reply) -> SourceError {
        SourceError::Refused {
            asked: TOKEN_ENDPOINT,
            status: reply.status.as_u16(),
            code: None,
            remedy: "none".into(),
        }
    }
}

fn tokens(accepts: ClientAuthentication, lasts: Option<Duration>) -> (Arc<Server>, AccessTokens<Arc<Server>>) {
    let server = Arc::new(Server {
        accepts: StdMutex::new(accepts),
        lasts,
        asked: StdMutex::default(),
    });
    (server.clone(), AccessTokens::new(server))
}

async fn get(tokens: &AccessTokens<Arc<Server>>) -> Result<Arc<Secret>, SourceError> {
    tokens.get(Deadline::after(Duration::from_secs(60))).await
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_at_the_same_time_gets_the_same_token() {
    let (server, tokens) = tokens(ClientAuthentication::BasicHeader, Some(Duration::from_secs(3600)));
    let (one, other) = tokio::join!(get(&tokens), get(&tokens));
    assert_eq!(one.unwrap().expose(), other.unwrap().expose());
    assert_eq!(server.asked.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_a_minute_before_its_end_and_one_without_an_end_is_kept() {
    for (lasts, asked) in [(Some(120), 2), (None, 1)] {
        let (server, tokens) = tokens(ClientAuthentication::BasicHeader, lasts.map(Duration::from_secs));
        get(&tokens).await.unwrap();
        tokio::time::advance(Duration::from_secs(59)).await;
        get(&tokens).await.unwrap();
        assert_eq!(server.asked.lock().len(), 1);
        tokio::time::advance(Duration::from_secs(2)).await;
        get(&tokens).await.unwrap();
        assert_eq!(server.asked.lock().len(), asked, "{lasts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_way_that_worked_is_tried_first_from_then_on() {
    use ClientAuthentication::{BasicHeader, FormBody};
    let (server, tokens) = tokens(FormBody, None);
    get(&tokens).await.unwrap();
    assert!(tokens.clear().await);
    assert!(!tokens.clear().await);
    get(&tokens).await.unwrap();
    assert_eq!(*server.asked.lock(), [BasicHeader, FormBody, FormBody]);
    // The client was changed over to the other one.
    *server.accepts.lock() = BasicHeader;
    tokens.clear().await;
    get(&tokens).await.unwrap();
    assert_eq!(server.asked.lock()[3..], [FormBody, BasicHeader]);
    *server.accepts.lock() = ClientAuthentication::VendorHeader;
    tokens.clear().await;
    assert!(get(&tokens).await.is_err());
    assert_eq!(server.asked.lock()[5..], [BasicHeader, FormBody]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_forgotten_unless_it_was_renewed_already() {
    let (server, tokens) = tokens(ClientAuthentication::BasicHeader, None);
    let first = get(&tokens).await.unwrap();
    tokens.discard(&first).await;
    let second = get(&tokens).await.unwrap();
    assert_ne!(first.expose(), second.expose());
    tokens.discard(&first).await;
    assert_eq!(get(&tokens).await.unwrap().expose(), second.expose());
    assert_eq!(server.asked.lock().len(), 2);
}

#[test]
fn a_lifetime_is_read_however_it_is_written_and_is_never_absurd() {
    for (value, seconds) in [
        (json!(36_000), 36_000),
        (json!("120"), 120),
        (json!(59.0), 59),
        (json!(u64::MAX), 86_400),
        (json!("inf"), 86_400),
        (json!(-5), 0),
        (json!("NaN"), 3600),
        (json!("soon"), 3600),
        (json!(null), 3600),
    ] {
        assert_eq!(lifetime(Some(&value)), Duration::from_secs(seconds), "{value}");
    }
    assert_eq!(lifetime(None), Duration::from_secs(3600));
}
