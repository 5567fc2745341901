//! What an instance of SentinelOne reads.

use std::sync::Arc;

use super::console::Console;
use super::endpoint_spec;
use super::endpoint_spec::EndpointSpec;
use super::rest::RestStream;
use super::settings;
use super::settings::{SentinelOne, SentinelOneStream};
use super::unified_alerts::UnifiedAlerts;
use crate::event::StreamName;
use crate::sources::WindowedStream;
use crate::vendors::{BuildContext, BuiltStream, Instance, StreamEvents, Vendor, VendorConfig};

/// SentinelOne.
pub const VENDOR: Vendor = Vendor {
    name: settings::NAME,
    switched_on_by: "SENTINELONE__URL and SENTINELONE__API_TOKEN for SentinelOne",
    takes_pushes: false,
    spooled_streams: &[],
    load: |reader| Some(Arc::new(settings::load(reader)?)),
};

impl VendorConfig for SentinelOne {
    /// The streams share one client of the console, so that a pause that it asks for holds them all, and one account
    /// text: its origin. The token is no part of it, so positions survive a new token.
    fn build(&self, context: &BuildContext<'_>) -> Instance {
        let console = Arc::new(Console::new(self, context.http.clone(), context.clock.clone()));
        let streams = self.streams.iter().map(|stream| BuiltStream {
            parser_aliases: self.parser_aliases,
            ..BuiltStream::new(
                StreamEvents::Windowed(stream_of(*stream, context.instance, &console)),
                vec![table_of(*stream)],
            )
        });
        Instance {
            streams: streams.collect(),
            webhook: None,
        }
    }
}

fn stream_of(stream: SentinelOneStream, instance: &str, console: &Arc<Console>) -> Arc<dyn WindowedStream> {
    let name = StreamName::of(settings::NAME, instance, stream.name());
    let spec: &'static EndpointSpec = match stream {
        SentinelOneStream::Activities => &endpoint_spec::ACTIVITIES,
        SentinelOneStream::Agents => &endpoint_spec::AGENTS,
        SentinelOneStream::Alerts => &endpoint_spec::ALERTS,
        SentinelOneStream::Groups => &endpoint_spec::GROUPS,
        SentinelOneStream::Threats => &endpoint_spec::THREATS,
        SentinelOneStream::UnifiedAlerts => return Arc::new(UnifiedAlerts::new(name, console.clone())),
    };
    Arc::new(RestStream::new(name, spec, console.clone()))
}

fn table_of(stream: SentinelOneStream) -> &'static str {
    match stream {
        SentinelOneStream::Activities => "SentinelOneActivities_CL",
        SentinelOneStream::Agents => "SentinelOneAgents_CL",
        SentinelOneStream::Alerts => "SentinelOneAlerts_CL",
        SentinelOneStream::Groups => "SentinelOneGroups_CL",
        SentinelOneStream::Threats => "SentinelOneThreats_CL",
        SentinelOneStream::UnifiedAlerts => "SentinelOneAlertsV2_CL",
    }
}
