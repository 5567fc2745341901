//! The handler ends with its host.

use std::os::unix::process::parent_id;
use std::time::Duration;

use crate::logging;
use crate::time::Shutdown;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Ends the process as on SIGTERM once the Functions host is gone. A host that is killed, or that gives up waiting for a
/// long run, tells its handler nothing (seen on the host, 4.1037): the process gets another parent, and nobody reads what
/// it says.
pub async fn stop_with_host(stop: Shutdown) {
    let host = parent_id();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if parent_id() != host || logging::reader_is_gone() {
            break;
        }
    }
    log::info!("the Functions host is gone: no new work is taken, and what is under way is finished or saved");
    stop.trigger();
}
