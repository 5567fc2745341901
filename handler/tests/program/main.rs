//! The whole program: the real executable against simulated vendors, Azure endpoints and the Functions host.

mod architecture;
mod bad_input;
mod harness;
mod ingestion;
mod pingone;
mod push;
mod serve;
mod settings;
mod state;
