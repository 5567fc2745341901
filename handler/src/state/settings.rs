//! Settings of the state: where it is kept.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::config::{InvalidValue, Origin, Reader, values, web_address};

const SETTING: &str = "STATE_URL";

/// The container of every deployment.
const FORMER_CONTAINER: &str = "connector-state";

const BLOB_DOMAINS: [&str; 3] = [
    ".blob.core.windows.net",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.chinacloudapi.cn",
];

/// Where checkpoints, spool and dead letters are kept: `STATE_URL`, default `data/state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateLocation {
    /// A local directory, made if absent.
    Directory(PathBuf),
    /// A container of a storage account.
    Blob(Container),
}

/// A container of a storage account, which has to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// `https://<account>.blob.core.windows.net`, or a loopback origin for an emulator, where the account is the first
    /// part of the path.
    pub endpoint: Origin,
    /// The storage account.
    pub account: String,
    /// Without the account.
    pub name: String,
}

impl fmt::Display for Container {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (endpoint, account, name) = (self.endpoint.as_str(), &self.account, &self.name);
        match self.endpoint.is_loopback() {
            true => write!(formatter, "{endpoint}/{account}/{name}"),
            false => write!(formatter, "{endpoint}/{name}"),
        }
    }
}

impl StateLocation {
    /// Reads `STATE_URL`, which must be set in Azure.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        if reader.is_in_azure() && !reader.raw(SETTING).is_set() {
            reader.reject(
                SETTING,
                "is missing; in Azure (WEBSITE_SITE_NAME is set) the local default lies on a disk that \
                 vanishes; set https://<account>.blob.core.windows.net/<container>",
            );
        }
        reader.program(SETTING, Self::accept)
    }

    /// Where deployments kept the state that had no storage account for it alone: with the host's own.
    pub fn in_host_account(&self, account: &str) -> Option<Container> {
        let Self::Blob(container) = self else { return None };
        if !is_account(account) {
            return None;
        }
        let endpoint = match container.endpoint.is_loopback() {
            true => container.endpoint.clone(),
            false => {
                let domain = container.endpoint.host().strip_prefix(container.account.as_str())?;
                Origin::of_host(&format!("{account}{domain}"))
            }
        };
        let former = Container {
            endpoint,
            account: account.to_owned(),
            name: FORMER_CONTAINER.to_owned(),
        };
        (former != *container).then_some(former)
    }

    /// Accepts a path, or the URL of a container.
    fn accept(text: &str) -> Result<Self, InvalidValue> {
        if !text.contains("://") {
            return values::path(text).map(Self::Directory);
        }
        if text.contains('?') {
            return Err(InvalidValue::new(
                "must not carry a query or SAS token: the handler signs in with its own identity; \
                 give only https://<account>.blob.core.windows.net/<container>",
            ));
        }
        web_address::parse(text)
            .and_then(|url| Self::container_of(&url))
            .ok_or_else(|| {
                InvalidValue::new(
                    "must be a directory, https://<account>.blob.core.windows.net/<container> (or \
                     the same at core.usgovcloudapi.net or core.chinacloudapi.cn), or \
                     http://127.0.0.1:10000/<account>/<container> for an emulator on this machine; \
                     the container has 3 to 63 lower-case letters, digits and single hyphens",
                )
            })
    }

    fn container_of(url: &Url) -> Option<Self> {
        let path = url.path().strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let (account, container) = if web_address::is_loopback(url) {
            path.split_once('/')?
        } else {
            (account_of_host(url)?, path)
        };
        if !is_account(account) || !is_container(container) {
            return None;
        }
        Some(Self::Blob(Container {
            endpoint: Origin::of(url),
            account: account.to_owned(),
            name: container.to_owned(),
        }))
    }
}

fn account_of_host(url: &Url) -> Option<&str> {
    if url.port().is_some() {
        return None;
    }
    let host = url.host_str()?;
    BLOB_DOMAINS.iter().find_map(|domain| host.strip_suffix(domain))
}

fn is_account(text: &str) -> bool {
    (3..=24).contains(&text.len()) && text.bytes().all(is_lower_case_or_digit)
}

