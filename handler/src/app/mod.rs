//! The only wiring: settings -> clients -> pipeline.

mod connector;
mod destinations;
mod workplace;

pub use connector::{BuildError, build};
pub use workplace::LazyWorkplace;
