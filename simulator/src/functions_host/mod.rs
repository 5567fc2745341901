//! The Azure Functions host around a custom handler: it starts the executable, waits until it answers, calls
//! its two functions the way the real host does, and judges the replies the way the real host does.
//!
//! Contract as read in the host's source: readiness by `GET /`, the JSON envelope over chunked HTTP/1.1, the
//! two ways of passing an http request on, SIGKILL at the end. Function keys are not checked.

mod caller;
mod contract;
mod envelope;
mod error;
mod exchange;
mod freezer;
mod function_json;
mod process;
mod verdict;

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::rngs::StdRng;
use serde_json::Value;

use crate::random;
use caller::{CallerRequest, host_headers, relayed_headers};
use contract::HOST_VERSION;
use exchange::{Framing, Outgoing, RawAnswer, exchange};
use freezer::Freezer;
use function_json::{BindingNames, HTTP_FUNCTION, TIMER_FUNCTION};

pub use contract::{HostOptions, HttpAnswer, Invocation, Mode};
pub use envelope::TimerInfo;
pub use error::HostError;
pub use process::{CapturedOutput, HandlerProcess};

/// The host asks so often whether the handler answers.
const READINESS_INTERVAL: Duration = Duration::from_millis(25);

/// `customHandler.initializationTimeout`, the default of the host's code.
const INITIALIZATION_TIMEOUT: Duration = Duration::from_secs(30);

/// `functionTimeout` of the project.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(600);

/// A running host with its handler. Dropped, it kills the handler.
pub struct FunctionsHost {
    process: HandlerProcess,
    freezer: Freezer,
    timer_died: AtomicBool,
    mode: Mode,
    bindings: BindingNames,
    time_to_ready: Duration,
    function_timeout: Duration,
    ids: Mutex<StdRng>,
}

impl FunctionsHost {
    /// Starts the handler and waits until it answers.
    pub async fn start(options: HostOptions) -> Result<Self, HostError> {
        let mut rng = random::for_one_server();
        let started = Instant::now();
        let process = HandlerProcess::start(&options, &random::uuid(&mut rng))?;
        wait_until_ready(&process, INITIALIZATION_TIMEOUT).await?;
        Ok(FunctionsHost {
            time_to_ready: started.elapsed(),
            freezer: Freezer::new(process.pid()),
            timer_died: AtomicBool::new(false),
            process,
            mode: options.mode,
            bindings: BindingNames::read(&options.working_dir),
            function_timeout: FUNCTION_TIMEOUT,
            ids: Mutex::new(rng),
        })
    }

    /// Another `functionTimeout` than 10 minutes. An invocation over it kills the handler.
    pub fn set_function_timeout(&mut self, timeout: Duration) {
        self.function_timeout = timeout;
    }

    /// From now on the timer function is invoked no more, as it was seen on Flex Consumption after a deployment
    /// (Azure/azure-functions-host #11828).
    pub fn let_the_timer_die(&self) {
        self.timer_died.store(true, Ordering::Relaxed);
    }

    /// From now on the handler's process is frozen while no invocation runs.
    pub fn freeze_between_invocations(&self) {
        self.freezer.freeze_between_invocations();
    }

    /// A minute passes: the timer is due, and a job outside calls the route that polls where the timer died. Gives the
    /// answer of the route.
    pub async fn pass_a_minute(&self) -> Result<HttpAnswer, HostError> {
        match self.timer().await {
            Ok(_) | Err(HostError::TimerDied) => {}
            Err(error) => return Err(error),
        }
        self.http("GET", "/api/wake?code=function-key", &[], Vec::new()).await
    }

    /// Runs the timer function as a schedule of a minute does.
    pub async fn timer(&self) -> Result<Invocation, HostError> {
        self.timer_with(&TimerInfo::default()).await
    }

    /// Runs the timer function with what the timer would tell it.
    pub async fn timer_with(&self, info: &TimerInfo) -> Result<Invocation, HostError> {
        if self.timer_died.load(Ordering::Relaxed) {
            return Err(HostError::TimerDied);
        }
        let id = self.new_id();
        let body = envelope::of_timer(&self.bindings.timer, TIMER_FUNCTION, &id, info);
        self.invoke(TIMER_FUNCTION, &id, &body).await
    }

