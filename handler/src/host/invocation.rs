//! The invocation that a request belongs to.

use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::middleware::Next;

use crate::logging::in_invocation;

const HEADER: &str = "X-Azure-Functions-InvocationId";

/// Answers the request; every line that is logged meanwhile carries the id of its invocation.
pub async fn answer_in_invocation(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id: Option<Arc<str>> = invocation_id_of(request.headers()).map(Into::into);
    in_invocation(id, next.call(request)).await
}

/// The host's id. A forwarding host keeps what a caller sent under this name and appends its own: the last one counts.
pub fn invocation_id_of(headers: &HeaderMap) -> Option<&str> {
    let last = headers.get_all(HEADER).last()?.to_str().ok()?;
    let id = last.rsplit(',').next().unwrap_or_default().trim();
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn the_last_id_is_the_hosts() {
        for (values, expected) in [
            (vec!["an-id"], Some("an-id")),
            (vec!["spoofed, an-id"], Some("an-id")),
            (vec!["spoofed", "an-id"], Some("an-id")),
            (vec![" "], None),
            (vec![], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(
                    HeaderName::from_static("x-azure-functions-invocationid"),
                    HeaderValue::from_static(value),
                );
            }
            assert_eq!(invocation_id_of(&headers), expected);
        }
    }
}
