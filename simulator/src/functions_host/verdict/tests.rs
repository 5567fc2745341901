use super::*;

fn answer(status: u16, content_type: &str, body: &str) -> RawAnswer {
    RawAnswer {
        status,
        reason: "No Good".to_owned(),
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body.as_bytes().to_vec(),
        request_sent: true,
    }
}

fn json(body: &str) -> Result<Invocation, HostError> {
    invocation(&answer(200, "application/json", body))
}

fn http(outputs: &str) -> Result<HttpAnswer, HostError> {
    let reply = format!("{{\"Outputs\":{outputs},\"Logs\":[],\"ReturnValue\":null}}");
    http_answer(&json(&reply)?, "res")
}

#[test]
fn a_whole_envelope_is_read_in_any_case_of_its_keys() {
    let reply = json(r#"{"outputs":{"a":1},"LOGS":["one",2],"returnValue":"x","more":0}"#);

    let reply = reply.expect("the reply is good");
    assert_eq!(reply.logs, ["one", "2"]);
    assert_eq!(reply.outputs["a"], 1);
    assert_eq!(reply.return_value, "x");
}

#[test]
fn nulls_and_missing_keys_are_empty() {
    for body in [r#"{"Outputs":null,"Logs":null,"ReturnValue":null}"#, "{}"] {
        let reply = json(body).expect("the reply is good");
        assert!(reply.logs.is_empty() && reply.outputs.is_empty());
    }
}

#[test]
fn a_status_other_than_2xx_fails_whatever_the_body_says() {
    for status in [302, 400, 404, 500, 503] {
        let outcome = invocation(&answer(status, "application/json", "{\"Logs\":[\"lost\"]}"));
        assert!(matches!(
            outcome,
            Err(HostError::InvocationFailed { status: seen, .. }) if seen == status
        ));
    }
}

#[test]
fn an_empty_body_and_null_would_hang() {
    for (status, body) in [(200, ""), (204, ""), (200, "null")] {
        let outcome = invocation(&answer(status, "application/json", body));
        assert!(matches!(outcome, Err(HostError::WouldHang { .. })), "{body}");
    }
}

#[test]
fn another_content_type_is_not_supported() {
    for content_type in ["text/plain", "application/octet-stream", ""] {
        let outcome = invocation(&answer(200, content_type, "{}"));
        assert!(matches!(outcome, Err(HostError::UnsupportedMediaType(_))));
    }
    assert!(invocation(&answer(200, "text/json; charset=utf-8", "{}")).is_ok());
}

#[test]
fn what_is_no_envelope_is_refused() {
    for body in [
        "plain words",
        "[]",
        "\"text\"",
        r#"{"Outputs":[]}"#,
        r#"{"Logs":"one"}"#,
        r#"{"Logs":[{}]}"#,
    ] {
        assert!(matches!(json(body), Err(HostError::InvalidReply(_))), "{body}");
    }
}

#[test]
fn an_answer_before_the_request_was_read_is_refused() {
    let early = RawAnswer {
        request_sent: false,
        ..answer(200, "application/json", "{}")
    };
    assert!(matches!(invocation(&early), Err(HostError::BodyNotRead)));
}

#[test]
fn the_http_output_gives_status_headers_and_body() {
    let full = http(r#"{"res":{"statusCode":"201","body":"my text","headers":{"X-A":"1","N":2}}}"#)
        .expect("the output is good");
    assert_eq!((full.status, full.text().as_str()), (201, "my text"));
    assert_eq!(full.header("x-a"), Some("1"));
    assert_eq!(full.header("n"), Some("2"));
    assert_eq!(full.header("content-type"), Some("text/plain; charset=utf-8"));

    let object = http(r#"{"res":{"statusCode":202,"body":{"ok":true}}}"#).expect("good");
    assert_eq!(object.text(), "{\n  \"ok\": true\n}");
}

#[test]
fn a_status_under_another_name_is_not_seen() {
    let answer = http(r#"{"res":{"status":404,"body":"x"}}"#).expect("the output is good");
    assert_eq!(answer.status, 200);
}

#[test]
fn no_http_output_is_200_and_a_wrong_one_fails() {
    for outputs in ["null", "{}", r#"{"res":{}}"#] {
        let answer = http(outputs).expect("the output is good");
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }
    for outputs in [r#"{"res":null}"#, r#"{"res":"text"}"#, r#"{"res":{"statusCode":"x"}}"#] {
        assert!(matches!(http(outputs), Err(HostError::InvalidReply(_))), "{outputs}");
    }
}
