//! The vendors, a folder each: its settings, how to sign in, ask for a window, read a page and name an event, its webhook,
//! and which tables its events are for. [`VENDORS`] is the one list of them; nothing else names a vendor. They know no
//! destination and no state.

pub mod onelogin;
pub mod pingone;
pub mod pingone_enterprise;
pub mod sentinelone;
mod vendor;

pub use self::vendor::{BuildContext, BuiltStream, BuiltWebhook, Instance, StreamEvents, Vendor, VendorConfig};

/// Every vendor.
pub static VENDORS: [Vendor; 4] = [
    pingone::VENDOR,
    pingone_enterprise::VENDOR,
    sentinelone::VENDOR,
    onelogin::VENDOR,
];
