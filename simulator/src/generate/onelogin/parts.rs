//! The keys of each part of a OneLogin event.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::event_types::Part;
use crate::generate::{DIFFICULT_NAMES, USER_AGENTS};
use crate::random::{one_in, pick, uuid};

const PEOPLE: [&str; 4] = ["Noor Haddad", "Léa Fontaine", "山田 葵", "Kwame \"KJ\" Mensah"];
const APPS: [&str; 3] = ["Ledger", "Träume & Co", "Ticket-Desk \\ EU"];

/// The keys and values of one part.
pub(in crate::generate) fn fields_of(part: Part, rng: &mut StdRng) -> Vec<(&'static str, Value)> {
    match part {
        Part::Actor => vec![("actor_user_id", id(rng)), ("actor_user_name", name(rng, &PEOPLE))],
        Part::User => vec![("user_id", id(rng)), ("user_name", name(rng, &PEOPLE))],
        Part::UserAttributes => user_attributes(rng),
        Part::App => vec![("app_id", id(rng)), ("app_name", name(rng, &APPS))],
        Part::Role => vec![("role_id", id(rng)), ("role_name", name(rng, &DIFFICULT_NAMES))],
        Part::Policy => vec![
            ("policy_name", name(rng, &DIFFICULT_NAMES)),
            ("policy_type", json!("user")),
            ("policy_id", id(rng)),
        ],
        Part::Group => vec![("group_id", id(rng)), ("group_name", name(rng, &DIFFICULT_NAMES))],
        Part::Browser => vec![
            ("user_agent", name(rng, &USER_AGENTS)),
            ("browser_fingerprint", id(rng)),
        ],
        Part::Risk => risk(rng),
        Part::Factor => vec![
            ("authentication_factor_id", id(rng)),
            ("authentication_factor_type", json!("7")),
            ("authentication_factor_description", json!("Field kit")),
        ],
        Part::Device => vec![("otp_device_id", id(rng)), ("otp_device_name", json!("Pocket №2"))],
        Part::ApiCredential => vec![
            ("api_credential_name", name(rng, &DIFFICULT_NAMES)),
            ("client_id", json!(uuid(rng))),
        ],
        Part::Privilege => vec![
            ("privilege_id", json!(uuid(rng))),
            ("privilege_name", json!("Read reports")),
        ],
        Part::Directory => vec![
            ("directory_id", id(rng)),
            ("directory_name", json!("ou=Halle,dc=example,dc=com")),
            ("directory_sync_run_id", id(rng)),
        ],
        Part::Mapping => vec![("mapping_id", id(rng)), ("mapping_name", json!("Contractors → guests"))],
        Part::Task => vec![("task_name", json!("Outbound events")), ("entity", json!("Webhook"))],
        Part::Note => vec![("notes", json!("The answer was \"no\" (second try)."))],
        Part::LongNote => vec![(
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
