//! A private certificate authority, and TLS in front of a plain loopback server.
//!
//! A client that insists on `https` and on a production host name is tested unchanged with three parts: an
//! [`Authority`] that the client is told to trust (`SSL_CERT_FILE`), a [`TlsFront`] with a certificate for that host
//! name in front of a plain server, and a [`ConnectProxy`](crate::connect_proxy::ConnectProxy) that leads the host name
//! to the front (`HTTPS_PROXY`). Nothing in the client knows that it is tested:
//!
//! ```no_run
//! # use simulator::{connect_proxy::ConnectProxy, tls::{Authority, TlsFront}};
//! let authority = Authority::new();
//! std::fs::write("authority.pem", authority.certificate_pem()).expect("the folder can be written to");
//! let front = TlsFront::start(&authority, &["account.blob.core.windows.net"], "http://127.0.0.1:10000");
//! let proxy = ConnectProxy::start();
//! proxy.lead("account.blob.core.windows.net", 443, front.port());
//! // Then, for the spawned process only:
//! // SSL_CERT_FILE=authority.pem  HTTPS_PROXY=<proxy.url()>
//! ```

mod authority;
mod front;

pub use authority::Authority;
pub use front::TlsFront;

#[cfg(test)]
mod tests;
