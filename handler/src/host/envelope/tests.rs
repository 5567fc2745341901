use super::*;

fn timer(info: &str) -> TimerCall {
    let body = format!(
        r#"{{"Data":{{"clock":{info}}},"Metadata":{{"sys":{{"MethodName":"function-timer","UtcNow":"2026-11-20T12:00:00.1234567Z","RandGuid":"f0f5a1de-0000-4000-8000-000000000001"}},"Later":"\"x\""}}}}"#
    );
    timer_call(body.as_bytes(), Some("i-1".to_owned()))
}

#[test]
fn a_timer_is_read_in_every_form_that_hosts_send() {
    let never = [
        "null",
        r#"{"Last":"0001-01-01T00:00:00","Next":"2026-11-20T12:01:00+00:00"}"#,
        r#"{"Last":"0001-01-01T00:00:00+00:00","Next":"2026-11-20T12:01:00.0096035+00:00","LastUpdated":"2026-11-20T12:00:00.0096035+00:00"}"#,
    ];
    for status in never {
        let call = timer(&format!(
            r#"{{"Schedule":{{"AdjustForDST":true}},"ScheduleStatus":{status},"IsPastDue":false}}"#
        ));
        assert_eq!(
            call,
            TimerCall {
                is_past_due: false,
                last: None,
                invocation_id: Some("i-1".to_owned())
            },
            "{status}"
        );
    }
    let call =
        timer(r#"{"Schedule":{},"ScheduleStatus":{"Last":"2026-11-20T11:59:00.640002Z"},"IsPastDue":true,"New":1}"#);
    assert!(call.is_past_due);
    assert_eq!(call.last, "2026-11-20T11:59:00.640002Z".parse().ok());
}

#[test]
fn a_timer_encoded_as_a_string_once_or_twice_is_read() {
    let info = r#"{"ScheduleStatus":null,"IsPastDue":true}"#;
    let once = serde_json::to_string(info).unwrap();
    let twice = serde_json::to_string(&once).unwrap();
    for encoded in [once, twice] {
        assert!(timer(&encoded).is_past_due, "{encoded}");
    }
}

#[test]
fn garbage_is_a_tick_all_the_same() {
    for body in [
        &b""[..],
        b"null",
        b"{",
        b"[]",
        b"{\"Data\":null}",
        b"{\"Data\":{\"t\":7}}",
        b"\xff\xfe",
    ] {
        assert_eq!(timer_call(body, None), TimerCall::default());
    }
}

fn request(trigger: &str) -> HttpCall {
    http_call(
        format!(r#"{{"Data":{{"anything":{trigger}}},"Metadata":{{"Headers":{{}}}}}}"#).as_bytes(),
        1000,
    )
    .unwrap()
}

#[test]
fn a_request_is_read_with_its_path_headers_and_text() {
    let call = request(
        r#"{"Url":"https://app.example.net/api/push/onelogin?code=key","Method":"post","Query":{"code":"key"},
            "Headers":{"Content-Type":["application/json"],"X-Two":["a","b"]},"Params":{"path":"push/onelogin"},
            "Identities":[{"AuthenticationType":"WebJobsAuthLevel","IsAuthenticated":true}],"Body":"[{\"a\":\"é\"}]"}"#,
    );
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "push/onelogin"));
    assert_eq!(call.body.as_deref(), Some("[{\"a\":\"é\"}]".as_bytes()));
    assert_eq!(call.header("x-two"), Some(&b"a"[..]));
}

#[test]
fn odd_forms_of_a_request_are_read() {
    let without = request(r#"{"Url":"/api/push/onelogin","Method":"GET","Query":"{}","Headers":"{\"A\":[\"b\"]}"}"#);
    assert_eq!(
        (without.header("a"), without.body.as_deref()),
        (Some(&b"b"[..]), Some(&b""[..]))
    );
    for content_type in ["application/octet-stream", "Multipart/form-data; boundary=b"] {
        let binary = request(&format!(
            r#"{{"Url":"/api/x","Headers":{{"Content-Type":["{content_type}"]}},"Body":"AP/+gA=="}}"#
        ));
        assert_eq!(binary.body.as_deref(), Some(&[0, 0xff, 0xfe, 0x80][..]));
    }
    let plain =
        request(r#"{"Url":"/api/x","Headers":{"Content-Type":["application/octet-stream"]},"Body":"[{\"a\":1}]"}"#);
    assert_eq!(plain.body.as_deref(), Some(&b"[{\"a\":1}]"[..]));
    let twice = request(r#"{"Url":"/api/x","Body":"\"[{\\\"a\\\":1}]\""}"#);
    assert_eq!(twice.body.as_deref(), Some(&b"[{\"a\":1}]"[..]));
    let surrogate = request(r#"{"Url":"/api/x","Body":"a\ud800b"}"#);
    assert_eq!(surrogate.body.as_deref(), Some("a\u{fffd}b".as_bytes()));
    let object = request(r#"{"Url":"/api/x","Body":{"a":1}}"#);
    assert_eq!(object.body.as_deref(), Some(&b"{\"a\":1}"[..]));
    let large = request(&format!(r#"{{"Url":"/api/x","Body":"{}"}}"#, "x".repeat(1001)));
    assert_eq!(large.body, None);
}

#[test]
fn what_is_no_request_is_refused_in_words() {
    for body in [
        "",
        "null",
        "[]",
        r#"{"Data":{}}"#,
        r#"{"Data":{"req":{"Method":"GET"}}}"#,
        r#"{"Data":{"req":"x"}}"#,
    ] {
        assert!(http_call(body.as_bytes(), 10).is_err(), "{body}");
    }
}

#[test]
fn the_path_stands_behind_api_in_every_form_of_address() {
    for (url, path) in [
        ("https://a.example.net/api/push/onelogin?x=/api/y", "push/onelogin"),
        ("http://127.0.0.1:7071/api/status/", "status"),
        ("/api/push/onelogin", "push/onelogin"),
        ("https://a.example.net/push/onelogin", "push/onelogin"),
        ("https://a.example.net", ""),
    ] {
        assert_eq!(api_path(url), path, "{url}");
    }
}

#[test]
fn replies_hold_all_three_keys_and_the_status_as_status_code() {
    let reply: Value = serde_json::from_str(&timer_reply(&TimerReply {
        failure: None,
        lines: vec!["a".to_owned()],
    }))
    .unwrap();
    assert_eq!(reply, json!({"Outputs": {}, "Logs": ["a"], "ReturnValue": null}));
    let http = HttpReply {
        status: 401,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: "{}".to_owned(),
    };
    let reply: Value = serde_json::from_str(&http_reply(&http)).unwrap();
    let res = json!({"statusCode": 401, "headers": {"Content-Type": "application/json"}, "body": "{}"});
    assert_eq!(reply, json!({"Outputs": {"res": res}, "Logs": [], "ReturnValue": null}));
}
