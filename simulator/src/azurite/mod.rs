//! Azure Blob Storage as Microsoft emulates it: the real Azurite, started as a process of its own.
//!
//! Nothing is simulated here. `cargo xtask azurite` installs it (npm package `azurite`, [`VERSION`]); an [`Azurite`]
//! is its blob service on a port of 127.0.0.1, which ends with the test however the test ends.
//!
//! Over plain HTTP it is spoken to with the public development account and its shared key. With
//! [`AzuriteOptions::https`] and [`AzuriteOptions::oauth`] it stands under the production host name
//! (`<account>.blob.core.windows.net`, behind [`crate::connect_proxy`]) and takes the tokens of
//! [`crate::managed_identity`]. It checks their audience, issuer and times, neither their signature nor any role.

mod installed;
mod options;
mod process;
mod proxy;
mod rest;
mod shared_key;

use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use tempfile::TempDir;

pub use self::installed::{INSTALL_COMMAND, VERSION, folder, is_installed, marker};
pub use self::options::{AzuriteOptions, DEVELOPMENT_ACCOUNT, Https};
use self::process::Process;
pub use self::proxy::{AzuriteProxy, Break, Operations};
pub use self::rest::BlobService;
use crate::free_port::free_port;

/// Somebody else may take a free port just before Azurite does.
const ATTEMPTS: usize = 5;

/// A blob service. Dropped, it is killed, and its data are gone.
pub struct Azurite {
    service: BlobService,
    folder: TempDir,
    process: Mutex<Option<Process>>,
    containers: AtomicU32,
}

impl Azurite {
    /// Starts a service without data; it listens when this returns.
    ///
    /// Panics where Azurite is not installed or does not start, and says why.
    pub fn start(options: AzuriteOptions) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut reasons = Vec::new();
        for _ in 0..ATTEMPTS {
            let port = free_port();
            match Process::start(&options, folder.path(), port) {
                Ok(process) => {
                    return Azurite {
                        service: BlobService::new(options, port),
                        folder,
                        process: Mutex::new(Some(process)),
                        containers: AtomicU32::new(0),
                    };
                }
                Err(reason) if reason.contains("EADDRINUSE") => reasons.push(reason),
                Err(reason) => panic!("{reason}"),
            }
        }
        panic!("no port was free long enough: {reasons:?}");
    }

    /// One for all tests of a process, in memory. Each test takes a [`Self::new_container`]. It ends with the process.
    pub fn shared() -> &'static Azurite {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        SHARED.get_or_init(|| Azurite::start(AzuriteOptions::default()))
    }

    /// The process while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process.lock().as_ref().map(Process::id)
    }

    /// Makes a container that nobody else uses; its name begins with `purpose` (lower-case letters, digits, `-`).
    pub async fn new_container(&self, purpose: &str) -> String {
        let number = self.containers.fetch_add(1, Ordering::Relaxed);
        let container = format!("{purpose}-{number}");
        self.create_container(&container).await;
        container
    }

    /// Stops the service in good order and waits until it is gone. Data in memory are lost with it.
    pub fn stop(&self) {
        let process = self.process.lock().take();
        if let Some(process) = process {
            process.stop();
        }
    }

    /// Starts a stopped service on the same port, with the data that are on disk.
    pub fn start_again(&self) {
        let mut process = self.process.lock();
        assert!(process.is_none(), "Azurite is running");
        match Process::start(self.options(), self.folder.path(), self.port()) {
            Ok(started) => *process = Some(started),
            Err(reason) => panic!("{reason}"),
        }
    }
}

impl Deref for Azurite {
    type Target = BlobService;

    fn deref(&self) -> &BlobService {
        &self.service
    }
}

#[cfg(test)]
mod tests;
