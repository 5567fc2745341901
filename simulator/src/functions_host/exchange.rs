//! One request and one answer over HTTP/1.1, byte by byte under our control: the framing of the request and
//! an answer that comes too early matter here, and a common client hides both.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::contract::header_of;
use super::error::HostError;

/// How the length of a request body is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// There is no body.
    None,
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// A request to the handler.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) method: String,
    /// Path and query as they go on the wire.
    pub(super) target: String,
    /// Without `Host` and without the framing headers.
    pub(super) headers: Vec<(String, String)>,
    pub(super) framing: Framing,
    pub(super) body: Vec<u8>,
}

/// The handler's answer.
#[derive(Clone, Debug)]
pub(super) struct RawAnswer {
    pub(super) status: u16,
    /// The reason phrase behind the status; may be empty.
    pub(super) reason: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the whole request was on its way when the answer was complete.
    pub(super) request_sent: bool,
}

impl RawAnswer {
    /// The first value of a header, by any case of its name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header_of(&self.headers, name)
    }
}

/// Sends the request to the port of 127.0.0.1 and reads the answer while it is still being sent.
pub(super) async fn exchange(port: u16, outgoing: &Outgoing) -> Result<RawAnswer, HostError> {
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .map_err(|error| HostError::Unreachable(error.to_string()))?;
    let (reader, writer) = stream.into_split();
    let bytes = bytes_of(port, outgoing);
    let sending = send(writer, &bytes);
    let receiving = receive(BufReader::new(reader), &outgoing.method);
    tokio::pin!(sending, receiving);
    let mut sent = None;
    loop {
        tokio::select! {
            biased;
            // The half that is kept here leaves the connection open until the answer is there.
            outcome = &mut sending, if sent.is_none() => sent = Some(outcome),
            answer = &mut receiving => {
                let mut answer = answer.map_err(|error| HostError::Broken(error.to_string()))?;
                answer.request_sent = matches!(sent, Some(Ok(_)));
                return Ok(answer);
            }
        }
    }
}

async fn send(mut writer: OwnedWriteHalf, bytes: &[u8]) -> std::io::Result<OwnedWriteHalf> {
    writer.write_all(bytes).await?;
    Ok(writer)
}

fn bytes_of(port: u16, outgoing: &Outgoing) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n",
        outgoing.method, outgoing.target
    );
    for (name, value) in &outgoing.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match outgoing.framing {
        Framing::None => {}
        Framing::Length => head.push_str(&format!("Content-Length: {}\r\n", outgoing.body.len())),
        Framing::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    match outgoing.framing {
        Framing::None => {}
        Framing::Length => bytes.extend_from_slice(&outgoing.body),
        Framing::Chunked => {
            for chunk in outgoing.body.chunks(4096) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        }
    }
    bytes
}

async fn receive(mut reader: BufReader<OwnedReadHalf>, method: &str) -> std::io::Result<RawAnswer> {
    let mut answer = loop {
        let head = read_head(&mut reader).await?;
        // An interim answer is followed by the real one.
        if head.status >= 200 {
            break head;
        }
    };
    if method == "HEAD" || answer.status == 204 || answer.status == 304 {
        return Ok(answer);
    }
    let is_chunked = answer
        .header("Transfer-Encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    if is_chunked {
        answer.body = read_chunks(&mut reader).await?;
        return Ok(answer);
    }
    let length = answer.header("Content-Length").map(str::parse::<usize>);
    match length {
        Some(Ok(length)) => {
            answer.body = vec![0; length];
            reader.read_exact(&mut answer.body).await?;
        }
        Some(Err(_)) => return Err(invalid("a Content-Length that is no number")),
        None => {
            reader.read_to_end(&mut answer.body).await?;
        }
    }
    Ok(answer)
}

/// The status line and the headers: an answer without its body.
async fn read_head(reader: &mut BufReader<OwnedReadHalf>) -> std::io::Result<RawAnswer> {
    let status_line = read_line(reader).await?;
    let (status, reason) = status_line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.split_at_checked(3))
        .and_then(|(digits, reason)| Some((digits.parse().ok()?, reason.trim())))
        .ok_or_else(|| invalid("no HTTP/1.1 status line"))?;
    let mut answer = RawAnswer {
        status,
        reason: reason.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        request_sent: false,
    };
    loop {
        let line = read_line(reader).await?;
        if line.is_empty() {
            return Ok(answer);
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| invalid("a header without a colon"))?;
        answer.headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

async fn read_chunks(reader: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader).await?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).map_err(|_| invalid("a chunk size that is no number"))?;
        if size == 0 {
            while !read_line(reader).await?.is_empty() {}
            return Ok(body);
        }
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..]).await?;
        read_line(reader).await?;
    }
}

async fn read_line(reader: &mut BufReader<OwnedReadHalf>) -> std::io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).await?;
    if line.pop() != Some(b'\n') {
        return Err(invalid("the connection ended"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn invalid(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
