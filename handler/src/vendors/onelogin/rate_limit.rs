//! A used-up rate limit, in whichever of its two forms.

use reqwest::RequestBuilder;

use super::failure::is_rate_limit;
use crate::sources::SourceError;
use crate::sources::endpoint::{AskOutcome, Endpoint, RequestState, Unreadable};
use crate::time::Deadline;

/// [`Endpoint::ask`], and a 400 that means a used-up rate limit is waited for as a 429 is: only the deadline ends it.
pub async fn ask_patiently<T>(
    endpoint: &Endpoint<'_>,
    request: impl Fn() -> RequestBuilder + Send + Sync,
    read: impl Fn(Vec<u8>) -> Result<T, Unreadable> + Send + Sync,
    deadline: Deadline,
) -> Result<AskOutcome<T>, SourceError> {
    let mut state = RequestState::new(deadline);
    loop {
        match endpoint.ask(&request, &read, deadline).await? {
            AskOutcome::Refused(reply) if is_rate_limit(&reply) => {
                endpoint.wait_as_told(&reply, &mut state).await?;
            }
            answer => return Ok(answer),
        }
    }
}
