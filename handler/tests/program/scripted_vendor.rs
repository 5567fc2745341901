//! A vendor that answers as a test says: for answers that no simulator gives.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request, read to its end.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    /// Decoded.
    pub query: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Listens until it is dropped.
pub struct ScriptedVendor {
    pub origin: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl ScriptedVendor {
    /// `answer` gives the status and the body.
    pub async fn start(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::start_slow("nothing", Duration::ZERO, answer).await
    }

    /// The same, and answers on paths that end like this take their time.
    pub async fn start_slow(
        slow_path: &'static str,
        delay: Duration,
        answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (seen, answer) = (asked.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move {
                    let mut connection = connection;
                    let Some(asked) = read(&mut connection).await else {
                        return;
                    };
                    seen.lock().push(asked.clone());
                    if asked.path.ends_with(slow_path) {
                        tokio::time::sleep(delay).await;
                    }
                    let (status, body) = answer(&asked);
                    let length = body.len();
                    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                    let _ = connection.write_all(format!("{head}{body}").as_bytes()).await;
                });
            }
        });
        Self { origin, asked, task }
    }

    /// What came, on paths that end like this.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock();
        asked
            .iter()
            .filter(|asked| asked.path.ends_with(path))
            .cloned()
            .collect()
    }
}

impl Drop for ScriptedVendor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(connection: &mut TcpStream) -> Option<Asked> {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase().lines().find_map(|line| {
                let length = line.strip_prefix("content-length: ")?;
                length.parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                let target = head.split(' ').nth(1)?;
                let url = reqwest::Url::parse(&format!("http://x{target}")).ok()?;
                return Some(Asked {
                    path: url.path().to_owned(),
                    query: url.query_pairs().into_owned().collect(),
                    body: body.to_owned(),
                });
            }
        }
        match connection.read(&mut chunk).await {
            Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
    }
}
