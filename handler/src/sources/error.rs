//! Why a stream could not be read. Every text says what failed and what to do; [`StreamError`] names the stream too.

use crate::event::StreamName;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The vendor refused, and would refuse again.
    #[error("{asked} answered {status}{code}: {remedy}", code = in_brackets(.code))]
    Refused {
        /// Which endpoint, in words.
        asked: &'static str,
        /// The HTTP status number.
        status: u16,
        /// The vendor's error code, if it gave one.
        code: Option<String>,
        /// What to do.
        remedy: String,
    },
    /// Tries are used up; the next run tries again.
    #[error("{asked} {what}; tries so far: {tries}; the next run tries again, and nothing is passed over")]
    Unavailable {
        /// Which endpoint, in words.
        asked: &'static str,
        /// What it did, with the status number if there was one.
        what: String,
        /// How often.
        tries: u32,
    },
    /// Where reading consumes: a request went out, and no whole reply came.
    #[error(
        "{asked} {what}; reading consumes, so what was not received cannot be asked for again ({came} bytes came, and the whole events in them are kept)"
    )]
    NoWholeReply {
        /// Which endpoint, in words.
        asked: &'static str,
        /// What it did.
        what: String,
        /// Bytes of the reply that came.
        came: usize,
    },
    /// The run's time is over. What was read is delivered, and the next run goes on.
    #[error("the run's time (POLL_BUDGET) ended while {doing}; the next run goes on")]
    OutOfTime {
        /// What was being done.
        doing: String,
        /// True if the vendor failed up to that end, so that the time was lost and not used.
        kept_failing: bool,
    },
    /// A scan of everything took its share of the account's calls.
    #[error(
        "this run took its share of the calls that the account allows in an hour, so that enough are left for the events; the next run goes on"
    )]
    ShareUsed,
    /// The process is to end.
    #[error("the process is ending; what was read is delivered, and the next run goes on")]
    Stopped,
    /// An answer that is no page.
    #[error("{asked} answered {status} with a page that cannot be read ({reason}); it began with: {excerpt}")]
    BadPage {
        /// Which endpoint, in words.
        asked: &'static str,
        /// The HTTP status number.
        status: u16,
        /// What is wrong with it.
        reason: String,
        /// Its first 1 KiB.
        excerpt: String,
    },
    /// A link that leads away from the configured API.
    #[error(
        "the link to the next page points to {target}, not to {expected}; it was not followed, because the access token would go with it. Check that the settings name the right region or API address"
    )]
    ForeignLink {
        /// Scheme, host and port of the link.
        target: String,
        /// Those of the API.
        expected: String,
    },
}

/// What is asked for an access token, in words. A 400 from there is about the credential (RFC 6749, 5.2), from
/// elsewhere about the request.
pub const TOKEN_ENDPOINT: &str = "the token endpoint";

impl SourceError {
    /// The token endpoint refused with that status.
    pub fn token_refused(status: u16, code: Option<String>, remedy: String) -> Self {
        Self::Refused {
            asked: TOKEN_ENDPOINT,
            status,
            code,
            remedy,
        }
    }

    /// As the error of that stream.
    pub fn of<'a>(&'a self, stream: &'a StreamName) -> StreamError<'a> {
        StreamError { stream, error: self }
    }
}

/// Why that stream could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{stream}: {error}")]
pub struct StreamError<'a> {
    stream: &'a StreamName,
    /// What failed.
    pub error: &'a SourceError,
}

fn in_brackets(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default()
}
