//! Azurite's own process: its arguments, the word that it listens, its end.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::installed;
use super::options::AzuriteOptions;

/// It leaves as soon as its standard input ends, so that none is left behind by a test that is killed.
const GUARDIAN: &str = include_str!("guardian.cjs");

/// It takes a second or two; this is the end of patience.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that listens. Dropped, it is killed.
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts the service on a port of 127.0.0.1 and waits until it listens; why it does not, otherwise.
    pub(super) fn start(options: &AzuriteOptions, folder: &Path, port: u16) -> Result<Self, String> {
        let mut command = Command::new("node");
        command
            .arg("--eval")
            .arg(GUARDIAN)
            .arg("--")
            .arg(installed::blob_service());
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        command.args(["--silent", "--disableTelemetry"]);
        if options.on_disk {
            command.arg("--location").arg(folder);
        } else {
            command.arg("--inMemoryPersistence");
        }
        if let Some(https) = &options.https {
            let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
            std::fs::write(&certificate, &https.certificate_pem).expect("the folder can be written");
            std::fs::write(&key, &https.key_pem).expect("the folder can be written");
            command.arg("--cert").arg(certificate).arg("--key").arg(key);
        }
        if options.oauth {
            command.args(["--oauth", "basic"]);
        }
        let accounts = format!("{}:{}", options.account, options.account_key);
        command.env("AZURITE_ACCOUNTS", accounts).current_dir(folder);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|error| format!("node cannot be started ({error}); Azurite needs Node 20 or newer"))?;
        let mut process = Process { child };
        process.wait_until_it_listens()?;
        Ok(process)
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it save its data and leave, and waits until it is gone.
    pub(super) fn stop(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().expect("a child can be waited for");
        assert!(status.success(), "Azurite did not leave in good order: {status}");
    }

    fn wait_until_it_listens(&mut self) -> Result<(), String> {
        let stdout = self.child.stdout.take().expect("the stream is piped");
        let stderr = self.child.stderr.take().expect("the stream is piped");
        let (heard, word) = mpsc::sync_channel(1);
        std::thread::spawn(move || listen_to(stdout, &heard));
        let complaint = std::thread::spawn(move || read_all(stderr));
        match word.recv_timeout(PATIENCE) {
            Ok(()) => Ok(()),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("Azurite does not listen after {PATIENCE:?}")),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                // It closed its output without the word: it has left, or is about to.
                let _ = self.child.wait();
                let complaint = complaint.join().unwrap_or_default();
                Err(format!("Azurite did not start: {complaint}"))
            }
        }
    }
}

/// Reads its output to the end, so that it never waits for its reader, and says when it listens.
fn listen_to(stdout: impl Read, heard: &mpsc::SyncSender<()>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if line.contains("successfully listens") {
            // A second word cannot come, and nobody is harmed where the first one came too late.
            let _ = heard.try_send(());
        }
    }
}

fn read_all(mut stderr: impl Read) -> String {
    let mut text = Vec::new();
    let _ = stderr.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the process has ended and been waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
