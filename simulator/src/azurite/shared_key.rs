//! Requests signed with the key of a storage account.
//!
//! Contract: Microsoft's "Authorize with Shared Key", service version 2015-02-21 and newer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What is signed of one request.
pub(super) struct ToSign<'a> {
    pub(super) method: &'a str,
    pub(super) body_bytes: usize,
    pub(super) content_type: &'a str,
    /// The `x-ms-` headers in the order of their names, which are in lower case.
    pub(super) headers: &'a [(&'static str, String)],
    /// As it stands in the URL.
    pub(super) path: &'a str,
    /// Decoded, in the order of the names, which are in lower case.
    pub(super) query: &'a [(&'static str, String)],
}

/// The value of the `Authorization` header.
pub(super) fn authorization(account: &str, key: &str, request: &ToSign<'_>) -> String {
    let key = STANDARD.decode(key).expect("the key of an account is base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key may have any length");
    mac.update(text(account, request).as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    format!("SharedKey {account}:{signature}")
}

fn text(account: &str, request: &ToSign<'_>) -> String {
    let length = match request.body_bytes {
        0 => String::new(),
        bytes => bytes.to_string(),
    };
    // Encoding, language, length, MD5, type, date, four conditions, range.
    let mut text = format!(
        "{}\n\n\n{length}\n\n{}\n\n\n\n\n\n\n",
        request.method, request.content_type
    );
    for (name, value) in request.headers {
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(&format!("/{account}{}", request.path));
    for (name, value) in request.query {
        text.push_str(&format!("\n{name}:{value}"));
    }
    text
}
