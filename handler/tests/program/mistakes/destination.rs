//! The data collection rule and the identity that may use it, refusing or failing.

use super::case::{CHECK, Case, POLL, Source};
use super::run::run_all;
use super::stand_in::Answer;

const SOURCES: &[Source] = &[Source::PingOne(12), Source::Rule];
const RULE_PATH: &str = "/dataCollectionRules/";
const RULE_ID: &str = "dcr-00000000000000000000000000000001";
const NO_IDENTITY: &[(&str, &str)] = &[("IDENTITY_ENDPOINT", ""), ("IDENTITY_HEADER", "")];
/// Longer than the tries of a batch take.
const LONG: (&str, &str) = ("POLL_BUDGET", "25s");
const NO_ROW_FITS: Answer = Answer::Json(400, r#"{"error":{"code":"InvalidRecord","message":"no"}}"#);
const NO_ACCESS: Answer = Answer::Json(403, r#"{"error":{"code":"OperationFailed","message":"no"}}"#);

const REFUSALS: &[Case] = &[
    Case {
        name: "44: no identity on this machine",
        sources: SOURCES,
        settings: NO_IDENTITY,
        says: &["az login", "managed identity", "https://monitor.azure.com"],
        never_says: &["authenticate:;"],
        // The events were read before the destination was met.
        lines: 3,
        ..POLL
    },
    Case {
        name: "44: the same in a check, said once",
        sources: SOURCES,
        settings: NO_IDENTITY,
        says: &["FAILED identity for https://monitor.azure.com", "az login", "1 failed"],
        never_says: &["authenticate:;"],
        ..CHECK
    },
    Case {
        name: "45: the identity endpoint refuses",
        sources: SOURCES,
        answers: &[(
            "/msi/token",
            Answer::Json(400, r#"{"statusCode":400,"message":"No identity found"}"#),
        )],
        says: &[
            "FAILED identity for https://monitor.azure.com",
            "identity is assigned",
            "AZURE_CLIENT_ID",
        ],
        ..CHECK
    },
    Case {
        name: "46: the identity's token is refused",
        sources: SOURCES,
        answers: &[(RULE_PATH, Answer::Json(401, r#"{"error":{"code":"InvalidAudience"}}"#))],
        says: &["401 (InvalidAudience)", "LOGS_INGESTION__AUDIENCE"],
        ..CHECK
    },
    Case {
        name: "47: the identity has no role on the rule",
        sources: SOURCES,
        answers: &[(RULE_PATH, NO_ACCESS)],
        says: &["403", "Monitoring Metrics Publisher", RULE_ID, "30 minutes"],
        ..CHECK
    },
    Case {
        name: "47: the same in a run, which keeps the rows",
        sources: SOURCES,
        answers: &[(RULE_PATH, NO_ACCESS)],
        says: &["403", "Monitoring Metrics Publisher", RULE_ID, "The rows are kept"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "48: there is no such rule",
        sources: SOURCES,
        answers: &[(RULE_PATH, Answer::Json(404, r#"{"error":{"code":"NotFound"}}"#))],
        says: &["404", RULE_ID, "LOGS_INGESTION__RULE_ID", "LOGS_INGESTION__ENDPOINT"],
        ..CHECK
    },
    Case {
        name: "49: no row fits",
        sources: SOURCES,
        answers: &[(RULE_PATH, NO_ROW_FITS)],
        says: &[
            "400",
            "no row fits the stream",
            "LOGS_INGESTION__RULE_ID",
            "The rows are kept",
        ],
        lines: 3,
        ..POLL
    },
    Case {
        name: "50: no row fits, and there is only one",
        sources: &[Source::PingOne(1), Source::Rule],
        answers: &[(RULE_PATH, NO_ROW_FITS)],
        says: &["400", "no row fits the stream", "The rows are kept"],
        never_says: &["dead letters"],
        lines: 3,
        ..POLL
    },
];

const FAILURES: &[Case] = &[
    Case {
        name: "51: 429, and wait for longer than the run may take",
        sources: SOURCES,
        answers: &[(RULE_PATH, Answer::Header(429, "Retry-After", "600"))],
        says: &["429", "Retry-After", "The rows are kept", RULE_ID],
        never_says: &["in the time allowed"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "51: 500",
        sources: SOURCES,
        settings: &[LONG],
        answers: &[(RULE_PATH, Answer::Json(500, "{}"))],
        says: &["500", "The rows are kept", "status of Azure"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "51: 500 in a run that is short",
        sources: SOURCES,
        answers: &[(RULE_PATH, Answer::Json(500, "{}"))],
        says: &["500", "The rows are kept"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "51: connections that break off",
        sources: SOURCES,
        settings: &[LONG],
        answers: &[(RULE_PATH, Answer::Closed)],
        says: &["broke off the connection", "perhaps doubled"],
        never_says: &["API the connection broke off"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "51: no answer at all",
        sources: SOURCES,
        answers: &[(RULE_PATH, Answer::Silence)],
        says: &["did not answer", "The rows are kept", "LOGS_INGESTION__ENDPOINT"],
        never_says: &["in the time allowed"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "52: the endpoint's host name does not exist",
        sources: SOURCES,
        settings: &[("LOGS_INGESTION__ENDPOINT", "https://ingestion.invalid"), LONG],
        says: &["LOGS_INGESTION__ENDPOINT", "host name", "The rows are kept"],
        never_says: &["client error (Connect)"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "52: the same in a check",
        sources: SOURCES,
        settings: &[("LOGS_INGESTION__ENDPOINT", "https://ingestion.invalid")],
        says: &["FAILED table", "LOGS_INGESTION__ENDPOINT", "host name"],
        ..CHECK
    },
    Case {
        name: "52: nothing listens at the endpoint",
        sources: SOURCES,
        settings: &[("LOGS_INGESTION__ENDPOINT", "{closed}"), LONG],
        says: &["LOGS_INGESTION__ENDPOINT", "Connection refused", "The rows are kept"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "56: the disk of the tables is full",
        sources: &[Source::PingOne(12)],
        before: &[super::case::Before::Link(
            "data/tables/PingOne_AuditActivitiesV2_CL.ndjson",
            "/dev/full",
        )],
        says: &["No space left on device", "DESTINATION_DIR", "space on its disk"],
        lines: 3,
        ..POLL
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn what_the_destination_refuses_is_said_with_the_role_or_the_setting() {
    run_all(REFUSALS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_destination_fails_at_is_said_with_where_the_rows_are() {
    run_all(FAILURES).await;
}
