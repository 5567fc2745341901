use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

const BEGINNING: &[u8] = br#"[{"id":1},{"id":"#;

/// Answers one request with the beginning of a longer body. The connection then ends, or is `held` as long as this lives.
struct Breaking {
    url: Url,
    _connection: std::thread::JoinHandle<Option<std::net::TcpStream>>,
}

fn breaking(is_held: bool) -> Breaking {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let connection = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            .unwrap();
        stream.write_all(BEGINNING).unwrap();
        is_held.then_some(stream)
    });
    Breaking {
        url,
        _connection: connection,
    }
}

async fn ask(server: &Breaking, cap: usize, timeout: Duration) -> BrokenReply {
    let client = HttpClient::new(&Environment::default()).unwrap();
    let deadline = Deadline::after(Duration::from_secs(60));
    let sent = client.send_once(client.get(server.url.clone()), cap, timeout, deadline);
    sent.await.unwrap_err()
}

#[tokio::test]
async fn what_came_of_a_body_that_breaks_off_or_stops_is_given_out() {
    let broken = ask(&breaking(false), 1000, Duration::from_secs(60)).await;
    assert!(matches!(broken.error, TransportError::Interrupted(_)), "{broken:?}");
    assert_eq!(broken.begun.unwrap().body, BEGINNING);

    let broken = ask(&breaking(true), 1000, Duration::from_secs(2)).await;
    assert!(matches!(broken.error, TransportError::Timeout(_)), "{broken:?}");
    assert_eq!(broken.begun.unwrap().body, BEGINNING);
}

#[tokio::test]
async fn a_body_over_the_cap_is_given_out_up_to_the_cap() {
    let broken = ask(&breaking(true), 12, Duration::from_secs(60)).await;
    assert!(matches!(broken.error, TransportError::TooLarge(12)), "{broken:?}");
    assert_eq!(broken.begun.unwrap().body, BEGINNING[..12]);
}

#[tokio::test]
async fn of_an_answer_that_never_began_there_is_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Breaking {
        url: format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap(),
        _connection: std::thread::spawn(move || {
            drop(listener.accept().unwrap());
            None
        }),
    };
    let broken = ask(&server, 1000, Duration::from_secs(60)).await;
    assert!(!broken.error.was_never_sent() && broken.begun.is_none(), "{broken:?}");
}
