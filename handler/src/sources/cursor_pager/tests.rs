use std::collections::VecDeque;
use std::time::Duration;

use super::*;
use crate::event::{Identity, StreamName};
use crate::sources::{EventKey, PolledStream, TimeEnd};
use parking_lot::Mutex;

/// Answers in the order of the script, and writes down what it was asked.
struct Script {
    base: StreamBase,
    results: Mutex<VecDeque<Result<PageResult, SourceError>>>,
    asked: Mutex<Vec<(usize, Option<String>)>>,
}

impl PolledStream for Script {
    fn base(&self) -> &StreamBase {
        &self.base
    }

    fn key_of(&self, event: &str) -> EventKey {
        EventKey {
            identity: Identity::of_content(event),
            time: None,
        }
    }
}

#[async_trait]
impl CursorPages for Script {
    fn page_size(&self) -> usize {
        1000
    }

    async fn page(&self, request: PageRequest<'_>, _: Deadline) -> Result<PageResult, SourceError> {
        self.asked
            .lock()
            .push((request.limit, request.cursor.map(str::to_owned)));
        let mut results = self.results.lock();
        results.pop_front().expect("nothing more was to be asked")
    }
}

fn page(next: Option<&str>) -> PageResult {
    promising(next, None)
}

/// A page of one event.
fn promising(next: Option<&str>, promised: Option<u64>) -> PageResult {
    PageResult::Page(CompletePage {
        page: one_event(),
        next: next.map(str::to_owned),
        promised,
    })
}

fn one_event() -> Page {
    Page::new("{}".to_owned(), std::iter::once(0..2).collect(), 0)
}

fn error() -> SourceError {
    SourceError::OutOfTime {
        end: TimeEnd::While("a test".to_owned()),
        kept_failing: false,
    }
}

fn name() -> StreamName {
    StreamName {
        source: "sentinelone",
        instance: "default".to_owned(),
        stream: "threats",
    }
}

fn script(results: Vec<PageResult>) -> Script {
    Script {
        base: StreamBase::of(name(), "the endpoint", "the account".to_owned()),
        results: Mutex::new(results.into_iter().map(Ok).collect()),
        asked: Mutex::default(),
    }
}

fn window() -> Window {
    Window {
        from: "2026-11-20T10:00:00Z".parse().unwrap(),
        to: "2026-11-20T11:00:00Z".parse().unwrap(),
    }
}

/// The number of pages or the error, and what was asked: `limit`, or `limit@cursor`.
async fn walk(limit: usize, results: Vec<PageResult>) -> (Result<usize, String>, Vec<String>) {
    let script = script(results);
    let mut walk = CursorPager::new(&script, window(), limit);
    let mut pages = 0;
    let outcome = loop {
        match walk.next(Deadline::after(Duration::from_secs(60))).await {
            Ok(Some(_)) => pages += 1,
            Ok(None) => break Ok(pages),
            Err(error) => break Err(error.to_string()),
        }
    };
    let asked = script.asked.lock();
    let asked = asked.iter().map(|(limit, cursor)| match cursor {
        Some(cursor) => format!("{limit}@{cursor}"),
        None => limit.to_string(),
    });
    (outcome, asked.collect())
}

#[tokio::test]
async fn cursors_are_followed_to_the_last_page() {
    let (outcome, asked) = walk(1000, vec![page(Some("a")), page(Some("b")), page(None)]).await;
    assert_eq!(outcome, Ok(3));
    assert_eq!(asked, ["1000", "1000@a", "1000@b"]);
}

#[tokio::test]
async fn a_page_that_is_too_much_is_asked_for_again_by_half_from_the_same_place() {
    let results = vec![
        page(Some("a")),
        PageResult::TooLarge(error()),
        PageResult::TooLarge(error()),
        page(None),
    ];
    let (outcome, asked) = walk(1000, results).await;
    assert_eq!(outcome, Ok(2));
    assert_eq!(asked, ["1000", "1000@a", "500@a", "250@a"]);
}

#[tokio::test]
async fn a_single_event_that_is_too_much_is_an_error() {
    let (outcome, asked) = walk(3, vec![PageResult::TooLarge(error()), PageResult::TooLarge(error())]).await;
    assert!(outcome.is_err());
    assert_eq!(asked, ["3", "1"]);
}

