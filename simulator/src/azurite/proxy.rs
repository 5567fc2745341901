//! A proxy in front of Azurite that counts what is asked of it, and breaks chosen connections.
//!
//! A connection that breaks is reset: the client reads `connection reset by peer`, as from a load balancer that lost
//! its server. Requests and answers go through as they are.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::Azurite;
use crate::connect_proxy::read_head;
use crate::relay::Relay;

/// When a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Before the service has the request.
    BeforeRequest,
    /// After the service has done what it was asked for, and before its answer comes.
    BeforeAnswer,
}

/// What the service was asked for, as Azure bills it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Blobs written.
    pub writes: usize,
    /// Pages of lists, which cost what a write costs.
    pub lists: usize,
    /// Blobs read.
    pub reads: usize,
    /// Calls that remove blobs, which are free.
    pub removals: usize,
}

/// A running proxy. Stops when dropped.
pub struct AzuriteProxy {
    relay: Relay,
    state: Arc<Mutex<ProxyState>>,
}

#[derive(Default)]
struct ProxyState {
    requests: Vec<String>,
    breaks: Vec<BreakRule>,
}

struct BreakRule {
    when: Break,
    which: Which,
}

enum Which {
    /// The next request that holds all of these.
    Like(Vec<String>),
    /// The request of this place among all.
    Number(usize),
}

impl AzuriteProxy {
    /// Starts a proxy that breaks nothing yet. Plain HTTP only.
    pub fn start(azurite: &Azurite) -> Self {
        assert!(
            azurite.options().https.is_none(),
            "what is encrypted cannot be told apart"
        );
        let port = azurite.port();
        let state = Arc::<Mutex<ProxyState>>::default();
        let same_state = state.clone();
        let relay = Relay::start(move |stream| {
            let state = same_state.clone();
            async move {
                // An error is a client or a server that has gone.
                let _ = serve(stream, port, &state).await;
            }
        });
        AzuriteProxy { relay, state }
    }

    /// The value of `STATE_URL` for this container.
    pub fn state_url(&self, azurite: &Azurite, container: &str) -> String {
        let port = self.relay.port();
        format!("http://127.0.0.1:{port}{}/{container}", azurite.account_path())
    }

    /// Breaks the connection of the next request that holds all of these `parts`, as [`Self::requests`] shows it.
    pub fn break_next(&self, parts: &[&str], when: Break) {
        let which = Which::Like(parts.iter().map(|part| (*part).to_owned()).collect());
        self.state.lock().breaks.push(BreakRule { when, which });
    }

    /// Breaks the connection of the `number`th request from now on, 0 being the next one.
    pub fn break_request(&self, number: usize, when: Break) {
        let mut state = self.state.lock();
        let which = Which::Number(state.requests.len() + number);
        state.breaks.push(BreakRule { when, which });
    }

    /// How many of the breaks have not happened.
    pub fn waiting_breaks(&self) -> usize {
        self.state.lock().breaks.len()
    }

    /// Each request so far, in order: `PUT /account/container/blob?query if-match`, the last word if it has a condition.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().requests.clone()
    }

    /// Counts the requests after the first `since`.
    pub fn operations(&self, since: usize) -> Operations {
        let mut counted = Operations::default();
        for request in self.state.lock().requests.iter().skip(since) {
            let count = match request.split(' ').next().unwrap_or_default() {
                "PUT" => &mut counted.writes,
                "DELETE" | "POST" => &mut counted.removals,
                _ if request.contains("comp=list") => &mut counted.lists,
                _ => &mut counted.reads,
            };
            *count += 1;
        }
        counted
    }
}

impl ProxyState {
    /// Notes a request, and says whether its connection breaks.
    fn note(&mut self, request: &str) -> Option<Break> {
        let number = self.requests.len();
        self.requests.push(request.to_owned());
        let is_meant = |rule: &BreakRule| match &rule.which {
            Which::Like(parts) => parts.iter().all(|part| request.contains(part.as_str())),
            Which::Number(of) => *of == number,
        };
        let position = self.breaks.iter().position(is_meant)?;
        Some(self.breaks.remove(position).when)
    }
}

#[derive(PartialEq, Eq)]
enum End {
    Closed,
    Broken,
}

async fn serve(mut client: TcpStream, port: u16, state: &Mutex<ProxyState>) -> std::io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    // One request at a time: what comes next from the server answers the last one.
    let is_answer_lost = AtomicBool::new(false);
    let requests = async {
        let mut from_client = BufReader::new(from_client);
        while let Ok(head) = read_head(&mut from_client).await {
            match state.lock().note(&request_of(&head)) {
                Some(Break::BeforeRequest) => return Ok(End::Broken),
                Some(Break::BeforeAnswer) => is_answer_lost.store(true, Ordering::Relaxed),
                None => {}
            }
            to_server.write_all(head.as_bytes()).await?;
            to_server.write_all(b"\r\n").await?;
            let mut body = (&mut from_client).take(body_length(&head));
            tokio::io::copy(&mut body, &mut to_server).await?;
        }
        Ok::<End, std::io::Error>(End::Closed)
    };
    let answers = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from_server.read(&mut buffer).await?;
            if length == 0 {
                return Ok::<End, std::io::Error>(End::Closed);
            }
            if is_answer_lost.load(Ordering::Relaxed) {
                return Ok(End::Broken);
            }
            to_client.write_all(&buffer[..length]).await?;
        }
    };
    let end = tokio::select! {
        end = requests => end?,
        end = answers => end?,
    };
    if end == End::Broken {
        client.set_zero_linger()?;
    }
    Ok(())
}

/// `PUT /path?query` of the request line, and the name of the condition.
fn request_of(head: &str) -> String {
    let line = head.lines().next().unwrap_or_default();
    let request = line.rsplit_once(' ').unwrap_or_default().0;
    let mut conditions = ["if-match", "if-none-match"].into_iter();
    match conditions.find(|name| header(head, name).is_some()) {
        Some(condition) => format!("{request} {condition}"),
        None => request.to_owned(),
    }
}

fn body_length(head: &str) -> u64 {
    let length = header(head, "content-length").and_then(|length| length.parse().ok());
    length.unwrap_or(0)
}

fn header<'h>(head: &'h str, wanted: &str) -> Option<&'h str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    Some(value.trim())
}
