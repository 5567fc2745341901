//! The situations, as a table.

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::world::Step::*;
use super::world::{Situation, World};

const AT_ONCE: usize = 4;
const POLLED: &str = "pingone/default/activities";
const PUSHED: &str = "onelogin/default/push";
const CONSUMED: &str = "pingone-enterprise/default/events";
const REFERENCE: &str = "@Microsoft.KeyVault(nonsense)";
const EVENT: &str = r#"[{"id":"e-1","source":"SSO","recorded":"2026-11-20T10:00:00Z","action":{"type":"X"}}]"#;
const PUSHED_EVENT: &str = r#"[{"event_timestamp":"2026-11-20 10:15:30 UTC","event_type_id":5}]"#;
const PUSHED_WITH_A_NEW_FIELD: &str =
    r#"[{"event_timestamp":"2026-11-20 10:15:30 UTC","event_type_id":5,"orbit":{"height":400}}]"#;
const NO_REPLIES: &[(u16, &str)] = &[(200, "[]")];
const USUAL: Situation = Situation {
    name: "",
    settings: &[],
    replies: &[],
    steps: &[],
    ends: &[],
};

const SITUATIONS: &[Situation] = &[
    Situation {
        name: "events come",
        steps: &[Publish(40), Run],
        ends: &[(POLLED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "there has never been an event, pushed or polled",
        steps: &[Run, Run],
        ends: &[(POLLED, "ok", None), (PUSHED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "idle runs save nothing",
        steps: &[Publish(12), Run, LetPass(5), Run, LetPass(5), Run],
        ends: &[(POLLED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "the vendor refuses",
        steps: &[Publish(12), Run, PingOneAnswers(403), Run],
        ends: &[(POLLED, "failing", Some("permission_denied")), (PUSHED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "the vendor refuses the first run",
        steps: &[PingOneAnswers(403), Run],
        ends: &[(POLLED, "failing", Some("permission_denied"))],
        ..USUAL
    },
    Situation {
        name: "the vendor is down, for long",
        steps: &[Run, LetPass(60), PingOneAnswers(503), Run],
        ends: &[(POLLED, "failing", Some("vendor_unavailable"))],
        ..USUAL
    },
    Situation {
        name: "the vendor is silent",
        steps: &[Run, PingOneHangs, Run],
        ends: &[(POLLED, "failing", Some("vendor_unavailable"))],
        ..USUAL
    },
    Situation {
        name: "a stream has recovered",
        steps: &[PingOneAnswers(403), Run, PingOneAnswers(200), Publish(5), Run, Run],
        ends: &[(POLLED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "the vendor's clock is behind",
        steps: &[VendorClock(-120), Publish(12), Run, Run],
        ends: &[(POLLED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "the vendor's clock is ahead",
        steps: &[VendorClock(120), Publish(12), Run, Run],
        ends: &[(POLLED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "the budget ends before the work does",
        settings: &[("PINGONE__REQUESTS_PER_SECOND", "0.2"), ("POLL_BUDGET", "3s")],
        steps: &[Publish(10000), Run],
        ends: &[(POLLED, "behind", Some("budget_ended"))],
        ..USUAL
    },
    Situation {
        name: "a clock was wrong",
        steps: &[Publish(12), Run, WatermarkInTheFuture, PingOneAnswers(403), Run],
        ends: &[(POLLED, "failing", Some("permission_denied"))],
        ..USUAL
    },
    Situation {
        name: "a checkpoint is damaged",
        steps: &[Publish(12), Run, Checkpoint("{\"version\":99}"), Run],
        ends: &[(POLLED, "failing", Some("state_unavailable"))],
        ..USUAL
    },
    Situation {
        name: "what was read cannot be a row",
        steps: &[Publish(3), PublishNonsense, Run],
        ends: &[(POLLED, "ok", Some("dead_letters"))],
        ..USUAL
    },
    Situation {
        name: "and after the next run that is over",
        steps: &[Publish(3), PublishNonsense, Run, LetPass(1), Run],
        ends: &[(POLLED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "pushes come",
        steps: &[Push(PUSHED_EVENT), Run, Run],
        ends: &[(PUSHED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "a vendor sends a field that no definition knows",
        steps: &[Publish(3), Push(PUSHED_WITH_A_NEW_FIELD), Run, Run],
        ends: &[(POLLED, "ok", None), (PUSHED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "what was pushed cannot be a row",
        steps: &[Run, Push("[7]"), Run],
        ends: &[(PUSHED, "ok", Some("dead_letters"))],
        ..USUAL
    },
    Situation {
        name: "and after the next run that is over too",
        steps: &[Push("[7]"), Run, Run],
        ends: &[(PUSHED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "the rule refuses what was read and what was pushed",
        steps: &[RuleTakes(false), Publish(12), Push(PUSHED_EVENT), Run, Run],
        ends: &[
            (POLLED, "failing", Some("destination_refused")),
            (PUSHED, "failing", Some("destination_refused")),
        ],
        ..USUAL
    },
    Situation {
        name: "the rule takes everything again",
        steps: &[
            RuleTakes(false),
            Publish(12),
            Push(PUSHED_EVENT),
            Run,
            RuleTakes(true),
            Run,
            Run,
        ],
        ends: &[(POLLED, "ok", None), (PUSHED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "pushes alone, and none has come",
        settings: &[
            ("PINGONE__ENVIRONMENT_ID", ""),
            ("PINGONE__CLIENT_ID", ""),
            ("PINGONE__CLIENT_SECRET", ""),
            ("PINGONE__API_URL", ""),
            ("PINGONE__AUTH_URL", ""),
        ],
        steps: &[Run, Run],
        ends: &[(PUSHED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "pushes that never came beside a source that is off",
        settings: &[("PINGONE__CLIENT_SECRET", REFERENCE)],
        steps: &[Run],
        ends: &[
            ("pingone/default", "off", Some("secret_unresolved")),
            (PUSHED, "ok", None),
        ],
        ..USUAL
    },
    Situation {
        name: "a source has two bad settings",
        settings: &[("PINGONE__TABLES", "none"), ("PINGONE__ENVIRONMENT_ID", "../x")],
        steps: &[Run],
        ends: &[("pingone/default", "off", Some("bad_setting"))],
        ..USUAL
    },
    Situation {
        name: "a subscription has nothing",
        replies: NO_REPLIES,
        steps: &[Run, Run],
        ends: &[(CONSUMED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "what was consumed waits in the spool",
        replies: &[(200, EVENT), (200, "[]")],
        steps: &[RuleTakes(false), Run, Run],
        ends: &[(CONSUMED, "failing", Some("destination_refused"))],
        ..USUAL
    },
    Situation {
        name: "what was consumed and waited is delivered",
        replies: &[(200, EVENT), (200, "[]")],
        steps: &[RuleTakes(false), Run, RuleTakes(true), Run, Run],
        ends: &[(CONSUMED, "ok", None)],
        ..USUAL
    },
    Situation {
        name: "events of a subscription may be lost",
        replies: &[(200, "<html>we are working on it</html>")],
        steps: &[Run],
        ends: &[(CONSUMED, "behind", Some("possible_loss"))],
        ..USUAL
    },
];

async fn played(situation: &Situation) -> Vec<String> {
    let world = World::start(situation).await;
    let mut faults = Vec::new();
    for (number, step) in situation.steps.iter().enumerate() {
        let differences = world.take(*step).await.into_iter();
        faults.extend(differences.map(|fault| format!("step {}: {fault}", number + 1)));
    }
    let status = world.status().await;
    for (name, state, code) in situation.ends {
        let streams = status["streams"].as_array().unwrap();
        let found = streams.iter().find(|stream| stream["stream"] == *name);
        let found = found.map(|stream| (&stream["status"], stream["error_code"].as_str()));
        if found != Some((&Value::from(*state), *code)) {
            faults.push(format!("{name} is {found:?} and not {state} {code:?}"));
        }
    }
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn health_rows_and_status_agree_in_every_situation() {
    let played = stream::iter(SITUATIONS).map(|situation| async move { (situation.name, played(situation).await) });
    let played: Vec<(&str, Vec<String>)> = played.buffer_unordered(AT_ONCE).collect().await;
    let failed = played.iter().filter(|(_, faults)| !faults.is_empty());
    let failed: Vec<String> = failed
        .map(|(name, faults)| format!("- {name}\n    {}", faults.join("\n    ")))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
