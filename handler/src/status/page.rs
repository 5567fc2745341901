//! The status as a page for a browser: no script, nothing loaded from elsewhere, every value escaped.

use super::model::{LAST_FAILURE, Status, StreamStatus, whole_second};
use super::text::{describe_field, describe_letters, describe_queue};

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;\
color:#1b1b1b;background:#fff}h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.8rem 0 .3rem}\
table{border-collapse:collapse;margin:.3rem 0;width:100%}th,td{text-align:left;vertical-align:top;\
padding:.25rem .8rem .25rem 0;border-bottom:1px solid #ddd}th{font-weight:600;white-space:nowrap}\
b{padding:.05rem .5rem;border-radius:.6rem;font-size:.85rem;font-weight:600;color:#fff;background:#666}\
b.ok{background:#1a7f37}b.behind{background:#9a6700}b.failing,b.off{background:#c1272d}\
code{overflow-wrap:anywhere}footer{margin:2rem 0;color:#555}\
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}th,td{border-color:#3a3a3a}footer{color:#aaa}a{color:#8ab4ff}}";

/// A whole HTML document. `links` stands behind the `?` of every link to another form of the same address.
pub fn status_page(status: &Status, links: &str) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"60\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Connector status</title><style>{STYLE}</style></head>\n\
         <body><h1>Connector status</h1>\n<p>{} &middot; handler {}</p>\n",
        whole_second(status.at),
        escaped(status.handler)
    );
    for problem in &status.problems {
        page.push_str(&format!(
            "<p><b class=\"failing\">failing</b> {}</p>\n",
            escaped(problem)
        ));
    }
    for stream in &status.streams {
        add_stream(status, stream, &mut page);
    }
    page.push_str("<h2>Spool</h2>\n");
    let queues = status.spool.iter();
    let queues = queues.map(|queue| (queue.queue.clone(), describe_queue(queue)));
    add_rows(queues.collect(), "Nothing waits.", &mut page);
    page.push_str("<h2>Dead letters</h2>\n");
    let letters = status.dead_letters.iter();
    let letters = letters.map(|(stream, letters)| (stream.clone(), describe_letters(letters)));
    add_rows(letters.collect(), "None.", &mut page);
    if !status.new_fields.is_empty() {
        page.push_str("<h2>New fields</h2>\n");
        let fields = status.new_fields.iter();
        let fields = fields.map(|field| (field.table.clone(), describe_field(field)));
        add_rows(fields.collect(), "None.", &mut page);
    }
    page.push_str(&format!(
        "<footer>Read from the state store; the page loads itself again every minute. <a href=\"?{}\">As JSON</a></footer>\n</body></html>\n",
        escaped(links)
    ));
    page
}

fn add_stream(status: &Status, stream: &StreamStatus, page: &mut String) {
    let state = stream.status.word();
    let class = state.split(' ').next().unwrap_or_default();
    page.push_str(&format!(
        "<h2>{} <b class=\"{class}\">{state}</b></h2>\n",
        escaped(&stream.stream.to_string())
    ));
    let mut rows = Vec::new();
    for table in &stream.tables {
        let mut lines: Vec<String> = table.read_up_to(status.at).into_iter().collect();
        lines.push(table.numbers());
        lines.extend(table.remarks());
        rows.push((table.table.clone(), lines.join("\n")));
    }
    for (name, mut text) in stream.facts(status.at) {
        if name == LAST_FAILURE && stream.consecutive_failures > 0 {
            text.push_str(&format!("; {} in a row", stream.consecutive_failures));
        }
        rows.push((with_a_capital(name), text));
    }
    add_rows(rows, "Nothing is stored of it yet.", page);
}

/// `Last failure` for `last failure`.
fn with_a_capital(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_ascii_uppercase() + rest
}

fn add_rows(rows: Vec<(String, String)>, nothing: &str, page: &mut String) {
    if rows.is_empty() {
        page.push_str(&format!("<p>{nothing}</p>\n"));
        return;
    }
    page.push_str("<table>\n");
    for (name, text) in rows {
        let text = escaped(&text).replace('\n', "<br>");
        page.push_str(&format!("<tr><th>{}</th><td>{text}</td></tr>\n", escaped(&name)));
    }
    page.push_str("</table>\n");
}

fn escaped(text: &str) -> String {
    // The ampersand first: the others bring one each.
    let replacements = [
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&#39;"),
    ];
    let replaced = replacements.into_iter();
    replaced.fold(text.to_owned(), |text, (character, entity)| {
        text.replace(character, entity)
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::model::StreamKind;
    use super::*;
    use crate::report::ReportSubject;
    use crate::state::LastError;

    #[test]
    fn nothing_that_comes_from_elsewhere_becomes_markup() {
        let nasty = "<script>alert('1')</script>\" onload=\"x";
        let mut status = Status::new(DateTime::UNIX_EPOCH);
        let mut stream = StreamStatus::never_run(
            ReportSubject::Instance {
                source: "pingone",
                instance: nasty.to_owned(),
            },
            StreamKind::Instance,
        );
        stream.last_error = Some(LastError {
            at: None,
            code: nasty.to_owned(),
            message: nasty.to_owned(),
            remedy: nasty.to_owned(),
        });
        stream.state_error = Some(nasty.to_owned());
        status.streams.push(stream);
        let page = status_page(&status, "format=json&code=a\"><script>");
        assert!(!page.contains("<script") && !page.contains("\" onload"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)"));
        assert!(page.contains("href=\"?format=json&amp;code=a&quot;&gt;&lt;script&gt;\""));
    }
}
