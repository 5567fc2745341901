//! What the host makes of a handler that misbehaves.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why an invocation did not succeed in the eyes of the host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The executable cannot be started.
    #[error("{executable} cannot be started: {source}", executable = executable.display())]
    Spawn {
        /// The path that was tried.
        executable: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The process ended before it answered.
    #[error("the handler ended with {status} before it was ready; its output:\n{output}")]
    ExitedEarly {
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to both streams.
        output: String,
    },
    /// No answer to `GET /` within the initialization timeout.
    #[error("the handler did not answer within {waited:?}; its output:\n{output}")]
    NeverReady {
        /// How long the host waited.
        waited: Duration,
        /// What it wrote to both streams.
        output: String,
    },
    /// Nobody listens on the handler's port.
    #[error("nobody listens on the handler's port: {0}")]
    Unreachable(String),
    /// The connection ended without a whole answer.
    #[error("the handler's answer is broken: {0}")]
    Broken(String),
    /// The invocation took longer than the function timeout; the handler has been killed, as the host does.
    #[error("no answer within {0:?}; the handler has been killed")]
    TimedOut(Duration),
    /// The answer came before the request body was read to its end.
    #[error("the handler answered before it had read the request body")]
    BodyNotRead,
    /// A status other than 2xx. The host shows this text and throws the whole body away, its logs too.
    #[error("Response status code does not indicate success: {status} ({reason}).")]
    InvocationFailed {
        /// The status of the handler's answer.
        status: u16,
        /// The reason phrase behind it.
        reason: String,
        /// The body, for the reader of the test alone.
        body: String,
    },
    /// A good status with an empty body or `null`: the host waits until the function timeout.
    #[error("status {status} without an envelope: the host would wait until the function timeout")]
    WouldHang {
        /// The status of the handler's answer.
        status: u16,
    },
    /// The body is of another type than JSON.
    #[error("the Content-Type '{0}' is not supported")]
    UnsupportedMediaType(String),
    /// The body is no envelope.
    #[error("the reply is no envelope: {0}")]
    InvalidReply(String),
    /// The timer function is invoked no more.
    #[error("the host invokes the timer function no more")]
    TimerDied,
    /// The test asked for something the host could not be asked.
    #[error("such a request cannot reach the host: {0}")]
    BadRequest(String),
}
