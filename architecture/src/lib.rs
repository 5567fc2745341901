//! Reads the sources of a crate of this workspace, so that tests can hold its structure and `cargo xtask measure` can print it.
//!
//! Everything here looks at production code only: items under `#[cfg(test)]`, tests, and files that only tests include are
//! left out. What a macro generates is not seen, and neither are calls of methods, which need no import.

#![forbid(unsafe_code)]

mod circles;
mod imports;
mod measure;
mod modules;
mod names;
mod resolve;
mod shapes;
mod source;

pub use circles::circles;
pub use imports::{Edge, edges};
pub use measure::report;
pub use modules::Crate;
pub use shapes::{Function, ambiguous_types, functions, spread_types};
pub use source::{ReadError, SourceFile};
