//! The HTTP client of the senders and of the tests.

use reqwest::Client;
use reqwest::redirect::Policy;

/// A client that talks to loopback servers: no proxy of the environment, no redirects, no need for the
/// certificates of the machine.
pub(crate) fn plain_client() -> Client {
    Client::builder()
        .no_proxy()
        .tls_certs_only(std::iter::empty())
        .redirect(Policy::none())
        .build()
        .expect("a client without special settings can be built")
}
