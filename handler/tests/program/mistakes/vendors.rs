//! A vendor that refuses, fails, or answers with something else.

use super::case::{Before, CHECK, Case, POLL, Source};
use super::run::run_all;
use super::stand_in::Answer;

const PINGONE_THERE: &[(&str, &str)] = &[("PINGONE__API_URL", "{stand-in}"), ("PINGONE__AUTH_URL", "{stand-in}")];
const CONSOLE_THERE: &[(&str, &str)] = &[("SENTINELONE__URL", "{stand-in}")];
const CLIENT_THERE: &[(&str, &str)] = &[
    (
        "PINGONE_ENTERPRISE__POLL_URL",
        "{stand-in}/v3/reports/a/poll-subscriptions/b/events",
    ),
    ("PINGONE_ENTERPRISE__TOKEN_URL", "{stand-in}/as/token.oauth2"),
];
const TOKEN: (&str, Answer) = (
    "/as/token",
    Answer::Json(
        200,
        r#"{"access_token":"a-token","expires_in":3600,"token_type":"Bearer"}"#,
    ),
);
const NOT_FOUND: Answer = Answer::Json(404, r#"{"id":"1","code":"NOT_FOUND","message":"There is none."}"#);
const BAD_CLIENT: Answer = Answer::Json(401, r#"{"error":"invalid_client"}"#);
const BAD_TOKEN: Answer = Answer::Json(401, r#"{"errors":[{"code":4010010,"title":"Authentication Failed"}]}"#);
const NO_ROLE: Answer = Answer::Json(
    403,
    r#"{"errors":[{"code":4030010,"title":"Insufficient permissions"}]}"#,
);
const WAIT_AN_HOUR: Answer = Answer::Header(429, "Retry-After", "3600");

const REFUSALS: &[Case] = &[
    Case {
        name: "21: the name of an environment in the place of its id",
        sources: &[Source::PingOne(0)],
        settings: &[
            PINGONE_THERE[0],
            PINGONE_THERE[1],
            ("PINGONE__ENVIRONMENT_ID", "Production"),
        ],
        answers: &[("/as/token", NOT_FOUND)],
        says: &["404", "PINGONE__ENVIRONMENT_ID", "not its name"],
        ..POLL
    },
    Case {
        name: "22: a wrong region or environment",
        sources: &[Source::PingOne(0)],
        settings: PINGONE_THERE,
        answers: &[("/as/token", NOT_FOUND)],
        says: &[
            "pingone/default/activities",
            "404",
            "PINGONE__REGION",
            "PINGONE__ENVIRONMENT_ID",
        ],
        ..CHECK
    },
    Case {
        name: "23: a wrong secret",
        sources: &[Source::PingOne(0)],
        settings: PINGONE_THERE,
        answers: &[("/as/token", BAD_CLIENT)],
        says: &["401 (invalid_client)", "PINGONE__CLIENT_ID", "PINGONE__CLIENT_SECRET"],
        ..CHECK
    },
    Case {
        name: "24: a worker application without a role",
        sources: &[Source::PingOne(0)],
        settings: PINGONE_THERE,
        answers: &[TOKEN, ("/activities", Answer::Json(403, r#"{"code":"ACCESS_FAILED"}"#))],
        says: &["403 (ACCESS_FAILED)", "role", "Environment Admin"],
        ..CHECK
    },
    Case {
        name: "25: a token that is not accepted, said once for five streams",
        sources: &[Source::FiveStreams],
        settings: CONSOLE_THERE,
        answers: &[("/web/api/", BAD_TOKEN)],
        says: &[
            "401 (4010010 Authentication Failed)",
            "SENTINELONE__API_TOKEN",
            "Service Users",
            "activities",
            "agents",
            "alerts",
            "groups",
            "threats",
        ],
        lines: 2,
        ..POLL
    },
    Case {
        name: "25: the same in a check",
        sources: &[Source::FiveStreams],
        settings: CONSOLE_THERE,
        answers: &[("/web/api/", BAD_TOKEN)],
        says: &["FAILED sentinelone/default", "401", "SENTINELONE__API_TOKEN"],
        lines: 10,
        ..CHECK
    },
    Case {
        name: "26: a role that may not see threats",
        sources: &[Source::Threats],
        settings: CONSOLE_THERE,
        answers: &[("/web/api/", NO_ROLE)],
        says: &["403", "SENTINELONE__API_TOKEN", "may view threats"],
        ..CHECK
    },
    Case {
        name: "27: a console without these",
        sources: &[Source::Threats],
        settings: CONSOLE_THERE,
        answers: &[("/threats", Answer::Json(404, "{}"))],
        says: &["404", "SENTINELONE__STREAMS", "SENTINELONE__URL"],
        ..CHECK
    },
    Case {
        name: "28: a wrong secret of an API client",
        sources: &[Source::EnterpriseClient],
        settings: CLIENT_THERE,
        answers: &[("/as/token", BAD_CLIENT)],
        says: &[
            "401 (invalid_client)",
            "PINGONE_ENTERPRISE__CLIENT_ID",
            "PINGONE_ENTERPRISE__CLIENT_SECRET",
        ],
        ..CHECK
    },
    Case {
        name: "29: a check cannot prove a password, and does not call it well",
        sources: &[Source::EnterpriseUser],
        settings: &[("PINGONE_ENTERPRISE__PASSWORD", "not-the-password")],
        code: 0,
        says: &[
            "note   pingone-enterprise/default/events",
            "nothing could be tried",
            "1 not tried",
        ],
        never_says: &["ok     pingone-enterprise"],
        ..CHECK
    },
    Case {
        name: "29: a wrong password",
        sources: &[Source::EnterpriseUser],
        settings: &[("PINGONE_ENTERPRISE__PASSWORD", "not-the-password")],
        says: &["401", "PINGONE_ENTERPRISE__USERNAME", "PINGONE_ENTERPRISE__PASSWORD"],
        ..POLL
    },
    Case {
        name: "30: a check cannot prove a subscription, and does not call it well",
        sources: &[Source::EnterpriseClient],
        settings: CLIENT_THERE,
        answers: &[TOKEN, ("poll-subscriptions", Answer::Json(404, "{}"))],
        code: 0,
        says: &["note   pingone-enterprise/default/events", "not proved", "1 not tried"],
        ..CHECK
    },
    Case {
        name: "30: a subscription that is gone",
        sources: &[Source::EnterpriseClient],
        settings: CLIENT_THERE,
        answers: &[TOKEN, ("poll-subscriptions", Answer::Json(404, "{}"))],
        says: &["404", "PINGONE_ENTERPRISE__POLL_URL"],
        ..POLL
    },
];

const FAILURES: &[Case] = &[
    Case {
        name: "33: the vendor answers 503",
        sources: &[Source::PingOne(0)],
        settings: &[PINGONE_THERE[0], PINGONE_THERE[1], ("POLL_BUDGET", "20s")],
        answers: &[TOKEN, ("/activities", Answer::Json(503, "{}"))],
        says: &["the activities endpoint answered 503", "the next run"],
        never_says: &["POLL_BUDGET"],
        ..POLL
    },
    Case {
        name: "33: five endpoints answer 503, said once",
        sources: &[Source::FiveStreams],
        settings: &[CONSOLE_THERE[0], ("POLL_BUDGET", "20s")],
        answers: &[("/web/api/", Answer::Json(503, "{}"))],
        says: &["503", "activities", "threats"],
        ..POLL
    },
    Case {
        name: "34: 429, and wait for an hour",
        sources: &[Source::PingOne(0)],
        settings: PINGONE_THERE,
        answers: &[TOKEN, ("/activities", WAIT_AN_HOUR)],
        says: &["429", "Retry-After", "PINGONE__REQUESTS_PER_SECOND"],
        never_says: &["(POLL_BUDGET) ended"],
        ..POLL
    },
    Case {
        name: "34: the same in a check",
        sources: &[Source::Threats],
        settings: CONSOLE_THERE,
        answers: &[("/web/api/", WAIT_AN_HOUR)],
        says: &["429", "Retry-After"],
        never_says: &["can be reached from here", "the time of a check ended"],
        ..CHECK
    },
    Case {
        name: "35: a sign-in page in the place of data",
        sources: &[Source::Threats],
        settings: CONSOLE_THERE,
        answers: &[("/web/api/", Answer::SignInPage)],
        says: &["a web page", "Sign in", "SENTINELONE__URL", "HTTPS_PROXY"],
        never_says: &["expected value at line"],
        ..POLL
    },
    Case {
        name: "35: a sign-in page in the place of a token",
        sources: &[Source::PingOne(0)],
        settings: PINGONE_THERE,
        answers: &[("/as/token", Answer::SignInPage)],
        says: &["the token endpoint", "a web page", "PINGONE__REGION", "HTTPS_PROXY"],
        never_says: &["Syntax error"],
        ..POLL
    },
    Case {
        name: "36: a redirect",
        sources: &[Source::Threats],
        settings: CONSOLE_THERE,
        answers: &[("/web/api/", Answer::Header(302, "Location", "https://example.net/"))],
        says: &["302", "redirects are not followed", "SENTINELONE__URL"],
        ..CHECK
    },
    Case {
        name: "36: a redirect of the token endpoint",
        sources: &[Source::PingOne(0)],
        settings: PINGONE_THERE,
        answers: &[("/as/token", Answer::Header(302, "Location", "https://example.net/"))],
        says: &["302", "redirects are not followed", "PINGONE__AUTH_URL"],
        never_says: &["there is no such environment"],
        ..CHECK
    },
    Case {
        name: "37: a reply that breaks off",
        sources: &[Source::Threats],
        settings: CONSOLE_THERE,
        answers: &[("/web/api/", Answer::Half)],
        says: &["the threats endpoint broke off the connection"],
        never_says: &["(POLL_BUDGET) ended"],
        ..POLL
    },
    Case {
        name: "37: a connection that is closed without a reply",
        sources: &[Source::PingOne(0)],
        settings: PINGONE_THERE,
        answers: &[TOKEN, ("/activities", Answer::Closed)],
        says: &["the activities endpoint broke off the connection"],
        ..POLL
    },
    Case {
        name: "38: no answer at all",
        sources: &[Source::Threats],
        settings: CONSOLE_THERE,
        answers: &[("/web/api/", Answer::Silence)],
        says: &["the threats endpoint", "did not answer", "SENTINELONE__URL"],
        ..POLL
    },
    Case {
        name: "61: this machine's clock is two hours behind",
        sources: &[Source::PingOne(12)],
        before: &[Before::VendorClock(120)],
        code: 0,
        says: &["2 h 0 min ahead of this machine's", "NTP"],
        lines: 3,
        ..POLL
    },
    Case {
        name: "61: the same in a check",
        sources: &[Source::PingOne(12)],
        before: &[Before::VendorClock(120)],
        code: 0,
        says: &["2 h 0 min ahead of this machine's", "NTP", "1 to look at"],
        ..CHECK
    },
    Case {
        name: "66: another poll works on the account",
        sources: &[Source::PingOne(0)],
        settings: &[PINGONE_THERE[0], PINGONE_THERE[1], ("POLL_BUDGET", "40s")],
        answers: &[TOKEN, ("/activities", Answer::Silence)],
        before: &[Before::AnotherPollRuns],
        code: 0,
        says: &["skipped", "is held by poll (process"],
        ..POLL
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_vendor_refuses_is_said_with_the_setting_or_the_role_that_is_wrong() {
    run_all(REFUSALS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_vendor_fails_at_is_said_once_and_with_what_follows() {
    run_all(FAILURES).await;
}
