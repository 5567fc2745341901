//! The handler's process: its environment, its output, its end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::contract::HostOptions;
use super::error::HostError;
use crate::free_port::free_port;
use parking_lot::Mutex;

/// The lines of both streams, as far as they have come.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CapturedOutput {
    /// Standard output, one entry a line.
    pub stdout: Vec<String>,
    /// Standard error, one entry a line.
    pub stderr: Vec<String>,
}

/// A started process. Dropped, it is killed.
pub struct HandlerProcess {
    child: Mutex<Child>,
    pid: u32,
    port: u16,
    stdout: Captured,
    stderr: Captured,
}

struct Captured {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl HandlerProcess {
    /// Starts the executable with the given environment and what the host adds, and nothing else.
    pub(super) fn start(options: &HostOptions, worker_id: &str) -> Result<Self, HostError> {
        let port = free_port();
        let mut command = Command::new(&options.executable);
        command
            .current_dir(&options.working_dir)
            .env_clear()
            .envs(&options.env)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", worker_id)
            .env("FUNCTIONS_APP_ROOT_PATH", &options.working_dir)
            .env("FUNCTIONS_HTTPWORKER_PORT", port.to_string())
            .env("FUNCTIONS_HTTPWORKER_ID", worker_id)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| HostError::Spawn {
            executable: options.executable.clone(),
            source,
        })?;
        let stdout = child.stdout.take().expect("the stream is piped");
        let stderr = child.stderr.take().expect("the stream is piped");
        Ok(HandlerProcess {
            pid: child.id(),
            child: Mutex::new(child),
            port,
            stdout: Captured::read(stdout),
            stderr: Captured::read(stderr),
        })
    }

    /// The port the handler was told to listen on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the handler.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How the handler ended by itself; `None` while it runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.lock().try_wait().expect("a child can be waited for")
    }

    /// What has come so far.
    pub fn output(&self) -> CapturedOutput {
        CapturedOutput {
            stdout: self.stdout.lines.lock().clone(),
            stderr: self.stderr.lines.lock().clone(),
        }
    }

    /// All that an ended process wrote. Waits for both streams to end.
    pub(super) fn whole_output(&self) -> CapturedOutput {
        self.stdout.wait();
        self.stderr.wait();
        self.output()
    }

    /// SIGKILL, as the host does: no warning, no drain.
    pub(super) fn kill(&self) {
        let mut child = self.child.lock();
        // Both fail only where the process has ended and been waited for already.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// The largest resident memory of the handler so far in KiB; `None` where the system does not tell.
    pub fn peak_memory_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for HandlerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Captured {
    /// Reads a stream on a thread of its own, so that the process never waits for its reader.
    fn read(stream: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let filled = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches(['\r', '\n']).to_owned();
                filled.lock().push(text);
                line.clear();
            }
        });
        Captured {
            lines,
            reader: Mutex::new(Some(reader)),
        }
    }

    fn wait(&self) {
        let reader = self.reader.lock().take();
        if let Some(reader) = reader {
            reader.join().expect("the reader does not panic");
        }
    }
}

impl CapturedOutput {
    pub(super) fn as_text(&self) -> String {
        let stderr = self.stderr.iter().map(|line| format!("stderr: {line}"));
        let stdout = self.stdout.iter().map(|line| format!("stdout: {line}"));
        stderr.chain(stdout).collect::<Vec<_>>().join("\n")
    }
}
