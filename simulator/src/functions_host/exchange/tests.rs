use tokio::net::TcpListener;

use super::*;

fn request(framing: Framing, body: Vec<u8>) -> Outgoing {
    Outgoing {
        method: "POST".to_owned(),
        target: "/x?y=1".to_owned(),
        headers: vec![("X-A".to_owned(), "1".to_owned())],
        framing,
        body,
    }
}

/// Sends to a server that answers with these bytes once it has read the head; gives the outcome and what the
/// server read. The server keeps the connection until the outcome is there where `keep_open` says so.
async fn against(
    outgoing: Outgoing,
    answer: &'static [u8],
    keep_open: bool,
) -> (Result<RawAnswer, HostError>, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut read = vec![0; 1024];
        let bytes = stream.read(&mut read).await.expect("a head");
        read.truncate(bytes);
        stream.write_all(answer).await.expect("the answer is sent");
        (read, keep_open.then_some(stream))
    });
    let outcome = exchange(port, &outgoing).await;
    let (read, _stream) = serving.await.expect("the server does not panic");
    (outcome, read)
}

#[tokio::test]
async fn the_head_names_the_framing_and_the_body_follows() {
    let (length, read) = against(
        request(Framing::Length, b"abc".to_vec()),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        true,
    )
    .await;
    let text = String::from_utf8(read).expect("text");
    assert!(text.starts_with("POST /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
    assert!(text.ends_with("X-A: 1\r\nContent-Length: 3\r\n\r\nabc"));
    let answer = length.expect("an answer");
    assert_eq!((answer.status, answer.request_sent), (204, true));

    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let (_, read) = against(request(Framing::Chunked, b"abc".to_vec()), ok, true).await;
    let text = String::from_utf8(read).expect("text");
    assert!(text.ends_with("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn answers_are_read_by_length_by_chunks_and_to_the_end() {
    let answers: [(&[u8], bool); 3] = [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", true),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            true,
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", false),
    ];
    for (answer, keep_open) in answers {
        let (outcome, _) = against(request(Framing::None, Vec::new()), answer, keep_open).await;
        let outcome = outcome.expect("an answer");
        assert_eq!((outcome.status, outcome.body.as_slice()), (200, &b"hello"[..]));
    }
}

#[tokio::test]
async fn an_answer_before_the_body_is_read_says_so() {
    // More than the buffers of both ends together take.
    let outgoing = request(Framing::Chunked, vec![b'x'; 64 * 1024 * 1024]);

    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    let (outcome, _) = against(outgoing, answer, true).await;

    assert!(!outcome.expect("an answer").request_sent);
}

#[tokio::test]
async fn a_broken_answer_is_an_error() {
    let answers: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ];
    for answer in answers {
        let (outcome, _) = against(request(Framing::None, Vec::new()), answer, false).await;
        assert!(matches!(outcome, Err(HostError::Broken(_))));
    }
}

#[tokio::test]
async fn a_port_without_a_listener_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);

    let outcome = exchange(port, &request(Framing::None, Vec::new())).await;

    assert!(matches!(outcome, Err(HostError::Unreachable(_))));
}
