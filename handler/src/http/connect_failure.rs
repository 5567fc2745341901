//! Why no connection came about, told apart so that each can be said with what to do.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter::successors;

use rustls::CertificateError;

/// What a failed tunnel begins with. Source: `TunnelError` of hyper-util, a type that is not public.
const TUNNEL: &str = "tunnel error: ";
const NO_CREDENTIALS_FOR_THE_PROXY: &str = "proxy authorization required";
const NO_CONNECTION_TO_THE_PROXY: &str = "failed to create underlying connection";
/// A certificate can have many names.
const NAMES_SHOWN: usize = 3;

/// See the module. The texts follow the name of what was asked, and name no URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    /// The system's resolver has no address.
    #[error("its host name cannot be resolved ({0})")]
    HostNotFound(String),
    /// Refused, unreachable, or silent.
    #[error("nothing answers there ({0})")]
    NoAnswer(String),
    /// Any reason but those of the two next ones.
    #[error("its certificate is not trusted ({0})")]
    CertificateNotTrusted(String),
    /// The names in the certificate.
    #[error("its certificate is for {0} and not for this host")]
    CertificateOfAnotherHost(String),
    /// "has expired" or "is not valid yet".
    #[error("its certificate {0}, or this machine's clock is wrong")]
    CertificateOutOfDate(&'static str),
    /// Something else than a TLS handshake came back.
    #[error("no TLS is spoken there")]
    NoTls,
    /// 407
    #[error("the proxy in HTTPS_PROXY wants a user name and password")]
    ProxyWantsCredentials,
    /// Name resolution, TCP or TLS on the way to the proxy.
    #[error("the proxy in HTTPS_PROXY cannot be reached ({0})")]
    ProxyUnreachable(String),
    /// Any other refusal; the host that was asked for.
    #[error("the proxy in HTTPS_PROXY does not connect to {0}")]
    ProxyRefused(String),
    /// The client's own words.
    #[error("the connection failed ({0})")]
    Other(String),
}

impl ConnectFailure {
    /// Sorts an error of a client by all its causes. `host` is what was to be reached, `None` if that is not known.
    pub fn of(error: &(dyn Error + 'static), host: Option<&str>) -> Self {
        let last = root_cause(error);
        let tunnel = causes(error).find_map(|cause| cause.to_string().strip_prefix(TUNNEL).map(str::to_owned));
        if let Some(tunnel) = tunnel {
            return match tunnel.as_str() {
                NO_CREDENTIALS_FOR_THE_PROXY => Self::ProxyWantsCredentials,
                NO_CONNECTION_TO_THE_PROXY => Self::ProxyUnreachable(last),
                _ => Self::ProxyRefused(host.unwrap_or("this host").to_owned()),
            };
        }
        if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            return Self::of_tls(error);
        }
        let mut clients = causes(error).filter_map(|cause| cause.downcast_ref::<reqwest::Error>());
        if clients.clone().any(reqwest::Error::is_dns) {
            return Self::HostNotFound(last);
        }
        let mut kinds = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
        if kinds.any(is_silence) {
            return Self::NoAnswer(last);
        }
        match clients.any(reqwest::Error::is_timeout) {
            true => Self::NoAnswer("timed out".to_owned()),
            false => Self::Other(last),
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use CertificateError::{
            BadSignature, Expired, ExpiredContext, NotValidForNameContext, NotValidYet, NotValidYetContext,
            UnknownIssuer,
        };
        let error = match error {
            rustls::Error::InvalidCertificate(error) => error,
            rustls::Error::InvalidMessage(_) => return Self::NoTls,
            error => return Self::Other(error.to_string()),
        };
        match error {
            // A bad signature is that of another issuer by the name of one that is trusted.
            UnknownIssuer | BadSignature => Self::CertificateNotTrusted("unknown issuer".to_owned()),
            NotValidForNameContext { presented, .. } => Self::CertificateOfAnotherHost(host_names(presented)),
            Expired | ExpiredContext { .. } => Self::CertificateOutOfDate("has expired"),
            NotValidYet | NotValidYetContext { .. } => Self::CertificateOutOfDate("is not valid yet"),
            error => Self::CertificateNotTrusted(error.to_string()),
        }
    }

    /// Why, and what to do. `address` names what holds the address, such as a setting.
    pub fn advice(&self, address: &str) -> String {
        let remedy = match self {
            Self::HostNotFound(_) => format!("check the host name in {address}, and this machine's DNS"),
            Self::NoAnswer(_) => format!("check {address}, or whether a firewall is in between"),
            Self::CertificateNotTrusted(_) => format!(
                "where a proxy inspects TLS, add its root certificate to the usual ones in a PEM file and name that file \
                 in SSL_CERT_FILE; else check {address}"
            ),
            Self::CertificateOfAnotherHost(_) => format!("check the host name in {address}"),
            Self::CertificateOutOfDate(_) => format!("look at the clock first, then at {address}"),
            Self::NoTls => format!("check the port in {address}"),
            Self::ProxyWantsCredentials => "write http://<user>:<password>@<host>:<port>".to_owned(),
            Self::ProxyUnreachable(_) => "check HTTPS_PROXY, or NO_PROXY".to_owned(),
            Self::ProxyRefused(_) => "allow it there".to_owned(),
            Self::Other(_) => format!("check {address}"),
        };
        format!("{self}: {remedy}")
    }
}

/// The error itself and what lies under it, also what an [`io::Error`] wraps, which its own `source` passes over.
pub fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> + Clone {
    successors(Some(error), |error| cause_of(*error))
}

fn cause_of<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The innermost cause, without the number and the function of the operating system.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let text = causes(error).last().map(ToString::to_string).unwrap_or_default();
    let text = text.split(" (os error").next().unwrap_or_default();
    let text = text
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(text);
    text.to_owned()
}

fn is_silence(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::TimedOut
            | ErrorKind::AddrNotAvailable
    )
}

/// They are written as `DnsName("other.example")`. Source: `GeneralName` of rustls-webpki.
fn host_names(presented: &[String]) -> String {
    let names = presented.iter().take(NAMES_SHOWN);
    let names: Vec<&str> = names.map(|name| name.split('"').nth(1).unwrap_or(name)).collect();
    match (names.is_empty(), presented.len() > NAMES_SHOWN) {
        (true, _) => "no host".to_owned(),
        (false, true) => format!("{} and others", names.join(", ")),
        (false, false) => names.join(", "),
    }
}

#[cfg(test)]
mod tests;
