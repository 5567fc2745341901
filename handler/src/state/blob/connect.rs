//! Connects to a container: with the handler's identity, or with the public key of the emulator's account.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::azure::{AzureCredential, MicrosoftAzureBuilder};
use object_store::client::{
    ClientOptions, HttpClient as ObjectClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use object_store::{BackoffConfig, CredentialProvider, ObjectStore, RetryConfig};

use crate::azure::TokenSource;
use crate::http::HttpClient;
use crate::state::settings::Container;
use crate::time::Deadline;

/// What the identity is asked for.
pub const STORAGE_SCOPE: &str = "https://storage.azure.com/.default";
/// One try. All tries together are bounded by the store.
const TRY_TIME: Duration = Duration::from_secs(8);
const TOKEN_TIME: Duration = Duration::from_secs(10);
/// The account of Azurite, the storage emulator, has one name and one key everywhere. Source: "Use the Azurite
/// emulator for local Azure Storage development".
const EMULATOR_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Nothing is sent yet. Fails for an address that makes no sense.
pub fn connect(
    container: &Container,
    http: &HttpClient,
    tokens: Arc<dyn TokenSource>,
) -> Result<Arc<dyn ObjectStore>, String> {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 4,
        retry_timeout: Duration::from_secs(10),
    };
    let url = reqwest::Url::parse(container.endpoint.as_str()).map_err(|error| error.to_string())?;
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&container.account)
        .with_container_name(&container.name)
        .with_retry(retry)
        .with_http_connector(Connector(http.client_for(&url).clone()));
    builder = if container.endpoint.is_loopback() {
        builder
            .with_endpoint(format!("{}/{}", container.endpoint.as_str(), container.account))
            .with_allow_http(true)
            .with_access_key(EMULATOR_KEY)
    } else {
        builder
            .with_endpoint(container.endpoint.as_str().to_owned())
            .with_credentials(Arc::new(Credentials(tokens)))
    };
    let store = builder.build().map_err(|error| error.to_string())?;
    Ok(Arc::new(store))
}

#[derive(Debug)]
struct Credentials(Arc<dyn TokenSource>);

#[async_trait]
impl CredentialProvider for Credentials {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        let token = self.0.token(STORAGE_SCOPE, Deadline::after(TOKEN_TIME)).await;
        let token = token.map_err(|error| object_store::Error::Generic {
            store: "blob storage",
            source: Box::new(error),
        })?;
        Ok(Arc::new(AzureCredential::BearerToken(token.expose().to_owned())))
    }
}

/// The handler's own client: it honours a proxy for the world outside and none for loopback.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<ObjectClient> {
        Ok(ObjectClient::new(Timed(self.0.clone())))
    }
}

#[derive(Debug)]
struct Timed(reqwest::Client);

#[async_trait]
impl HttpService for Timed {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        match tokio::time::timeout(TRY_TIME, HttpService::call(&self.0, request)).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(HttpError::new(HttpErrorKind::Timeout, elapsed)),
        }
    }
}
