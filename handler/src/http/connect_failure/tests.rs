use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use simulator::tls::{Authority, TlsFront};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use super::*;

const SETTING: &str = "VENDOR__URL";

/// Trusts one authority and no proxy of the environment.
fn client(authority: &Authority) -> ClientBuilder {
    let certificate = Certificate::from_pem(authority.certificate_pem().as_bytes()).unwrap();
    Client::builder().no_proxy().tls_certs_only([certificate])
}

async fn advice(client: ClientBuilder, url: &str) -> String {
    let error = client.build().unwrap().get(url).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    let host = error.url().and_then(reqwest::Url::host_str);
    ConnectFailure::of(&error, host).advice(SETTING)
}

/// Answers whatever comes first with a text, once.
async fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).await.unwrap();
        connection.write_all(answer.as_bytes()).await.unwrap();
    });
    port
}

/// A port that refuses connections as long as the socket lives.
fn closed() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

#[tokio::test]
async fn a_closed_port_and_a_host_that_does_not_exist() {
    let authority = Authority::new();
    let (_socket, port) = closed();
    let refused = advice(client(&authority), &format!("https://127.0.0.1:{port}")).await;
    assert_eq!(
        refused,
        "nothing answers there (Connection refused): check VENDOR__URL, or whether a firewall is in between"
    );
    // The reason is the resolver's.
    let unknown = advice(client(&authority), "https://console.invalid").await;
    assert!(unknown.starts_with("its host name cannot be resolved ("), "{unknown}");
    assert!(
        unknown.ends_with("): check the host name in VENDOR__URL, and this machine's DNS"),
        "{unknown}"
    );
}

#[tokio::test]
async fn certificates_of_nobody_known_and_of_another_host_and_no_tls_at_all() {
    let (authority, other) = (Authority::new(), Authority::new());
    let plain = format!("http://127.0.0.1:{}", answering("").await);
    let front = TlsFront::start(&authority, &["other.example", "*.other.example"], &plain);
    let address = format!("https://127.0.0.1:{}", front.port());

    let untrusted = advice(client(&other), &address).await;
    assert!(
        untrusted
            .starts_with("its certificate is not trusted (unknown issuer): where a proxy inspects TLS, add its root"),
        "{untrusted}"
    );
    assert!(
        untrusted.ends_with("SSL_CERT_FILE; else check VENDOR__URL"),
        "{untrusted}"
    );
    assert_eq!(
        advice(client(&authority), &address).await,
        "its certificate is for other.example, *.other.example and not for this host: check the host name in VENDOR__URL"
    );
    let port = answering("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(
        advice(client(&authority), &format!("https://127.0.0.1:{port}")).await,
        "no TLS is spoken there: check the port in VENDOR__URL"
    );
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_refuses_or_is_down() {
    let authority = Authority::new();
    let through = async |port: u16| {
        let proxy = Proxy::https(format!("http://127.0.0.1:{port}")).unwrap();
        advice(client(&authority).proxy(proxy), "https://console.example.net").await
    };
    assert_eq!(
        through(answering("HTTP/1.1 407 X\r\nProxy-Authenticate: Basic\r\n\r\n").await).await,
        "the proxy in HTTPS_PROXY wants a user name and password: write http://<user>:<password>@<host>:<port>"
    );
    assert_eq!(
        through(answering("HTTP/1.1 403 X\r\n\r\n").await).await,
        "the proxy in HTTPS_PROXY does not connect to console.example.net: allow it there"
    );
    let (_socket, port) = closed();
    assert_eq!(
        through(port).await,
        "the proxy in HTTPS_PROXY cannot be reached (Connection refused): check HTTPS_PROXY, or NO_PROXY"
    );
}

#[test]
fn a_certificate_out_of_date_may_be_the_fault_of_the_clock() {
    for (error, expected) in [
        (
            CertificateError::Expired,
            "its certificate has expired, or this machine's clock is wrong: look at the clock first, then at VENDOR__URL",
        ),
        (
            CertificateError::NotValidYet,
            "its certificate is not valid yet, or this machine's clock is wrong: look at the clock first, then at VENDOR__URL",
        ),
    ] {
        let error = io::Error::other(rustls::Error::InvalidCertificate(error));
        assert_eq!(ConnectFailure::of(&error, None).advice(SETTING), expected);
    }
}
