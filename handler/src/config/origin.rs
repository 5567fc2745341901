//! Scheme, host and port of a service.

use std::fmt;

use url::Url;

use crate::config::invalid_value::InvalidValue;
use crate::config::web_address;

/// Scheme, host and port without a path: `https`, or `http` for this machine only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin such as `https://example.com` or `http://127.0.0.1:9000`; a single slash
    /// at the end is accepted.
    ///
    /// # Errors
    /// Says the accepted form where the text is anything else, and never repeats the text.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let refusal = || {
            InvalidValue::new(
                "must be an origin such as https://host or https://host:port (http for loopback \
                 addresses only), without user name, path, query or fragment",
            )
        };
        let url = web_address::parse(text).ok_or_else(refusal)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(refusal());
        }
        Ok(Self::of(&url))
    }

    /// The origin of an address that obeys the rules of [`web_address`].
    pub fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization())
    }

    /// The origin of a well-known host.
    pub fn of_host(host: &str) -> Self {
        Self(format!("https://{host}"))
    }

    /// The origin as text, without a slash at the end and without the scheme's own port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host alone, without scheme and port.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => rest,
        }
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| web_address::is_loopback(&url))
    }

    /// Whether `url` leads to the same scheme, host and port.
    pub fn is_origin_of(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_in_one_spelling() {
        for (written, kept) in [
            ("https://api.pingone.eu", "https://api.pingone.eu"),
            ("https://api.pingone.eu/", "https://api.pingone.eu"),
            ("HTTPS://API.PingOne.eu:443", "https://api.pingone.eu"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://localhost:80/", "http://localhost"),
            ("http://[::1]:5", "http://[::1]:5"),
        ] {
            assert_eq!(Origin::parse(written).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn anything_after_the_port_is_refused() {
        for refused in [
            "https://example.com/v1",
            "https://example.com//",
            "https://example.com/?",
            "https://example.com?a=b",
            "https://example.com#a",
            "https://example.com/../",
            "https://me@example.com",
            "http://example.com",
            "example.com",
            "",
        ] {
            let refusal = Origin::parse(refused).unwrap_err().to_string();
            assert!(!refusal.contains("example.com"), "{refusal}");
        }
    }

    #[test]
    fn only_the_same_scheme_host_and_port_is_the_same_origin() {
        let origin = Origin::parse("https://example.com").unwrap();
        let same = |text: &str| origin.is_origin_of(&Url::parse(text).unwrap());

        assert!(same("https://example.com:443/a?b=c"));
        assert!(!same("http://example.com/"));
        assert!(!same("https://example.com:444/"));
        assert!(!same("https://example.com.evil.test/"));
        assert!(!same("data:text/plain,x"));
        assert!(!origin.is_loopback());
        assert!(Origin::parse("http://localhost:1").unwrap().is_loopback());
    }
}
