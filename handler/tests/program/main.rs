//! The whole program: the real executable against simulated vendors, Azure endpoints and the Functions host.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where it stands")]

mod architecture;
mod backfill;
mod backfill_again;
mod bad_input;
mod bad_pages;
mod bad_settings;
mod blob_broken;
mod blob_state;
mod check;
mod clocks;
mod everything;
mod gap;
mod half_sent;
mod harness;
mod health;
mod incomplete_pages;
mod ingestion;
mod instances;
mod joined;
mod key_vault;
mod kill_everywhere;
mod long_walks;
mod no_events;
mod onelogin_api;
mod out_of_time;
mod pingone;
mod pingone_enterprise;
mod pingone_push;
mod push;
mod refused_rows;
mod restarts;
mod scripted_vendor;
mod sentinelone;
mod sentinelone_odd;
mod serve;
mod settings;
mod signals;
mod spooled;
mod standing;
mod state;
mod state_cost;
mod state_outage;
mod status;
mod two_handlers;
