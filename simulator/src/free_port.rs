//! Ports for other processes, which cannot be handed an open listener.
//!
//! One that the system chose and that is released again may be taken meanwhile, by a listener or by an outgoing
//! connection; so these come from below the range the system chooses from.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// So many, from this one on.
const FIRST_PORT: u16 = 20_000;
const PORTS: u32 = 12_000;

/// A port that nobody listens on now. Each is tried once per process, so that tests side by side do not meet.
pub(crate) fn free_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(37);
    for _ in 0..PORTS {
        let step = TRIED.fetch_add(1, Ordering::Relaxed);
        let offset = first.wrapping_add(step) % PORTS;
        let port = FIRST_PORT + u16::try_from(offset).expect("the offset is small");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no loopback port is free");
}
