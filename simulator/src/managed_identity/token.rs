//! Access tokens in the form of Microsoft Entra ID, version 1.0.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::random;

/// The tenant that gives out every token.
const TENANT: &str = "7d1a04c2-3c5e-4b0f-9d1c-52ab6f2f7e10";

/// Clocks differ: a token is valid a little before it is given out.
const BEFORE_SECONDS: i64 = 300;

/// A token for `audience`, given out at `now` (Unix seconds). No two are equal. The signature is random.
pub(super) fn sign(audience: &str, now: i64, expires: i64, rng: &mut StdRng) -> String {
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"});
    let claims = json!({
        "aud": audience,
        "iss": format!("https://sts.windows.net/{TENANT}/"),
        "iat": now - BEFORE_SECONDS,
        "nbf": now - BEFORE_SECONDS,
        "exp": expires,
        "idtyp": "app",
        "tid": TENANT,
        "uti": random::uuid(rng),
        "ver": "1.0",
    });
    let mut signature = [0_u8; 256];
    rng.fill_bytes(&mut signature);
    let signature = URL_SAFE_NO_PAD.encode(signature);
    format!("{}.{}.{signature}", part(&header), part(&claims))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