#[tokio::test]
async fn a_refused_cursor_begins_the_window_anew_twice_and_no_more() {
    let round = || vec![page(Some("a")), PageResult::Refused(error())];
    let results = [round(), round(), round()].into_iter().flatten().collect();
    let (outcome, asked) = walk(300, results).await;
    assert!(outcome.is_err());
    assert_eq!(asked, ["300", "300@a", "300", "300@a", "300", "300@a"]);
}

#[tokio::test]
async fn a_refused_first_page_is_asked_for_once_more_by_a_modest_one() {
    let (outcome, asked) = walk(1000, vec![PageResult::Refused(error()), page(None)]).await;
    assert_eq!(outcome, Ok(1));
    assert_eq!(asked, ["1000", "100"]);
    let (outcome, asked) = walk(1000, vec![PageResult::Refused(error()), PageResult::Refused(error())]).await;
    assert!(outcome.is_err());
    assert_eq!(asked, ["1000", "100"]);
}

#[tokio::test]
async fn a_page_that_leads_back_is_given_out_and_ends_the_walk() {
    for circle in [&["a", "a"][..], &["a", "b", "a"], &["a", "b", "c", "b"]] {
        let results = circle.iter().map(|cursor| page(Some(cursor))).collect();
        let (outcome, asked) = walk(1000, results).await;
        assert_eq!(outcome, Ok(circle.len()), "{circle:?}");
        assert_eq!(asked.len(), circle.len(), "{circle:?}");
    }
}

#[tokio::test]
async fn a_circle_with_more_behind_it_by_the_vendors_word_or_by_a_full_page_is_no_end() {
    for (limit, promised) in [(1000, Some(3)), (1, None), (1, Some(3))] {
        let results = vec![promising(Some("a"), promised), promising(Some("a"), promised)];
        let (outcome, asked) = walk(limit, results).await;
        assert!(outcome.unwrap_err().contains("leads back"), "{limit} {promised:?}");
        assert_eq!(asked.len(), 2, "the page itself was given out");
    }
    let results = vec![promising(Some("a"), Some(2)), promising(Some("a"), Some(2))];
    assert_eq!(walk(1, results).await.0, Ok(2));
}

#[tokio::test]
async fn an_incomplete_page_is_given_out_before_its_error() {
    let results = vec![page(Some("a")), PageResult::Incomplete(one_event(), error())];
    let script = script(results);
    let mut walk = CursorPager::new(&script, window(), 1000);
    let deadline = Deadline::after(Duration::from_secs(60));
    for _ in 0..2 {
        assert_eq!(walk.next(deadline).await.unwrap().unwrap().events().count(), 1);
    }
    assert!(walk.next(deadline).await.is_err());
}

#[tokio::test]
async fn a_walk_goes_on_where_another_one_ended() {
    let script = script(vec![page(Some("a")), page(Some("b")), page(None)]);
    let deadline = Deadline::after(Duration::from_secs(60));
    let mut first = CursorPager::new(&script, window(), 50);
    assert_eq!(first.place(), None);
    first.next(deadline).await.unwrap();
    let place = first.place().unwrap();
    let mut second = CursorPager::new(&script, window(), 50).resuming_at(place);
    while second.next(deadline).await.unwrap().is_some() {}
    let asked: Vec<_> = script.asked.lock().iter().map(|(_, cursor)| cursor.clone()).collect();
    assert_eq!(asked, [None, Some("a".to_owned()), Some("b".to_owned())]);
    assert_eq!(second.place(), None);
}

fn events(count: usize, next: Option<&str>, promised: Option<u64>) -> PageResult {
    let text: String = (0..count).map(|number| format!("{number:04}")).collect();
    PageResult::Page(CompletePage {
        page: Page::new(text, (0..count).map(|number| number * 4..number * 4 + 4).collect(), 0),
        next: next.map(str::to_owned),
        promised,
    })
}

