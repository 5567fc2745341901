//! The keys of each part of a OneLogin event.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::event_types::EventPart;
use crate::generate::{DIFFICULT_NAMES, USER_AGENTS};
use crate::random::{one_in, pick, uuid};

const PEOPLE: [&str; 4] = ["Noor Haddad", "Léa Fontaine", "山田 葵", "Kwame \"KJ\" Mensah"];
const APPS: [&str; 3] = ["Ledger", "Träume & Co", "Ticket-Desk \\ EU"];

/// The keys and values of one part.
pub(in crate::generate) fn fields_of(part: EventPart, rng: &mut StdRng) -> Vec<(&'static str, Value)> {
    match part {
        EventPart::Actor => vec![("actor_user_id", id(rng)), ("actor_user_name", name(rng, &PEOPLE))],
        EventPart::User => vec![("user_id", id(rng)), ("user_name", name(rng, &PEOPLE))],
        EventPart::UserAttributes => user_attributes(rng),
        EventPart::App => vec![("app_id", id(rng)), ("app_name", name(rng, &APPS))],
        EventPart::Role => vec![("role_id", id(rng)), ("role_name", name(rng, &DIFFICULT_NAMES))],
        EventPart::Policy => vec![
            ("policy_name", name(rng, &DIFFICULT_NAMES)),
            ("policy_type", json!("user")),
            ("policy_id", id(rng)),
        ],
        EventPart::Group => vec![("group_id", id(rng)), ("group_name", name(rng, &DIFFICULT_NAMES))],
        EventPart::Browser => vec![
            ("user_agent", name(rng, &USER_AGENTS)),
            ("browser_fingerprint", id(rng)),
        ],
        EventPart::Risk => risk(rng),
        EventPart::Factor => vec![
            ("authentication_factor_id", id(rng)),
            ("authentication_factor_type", json!("7")),
            ("authentication_factor_description", json!("Field kit")),
        ],
        EventPart::Device => vec![("otp_device_id", id(rng)), ("otp_device_name", json!("Pocket №2"))],
        EventPart::ApiCredential => vec![
            ("api_credential_name", name(rng, &DIFFICULT_NAMES)),
            ("client_id", json!(uuid(rng))),
        ],
        EventPart::Privilege => vec![
            ("privilege_id", json!(uuid(rng))),
            ("privilege_name", json!("Read reports")),
        ],
        EventPart::Directory => vec![
            ("directory_id", id(rng)),
            ("directory_name", json!("ou=Halle,dc=example,dc=com")),
            ("directory_sync_run_id", id(rng)),
        ],
        EventPart::Mapping => vec![("mapping_id", id(rng)), ("mapping_name", json!("Contractors → guests"))],
        EventPart::Task => vec![("task_name", json!("Outbound events")), ("entity", json!("Webhook"))],
        EventPart::Note => vec![("notes", json!("The answer was \"no\" (second try)."))],
        EventPart::LongNote => vec![(
            "notes",
            json!(format!(
                "Way: portal\nSteps: name -> key -> key\n\tReference: {}",
                uuid(rng)
            )),
        )],
    }
}

/// A number, and once in ten its text: consumers disagree on the type of the same key.
pub(super) fn number_or_text(rng: &mut StdRng, number: u32) -> Value {
    if one_in(rng, 10) {
        return json!(number.to_string());
    }
    json!(number)
}

fn user_attributes(rng: &mut StdRng) -> Vec<(&'static str, Value)> {
    let mut attributes = vec![
        ("user_attributes_account_id", id(rng)),
        ("user_attributes_firstname", json!("Noor")),
        ("user_attributes_lastname", json!("Haddad")),
        ("user_attributes_email", json!("noor.haddad@example.com")),
        ("user_attributes_openid_name", json!("noor.haddad")),
    ];
    if one_in(rng, 2) {
        attributes.push(("user_attributes_username", json!("nhaddad")));
        attributes.push(("user_attributes_department", json!("Werft Süd")));
        attributes.push(("user_attributes_title", json!("Lead")));
    }
    attributes
}

/// A score with reasons: a list in some events, one text in others.
fn risk(rng: &mut StdRng) -> Vec<(&'static str, Value)> {
    let reasons = if one_in(rng, 2) {
        json!(["new place", "new browser"])
    } else {
        json!("new place; new browser")
    };
    vec![
        ("risk_score", json!(rng.random_range(0..=100))),
        ("risk_reasons", reasons),
        ("risk_cookie_id", json!(uuid(rng))),
    ]
}

fn id(rng: &mut StdRng) -> Value {
    let number = rng.random_range(10_000..400_000_000);
    number_or_text(rng, number)
}

fn name(rng: &mut StdRng, names: &[&'static str]) -> Value {
    json!(pick(rng, names))
}
