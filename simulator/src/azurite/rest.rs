//! The few calls of the Blob service that a test needs to look into a container.
//!
//! Contract: Microsoft's "Blob Storage REST API". Our own calls, so that what the handler stored is not read with the
//! code that stored it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Response, StatusCode};
use serde::Deserialize;

use super::options::AzuriteOptions;
use super::shared_key::{ToSign, authorization};
use crate::client::plain_client;
use crate::wall_clock;

/// The version that is asked for.
const VERSION: &str = "2021-12-02";

/// Names per page of a list; few, so that paging happens.
const PAGE: &str = "500";

const IN_PATH: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
const IN_QUERY: AsciiSet = IN_PATH.add(b'/');

#[derive(Default)]
struct BlobCall<'a> {
    method: Method,
    container: &'a str,
    /// Empty for the container itself.
    blob: &'a str,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    blobs: Blobs,
    #[serde(default)]
    next_marker: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blobs {
    #[serde(default)]
    blob: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: String,
}

/// A blob service at its address, and the calls to it.
pub struct BlobService {
    options: AzuriteOptions,
    port: u16,
}

impl BlobService {
    pub(super) fn new(options: AzuriteOptions, port: u16) -> Self {
        BlobService { options, port }
    }

    pub(super) fn options(&self) -> &AzuriteOptions {
        &self.options
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end; with TLS `https://<account>.blob.core.windows.net`.
    pub fn origin(&self) -> String {
        match self.options.https {
            None => format!("http://127.0.0.1:{}", self.port),
            Some(_) => format!("https://{}", self.production_host()),
        }
    }

    /// The value of `STATE_URL` for this container.
    pub fn state_url(&self, container: &str) -> String {
        format!("{}{}/{container}", self.origin(), self.account_path())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `<account>.blob.core.windows.net`
    pub fn production_host(&self) -> String {
        format!("{}.blob.core.windows.net", self.options.account)
    }

    /// Where the account stands in the path: in front over plain HTTP, in the host name with TLS.
    pub(super) fn account_path(&self) -> String {
        match self.options.https {
            None => format!("/{}", self.options.account),
            Some(_) => String::new(),
        }
    }

    /// Makes an empty container. Panics where there is one of this name.
    pub async fn create_container(&self, container: &str) {
        let call = BlobCall {
            method: Method::PUT,
            container,
            query: vec![("restype", "container".to_owned())],
            ..BlobCall::default()
        };
        self.expect(call, &[StatusCode::CREATED]).await;
    }

    /// The names of all blobs that begin with `prefix`, in order.
    pub async fn list(&self, container: &str, prefix: &str) -> Vec<String> {
        let mut names = Vec::new();
        let mut marker = String::new();
        loop {
            let mut query = vec![("comp", "list".to_owned())];
            if !marker.is_empty() {
                query.push(("marker", marker));
            }
            query.push(("maxresults", PAGE.to_owned()));
            query.push(("prefix", prefix.to_owned()));
            query.push(("restype", "container".to_owned()));
            let call = BlobCall {
                container,
                query,
                ..BlobCall::default()
            };
            let answer = self.expect(call, &[StatusCode::OK]).await;
            let text = answer.text().await.expect("the list comes whole");
            let listed: Listed =
                quick_xml::de::from_str(&text).unwrap_or_else(|error| panic!("this is no list ({error}): {text}"));
            names.extend(listed.blobs.blob.into_iter().map(|blob| blob.name));
            if listed.next_marker.is_empty() {
                return names;
            }
            marker = listed.next_marker;
        }
    }

    /// The bytes of a blob; `None` where there is none of this name.
    pub async fn read(&self, container: &str, blob: &str) -> Option<Vec<u8>> {
        let call = BlobCall {
            container,
            blob,
            ..BlobCall::default()
        };
        let answer = self.expect(call, &[StatusCode::OK, StatusCode::NOT_FOUND]).await;
        if answer.status() == StatusCode::NOT_FOUND {
            return None;
        }
        Some(answer.bytes().await.expect("the blob comes whole").to_vec())
    }

    /// Writes a blob, over what was there.
    pub async fn write(&self, container: &str, blob: &str, bytes: impl Into<Vec<u8>>) {
        let call = BlobCall {
            method: Method::PUT,
            container,
            blob,
            headers: vec![("x-ms-blob-type", "BlockBlob".to_owned())],
            body: bytes.into(),
            ..BlobCall::default()
        };
        self.expect(call, &[StatusCode::CREATED]).await;
    }

    /// Removes a blob. Panics where there is none of this name.
    pub async fn delete(&self, container: &str, blob: &str) {
        let call = BlobCall {
            method: Method::DELETE,
            container,
            blob,
            ..BlobCall::default()
        };
        self.expect(call, &[StatusCode::ACCEPTED]).await;
    }

    async fn expect(&self, call: BlobCall<'_>, statuses: &[StatusCode]) -> Response {
        let what = format!("{} {}/{}", call.method, call.container, call.blob);
        let answer = self.send(call).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let status = answer.status();
        if statuses.contains(&status) {
            return answer;
        }
        let text = answer.text().await.unwrap_or_default();
        panic!("{what}: {status}: {text}");
    }

    async fn send(&self, mut call: BlobCall<'_>) -> reqwest::Result<Response> {
        let date = wall_clock::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        call.headers.push(("x-ms-date", date));
        call.headers.push(("x-ms-version", VERSION.to_owned()));
        let blob = utf8_percent_encode(call.blob, &IN_PATH).to_string();
        let slash = if blob.is_empty() { "" } else { "/" };
        let path = format!("{}/{}{slash}{blob}", self.account_path(), call.container);
        let content_type = if call.body.is_empty() {
            ""
        } else {
            "application/octet-stream"
        };
        let to_sign = ToSign {
            method: call.method.as_str(),
            body_bytes: call.body.len(),
            content_type,
            headers: &call.headers,
            path: &path,
            query: &call.query,
        };
        let options = &self.options;
        let authorization = authorization(&options.account, &options.account_key, &to_sign);

        // Behind TLS it listens under the production host at the port of this machine.
        let mut url = match options.https {
            None => format!("{}{path}", self.origin()),
            Some(_) => format!("{}:{}{path}", self.origin(), self.port),
        };
        for (number, (name, value)) in call.query.iter().enumerate() {
            let mark = if number == 0 { '?' } else { '&' };
            url.push_str(&format!("{mark}{name}={}", utf8_percent_encode(value, &IN_QUERY)));
        }
        let mut request = self
            .client()
            .request(call.method, url)
            .header("Authorization", authorization)
            // The client leaves it out where it is 0, and the service refuses that.
            .header("Content-Length", call.body.len());
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if !content_type.is_empty() {
            request = request.header("Content-Type", content_type);
        }
        request.body(call.body).send().await
    }

    /// A new one for each call: a test has its own runtime, which must not leave connections to another's.
    fn client(&self) -> Client {
        let Some(https) = &self.options.https else {
            return plain_client();
        };
        let root = Certificate::from_pem(https.authority_pem.as_bytes()).expect("the authority is in PEM");
        Client::builder()
            .no_proxy()
            .tls_certs_only([root])
            .redirect(Policy::none())
            .resolve(&self.production_host(), ([127, 0, 0, 1], self.port()).into())
            .build()
            .expect("a client with one certificate can be built")
    }
}
