//! What is set wrongly, or not at all.

use super::case::{Before, CHECK, Case, POLL, Source};
use super::run::run_all;

const PINGONE: &[Source] = &[Source::PingOne(12)];
/// Settings that cannot be used: a line for each, and nothing runs.
const REFUSED: Case = Case {
    code: 64,
    lines: 1,
    ..POLL
};
const SERVE: Case = Case {
    command: &["serve", "--port", "{free-port}"],
    code: 0,
    ..POLL
};

const NAMES: &[Case] = &[
    Case {
        name: "1: nothing is configured",
        says: &[
            "nothing is configured",
            "PINGONE__ENVIRONMENT_ID",
            "PINGONE_ENTERPRISE__POLL_URL",
            "SENTINELONE__URL",
            "ONELOGIN__BEARER_TOKEN",
        ],
        ..REFUSED
    },
    Case {
        name: "2: serve, and nothing is configured",
        says: &["listens on 127.0.0.1:", "nothing is configured"],
        ..SERVE
    },
    Case {
        name: "3: a misspelt key",
        settings: &[("PINGONE__REGOIN", "eu")],
        says: &["PINGONE__REGOIN", "did you mean PINGONE__REGION?"],
        ..REFUSED
    },
    Case {
        name: "4: a misspelt prefix",
        settings: &[("PINGON__ENVIRONMENT_ID", "e"), ("PINGON__CLIENT_SECRET", "zz-secret")],
        says: &[
            "did you mean PINGONE__ENVIRONMENT_ID?",
            "did you mean PINGONE__CLIENT_SECRET?",
        ],
        never_says: &["nothing is configured", "zz-"],
        lines: 2,
        ..REFUSED
    },
    Case {
        name: "5: one underscore",
        settings: &[("PINGONE_ENVIRONMENT_ID", "e")],
        says: &["did you mean PINGONE__ENVIRONMENT_ID?"],
        never_says: &["nothing is configured"],
        ..REFUSED
    },
    Case {
        name: "6: one underscore beside a good source",
        sources: PINGONE,
        settings: &[("SENTINELONE_URL", "https://console.example.net")],
        says: &[
            "FAILED sentinelone/default",
            "did you mean SENTINELONE__URL?",
            "1 failed",
        ],
        ..CHECK
    },
    Case {
        name: "7: lower case",
        settings: &[("pingone__environment_id", "e")],
        says: &["did you mean PINGONE__ENVIRONMENT_ID?"],
        ..REFUSED
    },
    Case {
        name: "8: a misspelt destination beside a good source",
        sources: PINGONE,
        settings: &[("LOGS_INGESTON__ENDPOINT", "https://example.net")],
        command: &["check"],
        says: &["did you mean LOGS_INGESTION__ENDPOINT?"],
        never_says: &["can be written"],
        ..REFUSED
    },
    Case {
        name: "9: three misspelt names of the program itself",
        sources: PINGONE,
        settings: &[("STATE_URI", "x"), ("DESTINATION_DIRR", "x"), ("LOG_FORMATT", "json")],
        command: &["check"],
        says: &[
            "did you mean STATE_URL?",
            "did you mean DESTINATION_DIR?",
            "did you mean LOG_FORMAT?",
        ],
        lines: 3,
        ..REFUSED
    },
    Case {
        name: "10: half a source",
        settings: &[("PINGONE__ENVIRONMENT_ID", "5f1c2d3e-0000-4000-8000-00000000e001")],
        says: &["PINGONE__CLIENT_ID: is missing", "PINGONE__CLIENT_SECRET: is missing"],
        lines: 2,
        ..REFUSED
    },
    Case {
        name: "11: eight problems at once",
        sources: PINGONE,
        settings: &[
            ("PINGONE__REGION", "zz-mars"),
            ("PINGONE__CLIENT_ID", ""),
            ("PINGONE__TABLES", "zz-table"),
            ("POLL_LOOKBACK", "zz-7"),
            ("POLL_BUDGET", "zz-soon"),
            ("SENTINELONE__URL", "zz-console"),
            ("LOGS_INGESTION__RULE_ID", "dcr-1"),
        ],
        says: &[
            "PINGONE__REGION: must",
            "PINGONE__CLIENT_ID: is missing",
            "PINGONE__TABLES: must",
            "POLL_LOOKBACK: must",
            "POLL_BUDGET: must",
            "SENTINELONE__URL: must",
            "SENTINELONE__API_TOKEN: is missing",
            "LOGS_INGESTION__ENDPOINT: is missing",
        ],
        never_says: &["zz-"],
        lines: 8,
        ..REFUSED
    },
    Case {
        name: "65: RUST_LOG is no level",
        sources: PINGONE,
        settings: &[("RUST_LOG", "verbose")],
        code: 0,
        says: &["RUST_LOG", "error, warn, info, debug, trace", "12 rows delivered"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "65: RUST_LOG has a bad level for the program",
        sources: PINGONE,
        settings: &[("RUST_LOG", "handler=loud")],
        code: 0,
        says: &["RUST_LOG", "12 rows delivered"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "67: a source that is not configured",
        sources: PINGONE,
        command: &["poll", "--source", "okta"],
        says: &["--source", "pingone/default/activities"],
        ..REFUSED
    },
];

const VALUES: &[Case] = &[
    Case {
        name: "12: an address with a path",
        settings: &[
            ("SENTINELONE__URL", "https://console.example.net/dashboard"),
            ("SENTINELONE__API_TOKEN", "a-token"),
        ],
        says: &["SENTINELONE__URL: must", "https://host"],
        ..REFUSED
    },
    Case {
        name: "13: an address without https",
        settings: &[
            ("SENTINELONE__URL", "console.example.net"),
            ("SENTINELONE__API_TOKEN", "a-token"),
        ],
        says: &["SENTINELONE__URL: must", "https://host"],
        ..REFUSED
    },
    Case {
        name: "14: a stream that there is not",
        settings: &[
            ("SENTINELONE__URL", "https://console.example.net"),
            ("SENTINELONE__API_TOKEN", "a-token"),
            ("SENTINELONE__STREAMS", "threat"),
        ],
        says: &["SENTINELONE__STREAMS: must be one or more of", "threats"],
        ..REFUSED
    },
    Case {
        name: "15: a region as the console calls it",
        sources: PINGONE,
        settings: &[("PINGONE__REGION", "NA")],
        code: 0,
        says: &["12 rows delivered"],
        ..POLL
    },
    Case {
        name: "16: a region in capitals",
        sources: PINGONE,
        settings: &[("PINGONE__REGION", "EU")],
        code: 0,
        says: &["12 rows delivered"],
        ..POLL
    },
    Case {
        name: "16: a region as its domain",
        sources: PINGONE,
        settings: &[("PINGONE__REGION", "pingone.eu")],
        code: 0,
        says: &["12 rows delivered"],
        ..POLL
    },
    Case {
        name: "17: five fields of a schedule",
        sources: PINGONE,
        settings: &[("POLL_SCHEDULE", "* * * * *")],
        says: &["POLL_SCHEDULE: must have six fields"],
        ..REFUSED
    },
    Case {
        name: "18: a duration without its unit",
        sources: PINGONE,
        settings: &[("POLL_LOOKBACK", "7")],
        says: &["POLL_LOOKBACK: must be a duration", "1h"],
        ..REFUSED
    },
    Case {
        name: "19: a token with its quotes",
        sources: &[Source::Threats],
        settings: &[("SENTINELONE__API_TOKEN", "\"a-token\"")],
        says: &["SENTINELONE__API_TOKEN", "quotes"],
        ..REFUSED
    },
    Case {
        name: "19: a token with a line feed in it",
        sources: &[Source::Threats],
        settings: &[("SENTINELONE__API_TOKEN", "a-\ntoken")],
        says: &["SENTINELONE__API_TOKEN: must"],
        ..REFUSED
    },
    Case {
        name: "20: a push token of one letter",
        settings: &[("ONELOGIN__BEARER_TOKEN", "x")],
        command: &["check"],
        says: &["ONELOGIN__BEARER_TOKEN: must", "at least 20"],
        ..REFUSED
    },
    Case {
        name: "20: serve with a push token of one letter",
        settings: &[("ONELOGIN__BEARER_TOKEN", "x")],
        says: &["ONELOGIN__BEARER_TOKEN: must", "at least 20", "listens on"],
        lines: 3,
        ..SERVE
    },
    Case {
        name: "53: the resource id of a rule",
        sources: &[Source::PingOne(12), Source::Rule],
        settings: &[(
            "LOGS_INGESTION__RULE_ID",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/dataCollectionRules/r",
        )],
        says: &["LOGS_INGESTION__RULE_ID: must", "immutable id", "dcr-"],
        ..REFUSED
    },
    Case {
        name: "58: an address of the state with a shared access signature",
        sources: PINGONE,
        settings: &[(
            "STATE_URL",
            "https://account.blob.core.windows.net/state?sv=1&sig=zz-signature",
        )],
        command: &["check"],
        says: &["STATE_URL: must not carry a query or SAS token"],
        never_says: &["zz-"],
        ..REFUSED
    },
    Case {
        name: "60: a Key Vault reference in no known form",
        sources: PINGONE,
        settings: &[("PINGONE__CLIENT_SECRET", "@Microsoft.KeyVault(zz-nonsense)")],
        command: &["check"],
        code: 1,
        says: &[
            "PINGONE__CLIENT_SECRET",
            "@Microsoft.KeyVault(SecretUri=https://<vault>",
            "1 failed",
        ],
        never_says: &["zz-"],
        lines: 4,
        ..REFUSED
    },
    Case {
        name: "64: serve with settings that cannot be used",
        sources: PINGONE,
        settings: &[("POLL_BUDGET", "zz-soon")],
        says: &["POLL_BUDGET: must", "listens on"],
        never_says: &["zz-"],
        lines: 3,
        ..SERVE
    },
    Case {
        name: "68: one console and token in two instances",
        sources: &[Source::Threats],
        settings: &[
            ("SENTINELONE__URL", "https://console.example.net"),
            ("SENTINELONE__API_TOKEN", "a-token"),
            ("SENTINELONE__B__URL", "https://console.example.net"),
            ("SENTINELONE__B__API_TOKEN", "a-token"),
        ],
        command: &["check"],
        says: &["must not name the same console and token", "SENTINELONE__B__API_TOKEN"],
        lines: 2,
        ..REFUSED
    },
    Case {
        name: "69: in Azure without a rule",
        sources: PINGONE,
        settings: &[("WEBSITE_SITE_NAME", "an-app")],
        says: &[
            "STATE_URL: is missing",
            "LOGS_INGESTION__ENDPOINT: is missing",
            "a disk that vanishes",
        ],
        lines: 2,
        ..REFUSED
    },
    Case {
        name: "70: rows among those of the demo",
        sources: PINGONE,
        before: &[Before::File(
            "data/tables/.made-by-cargo-demo",
            "`cargo demo` empties this folder.\n",
        )],
        code: 0,
        says: &["cargo demo", "DESTINATION_DIR"],
        lines: 3,
        ..POLL
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_wrong_are_found_and_the_right_one_is_named() {
    run_all(NAMES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_wrong_are_named_with_the_form_that_is_accepted() {
    run_all(VALUES).await;
}
