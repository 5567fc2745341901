//! The state that cannot be reached, written or read, and who only looks at it.

use super::case::{Before, CHECK, Case, POLL, Source};
use super::run::run_all;

const PINGONE: &[Source] = &[Source::PingOne(12)];
const NO_FOLDER: &[Before] = &[Before::File("a-file", "")];
const BROKEN: &[Before] = &[
    Before::PolledWell,
    Before::File(
        "data/state/checkpoints/pingone/default/activities.json",
        r#"{"version": 1, "acc"#,
    ),
];
const AZURITE_AWAY: &[(&str, &str)] = &[("STATE_URL", "{closed}/devstoreaccount1/state")];
const STATUS: Case = Case {
    command: &["status"],
    code: 0,
    lines: 12,
    changes_nothing: true,
    ..POLL
};

const CASES: &[Case] = &[
    Case {
        name: "54: the folder of the state cannot be made",
        sources: PINGONE,
        settings: &[("STATE_URL", "a-file/below")],
        before: NO_FOLDER,
        says: &["STATE_URL (a-file/below)"],
        lines: 1,
        ..POLL
    },
    Case {
        name: "54: the same in a check",
        sources: PINGONE,
        settings: &[("STATE_URL", "a-file/below")],
        before: NO_FOLDER,
        says: &["FAILED", "STATE_URL (a-file/below)"],
        ..CHECK
    },
    Case {
        name: "55: a status makes nothing where nothing has run yet",
        sources: PINGONE,
        says: &["pingone/default/activities  never run"],
        ..STATUS
    },
    Case {
        name: "55: a status writes nothing",
        sources: PINGONE,
        before: &[Before::PolledWell],
        says: &["pingone/default/activities  ok", "12 delivered"],
        ..STATUS
    },
    Case {
        name: "55: a status needs no destination",
        sources: PINGONE,
        settings: &[("DESTINATION_DIR", "a-file/below")],
        before: &[Before::PolledWell, Before::File("a-file", "")],
        says: &["pingone/default/activities  ok"],
        ..STATUS
    },
    Case {
        name: "55: a status needs no secret",
        sources: PINGONE,
        settings: &[("PINGONE__CLIENT_SECRET", "")],
        before: &[Before::PolledWell],
        says: &["pingone/default/activities", "12 delivered"],
        ..STATUS
    },
    Case {
        name: "55: a status asks no vault for a secret",
        sources: PINGONE,
        settings: &[(
            "PINGONE__CLIENT_SECRET",
            "@Microsoft.KeyVault(SecretUri=https://no-such-vault.vault.azure.net/secrets/a-name)",
        )],
        before: &[Before::PolledWell],
        says: &["pingone/default/activities  ok", "12 delivered"],
        never_says: &["cannot be reached"],
        ..STATUS
    },
    Case {
        name: "57: Azurite does not run, and a status says so in a line",
        sources: PINGONE,
        settings: AZURITE_AWAY,
        code: 1,
        says: &["STATE_URL", "Connection refused"],
        never_says: &["INFO"],
        lines: 1,
        ..STATUS
    },
    Case {
        name: "57: Azurite does not run, and a poll says so once",
        sources: PINGONE,
        settings: AZURITE_AWAY,
        says: &["STATE_URL", "Connection refused"],
        never_says: &["is not remembered"],
        ..POLL
    },
    Case {
        name: "57: the same in a check",
        sources: PINGONE,
        settings: AZURITE_AWAY,
        says: &["FAILED state store", "STATE_URL", "1 failed"],
        ..CHECK
    },
    Case {
        name: "59: a checkpoint is broken",
        sources: PINGONE,
        before: BROKEN,
        says: &[
            "checkpoints/pingone/default/activities.json cannot be read",
            "was not overwritten",
            "move the file away",
        ],
        ..POLL
    },
    Case {
        name: "59: the same in a check",
        sources: PINGONE,
        before: BROKEN,
        says: &["FAILED state of pingone/default/activities", "move the file away"],
        ..CHECK
    },
    Case {
        name: "62: the clock was set back after a run",
        sources: PINGONE,
        before: &[Before::PolledWell, Before::WatermarkInTheFuture],
        code: 0,
        says: &["lies in the future", "a clock was wrong", "may arrive twice"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "62: the same in a check",
        sources: PINGONE,
        before: &[Before::PolledWell, Before::WatermarkInTheFuture],
        code: 0,
        says: &["lies in the future", "this machine's clock", "1 to look at"],
        ..CHECK
    },
    Case {
        name: "63: the port is taken",
        sources: &[Source::OneLoginPush],
        command: &["serve", "--port", "{stand-in-port}"],
        says: &[" on 127.0.0.1 cannot be opened", "--port"],
        lines: 1,
        ..POLL
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn state_that_cannot_be_used_is_named_and_looking_at_it_changes_nothing() {
    run_all(CASES).await;
}
