//! A simulated service: a function from a request and the time to a reply, over a state of its own.
//!
//! A [`Service`] knows no socket, no clock and no waiting. A [`Simulation`] shares one between those who carry its
//! requests and the test that sets faults and reads what came. A [`Server`] carries the requests of a loopback socket;
//! a test on a virtual clock can carry them itself.

mod breaking_body;
mod fault;
mod reply;
mod request;
mod server;
mod simulation;

pub use fault::Fault;
pub use reply::{Ending, Reply};
pub use request::{RecordedRequest, Request};
pub use server::Server;
pub use simulation::{Configured, Controls, Service, Simulation};

#[cfg(test)]
mod tests;
