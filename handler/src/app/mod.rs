//! The only wiring: settings -> clients -> pipeline.

mod build_error;
mod check;
mod connector;
mod destinations;
#[cfg(test)]
mod faults;
mod lasting;
mod off;
mod receivers;
mod secrets;
mod streams;
mod turns;
mod wiring;
mod workplace;

pub use check::{Check, Finding, Verdict};
pub use off::off_names;
pub use workplace::ConnectorWorkplace;
