//! Limits, rules, faults and calls of the endpoint.

use std::time::Duration;

/// The largest body in bytes, on the wire and inflated (service limits: 1 MB, counted as 1,048,576).
pub const LARGEST_BODY_BYTES: usize = 1_048_576;

/// The largest inflated body the handler may send: some way below the service's limit.
pub const LARGEST_EXPECTED_BYTES: usize = 1_000_000;

/// More of a body is not read, and not inflated.
pub(super) const READ_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// The audience of a token for this API in the public cloud.
pub const AUDIENCE: &str = "https://monitor.azure.com";

/// A data collection rule. It holds at most 10 streams.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// The immutable id: `dcr-` and 32 lower-case hexadecimal digits.
    pub rule_id: String,
    /// The tables whose stream `Custom-<table>` the rule takes.
    pub tables: Vec<String>,
}

impl Rule {
    /// A rule whose id holds `number`.
    pub fn numbered(number: u32, tables: &[&str]) -> Self {
        Rule {
            rule_id: format!("dcr-{number:032x}"),
            tables: tables.iter().map(|&table| table.to_owned()).collect(),
        }
    }
}

/// What goes wrong with one call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IngestionFault {
    /// An error of the service.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
        /// `error.code` of the body.
        code: &'static str,
    },
    /// The rows are taken and the connection is closed without an answer.
    AcceptThenReset,
    /// The connection is closed before the body is read; nothing is taken.
    ResetBeforeReading,
    /// The right answer, after this time. The rows are taken at once.
    Delay(Duration),
    /// 401, and the token that was shown is no longer valid.
    RefuseToken,
}

/// One call as it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The rule of the path.
    pub rule_id: String,
    /// The stream of the path without `Custom-`.
    pub table: String,
    /// The status of the answer; 0 where the connection was cut.
    pub status: u16,
    /// The rows taken.
    pub rows: usize,
    /// The size of the body without its compression, as far as it was read; at most 64 MiB.
    pub uncompressed_bytes: usize,
    /// `x-ms-request-id` of the answer.
    pub request_id: String,
}

impl Call {
    /// A call whose connection was cut before its body was read.
    pub(super) fn unread(stream: StreamPath) -> Self {
        Call {
            rule_id: stream.rule_id,
            table: stream.table,
            status: 0,
            rows: 0,
            uncompressed_bytes: 0,
            request_id: String::new(),
        }
    }
}

/// Rule and table of `/dataCollectionRules/{rule}/streams/Custom-{table}`.
#[derive(Debug, Default)]
pub(super) struct StreamPath {
    pub(super) rule_id: String,
    pub(super) table: String,
}

impl StreamPath {
    pub(super) fn parse(path: &str) -> Option<StreamPath> {
        let segments: Vec<&str> = path.split('/').collect();
        let ["", "dataCollectionRules", rule_id, "streams", stream] = segments[..] else {
            return None;
        };
        Some(StreamPath {
            rule_id: rule_id.to_owned(),
            table: stream.strip_prefix("Custom-")?.to_owned(),
        })
    }
}
