//! The custom handler that brings identity and endpoint logs into Microsoft Sentinel.
//!
//! `ARCHITECTURE.md` shows the rooms and the one-way arrows between them.

#![forbid(unsafe_code)]

pub mod cli;

mod app;
mod azure;
mod destination;
mod event;
mod functions;
mod health;
mod host;
mod http;
mod json;
mod logging;
mod pipeline;
mod settings;
mod sources;
mod state;
mod tables;
mod time;
