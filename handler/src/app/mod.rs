//! The only wiring: settings -> clients -> pipeline.

mod connector;
mod destinations;
mod off;
mod receivers;
mod streams;
mod wiring;
mod workplace;

pub use connector::build;
pub use workplace::LazyWorkplace;
