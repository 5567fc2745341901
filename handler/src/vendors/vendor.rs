//! What the rest of the program knows of a vendor.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::config::{InstanceReader, Secret};
use crate::http::HttpClient;
use crate::sources::{CounterpartRule, DestructiveStream, SnapshotStream, WebhookFormat, WindowedStream};
use crate::time::Clock;

/// What the rest of the program knows of a vendor.
#[derive(Debug)]
pub struct Vendor {
    /// The source in settings, state paths, commands, routes and messages.
    pub name: &'static str,
    /// What switches it on, as a part of a sentence.
    pub switched_on_by: &'static str,
    /// Whether it has a webhook, under its name as the last part of the route.
    pub takes_pushes: bool,
    /// The streams that events may wait for in the spool while an instance is disabled.
    pub spooled_streams: &'static [&'static str],
    /// Reads an instance; none where it is not configured or cannot run.
    pub load: fn(&mut InstanceReader<'_>) -> Option<Arc<dyn VendorConfig>>,
}

/// The settings of one instance of a vendor.
pub trait VendorConfig: Any + fmt::Debug + Send + Sync {
    /// What it reads and receives.
    fn build(&self, context: &BuildContext<'_>) -> Instance;
    /// Whether anything of it is polled.
    fn is_polled(&self) -> bool {
        true
    }
    /// What its pushes are authenticated with; none where it takes none, or cannot at present.
    fn push_tokens(&self) -> &[Secret] {
        &[]
    }
}

/// What an instance is built with.
pub struct BuildContext<'a> {
    /// The instance's name.
    pub instance: &'a str,
    /// The one client.
    pub http: &'a HttpClient,
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
}

/// What an instance reads and receives.
#[derive(Default)]
pub struct Instance {
    /// Its streams.
    pub streams: Vec<BuiltStream>,
    /// Its webhook, where it takes pushes, also while its token cannot be had.
    pub webhook: Option<BuiltWebhook>,
}

/// A stream, and the tables its events are for.
pub struct BuiltStream {
    /// What is read.
    pub events: StreamEvents,
    /// At least one.
    pub tables: Vec<&'static str>,
    /// Whether the rows have the second names that Microsoft's parser reads.
    pub parser_aliases: bool,
    /// Whether it brings the events that the webhook brings too: then what is pushed waits for its run.
    pub joins_webhook: bool,
    /// How an event of the webhook is known again, where the two share no key.
    pub counterparts: Option<CounterpartRule>,
}

impl BuiltStream {
    /// A stream that has nothing to do with a webhook.
    pub fn new(events: StreamEvents, tables: Vec<&'static str>) -> Self {
        Self {
            events,
            tables,
            parser_aliases: false,
            joins_webhook: false,
            counterparts: None,
        }
    }
}

/// A stream of any kind.
#[derive(Clone)]
pub enum StreamEvents {
    /// Asked for by windows of time.
    Windowed(Arc<dyn WindowedStream>),
    /// Read whole in every scan.
    Snapshot(Arc<dyn SnapshotStream>),
    /// Reading consumes.
    Destructive(Arc<dyn DestructiveStream>),
}

/// Events that are pushed, and the tables they are for.
pub struct BuiltWebhook {
    /// Names them.
    pub format: Arc<WebhookFormat>,
    /// Any of these a push has to carry; none while they cannot be had.
    pub tokens: Vec<Secret>,
    /// At least one.
    pub tables: Vec<&'static str>,
    /// The stream that the poller reads the same events from.
    pub polled_stream: &'static str,
    /// Also while the poller cannot run, because a reference is not resolved: it reads the same events later, and only
    /// its own run knows again what was delivered.
    pub is_polled_too: bool,
}
