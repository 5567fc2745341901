//! A folder of its own for every test, and the executable run in it with nothing but the given environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::functions_host::{FunctionsHost, HostOptions, Mode};
use simulator::generate::pingone::{Activities, Activity};
use simulator::generate::sentinelone;
use simulator::pingone::{EnvironmentOptions, PingOne};
use simulator::sentinelone::{SentinelOne, Stream};
use simulator::tables::{self, TableSchema};
use tempfile::TempDir;
use tokio::process::Command;

pub const ENVIRONMENT_ID: &str = "5f1c2d3e-0000-4000-8000-00000000e001";
pub const ACTIVITIES: &str = "PingOne_AuditActivitiesV2_CL";
pub const ACTIVITIES_OLD: &str = "PingOne_AuditActivities_CL";
pub const ONELOGIN: &str = "OneLogin_CL";
/// The secret that no output may hold.
pub const CLIENT_SECRET: &str = "k7~Secret.of-the_worker";
pub const PUSH_TOKEN: &str = "push-token-that-nobody-may-see";

/// The handler under test and where it works.
pub struct Handler {
    folder: TempDir,
    pub environment: BTreeMap<String, String>,
}

/// A command that ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub output: String,
}

impl Handler {
    pub fn new() -> Self {
        let handler = Self {
            folder: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
        };
        for function in ["function-timer", "function-http"] {
            let target = handler.path(function);
            std::fs::create_dir_all(&target).unwrap();
            let source = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join(function)
                .join("function.json");
            std::fs::copy(source, target.join("function.json")).unwrap();
        }
        handler
    }

    pub fn with_pingone(pingone: &PingOne) -> Self {
        let mut handler = Self::new();
        handler.add_pingone("PINGONE__", ENVIRONMENT_ID, pingone);
        handler
    }

    pub fn with_onelogin() -> Self {
        let mut handler = Self::new();
        handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
        handler
    }

    pub fn add_pingone(&mut self, prefix: &str, environment_id: &str, pingone: &PingOne) {
        for (key, value) in [
            ("ENVIRONMENT_ID", environment_id),
            ("CLIENT_ID", "worker"),
            ("CLIENT_SECRET", CLIENT_SECRET),
            ("API_URL", &pingone.origin()),
            ("AUTH_URL", &pingone.origin()),
            // The rate is the vendor's affair; here it would only take time.
            ("REQUESTS_PER_SECOND", "1000"),
        ] {
            self.set(&format!("{prefix}{key}"), value);
        }
    }

    pub fn with_sentinelone(console: &SentinelOne, streams: &str) -> Self {
        let mut handler = Self::new();
        handler.add_sentinelone("SENTINELONE__", console);
        // What was published a moment ago shall be read in the same test.
        handler.set("SENTINELONE__STREAMS", streams).set("POLL_SETTLE", "1s");
        handler
    }

    pub fn add_sentinelone(&mut self, prefix: &str, console: &SentinelOne) {
        self.set(&format!("{prefix}URL"), &console.origin());
        self.set(&format!("{prefix}API_TOKEN"), CLIENT_SECRET);
    }

    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
        command
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub async fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().await.unwrap();
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .concat();
        for secret in [CLIENT_SECRET, PUSH_TOKEN] {
            assert!(!text.contains(secret), "a secret is in the output:\n{text}");
        }
        Ended {
            code: output.status.code(),
            output: text,
        }
    }

    pub async fn poll(&self) -> Ended {
        self.run(&["poll"]).await
    }

    /// Polls, and expects that all is well.
    pub async fn poll_well(&self) -> String {
        let ended = self.poll().await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        ended.output
    }

    /// Under the host, with the schedule that it insists on.
    pub async fn host(&self, mode: Mode) -> FunctionsHost {
        let mut env = self.environment.clone();
        env.entry("POLL_SCHEDULE".to_owned())
            .or_insert_with(|| "0 * * * * *".to_owned());
        let options = HostOptions {
            executable: env!("CARGO_BIN_EXE_handler").into(),
            working_dir: self.folder.path().to_owned(),
            env,
            mode,
        };
        FunctionsHost::start(options).await.unwrap()
    }

    /// The rows of a table in the local destination, each checked against the table.
    pub fn rows(&self, table: &str) -> Vec<Value> {
        let Ok(text) = std::fs::read_to_string(self.path("data/tables").join(format!("{table}.ndjson"))) else {
            return Vec::new();
        };
        assert!(text.is_empty() || text.ends_with('\n'), "{table} ends with a torn line");
        let schema = &TableSchema::load_all()[table];
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for row in &rows {
            assert_eq!(tables::violations(schema, row), Vec::<String>::new(), "{row}");
        }
        rows
    }

    pub fn ids(&self, table: &str) -> Vec<String> {
        ids_of(&self.rows(table))
    }

    /// The text of every dead letter.
    pub fn dead_letters(&self) -> Vec<String> {
        files_below(&self.path("data/state/dead-letters"))
            .iter()
            .flat_map(|path| {
                let text = std::fs::read_to_string(path).unwrap();
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect()
    }
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path))
        } else {
            files.push(path)
        }
    }
    files.sort();
    files
}

