//! State in a container of Blob Storage: Azurite here, spoken to as in Azure or with its development key.

use simulator::azurite::{Azurite, AzuriteOptions};
use simulator::connect_proxy::ConnectProxy;
use simulator::functions_host::Mode;
use simulator::logs_ingestion::IngestionFault;
use simulator::pingone::PingOne;
use simulator::tls::Authority;

use crate::everything::{ENTERPRISE, Everything, end_leases};
use crate::harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_polled_and_pushed_once_and_all_state_lies_in_the_container() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("everything").await;
    let mut everything = Everything::start(900);
    let mut handler = everything.handler();
    handler.set("STATE_URL", &azurite.state_url(&container));
    everything.publish(20);
    everything.enterprise.publish_raw("42".to_owned());
    handler.poll_well().await;

    let host = handler.host(Mode::Proxy).await;
    everything.publish_to_senders(5);
    for push in std::mem::take(&mut everything.waiting_pushes) {
        assert!(push.send(&host).await);
    }
    // The pushed activities wait for the timer, which holds the lease of their account.
    let spooled = azurite.list(&container, &format!("spool/{ACTIVITIES}/")).await;
    assert!(!spooled.is_empty());
    host.timer().await.unwrap();
    host.kill().await;
    end_leases(azurite, &container).await;
    handler.poll_well().await;

    let names = azurite.list(&container, "").await;
    for prefix in [
        "checkpoints/pingone/default/activities",
        "checkpoints/sentinelone/default/agents",
        "checkpoints/onelogin/default/users",
        "dead-letters/",
        "leases/",
    ] {
        assert!(names.iter().any(|name| name.starts_with(prefix)), "{prefix}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("spool/")), "{names:?}");
    assert!(!handler.path("data").exists());
    assert_eq!(everything.missing(), Default::default());
    assert_eq!(everything.doubled_calls(), Default::default());
    everything.assert_no_violations(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_taken_waits_in_the_container_while_the_destination_is_down() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("waits").await;
    let mut everything = Everything::start(901);
    let mut handler = everything.handler();
    handler
        .set("STATE_URL", &azurite.state_url(&container))
        .set("POLL_BUDGET", "5s");
    everything.publish(12);
    everything.azure.ingestion.set_access(&everything.azure.rule_id, false);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    let spooled = azurite.list(&container, &format!("spool/{ENTERPRISE}/")).await;
    assert!(!spooled.is_empty(), "{}", ended.output);

    everything.azure.ingestion.set_access(&everything.azure.rule_id, true);
    everything.azure.ingestion.fail_next([IngestionFault::RefuseToken]);
    handler.poll_well().await;
    assert_eq!(everything.missing(), Default::default());
    assert_eq!(everything.doubled_calls(), Default::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_container_is_named_with_its_setting_and_nothing_is_delivered() {
    let azurite = Azurite::shared();
    let pingone = PingOne::start(options());
    pingone.publish(activities(902, 10, 30));
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("STATE_URL", &azurite.state_url("not-made-yet"));
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    for word in ["STATE_URL", "not-made-yet", "the container does not exist", "create it"] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
    assert!(handler.rows(ACTIVITIES).is_empty());

    azurite.create_container("not-made-yet").await;
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_an_unknown_version_is_refused_and_not_overwritten() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("version").await;
    let pingone = PingOne::start(options());
    pingone.publish(activities(903, 10, 30));
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("STATE_URL", &azurite.state_url(&container));
    let checkpoint = "checkpoints/pingone/default/activities.json";
    for text in ["{\"version\":99}", "half a fi"] {
        azurite.write(&container, checkpoint, text).await;
        let ended = handler.poll().await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.output.contains(checkpoint), "{}", ended.output);
        let kept = azurite.read(&container, checkpoint).await.unwrap();
        assert_eq!(kept, text.as_bytes());
    }
    assert!(handler.rows(ACTIVITIES).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_azure_the_managed_identity_opens_the_container_and_a_refusal_names_the_role() {
    let authority = Authority::new();
    let azurite = Azurite::start(AzuriteOptions::as_in_azure("probeacct", &authority));
    let container = azurite.new_container("state").await;
    let proxy = ConnectProxy::start();
    proxy.lead(&azurite.production_host(), 443, azurite.port());
    let mut everything = Everything::start(904);
    let mut handler = everything.handler();
    std::fs::write(handler.path("authority.pem"), authority.certificate_pem()).unwrap();
    handler
        .set("SSL_CERT_FILE", handler.path("authority.pem").to_str().unwrap())
        .set("HTTPS_PROXY", &proxy.url())
        .set("STATE_URL", &azurite.state_url(&container));
    everything.publish(20);
    handler.poll_well().await;
    everything.publish(5);
    handler.poll_well().await;
    assert_eq!(everything.missing(), Default::default());
    assert_eq!(everything.doubled_calls(), Default::default());
    assert_eq!(proxy.violations(), Vec::<String>::new());
    let names = azurite.list(&container, "checkpoints/").await;
    assert!(!names.is_empty());

    // Nobody gives it a token any more.
    everything.azure.identity.set_failing(true);
    let ended = handler.run(&["poll", "--source", "pingone"]).await;
    assert_eq!(ended.code, Some(1));
    for word in ["STATE_URL", "managed identity"] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
}
