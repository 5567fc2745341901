//! Runs the cases of a table and says of each that fails why.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use simulator::DateHeader;
use simulator::pingone::PingOne;
use simulator::pingone_enterprise::{self, Authentication, PingOneEnterprise};
use simulator::sentinelone::SentinelOne;
use simulator::tls::{Authority, TlsFront};
use tokio::net::TcpSocket;
use tokio::process::{Child, Command};

use super::case::{Before, Case, Source};
use super::stand_in::StandIn;
use crate::harness::*;

/// So many cases at a time: most of their time is spent waiting.
const AT_ONCE: usize = 6;
const LONGEST: Duration = Duration::from_secs(60);
/// What libraries print of their own affairs, and no person can act on.
const NOISE: [&str; 5] = [
    "backing off",
    "failed to verify TLS",
    "CA root certificate",
    "invalid logging spec",
    "panicked",
];

/// Every case that fails is named with its reasons and its output.
pub async fn run_all(cases: &[Case]) {
    let ran = stream::iter(cases).map(|case| async move { (case.name, run(case).await) });
    let ran: Vec<(&str, Vec<String>)> = ran.buffer_unordered(AT_ONCE).collect().await;
    let failed = ran.iter().filter(|(_, faults)| !faults.is_empty());
    let failed: Vec<String> = failed
        .map(|(name, faults)| format!("- {name}\n    {}", faults.join("\n    ")))
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} cases fail:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}

/// What stands for the placeholders in settings and arguments.
pub struct Addresses(BTreeMap<&'static str, String>);

impl Addresses {
    fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (placeholder, value) in &self.0 {
            filled = filled.replace(placeholder, value);
        }
        filled
    }
}

/// Everything that a case talks to; it stops when it is dropped.
struct World {
    handler: Handler,
    stand_in: StandIn,
    addresses: Addresses,
    pingone: Option<PingOne>,
    _console: Option<SentinelOne>,
    _enterprise: Option<PingOneEnterprise>,
    fronts: [TlsFront; 2],
    /// Bound, so that nobody else gets its port, and not listening.
    _closed: TcpSocket,
    other_poll: Option<Child>,
}

async fn run(case: &Case) -> Vec<String> {
    let mut world = World::start(case).await;
    if let Err(fault) = world.prepare(case).await {
        return vec![fault];
    }
    let before = tree(&world.handler.path(""));
    let Ok(ended) = tokio::time::timeout(LONGEST, world.ended(case)).await else {
        return vec![format!("did not end within {LONGEST:?}")];
    };
    let mut faults = faults_of(case, &ended);
    if case.changes_nothing && before != tree(&world.handler.path("")) {
        faults.push("files or folders were made or changed".to_owned());
    }
    if !faults.is_empty() {
        let shown = ended.output.trim_end().replace('\n', "\n      ");
        faults.push(format!("it printed:\n      {shown}"));
    }
    faults
}

fn faults_of(case: &Case, ended: &Ended) -> Vec<String> {
    let mut faults = Vec::new();
    if ended.code != Some(case.code) {
        faults.push(format!("exit code {:?}, not {}", ended.code, case.code));
    }
    let missing = case.says.iter().filter(|text| !ended.output.contains(**text));
    faults.extend(missing.map(|text| format!("does not say {text:?}")));
    let unwanted = case.never_says.iter().chain(&NOISE);
    let unwanted = unwanted.filter(|text| ended.output.contains(**text));
    faults.extend(unwanted.map(|text| format!("says {text:?}")));
    let lines: Vec<&str> = ended.output.lines().collect();
    if lines.len() > case.lines {
        faults.push(format!("{} lines, more than {}", lines.len(), case.lines));
    }
    let fails = lines.iter().any(|line| line.starts_with("ERROR"));
    if fails && ended.output.contains(": 0 events read") {
        faults.push("says that nothing was read beside an error".to_owned());
    }
    let remedies = lines.iter().filter_map(|line| line.strip_prefix("  remedy"));
    for remedy in remedies.map(str::trim) {
        let others = lines.iter().filter(|line| !line.starts_with("  remedy"));
        if others.filter(|line| line.contains(remedy)).count() > 0 {
            faults.push("a remedy stands twice".to_owned());
        }
    }
    for secret in [CLIENT_SECRET, PUSH_TOKEN] {
        if ended.output.contains(secret) {
            faults.push("a secret is in the output".to_owned());
        }
    }
    faults
}

impl World {
    async fn start(case: &Case) -> Self {
        let stand_in = StandIn::start(case.answers).await;
        let authority = Authority::new();
        let plain = format!("http://127.0.0.1:{}", stand_in.port);
        let fronts = ["127.0.0.1", "other.example"].map(|host| TlsFront::start(&authority, &[host], &plain));
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let closed_port = closed.local_addr().unwrap().port();
        let mut world = Self {
            handler: Handler::new(),
            addresses: Addresses(BTreeMap::new()),
            pingone: None,
            _console: None,
            _enterprise: None,
            other_poll: None,
            fronts,
            _closed: closed,
            stand_in,
        };
        let authority_file = world.handler.path("authority.pem");
        std::fs::write(&authority_file, authority.certificate_pem()).unwrap();
        let [right, wrong] = &world.fronts;
        world.addresses = Addresses(BTreeMap::from([
            ("{stand-in}", plain),
            ("{stand-in-port}", world.stand_in.port.to_string()),
            (
                "{https-on-the-plain-port}",
                format!("https://127.0.0.1:{}", world.stand_in.port),
            ),
            ("{tls}", format!("https://127.0.0.1:{}", right.port())),
            ("{tls-of-another}", format!("https://127.0.0.1:{}", wrong.port())),
            ("{authority}", authority_file.display().to_string()),
            ("{closed}", format!("http://127.0.0.1:{closed_port}")),
            ("{free-port}", free_port().to_string()),
        ]));
        world.handler.set("POLL_BUDGET", "4s");
        for source in case.sources {
            world.add(*source);
        }
        world
    }

