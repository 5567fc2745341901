//! What an instance of PingOne for Enterprise reads.

use std::sync::Arc;

use super::settings;
use super::settings::PingOneEnterprise;
use super::subscription::Subscription;
use crate::vendors::{BuildContext, BuiltStream, Instance, StreamEvents, Vendor, VendorConfig};

/// PingOne for Enterprise.
pub const VENDOR: Vendor = Vendor {
    name: settings::NAME,
    switched_on_by: "PINGONE_ENTERPRISE__POLL_URL with a client or a user for PingOne for Enterprise",
    takes_pushes: false,
    spooled_streams: &["events"],
    load: |reader| Some(Arc::new(settings::load(reader)?)),
};

impl VendorConfig for PingOneEnterprise {
    fn build(&self, context: &BuildContext<'_>) -> Instance {
        let subscription = Subscription::new(self, context.http.clone(), context.clock.clone());
        Instance {
            streams: vec![BuiltStream::new(
                StreamEvents::Destructive(Arc::new(subscription)),
                vec!["PingOneEnterprise_AuditEvents_CL"],
            )],
            webhook: None,
        }
    }
}
