use super::*;
use crate::app::settings::catalog;
use crate::azure::KeyVaultError;

const SECRET: &str = "PINGONE__CLIENT_SECRET";

fn text(name: &str) -> String {
    format!("@Microsoft.KeyVault(VaultName=v;SecretName={name})")
}

fn secrets(settings: &[(&str, &str)]) -> Secrets {
    let environment = Environment::from(settings.iter().copied());
    let references = environment.references(catalog().unwrap());
    Secrets::new(environment, references)
}

fn unresolved(setting: &str) -> Secrets {
    secrets(&[(setting, &text("n"))])
}

/// Everything that is due gives this.
fn answer(due: HashSet<Reference>, value: Option<&str>) -> Resolved {
    let answer = |reference: &Reference| match value {
        Some(value) => Ok(Secret::new(value)),
        None => Err(KeyVaultError::no_answer(reference)),
    };
    due.into_iter()
        .map(|reference| {
            let answer = answer(&reference);
            (reference, answer)
        })
        .collect()
}

fn ask(secrets: &mut Secrets, value: Option<&str>) -> Change {
    let due = secrets.due(Instant::now());
    assert!(!due.is_empty(), "nothing is due");
    secrets.take(&answer(due, value), Instant::now())
}

fn nothing_is_due(secrets: &Secrets) -> bool {
    secrets.due(Instant::now()).is_empty()
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_resolved_is_asked_again_after_a_minute() {
    let mut secrets = unresolved(SECRET);
    assert!(ask(&mut secrets, None).settings);
    assert!(secrets.origins()[0].failure.as_ref().unwrap().contains("no answer"));

    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(nothing_is_due(&secrets));
    tokio::time::advance(Duration::from_secs(1)).await;
    // The same reason again changes nothing.
    assert_eq!(ask(&mut secrets, None), Change::default());

    tokio::time::advance(TRY_AGAIN_AFTER).await;
    assert!(ask(&mut secrets, Some("one")).settings);
    assert_eq!(secrets.environment().get(SECRET), Some("one"));
    assert_eq!(secrets.origins()[0].failure, None);
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(nothing_is_due(&secrets));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_value_is_resolved_anew_at_once_and_then_not_for_five_minutes() {
    let mut secrets = unresolved(SECRET);
    ask(&mut secrets, Some("one"));
    secrets.reject("PINGONE__");
    // Not replaced in the vault yet.
    assert_eq!(ask(&mut secrets, Some("one")), Change::default());

    secrets.reject("PINGONE__");
    tokio::time::advance(Duration::from_secs(299)).await;
    assert!(nothing_is_due(&secrets));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(ask(&mut secrets, Some("two")).settings);

    assert_eq!(secrets.environment().get(SECRET), Some("two"));
    tokio::time::advance(RENEW_AFTER).await;
    assert!(nothing_is_due(&secrets), "it was not rejected since");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_renewed_stays_as_it_was() {
    let mut secrets = unresolved(SECRET);
    ask(&mut secrets, Some("one"));
    secrets.reject("PINGONE__");

    let change = ask(&mut secrets, None);

    assert!(!change.settings);
    assert_eq!(change.not_renewed.len(), 1);
    assert_eq!(change.not_renewed[0].0, SECRET);
    assert_eq!(secrets.environment().get(SECRET), Some("one"));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_concerns_the_settings_of_one_instance_only() {
    for (rejected, is_due) in [("PINGONE__", [true, false]), ("PINGONE__ACME__", [false, true])] {
        let names = ["PINGONE__CLIENT_SECRET", "PINGONE__ACME__CLIENT_SECRET"];
        let mut secrets = secrets(&[(names[0], &text("unnamed")), (names[1], &text("acme"))]);
        ask(&mut secrets, Some("one"));
        secrets.reject(rejected);

        let due = secrets.due(Instant::now());

        let is_asked = |name: &str| due.iter().any(|reference| reference.secret_name() == name);
        assert_eq!([is_asked("unnamed"), is_asked("acme")], is_due, "{rejected}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_platform_resolved_is_asked_for_only_when_it_was_rejected() {
    let told = format!(
        r#"{{"{SECRET}":{{"rawReference":"{}","status":"Resolved"}}}}"#,
        text("n")
    );
    let mut secrets = secrets(&[(SECRET, "one"), ("WEBSITE_KEYVAULT_REFERENCES", &told)]);
    assert_eq!(secrets.unresolved(), 0);
    assert!(nothing_is_due(&secrets));

    secrets.reject("PINGONE__");
    assert_eq!(ask(&mut secrets, Some("one")), Change::default());
    secrets.reject("PINGONE__");
    tokio::time::advance(RENEW_AFTER).await;
    assert!(ask(&mut secrets, Some("two")).settings);

    assert_eq!(secrets.environment().get(SECRET), Some("two"));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_stands_in_two_settings_is_asked_for_once() {
    let mut secrets = secrets(&[(SECRET, &text("n")), ("ONELOGIN__BEARER_TOKEN", &text("n"))]);
    assert_eq!(secrets.due(Instant::now()).len(), 1);
    ask(&mut secrets, Some("one"));
    assert_eq!(secrets.unresolved(), 0);
}