    /// Sends an http request through the host. `path_and_query` is what the caller asked, for example
    /// `/api/status?code=x`. A header `Transfer-Encoding: chunked` makes the body chunked: a proxying host passes it on, a
    /// forwarding one answers 500 by itself, and it is absent from an envelope.
    pub async fn http(
        &self,
        method: &str,
        path_and_query: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<HttpAnswer, HostError> {
        let request = CallerRequest::new(method, path_and_query, headers, body)?;
        let id = self.new_id();
        let answer = match self.mode {
            Mode::Proxy => self.send_patiently(&request.proxied(&id)).await?,
            // The host fails before it calls the handler (seen on the host, 4.1037).
            Mode::Forward if request.is_chunked() => return Ok(HttpAnswer::of_the_host(500)),
            Mode::Forward => self.send(&request.forwarded(&id)).await?,
            Mode::Envelope => {
                let data = envelope::of_http(&self.bindings.request, HTTP_FUNCTION, &id, &request);
                let invocation = self.invoke(HTTP_FUNCTION, &id, &data).await?;
                return verdict::http_answer(&invocation, &self.bindings.response);
            }
        };
        Ok(HttpAnswer {
            status: answer.status,
            headers: relayed_headers(answer.headers),
            body: answer.body,
        })
    }

    /// From the start of the process to its first answer.
    pub fn time_to_ready(&self) -> Duration {
        self.time_to_ready
    }

    /// The lines on standard output so far. The host logs them as information, whatever they say.
    pub fn stdout_lines(&self) -> Vec<String> {
        self.process.output().stdout
    }

    /// The lines on standard error so far. The host logs them as errors, or as warnings where they contain "warn" in any
    /// case.
    pub fn stderr_lines(&self) -> Vec<String> {
        self.process.output().stderr
    }

    /// Kills the handler with SIGKILL, as the real host does, and gives all that it wrote.
    pub async fn kill(self) -> CapturedOutput {
        self.process.kill();
        self.process.whole_output()
    }

    /// One envelope there, one back.
    async fn invoke(&self, function: &str, id: &str, body: &Value) -> Result<Invocation, HostError> {
        let mut headers = Vec::from(host_headers(id));
        let agent = format!("Azure-Functions-Host/{HOST_VERSION}");
        headers.push(("User-Agent".to_owned(), agent));
        headers.push(("traceparent".to_owned(), self.traceparent()));
        let json = "application/json; charset=utf-8".to_owned();
        headers.push(("Content-Type".to_owned(), json));
        let outgoing = Outgoing {
            method: "POST".to_owned(),
            target: format!("/{function}"),
            headers,
            framing: Framing::Chunked,
            body: body.to_string().into_bytes(),
        };
        verdict::invocation(&self.send(&outgoing).await?)
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<RawAnswer, HostError> {
        let _awake = self.freezer.awake();
        let answer = tokio::time::timeout(self.function_timeout, exchange(self.process.port(), outgoing));
        match answer.await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.process.kill();
                Err(HostError::TimedOut(self.function_timeout))
            }
        }
    }

    /// The proxy tries 10 times while nobody listens, with 50 to 250 ms in between.
    async fn send_patiently(&self, outgoing: &Outgoing) -> Result<RawAnswer, HostError> {
        for attempt in 1..10 {
            match self.send(outgoing).await {
                Err(HostError::Unreachable(_)) => {
                    let pause = Duration::from_millis((50 * attempt).min(250));
                    tokio::time::sleep(pause).await;
                }
                outcome => return outcome,
            }
        }
        self.send(outgoing).await
    }

    fn new_id(&self) -> String {
        let mut ids = self.ids.lock();
        random::uuid(&mut ids)
    }

    /// A trace that nobody samples, as captured from a host.
    fn traceparent(&self) -> String {
        let mut ids = self.ids.lock();
        let digits = random::token(&mut ids);
        format!("00-{}-{}-00", &digits[..32], &digits[32..48])
    }
}

impl Deref for FunctionsHost {
    type Target = HandlerProcess;

    fn deref(&self) -> &HandlerProcess {
        &self.process
    }
}

/// Asks `GET /` until there is any answer at all.
async fn wait_until_ready(process: &HandlerProcess, patience: Duration) -> Result<(), HostError> {
    let ping = Outgoing {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        framing: Framing::None,
        body: Vec::new(),
    };
    let asking = async {
        loop {
            if exchange(process.port(), &ping).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = process.exit_status() {
                let output = process.whole_output().as_text();
                return Err(HostError::ExitedEarly { status, output });
            }
            tokio::time::sleep(READINESS_INTERVAL).await;
        }
    };
    match tokio::time::timeout(patience, asking).await {
        Ok(outcome) => outcome,
        Err(_) => Err(HostError::NeverReady {
            waited: patience,
            output: process.output().as_text(),
        }),
    }
}
