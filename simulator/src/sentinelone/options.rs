//! What a test can choose of a console.

use chrono::{DateTime, Utc};

use super::contract::Stream;
use crate::service::Fault;

/// What the console is like.
#[derive(Clone, Debug)]
pub struct ConsoleOptions {
    /// The token of `Authorization: ApiToken`.
    pub api_token: String,
    /// Activity types that are shown with `includeHidden=true` only.
    pub hidden_activity_types: Vec<u32>,
    /// Unified alerts neither filter nor sort on `updatedAt`: there are such consoles.
    pub without_updated_at: bool,
    /// Streams that this console does not have (404), for example alerts on premises.
    pub unavailable: Vec<Stream>,
    /// What `users/api-token-details` tells; without it the user may not ask (403).
    pub token_ends: Option<DateTime<Utc>>,
    /// So many at most stand on a page, whatever `limit` asks for. `None`: as many as it asks for.
    pub page_cap: Option<usize>,
}

impl Default for ConsoleOptions {
    fn default() -> Self {
        ConsoleOptions {
            api_token: "mooring-71.tokenOf-a-service-user".to_owned(),
            hidden_activity_types: vec![1501, 5020],
            without_updated_at: false,
            unavailable: Vec::new(),
            token_ends: None,
            page_cap: None,
        }
    }
}

/// What can go wrong with a request of SentinelOne alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConsoleFault {
    /// The right page; its `nextCursor` is percent-encoded already (seen by clients). Lists only.
    UrlEncodedCursor,
    /// The right page; its `nextCursor` has the older form, base64 of `name:number` (swagger example). Lists only.
    OldCursorForm,
    /// The right envelope, with null in place of the data.
    NullData,
    /// The right page with `"errors":[{}]` beside its data.
    ErrorsBesideData,
}

/// A fault of the next request of one stream, or of any.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlannedFault {
    /// `None`: any stream.
    pub(super) stream: Option<Stream>,
    pub(super) fault: Fault<ConsoleFault>,
}

impl From<Fault<ConsoleFault>> for PlannedFault {
    fn from(fault: Fault<ConsoleFault>) -> Self {
        PlannedFault { stream: None, fault }
    }
}
