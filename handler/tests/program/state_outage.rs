//! The state store or the disk goes away in the middle of the work, and comes back.

use std::process::Stdio;
use std::time::Duration;

use simulator::azurite::{Azurite, AzuriteOptions};
use simulator::functions_host::Mode;
use simulator::logs_ingestion;
use simulator::pingone::{self, PingOne};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::everything::Everything;
use crate::harness::*;
use crate::ingestion::Azure;

/// A run whose store is gone ends within this time.
const END: Duration = Duration::from_secs(60);

fn on_disk() -> Azurite {
    Azurite::start(AzuriteOptions {
        on_disk: true,
        ..AzuriteOptions::default()
    })
}

/// The end of a run that has to fail.
async fn failed(child: Child) -> String {
    let output = tokio::time::timeout(END, child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("it does not end by itself")).unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}

fn assert_names_the_store(output: &str, azurite: &Azurite) {
    for word in ["STATE_URL", &azurite.origin(), "the state store"] {
        assert!(output.contains(word), "{word}: {output}");
    }
}

/// Runs until nothing is held by the process that failed, whose lease could not be given back.
async fn recover(handler: &Handler) {
    for _ in 0..60 {
        if !handler.poll_well().await.contains("skipped") {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("the lease of the failed run does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_between_two_pages_fails_the_run_and_costs_nothing() {
    let azurite = on_disk();
    let container = azurite.new_container("pages").await;
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(920, 1_700, 50));
    pingone.fail_next([
        pingone::Fault::Delay(Duration::ZERO),
        pingone::Fault::Delay(Duration::from_secs(1)),
    ]);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("STATE_URL", &azurite.state_url(&container));
    let child = handler.command(&["poll"]).spawn().unwrap();
    until("the second page is asked for", || pingone.waiting_faults() == 0).await;
    azurite.stop();
    assert_names_the_store(&failed(child).await, &azurite);
    let accepted_before = azure.ingestion.calls();

    azurite.start_again();
    recover(&handler).await;
    let mut delivered = azure.ids(ACTIVITIES);
    let all = delivered.len();
    delivered.sort();
    delivered.dedup();
    assert_each_once(&pingone, &delivered);
    // The one batch whose rows were accepted when nobody could remember them any more.
    assert!(accepted_before.len() <= 1, "{accepted_before:?}");
    let accepted_before: usize = accepted_before.iter().map(|call| call.rows).sum();
    assert!(all - delivered.len() <= accepted_before, "{all}: {accepted_before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_while_every_source_delivers_brings_back_one_batch_per_table_at_the_most() {
    let azurite = on_disk();
    let container = azurite.new_container("delivery").await;
    let mut everything = Everything::start(921);
    let mut handler = everything.handler();
    handler.set("STATE_URL", &azurite.state_url(&container));
    everything.publish(40);
    let ingestion = &everything.azure.ingestion;
    ingestion.fail_next(vec![logs_ingestion::IngestionFault::Delay(Duration::from_secs(1)); 4]);
    let child = handler.command(&["poll"]).spawn().unwrap();
    until("batches are in flight", || ingestion.calls().len() >= 4).await;
    azurite.stop();
    let output = failed(child).await;
    assert_names_the_store(&output, &azurite);
    let before = ingestion.calls().len();

    azurite.start_again();
    recover(&handler).await;
    assert_eq!(everything.missing(), Default::default(), "{output}");
    for (table, doubled) in everything.doubled_calls() {
        assert!(doubled.len() <= 1, "{table}: {doubled:?}: {output}");
        assert!(doubled.iter().all(|call| *call < before), "{table}: {doubled:?}");
    }
    everything.assert_no_violations(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_nothing_is_read_that_reading_consumes_and_no_push_is_acknowledged_that_needs_it() {
    let azurite = on_disk();
    let container = azurite.new_container("gone").await;
    let mut everything = Everything::start(922);
    let mut handler = everything.handler();
    handler.set("STATE_URL", &azurite.state_url(&container));
    everything.publish(10);
    everything.publish_to_senders(3);
    azurite.stop();
    let child = handler.command(&["poll"]).spawn().unwrap();
    assert_names_the_store(&failed(child).await, &azurite);
    assert_eq!(everything.enterprise.consumed().len(), 0);
    assert_eq!(everything.azure.ingestion.calls().len(), 0);

    let host = handler.host(Mode::Proxy).await;
    let pushes = std::mem::take(&mut everything.waiting_pushes);
    let accepted = pushes[0].send(&host).await;
    assert!(!accepted, "what is polled too has nowhere to wait");
    azurite.start_again();
    for push in &pushes {
        let mut accepted = false;
        for _ in 0..10 {
            accepted = accepted || push.send(&host).await;
        }
        assert!(accepted);
    }
    host.kill().await;
    recover(&handler).await;
    assert_eq!(everything.missing(), Default::default());
    assert_eq!(everything.doubled_calls(), Default::default());
}

/// A file system of a fixed small size, in a mount namespace of its own that lives as long as this.
struct SmallDisk {
    folder: TempDir,
    holder: Child,
}

impl SmallDisk {
    async fn new(kilobytes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k tmpfs '{}' && echo mounted && exec cat",
            folder.path().display()
        );
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut word = [0_u8; 7];
        let stdout = holder.stdout.as_mut().unwrap();
        tokio::io::AsyncReadExt::read_exact(stdout, &mut word)
            .await
            .unwrap_or_else(|_| panic!("nobody may mount in a namespace of their own on this machine"));
        assert_eq!(&word, b"mounted");
        Self { folder, holder }
    }

    /// A path on the disk as the handler sees it.
    fn inside(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The same path as this process sees it.
    fn outside(&self, name: &str) -> std::path::PathBuf {
        let root = format!("/proc/{}/root", self.holder.id().unwrap());
        std::path::PathBuf::from(root + &self.inside(name))
    }

    /// Takes the space but for so many kilobytes.
    fn fill_but(&self, kilobytes: u64) {
        use std::io::Write;
        let mut filler = std::fs::File::create(self.outside("filler")).unwrap();
        while filler.write_all(&[0_u8; 1024]).is_ok() {}
        let length = filler.metadata().unwrap().len();
        filler.set_len(length - kilobytes * 1024).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.outside("filler")).unwrap();
    }

    async fn poll(&self, handler: &Handler) -> Ended {
        let plain = handler.command(&["poll"]);
        let mut command = Command::new("nsenter");
        let pid = self.holder.id().unwrap().to_string();
        command
            .args(["--target", &pid, "--user", "--mount", "--preserve-credentials"])
            .args(["sh", "-c", "cd \"$0\" && exec \"$1\" poll"])
            .arg(handler.path(""))
            .arg(plain.as_std().get_program())
            .env_clear()
            .envs(&handler.environment)
            .stdin(Stdio::null());
        let output = command.output().await.unwrap();
        Ended {
            code: output.status.code(),
            output: String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        }
    }
}

/// Runs on a disk with so many kilobytes left, and once more with room. Returns both outputs.
async fn squeeze(disk: &SmallDisk, handler: &Handler, kilobytes: u64) -> [String; 2] {
    disk.fill_but(kilobytes);
    let full = disk.poll(handler).await;
    assert_eq!(full.code, Some(1), "{kilobytes}: {}", full.output);
    for word in ["STATE_URL", "No space left"] {
        assert!(full.output.contains(word), "{word}: {}", full.output);
    }
    disk.free();
    let free = disk.poll(handler).await;
    assert_eq!(free.code, Some(0), "{kilobytes}: {}", free.output);
    [full.output, free.output]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_state_fails_the_run_and_is_recovered_from_when_there_is_room() {
    let disk = SmallDisk::new(512).await;
    let mut everything = Everything::start(923);
    let mut handler = everything.handler();
    handler.set("STATE_URL", &disk.inside("state"));
    everything.publish(10);
    let ended = disk.poll(&handler).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    for _ in 0..3 {
        everything.publish(10);
        let outputs = squeeze(&disk, &handler, 0).await;
        assert!(!outputs.concat().contains("possible loss"), "{outputs:?}");
    }
    assert_eq!(everything.missing(), Default::default());
    for (table, doubled) in everything.doubled_calls() {
        assert!(doubled.len() <= 3, "{table}: {doubled:?}");
    }
    everything.assert_no_violations(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_gets_full_in_the_middle_of_a_run_loses_no_reply_that_was_taken() {
    let disk = SmallDisk::new(512).await;
    let mut everything = Everything::start(929);
    let mut handler = everything.handler();
    handler.set("STATE_URL", &disk.inside("state"));
    everything.publish(10);
    let ended = disk.poll(&handler).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let mut outputs = Vec::new();
    for kilobytes in [4, 8, 16, 32] {
        everything.publish(10);
        outputs.extend(squeeze(&disk, &handler, kilobytes).await);
    }
    assert_eq!(everything.missing(), Default::default(), "{}", outputs.join("\n"));
    for (table, doubled) in everything.doubled_calls() {
        assert!(doubled.len() <= 4, "{table}: {doubled:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_destination_fails_the_run_and_leaves_no_torn_line() {
    let disk = SmallDisk::new(512).await;
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("DESTINATION_DIR", &disk.inside("tables"));
    pingone.publish(activities(924, 30, 8));
    let ended = disk.poll(&handler).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    for (seed, kilobytes) in [(925, 0), (926, 4), (927, 12)] {
        pingone.publish(activities(seed, 30, 8));
        disk.fill_but(kilobytes);
        let ended = disk.poll(&handler).await;
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        for word in ["DESTINATION_DIR", "No space left", ACTIVITIES] {
            assert!(ended.output.contains(word), "{word}: {}", ended.output);
        }
        disk.free();
        let ended = disk.poll(&handler).await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
    }
    let file = disk.outside("tables").join(format!("{ACTIVITIES}.ndjson"));
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.ends_with('\n'));
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_each_once(&pingone, &ids_of(&rows));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_no_more_stops_the_stream_before_anything_is_sent_in_every_run() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(930, 20, 50));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.poll_well().await;
    pingone.publish(activities(931, 300, 8));
    // A limit of the size of files stands for a full disk: positions still fit, and what was delivered does not.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" poll";
    for _ in 0..3 {
        let mut command = Command::new("sh");
        command
            .args(["-c", script, env!("CARGO_BIN_EXE_handler")])
            .env_clear()
            .envs(&handler.environment)
            .current_dir(handler.path("."))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = failed(command.spawn().unwrap()).await;
        assert!(output.contains("the state store failed to write"), "{output}");
        assert_eq!(azure.ids(ACTIVITIES).len(), 20);
    }
    handler.poll_well().await;
    assert_each_once(&pingone, &azure.ids(ACTIVITIES));
}