fn is_container(text: &str) -> bool {
    let has_odd_hyphen = text.starts_with('-') || text.ends_with('-') || text.contains("--");
    let is_accepted = |byte| is_lower_case_or_digit(byte) || byte == b'-';
    (3..=63).contains(&text.len()) && !has_odd_hyphen && text.bytes().all(is_accepted)
}

fn is_lower_case_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(endpoint: &str, account: &str, container: &str) -> StateLocation {
        StateLocation::Blob(Container {
            endpoint: Origin::parse(endpoint).unwrap(),
            account: account.to_owned(),
            name: container.to_owned(),
        })
    }

    #[test]
    fn a_text_without_a_scheme_is_a_path() {
        for path in ["data/state", "/var/lib/handler", "state", "C:\\state", "a b"] {
            let expected = StateLocation::Directory(PathBuf::from(path));
            assert_eq!(StateLocation::accept(path), Ok(expected));
        }
        assert!(StateLocation::accept("a\0b").is_err());
    }

    #[test]
    fn the_state_of_an_earlier_deployment_lay_in_the_hosts_account() {
        let own = "https://ownaccount.blob.core.usgovcloudapi.net";
        let present = blob(own, "ownaccount", "connector-state");
        let host = blob(
            "https://hostaccount.blob.core.usgovcloudapi.net",
            "hostaccount",
            "connector-state",
        );
        assert_eq!(
            present.in_host_account("hostaccount").map(StateLocation::Blob),
            Some(host)
        );
        assert_eq!(present.in_host_account("ownaccount"), None);
        assert_eq!(present.in_host_account("../other"), None);
        assert_eq!(
            StateLocation::Directory("data/state".into()).in_host_account("hostaccount"),
            None
        );
    }

    #[test]
    fn containers_in_azure_and_of_an_emulator_are_accepted() {
        for (written, expected) in [
            (
                "https://acct1.blob.core.windows.net/state",
                blob("https://acct1.blob.core.windows.net", "acct1", "state"),
            ),
            (
                "https://Acct1.blob.core.windows.net:443/my-state-1/",
                blob("https://acct1.blob.core.windows.net", "acct1", "my-state-1"),
            ),
            (
                "https://acct1.blob.core.usgovcloudapi.net/state",
                blob("https://acct1.blob.core.usgovcloudapi.net", "acct1", "state"),
            ),
            (
                "https://acct1.blob.core.chinacloudapi.cn/state",
                blob("https://acct1.blob.core.chinacloudapi.cn", "acct1", "state"),
            ),
            (
                "http://127.0.0.1:10000/devstoreaccount1/state",
                blob("http://127.0.0.1:10000", "devstoreaccount1", "state"),
            ),
            (
                "https://localhost:10000/devstoreaccount1/state",
                blob("https://localhost:10000", "devstoreaccount1", "state"),
            ),
        ] {
            assert_eq!(StateLocation::accept(written), Ok(expected));
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for refused in [
            "file:///var/lib/state",
            "https://example.com/state",
            "http://acct1.blob.core.windows.net/state",
            "https://acct1.blob.core.windows.net",
            "https://acct1.blob.core.windows.net/",
            "https://acct1.blob.core.windows.net/a",
            "https://acct1.blob.core.windows.net/State",
            "https://acct1.blob.core.windows.net/-state",
            "https://acct1.blob.core.windows.net/my--state",
            "https://acct1.blob.core.windows.net/state/folder",
            "https://acct1.blob.core.windows.net/state/../other",
            "https://acct1.blob.core.windows.net:444/state",
            "https://a.b.blob.core.windows.net/state",
            "https://blob.core.windows.net/state",
            "https://acct1.table.core.windows.net/state",
            "http://127.0.0.1:10000/state",
            "http://127.0.0.1:10000/devstoreaccount1/state/folder",
            "http://10.0.0.1:10000/devstoreaccount1/state",
        ] {
            assert!(StateLocation::accept(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_sas_token_is_refused_by_name_and_not_repeated() {
        let refusal = StateLocation::accept("https://acct1.blob.core.windows.net/state?sv=1&sig=hunter2")
            .unwrap_err()
            .to_string();

        assert!(refusal.contains("SAS"), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
