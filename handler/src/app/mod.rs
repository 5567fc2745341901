//! The composition: settings -> clients -> jobs.

mod access;
mod build_error;
mod check;
mod demo_folders;
mod destinations;
mod disabled;
#[cfg(test)]
mod faults;
mod plans;
mod runtime;
mod runtime_provider;
mod secrets;
pub mod settings;
mod shared;
mod sources;

pub use check::{Check, Finding, Severity};
pub use demo_folders::demo_folder_warning;
pub use disabled::disabled_names;
pub use runtime::Runtime;
pub use runtime_provider::{RuntimeProvider, RuntimeUnavailable};
pub use settings::Settings;
pub use sources::{about, nothing_configured, takes_pushes};
