//! Why a stream could not be read. Every text says what failed and what to do; [`StreamError`] names the stream too.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;

use super::remedy::Remedy;
use crate::event::StreamName;
use crate::http::NoMoreTries;
use crate::time::span_text;

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
        remedy: Remedy,
    },
    /// Tries are used up; the next run tries again.
    #[error("{asked} {what}; tried {times}, and the next run tries again", times = times(*.tries))]
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
    /// The vendor asks for more patience than the run has. So says a request, too, that was not sent because another
    /// one of the account was answered like this.
    #[error("{asked} answered {status} {asks}; nothing is lost. If it lasts, {remedy}", asks = asks_for_patience(.wait))]
    Throttled {
        /// Which endpoint, in words.
        asked: &'static str,
        /// The HTTP status number.
        status: u16,
        /// What `Retry-After` said.
        wait: Option<Duration>,
        /// What to do if it lasts.
        remedy: String,
    },
    /// The run's time is over. What was read is delivered, and the next run goes on.
    #[error("{end}")]
    OutOfTime {
        /// What it ended with.
        end: TimeEnd,
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
    /// A web page in the place of data.
    #[error(
        "{asked} answered {status} with a web page{title}, not with data: a proxy or a sign-in page stands in between; {remedy}{beginning}",
        title = in_quotes(.title),
        beginning = beginning(.excerpt)
    )]
    WebPage {
        /// Which endpoint, in words.
        asked: &'static str,
        /// The HTTP status number.
        status: u16,
        /// Its title; empty if it has none that may be shown.
        title: String,
        /// What to do.
        remedy: String,
        /// Its first 1 KiB, if it may be shown.
        excerpt: Option<String>,
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

/// What the time of a run ended with.
#[derive(Debug)]
pub enum TimeEnd {
    /// This was being done.
    While(String),
    /// This failed, and there was no time to try again.
    After(Box<SourceError>),
}

/// What is asked for an access token, in words. A 400 from there is about the credential (RFC 6749, 5.2), from
/// elsewhere about the request.
pub const TOKEN_ENDPOINT: &str = "the token endpoint";

impl SourceError {
    /// The token endpoint refused with that status.
    pub fn token_refused(status: u16, code: Option<String>, remedy: Remedy) -> Self {
        Self::Refused {
            asked: TOKEN_ENDPOINT,
            status,
            code,
            remedy,
        }
    }

    /// This failure where a request is not tried again. `kept_failing`: see [`OutOfTime`](Self::OutOfTime).
    pub fn given_up(self, no_more: NoMoreTries, kept_failing: bool) -> Self {
        match no_more {
            NoMoreTries::UsedUp => self,
            NoMoreTries::OutOfTime => Self::OutOfTime {
                end: TimeEnd::After(Box::new(self)),
                kept_failing,
            },
        }
    }

    /// The endpoint that the text begins with, if it names one.
    fn asked(&self) -> Option<&'static str> {
        match self {
            Self::Refused { asked, .. }
            | Self::Unavailable { asked, .. }
            | Self::NoWholeReply { asked, .. }
            | Self::Throttled { asked, .. }
            | Self::BadPage { asked, .. }
            | Self::WebPage { asked, .. } => Some(asked),
            Self::OutOfTime { .. } | Self::ShareUsed | Self::Stopped | Self::ForeignLink { .. } => None,
        }
    }

    /// The text without the endpoint's name and the number of tries: the same for all streams of an account that fail
    /// for one reason.
    pub fn without_endpoint(&self) -> String {
        if let Self::OutOfTime {
            end: TimeEnd::After(failure),
            ..
        } = self
        {
            return failure.without_endpoint();
        }
        if let Self::Unavailable { what, .. } = self {
            return format!("{what}; the next run tries again");
        }
        let text = self.to_string();
        let rest = self.asked().and_then(|asked| text.strip_prefix(asked));
        rest.map(|rest| rest.trim_start().to_owned()).unwrap_or(text)
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

impl fmt::Display for TimeEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::While(doing) => write!(
                formatter,
                "the run's time (POLL_BUDGET) ended while {doing}; the next run goes on"
            ),
            Self::After(failure) => failure.fmt(formatter),
        }
    }
}

/// `answered 503`, and how long the server asks to wait if it does.
pub fn answered(status: u16, wait: Option<Duration>) -> String {
    match wait.filter(|wait| !wait.is_zero()) {
        Some(wait) => format!(
            "answered {status} and asks to wait {} (Retry-After)",
            duration_text(wait)
        ),
        None => format!("answered {status}"),
    }
}

/// `4 s`, `1 h 0 min`
pub fn duration_text(duration: Duration) -> String {
    span_text(TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX))
}

fn asks_for_patience(wait: &Option<Duration>) -> String {
    match wait {
        Some(wait) => format!(
            "and asks to wait {} (Retry-After), longer than this run may take",
            duration_text(*wait)
        ),
        None => "(too many requests) until the time of this run was over".to_owned(),
    }
}

fn times(tries: u32) -> String {
    match tries {
        1 => "once".to_owned(),
        tries => format!("{tries} times"),
    }
}

fn in_quotes(title: &str) -> String {
    match title {
        "" => String::new(),
        title => format!(" (\"{title}\")"),
    }
}

fn beginning(excerpt: &Option<String>) -> String {
    let excerpt = excerpt.as_ref();
    excerpt
        .map(|excerpt| format!("; it began with: {excerpt}"))
        .unwrap_or_default()
}

fn in_brackets(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_at_the_end_of_the_time_says_itself_and_without_its_endpoint_what_all_streams_share() {
        let throttled = |asked| SourceError::Throttled {
            asked,
            status: 429,
            wait: Some(Duration::from_secs(3600)),
            remedy: "see who else uses the account".to_owned(),
        };
        let ended = |asked| throttled(asked).given_up(NoMoreTries::OutOfTime, true);
        assert_eq!(
            ended("the agents endpoint").to_string(),
            "the agents endpoint answered 429 and asks to wait 1 h 0 min (Retry-After), longer than this run may take; \
             nothing is lost. If it lasts, see who else uses the account"
        );
        let [agents, threats] =
            ["the agents endpoint", "the threats endpoint"].map(|asked| ended(asked).without_endpoint());
        assert_eq!(agents, threats);
        assert!(agents.starts_with("answered 429"), "{agents}");
    }

    #[test]
    fn tries_are_counted_in_words() {
        let unavailable = |tries| SourceError::Unavailable {
            asked: "the threats endpoint",
            what: answered(503, None),
            tries,
        };
        for (tries, times) in [(1, "once"), (4, "4 times")] {
            assert_eq!(
                unavailable(tries).to_string(),
                format!("the threats endpoint answered 503; tried {times}, and the next run tries again")
            );
            assert_eq!(
                unavailable(tries).without_endpoint(),
                "answered 503; the next run tries again"
            );
        }
    }
}