pub fn ids_of(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["Id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

pub fn options() -> EnvironmentOptions {
    EnvironmentOptions {
        environment_id: ENVIRONMENT_ID.to_owned(),
        auth_environment_id: ENVIRONMENT_ID.to_owned(),
        client_id: "worker".to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        ..EnvironmentOptions::default()
    }
}

/// A console that takes [`CLIENT_SECRET`] as its token.
pub fn console_options() -> simulator::sentinelone::ConsoleOptions {
    simulator::sentinelone::ConsoleOptions {
        api_token: CLIENT_SECRET.to_owned(),
        ..Default::default()
    }
}

pub fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

/// Activities recorded before now, `count` of them spread over the last `minutes`, several to a millisecond.
pub fn activities(seed: u64, count: usize, minutes: i64) -> Vec<Activity> {
    let mut generator = Activities::new(seed, ENVIRONMENT_ID);
    let start = now() - TimeDelta::minutes(minutes);
    let step = TimeDelta::minutes(minutes - 1) / i32::try_from(count / 3 + 1).unwrap();
    (0..count)
        .map(|number| generator.at(start + step * i32::try_from(number / 3).unwrap()))
        .collect()
}

/// So many times over the last `minutes` minutes but one, three of each.
pub fn times(count: i32, minutes: i64) -> impl Iterator<Item = DateTime<Utc>> {
    let start = now() - TimeDelta::minutes(minutes);
    let step = TimeDelta::minutes(minutes - 1) / (count / 3 + 1);
    (0..count).map(move |number| start + step * (number / 3))
}

/// Makes objects of every SentinelOne stream, and newer versions of them.
pub struct Estate {
    objects: sentinelone::ConsoleObjects,
}

impl Estate {
    pub fn new(seed: u64) -> Self {
        Self {
            objects: sentinelone::ConsoleObjects::new(seed),
        }
    }

    /// New objects, whose windows hold these times.
    pub fn publish(&mut self, console: &SentinelOne, stream: Stream, times: impl IntoIterator<Item = DateTime<Utc>>) {
        for at in times {
            match stream {
                Stream::Threats => {
                    // Only a changed one has exactly the time that is wanted; what it was before is seen by nobody.
                    let born = self.objects.new_object(stream, at - TimeDelta::seconds(1));
                    let changed = self.objects.update(&born, at);
                    console.publish([born, changed]);
                }
                Stream::Alerts => console.publish([self.objects.late_alert(at - TimeDelta::minutes(20), at)]),
                _ => console.publish([self.objects.new_object(stream, at)]),
            }
        }
    }

    /// Newer versions of the `count` objects that came last; activities do not change.
    pub fn change(&mut self, console: &SentinelOne, stream: Stream, count: usize, at: DateTime<Utc>) {
        let published = console.published(stream).into_iter();
        let newest: BTreeMap<_, _> = published.map(|object| (object.id.clone(), object)).collect();
        let last = newest.values().rev().take(count);
        let changing = last.filter(|object| object.stream != Stream::Activities);
        let changed: Vec<_> = changing.map(|object| self.objects.update(object, at)).collect();
        console.publish(changed);
    }
}

/// Every published activity is there, and none twice.
pub fn assert_each_once(pingone: &PingOne, delivered: &[String]) {
    let published: BTreeSet<String> = pingone.published().into_iter().map(|activity| activity.id).collect();
    let unique: BTreeSet<String> = delivered.iter().cloned().collect();
    let missing: Vec<_> = published.difference(&unique).collect();
    assert!(
        missing.is_empty(),
        "{} of {} are missing: {missing:?}",
        missing.len(),
        published.len()
    );
    assert_eq!(
        delivered.len(),
        unique.len(),
        "{} doubles",
        delivered.len() - unique.len()
    );
    assert_eq!(pingone.violations(), Vec::<String>::new());
}

/// Waits for a condition that another process brings about; ten seconds are the end of patience, not a measure.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}
