//! A custom handler that does what its environment says, to test the host around it.
//!
//! It answers every request with a description of that request, in the form the path asks for, unless
//! `SCRIPTED_BODY` gives another body (`SCRIPTED_STATUS`, `SCRIPTED_TYPE` go with it). `SCRIPTED_START=exit`
//! ends it at once; `SCRIPTED_ANSWER=never` lets it accept and stay silent, but for `GET /`.
#![allow(
    clippy::expect_used,
    reason = "a test tool: a broken assumption must stop the test with a message"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "its own process, whose environment is the whole of its settings and what the tests look at"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

fn main() -> ExitCode {
    if setting("SCRIPTED_START").as_deref() == Some("exit") {
        eprintln!("no wish to start");
        return ExitCode::from(3);
    }
    let port = setting("FUNCTIONS_CUSTOMHANDLER_PORT").expect("the host gives a port");
    let port: u16 = port.parse().expect("the port is a number");
    println!("ready to listen");
    eprintln!("a word on the error stream");
    let server = HttpServer::new(|| App::new().default_service(web::to(answer)))
        .workers(1)
        .bind(("127.0.0.1", port))
        .expect("the port is free");
    actix_web::rt::System::new()
        .block_on(server.run())
        .expect("the server runs until it is killed");
    ExitCode::SUCCESS
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn answer(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    if request.path() == "/" {
        // Any status is good enough for the host.
        return HttpResponse::NotFound().finish();
    }
    if setting("SCRIPTED_ANSWER").as_deref() == Some("never") {
        std::future::pending::<()>().await;
    }
    if let Some(body) = setting("SCRIPTED_BODY") {
        return scripted(body);
    }
    let description = describe(&request, &body);
    let reply = match request.path() {
        "/function-timer" => {
            json!({"Outputs": {}, "Logs": [description.to_string()], "ReturnValue": null})
        }
        "/function-http" => json!({
            "Outputs": {"res": {"statusCode": 201, "body": description.to_string()}},
            "Logs": [],
            "ReturnValue": null,
        }),
        _ => description,
    };
    HttpResponse::Ok()
        .content_type("application/json")
        .body(reply.to_string())
}

fn scripted(body: String) -> HttpResponse {
    let status = setting("SCRIPTED_STATUS").unwrap_or_else(|| "200".to_owned());
    let status: StatusCode = status.parse().expect("the status is one of HTTP");
    let content_type = setting("SCRIPTED_TYPE");
    HttpResponse::build(status)
        .content_type(content_type.unwrap_or_else(|| "application/json".to_owned()))
        .body(body)
}

fn describe(request: &HttpRequest, body: &[u8]) -> Value {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.to_string()).or_default().push(value);
    }
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    json!({
        "method": request.method().as_str(),
        "target": request.uri().to_string(),
        "headers": headers,
        "body": STANDARD.encode(body),
        "environment": environment,
    })
}
