//! A server in the place of a vendor, of Azure or of a proxy that misbehaves as a case says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What comes back.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// A status and a JSON body.
    Json(u16, &'static str),
    /// A status and one header: its name and value.
    Header(u16, &'static str, &'static str),
    /// A sign-in page with status 200.
    SignInPage,
    /// The connection is closed without an answer.
    Closed,
    /// Half of a page, and the connection is closed.
    Half,
    /// Nothing, ever.
    Silence,
}

/// A token of the managed identity that stays valid.
const IDENTITY_TOKEN: Answer = Answer::Json(
    200,
    r#"{"access_token":"a-token","expires_on":"4102444800","resource":"https://monitor.azure.com","token_type":"Bearer"}"#,
);

/// What stands for the target of a request that is none.
const HANDSHAKE: &str = "a TLS handshake";

type Answers = &'static [(&'static str, Answer)];

/// Listens until it is dropped.
pub struct StandIn {
    pub port: u16,
    asked: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl StandIn {
    pub async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<AtomicUsize>::default();
        let counted = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let counted = counted.clone();
                tokio::spawn(async move {
                    // A client that has gone is no affair of the test.
                    let _ = serve(connection, answers, &counted).await;
                });
            }
        });
        Self { port, asked, task }
    }

    /// How many requests came.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut connection: TcpStream, answers: Answers, counted: &AtomicUsize) -> std::io::Result<()> {
    let Some(target) = read_request(&mut connection).await? else {
        return Ok(());
    };
    counted.fetch_add(1, Ordering::Relaxed);
    let found = answers.iter().find(|(part, _)| target.contains(part));
    let answer = match found {
        Some((_, answer)) => *answer,
        None if target == HANDSHAKE => Answer::Json(400, "{}"),
        None if target.contains("/msi/token") => IDENTITY_TOKEN,
        None => Answer::Json(404, r#"{"error":"there is nothing at this path"}"#),
    };
    let text = match answer {
        Answer::Json(status, body) => whole(status, "content-type: application/json", body),
        Answer::Header(status, name, value) => whole(status, &format!("{name}: {value}"), ""),
        Answer::SignInPage => whole(
            200,
            "content-type: text/html",
            "<!doctype html><html><head><title>Sign in</title></head><body>Who are you?</body></html>",
        ),
        Answer::Half => "HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n{\"data\":[".to_owned(),
        Answer::Closed => String::new(),
        Answer::Silence => return std::future::pending().await,
    };
    connection.write_all(text.as_bytes()).await?;
    connection.shutdown().await
}

fn whole(status: u16, header: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{header}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// Reads a request to its end and gives its target; `None` if there is no whole request.
async fn read_request(connection: &mut TcpStream) -> std::io::Result<Option<String>> {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        // A TLS handshake (RFC 8446, 5.1), which a server of plain HTTP takes for a bad request.
        if request.first() == Some(&22) {
            return Ok(Some(HANDSHAKE.to_owned()));
        }
        let end_of_head = request.windows(4).position(|bytes: &[u8]| bytes == b"\r\n\r\n");
        if let Some(end) = end_of_head {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let length = head.to_ascii_lowercase().lines().find_map(|line| {
                let length = line.strip_prefix("content-length:")?;
                length.trim().parse::<usize>().ok()
            });
            if request.len() >= end + 4 + length.unwrap_or_default() {
                return Ok(head.split(' ').nth(1).map(str::to_owned));
            }
        }
        match connection.read(&mut chunk).await? {
            0 => return Ok(None),
            count => request.extend_from_slice(&chunk[..count]),
        }
    }
}
