//! The only wiring: settings -> clients -> pipeline.

mod connector;
mod destinations;
#[cfg(test)]
mod faults;
mod lasting;
mod off;
mod receivers;
mod secrets;
mod streams;
mod wiring;
mod workplace;

pub use workplace::ConnectorWorkplace;