    fn add(&mut self, source: Source) {
        match source {
            Source::PingOne(events) => {
                let pingone = PingOne::start(options());
                pingone.publish(activities(77, events, 20));
                self.handler.add_pingone("PINGONE__", ENVIRONMENT_ID, &pingone);
                self.pingone = Some(pingone);
            }
            Source::Threats | Source::FiveStreams => {
                let console = SentinelOne::start(console_options());
                self.handler.add_sentinelone("SENTINELONE__", &console);
                if matches!(source, Source::Threats) {
                    self.handler.set("SENTINELONE__STREAMS", "threats");
                }
                self._console = Some(console);
            }
            Source::EnterpriseClient => self.add_subscription(Authentication::Bearer),
            Source::EnterpriseUser => self.add_subscription(Authentication::Basic),
            Source::OneLoginPush => {
                self.handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
            }
            Source::Rule => {
                let origin = self.addresses.fill("{stand-in}");
                self.handler
                    .set("LOGS_INGESTION__ENDPOINT", &origin)
                    .set("LOGS_INGESTION__RULE_ID", "dcr-00000000000000000000000000000001")
                    .set("IDENTITY_ENDPOINT", &format!("{origin}/msi/token"))
                    .set("IDENTITY_HEADER", "a-header");
            }
        }
    }

    fn add_subscription(&mut self, authentication: Authentication) {
        let options = pingone_enterprise::SubscriptionOptions {
            authentication,
            ..pingone_enterprise::SubscriptionOptions::default()
        };
        let vendor = PingOneEnterprise::start(options.clone());
        let handler = self.handler.set("PINGONE_ENTERPRISE__POLL_URL", &vendor.poll_url());
        match authentication {
            Authentication::Bearer => handler
                .set("PINGONE_ENTERPRISE__TOKEN_URL", &vendor.token_url())
                .set("PINGONE_ENTERPRISE__CLIENT_ID", &options.client_id)
                .set("PINGONE_ENTERPRISE__CLIENT_SECRET", &options.client_secret),
            Authentication::Basic => handler
                .set("PINGONE_ENTERPRISE__USERNAME", &options.username)
                .set("PINGONE_ENTERPRISE__PASSWORD", &options.password),
        };
        self._enterprise = Some(vendor);
    }

    /// What happened before, and then the settings of the case.
    async fn prepare(&mut self, case: &Case) -> Result<(), String> {
        for step in case.before {
            self.take(*step).await?;
        }
        for (name, value) in case.settings {
            self.handler.environment.remove(*name);
            if !value.is_empty() {
                self.handler.set(name, &self.addresses.fill(value));
            }
        }
        for step in case.before {
            match step {
                Before::PolledInVain => {
                    self.handler.poll().await;
                }
                Before::AnotherPollRuns => {
                    self.other_poll = Some(self.handler.command(&["poll"]).spawn().unwrap());
                    let stand_in = &self.stand_in;
                    until("the other poll asks", || stand_in.asked() > 0).await;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn take(&self, step: Before) -> Result<(), String> {
        match step {
            Before::PolledWell => {
                let ended = self.handler.poll().await;
                if ended.code != Some(0) {
                    return Err(format!("the poll before was not well: {}", ended.output));
                }
            }
            Before::File(path, text) => std::fs::write(self.with_folder(path), text).unwrap(),
            Before::Link(path, target) => std::os::unix::fs::symlink(target, self.with_folder(path)).unwrap(),
            Before::VendorClock(minutes) => {
                let pingone = self.pingone.as_ref().unwrap();
                pingone.set_date(DateHeader::Offset(TimeDelta::minutes(minutes)));
            }
            Before::WatermarkInTheFuture => {
                let file = self
                    .handler
                    .path("data/state/checkpoints/pingone/default/activities.json");
                let mut checkpoint: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
                checkpoint["tables"][ACTIVITIES]["watermark"] = "2999-01-01T00:00:00Z".into();
                std::fs::write(file, checkpoint.to_string()).unwrap();
            }
            // These need the settings of the case.
            Before::PolledInVain | Before::AnotherPollRuns => {}
        }
        Ok(())
    }

    fn with_folder(&self, path: &str) -> std::path::PathBuf {
        let path = self.handler.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    async fn ended(&self, case: &Case) -> Ended {
        let arguments: Vec<String> = case.command.iter().map(|text| self.addresses.fill(text)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = self.handler.command(&arguments).spawn().unwrap();
        if arguments[0] == "serve" && case.code == 0 {
            let port: u16 = arguments[2].parse().unwrap();
            while child.try_wait().unwrap().is_none() && std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            terminate(&child).await;
        }
        let output = child.wait_with_output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        Ended {
            code: output.status.code(),
            output: String::from_utf8(text).unwrap(),
        }
    }
}

/// One that has ended already needs no telling.
pub async fn terminate(child: &Child) {
    if let Some(pid) = child.id() {
        let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
    }
}

pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Every file and folder below, with the time it was changed.
pub fn tree(folder: &Path) -> BTreeMap<std::path::PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            found.insert(entry.path(), entry.metadata().unwrap().modified().unwrap());
        }
    }
    found
}
