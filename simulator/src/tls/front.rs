//! TLS in front of a plain server.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::relay::Relay;
use crate::tls::Authority;

/// Ends TLS and passes the bytes on, as a gateway does. It looks at nothing: any server that speaks HTTP/1.1 on a
/// loopback port can stand behind it. Stops when dropped.
pub struct TlsFront {
    relay: Relay,
}

impl TlsFront {
    /// Listens with a certificate of `authority` for `hosts`, in front of the server at `plain_origin`, which is
    /// `http://` with an IP address and a port, as every simulator's `origin()` gives it.
    pub fn start(authority: &Authority, hosts: &[&str], plain_origin: &str) -> Self {
        let address = plain_origin.trim_start_matches("http://").trim_end_matches('/');
        let plain: SocketAddr = address.parse().expect("the origin is an IP address and a port");
        let acceptor = TlsAcceptor::from(authority.server_config(hosts));
        let relay = Relay::start(move |stream| pass(acceptor.clone(), stream, plain));
        TlsFront { relay }
    }

    /// The port on 127.0.0.1 that speaks TLS.
    pub fn port(&self) -> u16 {
        self.relay.port()
    }
}

/// A client that trusts somebody else, or a server that has gone, ends the connection and nothing more.
async fn pass(acceptor: TlsAcceptor, stream: TcpStream, plain: SocketAddr) {
    let Ok(mut secured) = acceptor.accept(stream).await else {
        return;
    };
    let Ok(mut server) = TcpStream::connect(plain).await else {
        return;
    };
    let _ = copy_bidirectional(&mut secured, &mut server).await;
}
