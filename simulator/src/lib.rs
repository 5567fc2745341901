//! Loopback servers that speak the contracts `handler` depends on, for whole-program tests and the demo.
//!
//! Everything here is strict: what the real service refuses is refused, and what the real service would
//! let pass without a word (a row that fits no table, a secret in a URL) is kept as a *violation* that a
//! test can read. Every server listens on a free port of 127.0.0.1, keeps its state in memory behind a
//! lock and stops when its handle is dropped. What a vendor or an Azure endpoint answers is a pure function of the
//! request, its state and the time ([`Simulation`]), so that a test on a virtual clock can do without the servers.
//!
//! * [`generate`]: seeded vendor events, the same bytes for the same seed;
//! * [`tables`]: the destination tables and the check of a row against them;
//! * [`pingone`]: the token and audit activity endpoints of PingOne;
//! * [`pingone_webhook`]: the webhook sender of PingOne;
//! * [`pingone_enterprise`]: the token endpoint and a poll subscription of PingOne for Enterprise;
//! * [`sentinelone`]: the list endpoints and the unified alerts of a SentinelOne console;
//! * [`onelogin_api`]: the token, events and users endpoints of OneLogin;
//! * [`managed_identity`], [`key_vault`], [`logs_ingestion`]: the Azure side;
//! * [`azurite`]: Azure Blob Storage, which is no simulator of ours but Microsoft's own emulator;
//! * [`tls`], [`connect_proxy`]: TLS and production host names in front of any of them;
//! * [`functions_host`]: the Azure Functions host around a custom handler;
//! * [`onelogin`]: the webhook sender of OneLogin;
//! * [`webhook`]: what both senders share.
#![allow(
    clippy::expect_used,
    reason = "a test tool: a broken assumption must stop the test with a message"
)]

pub mod azurite;
pub mod connect_proxy;
pub mod functions_host;
pub mod generate;
pub mod key_vault;
pub mod logs_ingestion;
pub mod managed_identity;
pub mod onelogin;
pub mod onelogin_api;
pub mod pingone;
pub mod pingone_enterprise;
pub mod pingone_webhook;
pub mod sentinelone;
pub mod tables;
pub mod tls;
pub mod webhook;

mod access_tokens;
mod client;
mod free_port;
mod loopback;
mod query;
mod random;
#[cfg(test)]
mod recording_webhook;
mod relay;
mod service;
mod times;
mod wall_clock;

pub use loopback::DateHeader;
pub use service::{Configured, Controls, Ending, Fault, RecordedRequest, Reply, Request, Server, Service, Simulation};

#[cfg(test)]
mod tests {
    #[test]
    fn servers_can_be_held_by_several_threads() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<crate::pingone::PingOne>();
        is_send_and_sync::<crate::managed_identity::ManagedIdentity>();
        is_send_and_sync::<crate::key_vault::KeyVault>();
        is_send_and_sync::<crate::logs_ingestion::LogsIngestion>();
        is_send_and_sync::<crate::azurite::Azurite>();
        is_send_and_sync::<crate::azurite::AzuriteProxy>();
        is_send_and_sync::<crate::functions_host::FunctionsHost>();
        is_send_and_sync::<crate::onelogin::OneLoginSender>();
        is_send_and_sync::<crate::onelogin_api::OneLoginApi>();
        is_send_and_sync::<crate::pingone_enterprise::PingOneEnterprise>();
        is_send_and_sync::<crate::pingone_webhook::PingOneSender>();
        is_send_and_sync::<crate::sentinelone::SentinelOne>();
        is_send_and_sync::<crate::tls::TlsFront>();
        is_send_and_sync::<crate::connect_proxy::ConnectProxy>();
    }
}