#[tokio::test]
async fn a_circle_on_a_page_that_the_vendor_capped_below_our_limit_is_no_end() {
    for (size, link, is_end) in [
        (100, "a", false),
        (99, "a", true),
        (20, "https://x.example/list?a=b&limit=20", false),
        (19, "https://x.example/list?limit=20&a=b", true),
    ] {
        let results = vec![events(size, Some(link), None), events(size, Some(link), None)];
        let (outcome, asked) = walk(1000, results).await;
        assert_eq!(outcome.is_ok(), is_end, "{size} {link}: {outcome:?}");
        assert_eq!(asked.len(), 2);
    }
}

#[tokio::test]
async fn a_window_that_is_short_of_what_was_promised_is_begun_anew_once() {
    let short = || PageResult::Short(one_event(), error());
    let (outcome, asked) = walk(1000, vec![page(Some("a")), short(), page(Some("a")), page(None)]).await;
    assert_eq!(outcome, Ok(4));
    assert_eq!(asked, ["1000", "1000@a", "1000", "1000@a"]);
    let (outcome, asked) = walk(1000, vec![page(Some("a")), short(), page(Some("b")), short()]).await;
    assert!(outcome.is_err());
    assert_eq!(asked.len(), 4);
    assert!(
        walk(1000, vec![short()]).await.0.is_err(),
        "a first page is as new as it gets"
    );
}

#[tokio::test]
async fn pages_without_events_that_lead_on_for_ever_are_no_end_and_are_not_followed_for_ever() {
    let cursors: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let results = cursors.iter().map(|cursor| events(0, Some(cursor), None)).collect();
    let (outcome, asked) = walk(1000, results).await;
    assert!(outcome.unwrap_err().contains("in a row"), "{asked:?}");
    assert_eq!(asked.len(), 10);
    let mut results: Vec<_> = cursors
        .iter()
        .take(9)
        .map(|cursor| events(0, Some(cursor), None))
        .collect();
    results.push(page(None));
    assert_eq!(walk(1000, results).await.0, Ok(10));
}

fn refused(status: u16, asked: &'static str) -> SourceError {
    SourceError::Refused {
        asked,
        status,
        code: None,
        remedy: "none".into(),
    }
}

/// Goes on behind the cursor `old`.
async fn resumed(
    results: Vec<Result<PageResult, SourceError>>,
) -> (Result<usize, String>, Vec<Option<String>>, Option<String>) {
    let script = script(Vec::new());
    *script.results.lock() = results.into();
    let mut walk = CursorPager::new(&script, window(), 50).resuming_at("old".to_owned());
    let mut pages = 0;
    let outcome = loop {
        match walk.next(Deadline::after(Duration::from_secs(60))).await {
            Ok(Some(_)) => pages += 1,
            Ok(None) => break Ok(pages),
            Err(error) => break Err(error.to_string()),
        }
    };
    let place = walk.place();
    let asked = script.asked.lock();
    let asked = asked.iter().map(|(_, cursor)| cursor.clone());
    (outcome, asked.collect(), place)
}

#[tokio::test]
async fn a_walk_whose_saved_cursor_died_begins_anew() {
    let old = Some("old".to_owned());
    for first in [
        Err(refused(404, "the endpoint")),
        Err(refused(403, "the endpoint")),
        Ok(PageResult::Refused(error())),
        Ok(events(0, None, None)),
    ] {
        let (outcome, asked, _) = resumed(vec![first, Ok(page(Some("a"))), Ok(page(None))]).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(asked, [old.clone(), None, Some("a".to_owned())]);
    }
}

#[tokio::test]
async fn a_refusal_that_is_not_about_the_cursor_keeps_the_place() {
    for first in [refused(401, "the endpoint"), refused(403, TOKEN_ENDPOINT)] {
        let (outcome, asked, place) = resumed(vec![Err(first)]).await;
        assert!(outcome.is_err());
        assert_eq!((asked.len(), place.as_deref()), (1, Some("old")));
    }
    let (outcome, asked, _) = resumed(vec![Ok(page(Some("a"))), Err(refused(404, "the endpoint"))]).await;
    assert!(
        outcome.is_err(),
        "only the first page shows whether the saved cursor is dead"
    );
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn an_empty_last_page_of_a_resumed_walk_is_its_end_once_something_came() {
    let (outcome, asked, _) = resumed(vec![Ok(page(Some("a"))), Ok(events(0, None, None))]).await;
    assert_eq!((outcome, asked.len()), (Ok(2), 2));
}
