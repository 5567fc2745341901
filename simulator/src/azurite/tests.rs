use super::*;
use crate::client::plain_client;
use crate::connect_proxy::ConnectProxy;
use crate::managed_identity::ManagedIdentity;
use crate::tls::Authority;

fn on_disk() -> AzuriteOptions {
    AzuriteOptions {
        on_disk: true,
        ..AzuriteOptions::default()
    }
}

#[tokio::test]
async fn what_is_written_is_listed_and_read_until_it_is_deleted() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("written").await;
    let odd = "a folder/ä+b%2F&c.json";
    azurite.write(&container, "a/1", "one").await;
    azurite.write(&container, "b/2", Vec::new()).await;
    azurite.write(&container, odd, "three").await;

    assert_eq!(azurite.list(&container, "").await, [odd, "a/1", "b/2"]);
    assert_eq!(azurite.list(&container, "a folder/ä+").await, [odd]);
    assert_eq!(azurite.list(&container, "nothing").await, Vec::<String>::new());
    assert_eq!(
        azurite.read(&container, "a/1").await.as_deref(),
        Some(b"one".as_slice())
    );
    assert_eq!(azurite.read(&container, "b/2").await.as_deref(), Some(b"".as_slice()));
    assert_eq!(
        azurite.read(&container, odd).await.as_deref(),
        Some(b"three".as_slice())
    );

    azurite.delete(&container, "a/1").await;
    assert_eq!(azurite.read(&container, "a/1").await, None);
}

#[tokio::test]
async fn a_list_of_several_pages_is_whole() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("pages").await;
    let names: Vec<String> = (0..1_003).map(|number| format!("blob-{number:04}")).collect();
    for name in &names {
        azurite.write(&container, name, "").await;
    }

    assert_eq!(azurite.list(&container, "").await, names);
}

#[tokio::test]
async fn data_on_disk_are_there_again_at_the_same_address_after_a_stop() {
    let azurite = Azurite::start(on_disk());
    let container = azurite.new_container("kept").await;
    azurite.write(&container, "a", "before").await;
    let url = azurite.state_url(&container);

    azurite.stop();
    assert!(azurite.process_id().is_none());
    let port = std::net::TcpListener::bind(("127.0.0.1", azurite.port()));
    assert!(port.is_ok(), "somebody still listens");
    drop(port);
    azurite.start_again();

    assert_eq!(azurite.state_url(&container), url);
    assert_eq!(
        azurite.read(&container, "a").await.as_deref(),
        Some(b"before".as_slice())
    );
}

#[tokio::test]
async fn a_request_signed_with_another_key_is_refused() {
    let azurite = Azurite::start(AzuriteOptions::default());
    let options = AzuriteOptions {
        account_key: "c29tZWJvZHkgZWxzZSdzIGtleQ==".to_owned(),
        ..AzuriteOptions::default()
    };
    let stranger = BlobService::new(options, azurite.port());
    let refused = tokio::spawn(async move { stranger.create_container("theirs").await }).await;

    let panic = refused.expect_err("the call panics").into_panic();
    let message = panic.downcast_ref::<String>().expect("the panic has a text");
    assert!(message.contains("403"), "{message}");
}

#[tokio::test]
async fn under_the_production_host_name_the_tokens_of_the_managed_identity_open_and_no_others() {
    let authority = Authority::new();
    let azurite = Azurite::start(AzuriteOptions::as_in_azure("probeacct", &authority));
    let container = azurite.new_container("identity").await;
    azurite.write(&container, "a", "one").await;
    let url = format!("{}/a", azurite.state_url(&container));
    assert_eq!(url, "https://probeacct.blob.core.windows.net/identity-0/a");
    let proxy = ConnectProxy::start();
    proxy.lead(&azurite.production_host(), 443, azurite.port());
    let identity = ManagedIdentity::start();
    let root = reqwest::Certificate::from_pem(authority.certificate_pem().as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .proxy(reqwest::Proxy::https(proxy.url()).expect("an address"))
        .build()
        .expect("a client");
    let ask = async |token: String| {
        let request = client.get(&url).header("x-ms-version", "2021-12-02").bearer_auth(token);
        request.send().await.expect("an answer").status().as_u16()
    };

    assert_eq!(ask(token(&identity, "https://storage.azure.com").await).await, 200);
    assert_eq!(ask(token(&identity, "https://storage.azure.com/").await).await, 200);
    assert_eq!(ask(token(&identity, "https://monitor.azure.com").await).await, 403);
    assert_eq!(ask("no-token".to_owned()).await, 403);
}

async fn token(identity: &ManagedIdentity, audience: &str) -> String {
    let url = format!("{}?api-version=2019-08-01&resource={audience}", identity.endpoint());
    let request = plain_client().get(url).header("X-IDENTITY-HEADER", identity.header());
    let answer = request.send().await.expect("an answer").text().await.expect("a body");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    answer["access_token"].as_str().expect("a token").to_owned()
}
