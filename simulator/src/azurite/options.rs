//! How Azurite is started.

use crate::tls::Authority;

/// The development account.
pub const DEVELOPMENT_ACCOUNT: &str = "devstoreaccount1";

/// Its key, which Microsoft publishes: no secret.
const DEVELOPMENT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// How Azurite is started.
#[derive(Clone, Debug)]
pub struct AzuriteOptions {
    /// The storage account.
    pub account: String,
    /// Its key in base64.
    pub account_key: String,
    /// Keeps the data in files, so that they are there again after a stop. Otherwise in memory.
    pub on_disk: bool,
    /// TLS under the production host name.
    pub https: Option<Https>,
    /// Takes bearer tokens, which it does over TLS only.
    pub oauth: bool,
}

/// What a server with TLS needs, and its clients.
#[derive(Clone, Debug)]
pub struct Https {
    /// The certificate for `<account>.blob.core.windows.net`.
    pub certificate_pem: String,
    /// Its key.
    pub key_pem: String,
    /// The root that clients have to trust.
    pub authority_pem: String,
}

impl AzuriteOptions {
    /// As in Azure: TLS under `<account>.blob.core.windows.net`, whose certificate is from `authority`, and bearer
    /// tokens of a managed identity.
    pub fn as_in_azure(account: &str, authority: &Authority) -> Self {
        let host = format!("{account}.blob.core.windows.net");
        let (certificate_pem, key_pem) = authority.certificate_and_key_pem(&[&host]);
        Self {
            account: account.to_owned(),
            https: Some(Https {
                certificate_pem,
                key_pem,
                authority_pem: authority.certificate_pem(),
            }),
            oauth: true,
            ..Self::default()
        }
    }
}

impl Default for AzuriteOptions {
    fn default() -> Self {
        Self {
            account: DEVELOPMENT_ACCOUNT.to_owned(),
            account_key: DEVELOPMENT_KEY.to_owned(),
            on_disk: false,
            https: None,
            oauth: false,
        }
    }
}
