//! The only wiring: settings -> clients -> pipeline.

mod connector;
mod destinations;
mod lasting;
mod off;
mod receivers;
mod secrets;
mod streams;
mod wiring;
mod workplace;

pub use connector::BuildError;
pub use workplace::{ConnectorWorkplace, NoWork};
