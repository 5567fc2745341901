//! An HTTP proxy that leads chosen host names to loopback ports.
//!
//! Contract: RFC 9110, 9.3.6 (`CONNECT host:port`), the way every HTTPS client goes through the proxy that
//! `HTTPS_PROXY` names. A host that was not led anywhere is refused with 502 and kept, so that a test sees who else
//! was asked; no connection ever leaves the machine.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::TcpStream;

use crate::relay::Relay;

/// A request head is small; more is not read.
const LARGEST_HEAD_BYTES: u64 = 16 * 1024;

/// A running proxy. Stops when dropped.
pub struct ConnectProxy {
    relay: Relay,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// `host:port` in lower case, to the loopback port.
    led: HashMap<String, u16>,
    /// `host:port` of each `CONNECT`, in order.
    asked: Vec<String>,
    violations: Vec<String>,
}

impl ConnectProxy {
    /// Starts a proxy that leads nobody anywhere yet.
    pub fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let same_state = state.clone();
        let relay = Relay::start(move |stream| {
            let state = same_state.clone();
            async move {
                // An error is a client or a server that has gone.
                let _ = serve(stream, &state).await;
            }
        });
        ConnectProxy { relay, state }
    }

    /// The value of `HTTPS_PROXY`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.relay.port())
    }

    /// From now on `host:port` (e.g. `x.vault.azure.net`, 443) is `127.0.0.1:loopback_port`. Connections that are open
    /// stay where they are.
    pub fn lead(&self, host: &str, port: u16, loopback_port: u16) {
        let name = format!("{}:{port}", host.to_ascii_lowercase());
        self.state.lock().led.insert(name, loopback_port);
    }

    /// `host:port` of every connection that was asked for, in order, led somewhere or not.
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().asked.clone()
    }

    /// What no client of ours may do: ask for a host that is not led anywhere, or for something else than a tunnel.
    pub fn violations(&self) -> Vec<String> {
        self.state.lock().violations.clone()
    }
}

async fn serve(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut client = BufReader::new(stream);
    let head = read_head(&mut client).await?;
    let Some(loopback_port) = state.lock().find(&head) else {
        return refuse(client).await;
    };
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, loopback_port)).await else {
        return refuse(client).await;
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    client.flush().await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// The lines up to the empty one.
pub(crate) async fn read_head(client: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut head = String::new();
    let mut limited = client.take(LARGEST_HEAD_BYTES);
    loop {
        let mut line = String::new();
        if limited.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line.trim_end().is_empty() {
            return Ok(head);
        }
        head.push_str(&line);
    }
}

async fn refuse(mut client: BufReader<TcpStream>) -> std::io::Result<()> {
    client
        .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .await?;
    client.shutdown().await
}

impl State {
    /// The loopback port of the host that a request head asks for.
    fn find(&mut self, head: &str) -> Option<u16> {
        let request_line = head.lines().next().unwrap_or_default();
        let mut words = request_line.split(' ');
        let (Some("CONNECT"), Some(target)) = (words.next(), words.next()) else {
            self.violations.push(format!(
                "the proxy was asked for something else than a tunnel: {request_line}"
            ));
            return None;
        };
        let target = target.to_ascii_lowercase();
        let port = self.led.get(&target).copied();
        if port.is_none() {
            self.violations
                .push(format!("the proxy was asked for {target}, which is not led anywhere"));
        }
        self.asked.push(target);
        port
    }
}
