use actix_web::web::{self, ServiceConfig};
use reqwest::{Certificate, Client, Proxy};

use super::*;
use crate::connect_proxy::ConnectProxy;
use crate::loopback::LoopbackServer;

const HOST: &str = "account.blob.core.windows.net";

fn plain_server() -> LoopbackServer {
    LoopbackServer::start(|config: &mut ServiceConfig| {
        config.default_service(web::to(|| async { "behind the front" }));
    })
}

/// A client that trusts `authority` alone and goes through `proxy`.
fn client(authority: &Authority, proxy: &ConnectProxy) -> Client {
    let root = Certificate::from_pem(authority.certificate_pem().as_bytes()).expect("a certificate");
    Client::builder()
        .tls_certs_only([root])
        .proxy(Proxy::https(proxy.url()).expect("an address"))
        .build()
        .expect("a client")
}

#[tokio::test]
async fn a_production_host_name_is_led_to_a_plain_loopback_server() {
    let (authority, server, proxy) = (Authority::new(), plain_server(), ConnectProxy::start());
    let front = TlsFront::start(&authority, &[HOST, "*.vault.azure.net"], &server.origin());
    proxy.lead(HOST, 443, front.port());
    proxy.lead("X.vault.azure.net", 443, front.port());
    let client = client(&authority, &proxy);

    for host in [HOST, "x.vault.azure.net"] {
        let answer = client
            .get(format!("https://{host}/a?b=c"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.text().await.expect("a body"), "behind the front");
    }

    assert_eq!(
        proxy.asked(),
        ["account.blob.core.windows.net:443", "x.vault.azure.net:443"]
    );
    assert_eq!(proxy.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn nobody_trusts_another_authority_or_a_certificate_for_another_host() {
    let (authority, server, proxy) = (Authority::new(), plain_server(), ConnectProxy::start());
    let front = TlsFront::start(&authority, &[HOST], &server.origin());
    proxy.lead(HOST, 443, front.port());
    proxy.lead("other.blob.core.windows.net", 443, front.port());

    let stranger = client(&Authority::new(), &proxy)
        .get(format!("https://{HOST}/"))
        .send()
        .await;
    let other_host = client(&authority, &proxy)
        .get("https://other.blob.core.windows.net/")
        .send()
        .await;

    assert!(stranger.is_err());
    assert!(other_host.is_err());
}

#[tokio::test]
async fn a_host_that_is_led_nowhere_is_refused_and_kept() {
    let (authority, proxy) = (Authority::new(), ConnectProxy::start());

    let answer = client(&authority, &proxy).get("https://example.com:8443/").send().await;

    assert!(answer.is_err());
    assert_eq!(proxy.asked(), ["example.com:8443"]);
    assert_eq!(proxy.violations().len(), 1);
}
