//! Connections that do not come about: names, ports, certificates and proxies.

use super::case::{CHECK, Case, POLL, Source};
use super::run::run_all;
use super::stand_in::Answer;

const THREATS: &[Source] = &[Source::Threats];
/// It is no answer: nobody asks for it without the proxy.
const ELSEWHERE: (&str, &str) = ("SENTINELONE__URL", "https://console.example.net");

const CASES: &[Case] = &[
    Case {
        name: "31: the vendor refuses connections",
        sources: &[Source::PingOne(0)],
        settings: &[("PINGONE__API_URL", "{closed}"), ("PINGONE__AUTH_URL", "{closed}")],
        says: &["Connection refused", "PINGONE__AUTH_URL"],
        never_says: &["(POLL_BUDGET) ended"],
        ..POLL
    },
    Case {
        name: "31: five streams of one console that refuses connections",
        sources: &[Source::FiveStreams],
        settings: &[("SENTINELONE__URL", "{closed}")],
        says: &["Connection refused", "SENTINELONE__URL", "activities", "threats"],
        never_says: &["(POLL_BUDGET) ended"],
        ..POLL
    },
    Case {
        name: "31: a poll subscription that refuses connections",
        sources: &[Source::EnterpriseUser],
        settings: &[(
            "PINGONE_ENTERPRISE__POLL_URL",
            "{closed}/v3/reports/a/poll-subscriptions/b/events",
        )],
        says: &["Connection refused", "PINGONE_ENTERPRISE__POLL_URL"],
        ..POLL
    },
    Case {
        name: "32: a host name that does not exist",
        sources: THREATS,
        settings: &[("SENTINELONE__URL", "https://console.invalid")],
        says: &["SENTINELONE__URL", "host name", "DNS"],
        never_says: &["if this lasts", "client error (Connect)"],
        ..CHECK
    },
    Case {
        name: "39: a certificate of nobody known, as where TLS is inspected",
        sources: THREATS,
        settings: &[("SENTINELONE__URL", "{tls}")],
        says: &["certificate", "not trusted", "SSL_CERT_FILE", "SENTINELONE__URL"],
        never_says: &["client error (Connect)", "(POLL_BUDGET) ended"],
        ..POLL
    },
    Case {
        name: "39: the same in a check",
        sources: THREATS,
        settings: &[("SENTINELONE__URL", "{tls}")],
        says: &["certificate", "not trusted", "SSL_CERT_FILE", "SENTINELONE__URL"],
        ..CHECK
    },
    Case {
        name: "39: once its authority is trusted, it works",
        sources: THREATS,
        settings: &[("SENTINELONE__URL", "{tls}"), ("SSL_CERT_FILE", "{authority}")],
        answers: &[(
            "/threats",
            Answer::Json(200, r#"{"data":[],"pagination":{"nextCursor":null,"totalItems":0}}"#),
        )],
        code: 0,
        ..POLL
    },
    Case {
        name: "40: the certificate of another host",
        sources: THREATS,
        settings: &[
            ("SENTINELONE__URL", "{tls-of-another}"),
            ("SSL_CERT_FILE", "{authority}"),
        ],
        says: &["certificate", "other.example", "SENTINELONE__URL"],
        never_says: &["DnsName(", "(POLL_BUDGET) ended"],
        ..POLL
    },
    Case {
        name: "41: https to a port that speaks http",
        sources: THREATS,
        settings: &[("SENTINELONE__URL", "{https-on-the-plain-port}")],
        says: &["SENTINELONE__URL", "no TLS"],
        never_says: &["InvalidContentType"],
        ..CHECK
    },
    Case {
        name: "42: SSL_CERT_FILE names no file",
        sources: THREATS,
        settings: &[("SSL_CERT_FILE", "/there/is/none.pem")],
        says: &["SSL_CERT_FILE", "/there/is/none.pem", "ca-certificates"],
        lines: 1,
        ..POLL
    },
    Case {
        name: "42: the same in a check",
        sources: THREATS,
        settings: &[("SSL_CERT_FILE", "/there/is/none.pem")],
        says: &["SSL_CERT_FILE", "ca-certificates"],
        never_says: &["state store and local destination"],
        ..CHECK
    },
    Case {
        name: "43: a proxy that wants a password",
        sources: THREATS,
        settings: &[ELSEWHERE, ("HTTPS_PROXY", "{stand-in}")],
        answers: &[(
            "console.example.net",
            Answer::Header(407, "Proxy-Authenticate", "Basic"),
        )],
        says: &["HTTPS_PROXY", "password"],
        never_says: &["check SENTINELONE__URL"],
        ..CHECK
    },
    Case {
        name: "43: a proxy that is down",
        sources: THREATS,
        settings: &[ELSEWHERE, ("HTTPS_PROXY", "{closed}")],
        says: &["HTTPS_PROXY", "Connection refused"],
        never_says: &["check SENTINELONE__URL"],
        ..CHECK
    },
    Case {
        name: "43: a proxy that does not let this host through",
        sources: THREATS,
        settings: &[ELSEWHERE, ("HTTPS_PROXY", "{stand-in}")],
        answers: &[("console.example.net", Answer::Json(403, "{}"))],
        says: &["HTTPS_PROXY", "console.example.net"],
        ..POLL
    },
    Case {
        name: "60: a vault that cannot be reached",
        sources: &[Source::PingOne(0)],
        settings: &[
            (
                "PINGONE__CLIENT_SECRET",
                "@Microsoft.KeyVault(SecretUri=https://no-such-vault.vault.azure.net/secrets/a-name)",
            ),
            ("IDENTITY_ENDPOINT", "{stand-in}/msi/token"),
            ("IDENTITY_HEADER", "a-header"),
            ("HTTPS_PROXY", "{closed}"),
        ],
        says: &["PINGONE__CLIENT_SECRET", "no-such-vault.vault.azure.net", "HTTPS_PROXY"],
        lines: 1,
        ..POLL
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_fails_is_said_with_what_lies_in_between() {
    run_all(CASES).await;
}
