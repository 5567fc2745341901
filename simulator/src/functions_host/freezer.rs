//! A process that is frozen while no invocation runs, as the platform does with an instance that is idle.

use std::process::Command;

use parking_lot::Mutex;

/// Stops and continues a process.
pub(super) struct Freezer {
    process_id: u32,
    invocations: Mutex<Invocations>,
}

#[derive(Default)]
struct Invocations {
    running: usize,
    /// Whether the process is frozen when none runs.
    freezes: bool,
}

/// While it lives the process is not frozen.
pub(super) struct Awake<'f>(&'f Freezer);

impl Freezer {
    pub(super) fn new(process_id: u32) -> Self {
        Self {
            process_id,
            invocations: Mutex::default(),
        }
    }

    /// From now on.
    pub(super) fn freeze_between_invocations(&self) {
        let mut invocations = self.invocations.lock();
        invocations.freezes = true;
        if invocations.running == 0 {
            self.signal("-STOP");
        }
    }

    /// An invocation begins; it ends with what is returned.
    pub(super) fn awake(&self) -> Awake<'_> {
        let mut invocations = self.invocations.lock();
        if invocations.freezes && invocations.running == 0 {
            self.signal("-CONT");
        }
        invocations.running += 1;
        Awake(self)
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.process_id.to_string()])
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{signal} cannot be sent to the handler"
        );
    }
}

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        let mut invocations = self.0.invocations.lock();
        invocations.running -= 1;
        if invocations.freezes && invocations.running == 0 {
            self.0.signal("-STOP");
        }
    }
}
