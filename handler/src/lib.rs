//! The custom handler that brings identity and endpoint logs into Microsoft Sentinel.
//!
//! `ARCHITECTURE.md` shows the modules and the one-way arrows between them.

#![forbid(unsafe_code)]

pub mod cli;

mod app;
mod azure;
mod config;
mod delivery;
mod destination;
mod event;
mod functions;
mod host;
mod http;
mod jobs;
mod json;
mod logging;
mod report;
mod sources;
mod state;
mod status;
mod tables;
mod time;
mod vendors;
