//! SentinelOne objects of the management API 2.1 (vendor: swagger of the API; shapes as seen in real answers).
//!
//! Activities happen once. Agents, groups, threats, alerts and unified alerts are snapshots: `update` gives the
//! same object with a newer `updatedAt` and some changed fields. Times have six digits of fraction and `Z`.

mod activities;
mod activity_data;
mod activity_types;
mod agents;
mod alerts;
mod common;
mod estate;
mod generator;
mod groups;
mod object;
mod snowflake;
mod source;
mod threats;
mod unified_alerts;

pub use common::REGISTRATION_TOKEN_MARK;
pub use generator::ConsoleObjects;
pub use object::Object;

#[cfg(test)]
mod tests;
