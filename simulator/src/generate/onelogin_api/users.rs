//! Users of the API.

use chrono::{DateTime, SubsecRound, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::generate::DIFFICULT_NAMES;
use crate::random::{one_in, pick};
use crate::times::milliseconds;

const FIRST_NAMES: [&str; 5] = ["Noor", "Léa", "葵", "Kwame", "Ragnheiður"];
const LAST_NAMES: [&str; 5] = ["Haddad", "O'Neill", "山田", "Mensah", "van der \"Berg\""];

/// One version of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// `id`, an integer.
    pub id: u64,
    /// `created_at`; since and until of the API see only this time.
    pub created_at: DateTime<Utc>,
    /// `updated_at`.
    pub updated_at: DateTime<Utc>,
    /// The user as compact JSON text.
    pub json: String,
}

/// Makes users.
#[derive(Debug)]
pub struct Users {
    rng: StdRng,
    last_id: u64,
}

impl Users {
    /// A generator with that seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let last_id = rng.random_range(100_000_000..200_000_000);
        Users { rng, last_id }
    }

    /// A user that was added at that time.
    pub fn new_object(&mut self, at: DateTime<Utc>) -> User {
        let at = at.trunc_subsecs(3);
        self.last_id += self.rng.random_range(1..9);
        let id = self.last_id;
        let login = format!("user{id}");
        let has_details = one_in(&mut self.rng, 2);
        let user = json!({
            "id": id,
            "username": has_details.then_some(&login),
            "email": format!("{login}@example.com"),
            "firstname": pick(&mut self.rng, &FIRST_NAMES),
            "lastname": pick(&mut self.rng, &LAST_NAMES),
            "department": has_details.then(|| pick(&mut self.rng, &DIFFICULT_NAMES)),
            "title": if has_details { json!("Lead") } else { Value::Null },
            "openid_name": login,
            "company": "",
            "phone": null,
            "status": 1,
            "state": 1,
            "group_id": null,
            "directory_id": null,
            "distinguished_name": null,
            "external_id": null,
            "invalid_login_attempts": 0,
            "locale_code": null,
            "member_of": null,
            "notes": null,
            "samaccountname": null,
            "userprincipalname": null,
            "created_at": milliseconds(at),
            "updated_at": milliseconds(at),
            "activated_at": milliseconds(at),
            "last_login": null,
            "locked_until": null,
            "password_changed_at": null,
            "role_id": [],
            "custom_attributes": {"badge": has_details.then_some("7-A")},
        });
        User {
            id,
            created_at: at,
            updated_at: at,
            json: user.to_string(),
        }
    }

    /// The same user in another department, changed at that time.
    pub fn update(&mut self, previous: &User, at: DateTime<Utc>) -> User {
        let department = format!(
            "{} {}",
            pick(&mut self.rng, &DIFFICULT_NAMES),
            self.rng.random_range(10..99)
        );
        self.changed(previous, at, json!({"department": department, "title": "Head"}))
    }

    /// The same user after a sign-in at that time: nothing that describes the person has changed.
    pub fn sign_in(&mut self, previous: &User, at: DateTime<Utc>) -> User {
        let time = milliseconds(at.trunc_subsecs(3));
        self.changed(previous, at, json!({"last_login": time, "invalid_login_attempts": 1}))
    }

    fn changed(&self, previous: &User, at: DateTime<Utc>, changes: Value) -> User {
        let updated_at = at.trunc_subsecs(3);
        let mut user: Value = serde_json::from_str(&previous.json).expect("a generated user is JSON");
        for (key, value) in changes.as_object().into_iter().flatten() {
            user[key] = value.clone();
        }
        user["updated_at"] = json!(milliseconds(updated_at));
        User {
            updated_at,
            json: user.to_string(),
            ..previous.clone()
        }
    }
}
