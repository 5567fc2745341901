//! Walks over the pages of a window along the cursors that the vendor gives.

use async_trait::async_trait;

use super::circle_guard::CircleGuard;
use super::notes::Notes;
use crate::event::StreamName;
use crate::sources::{Page, Pages, SourceError, Window};
use crate::time::Deadline;

/// How often a window is begun anew because a cursor was refused.
const NEW_STARTS: u32 = 2;

/// Gives the page behind a cursor.
#[async_trait]
pub trait CursorPages: Send + Sync {
    /// The stream, and the endpoint in words, for errors.
    fn names(&self) -> (&StreamName, &'static str);
    /// Takes what a person should know although the walk goes on.
    fn notes(&self) -> &Notes;
    /// A page size that is refused by nobody for being too large.
    fn modest_limit(&self) -> usize {
        100
    }
    /// The modest page size was accepted where the usual one was refused.
    fn modest_limit_was_accepted(&self) {}
    /// True if a cursor holds the page size: smaller pages are had from the first page on.
    fn cursor_holds_limit(&self) -> bool {
        false
    }
    /// The page of at most `limit` events at `place`.
    async fn page(
        &self,
        window: Window,
        limit: usize,
        place: Place<'_>,
        deadline: Deadline,
    ) -> Result<Turn, SourceError>;
}

/// Where in a window a page is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Behind this cursor; `None` for the first page.
    pub cursor: Option<&'a str>,
    /// So many events of the window came on the pages before.
    pub read: u64,
}

impl Place<'_> {
    /// The beginning of a window.
    pub const FIRST: Self = Self { cursor: None, read: 0 };
}

/// The first page of a window, of one event at the most: how many came.
pub async fn least_page(source: &dyn CursorPages, window: Window, deadline: Deadline) -> Result<usize, SourceError> {
    match source.page(window, 1, Place::FIRST, deadline).await? {
        Turn::Page(leaf) => Ok(leaf.page.events().count()),
        Turn::Refused(error) | Turn::Unwieldy(error) | Turn::Incomplete(_, error) => Err(error),
    }
}

/// A whole page.
#[derive(Debug)]
pub struct Leaf {
    /// Its events.
    pub page: Page,
    /// The cursor of the next page, unless it is the last.
    pub next: Option<String>,
    /// How many events the window has by the vendor's word, where it can be believed.
    pub promised: Option<u64>,
}

/// What asking for a page brought.
#[derive(Debug)]
pub enum Turn {
    /// The page.
    Page(Leaf),
    /// Something of the page is missing. Its events are delivered, and the walk ends with the error.
    Incomplete(Page, SourceError),
    /// 400 and its kin: perhaps an outlived cursor, perhaps the page size.
    Refused(SourceError),
    /// Too large or too slow.
    Unwieldy(SourceError),
}

/// See the module.
pub struct Walk<'a> {
    source: &'a dyn CursorPages,
    window: Window,
    limit: usize,
    at: At,
    /// Events since the first page.
    read: u64,
    guard: CircleGuard,
    new_starts_left: u32,
    /// The usual page size was refused, and whether the modest one is accepted is still to be seen.
    tries_modest_limit: bool,
}

enum At {
    First,
    Behind(String),
    End,
    /// Given out is what came of the page behind the cursor.
    Failed(SourceError, Option<String>),
}

impl<'a> Walk<'a> {
    /// At the beginning of a window.
    pub fn new(source: &'a dyn CursorPages, window: Window, limit: usize) -> Self {
        Self {
            source,
            window,
            limit,
            at: At::First,
            read: 0,
            guard: CircleGuard::default(),
            new_starts_left: NEW_STARTS,
            tries_modest_limit: false,
        }
    }

    /// Where another walk over the same window ended.
    pub fn going_on_behind(mut self, cursor: String) -> Self {
        self.guard.admits(&cursor);
        self.at = At::Behind(cursor);
        self
    }

    /// True if no further page is asked for.
    pub fn is_at_end(&self) -> bool {
        matches!(self.at, At::End | At::Failed(..))
    }

    /// The page is given out in any case, whatever is wrong with the way on from it.
    fn pass(&mut self, leaf: Leaf) -> Page {
        if std::mem::take(&mut self.tries_modest_limit) {
            self.source.modest_limit_was_accepted();
        }
        let events = leaf.page.events().count();
        self.read += events as u64;
        self.at = match leaf.next {
            None => At::End,
            Some(cursor) if self.guard.admits(&cursor) => At::Behind(cursor),
            Some(_) => self.end_of_circle(events, leaf.promised),
        };
        leaf.page
    }

    /// A last page that leads back to itself, or to the beginning, is an end. Where there may be more behind it, the
    /// window counts as interrupted: cut into shorter ones, it needs no link.
    fn end_of_circle(&self, events: usize, promised: Option<u64>) -> At {
        let (stream, asked) = self.source.names();
        let may_have_more = match promised {
            Some(promised) => promised > self.read,
            None => events >= self.limit && !self.window.is_shortest(),
        };
        if may_have_more {
            let error = SourceError::BadPage {
                stream: stream.clone(),
                asked,
                status: 200,
                reason: "it leads back to a page that was read, although there may be more behind it".to_owned(),
                excerpt: "[not shown]".to_owned(),
            };
            return At::Failed(error, None);
        }
        self.source.notes().add(format!(
            "{stream}: the last page of {asked} leads back to a page that was read; it is taken for the end"
        ));
        At::End
    }

    /// A walk that failed stands before the page that was at fault.
    fn fail(&mut self) -> Result<Option<Page>, SourceError> {
        match std::mem::replace(&mut self.at, At::End) {
            At::Failed(error, cursor) => {
                self.at = cursor.map_or(At::End, At::Behind);
                Err(error)
            }
            _ => Ok(None),
        }
    }

    fn go_back(&mut self) {
        self.at = At::First;
        self.read = 0;
        self.guard = CircleGuard::default();
    }

    /// What was read is dropped by identity when it comes again.
    fn begin_anew(&mut self, error: SourceError) -> Result<(), SourceError> {
        let on_first_page = matches!(self.at, At::First);
        if on_first_page && self.limit > self.source.modest_limit() {
            self.limit = self.source.modest_limit();
            self.tries_modest_limit = true;
            return Ok(());
        }
        if on_first_page || self.new_starts_left == 0 {
            return Err(error);
        }
        self.new_starts_left -= 1;
        self.go_back();
        Ok(())
    }

    /// Where the cursor is a mere place in the order, a smaller page may follow a larger one.
    fn ask_for_less(&mut self, error: SourceError) -> Result<(), SourceError> {
        if self.limit <= 1 {
            return Err(error);
        }
        self.limit /= 2;
        if self.source.cursor_holds_limit() {
            self.go_back();
        }
        Ok(())
    }
}

#[async_trait]
impl Pages for Walk<'_> {
    async fn next(&mut self, deadline: Deadline) -> Result<Option<Page>, SourceError> {
        loop {
            let cursor = match &self.at {
                At::First => None,
                At::Behind(cursor) => Some(cursor.as_str()),
                At::End => return Ok(None),
                At::Failed(..) => return self.fail(),
            };
            let place = Place {
                cursor,
                read: self.read,
            };
            match self.source.page(self.window, self.limit, place, deadline).await? {
                Turn::Page(leaf) => return Ok(Some(self.pass(leaf))),
                Turn::Incomplete(page, error) => {
                    self.at = At::Failed(error, cursor.map(str::to_owned));
                    return Ok(Some(page));
                }
                Turn::Refused(error) => self.begin_anew(error)?,
                Turn::Unwieldy(error) => self.ask_for_less(error)?,
            }
        }
    }

    fn place(&self) -> Option<String> {
        match &self.at {
            At::Behind(cursor) | At::Failed(_, Some(cursor)) => Some(cursor.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    /// Answers in the order of the script, and writes down what it was asked.
    struct Script {
        name: StreamName,
        notes: Notes,
        turns: Mutex<VecDeque<Turn>>,
        asked: Mutex<Vec<(usize, Option<String>)>>,
    }

    #[async_trait]
    impl CursorPages for Script {
        fn names(&self) -> (&StreamName, &'static str) {
            (&self.name, "the endpoint")
        }

        fn notes(&self) -> &Notes {
            &self.notes
        }

        async fn page(&self, _: Window, limit: usize, place: Place<'_>, _: Deadline) -> Result<Turn, SourceError> {
            self.asked
                .lock()
                .unwrap()
                .push((limit, place.cursor.map(str::to_owned)));
            Ok(self
                .turns
                .lock()
                .unwrap()
                .pop_front()
                .expect("nothing more was to be asked"))
        }
    }

    fn page(next: Option<&str>) -> Turn {
        promising(next, None)
    }

    /// A page of one event.
    fn promising(next: Option<&str>, promised: Option<u64>) -> Turn {
        Turn::Page(Leaf {
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
            stream: name(),
            doing: "a test".to_owned(),
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

    fn script(turns: Vec<Turn>) -> Script {
        Script {
            name: name(),
            notes: Notes::default(),
            turns: Mutex::new(turns.into()),
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
    async fn walk(limit: usize, turns: Vec<Turn>) -> (Result<usize, String>, Vec<String>) {
        let script = script(turns);
        let mut walk = Walk::new(&script, window(), limit);
        let mut pages = 0;
        let outcome = loop {
            match walk.next(Deadline::after(Duration::from_secs(60))).await {
                Ok(Some(_)) => pages += 1,
                Ok(None) => break Ok(pages),
                Err(error) => break Err(error.to_string()),
            }
        };
        let asked = script.asked.lock().unwrap();
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
        let turns = vec![
            page(Some("a")),
            Turn::Unwieldy(error()),
            Turn::Unwieldy(error()),
            page(None),
        ];
        let (outcome, asked) = walk(1000, turns).await;
        assert_eq!(outcome, Ok(2));
        assert_eq!(asked, ["1000", "1000@a", "500@a", "250@a"]);
    }

    #[tokio::test]
    async fn a_single_event_that_is_too_much_is_an_error() {
        let (outcome, asked) = walk(3, vec![Turn::Unwieldy(error()), Turn::Unwieldy(error())]).await;
        assert!(outcome.is_err());
        assert_eq!(asked, ["3", "1"]);
    }

    #[tokio::test]
    async fn a_refused_cursor_begins_the_window_anew_twice_and_no_more() {
        let round = || vec![page(Some("a")), Turn::Refused(error())];
        let turns = [round(), round(), round()].into_iter().flatten().collect();
        let (outcome, asked) = walk(300, turns).await;
        assert!(outcome.is_err());
        assert_eq!(asked, ["300", "300@a", "300", "300@a", "300", "300@a"]);
    }

    #[tokio::test]
    async fn a_refused_first_page_is_asked_for_once_more_by_a_modest_one() {
        let (outcome, asked) = walk(1000, vec![Turn::Refused(error()), page(None)]).await;
        assert_eq!(outcome, Ok(1));
        assert_eq!(asked, ["1000", "100"]);
        let (outcome, asked) = walk(1000, vec![Turn::Refused(error()), Turn::Refused(error())]).await;
        assert!(outcome.is_err());
        assert_eq!(asked, ["1000", "100"]);
    }

    #[tokio::test]
    async fn a_page_that_leads_back_is_given_out_and_ends_the_walk() {
        for circle in [&["a", "a"][..], &["a", "b", "a"], &["a", "b", "c", "b"]] {
            let turns = circle.iter().map(|cursor| page(Some(cursor))).collect();
            let (outcome, asked) = walk(1000, turns).await;
            assert_eq!(outcome, Ok(circle.len()), "{circle:?}");
            assert_eq!(asked.len(), circle.len(), "{circle:?}");
        }
    }

    #[tokio::test]
    async fn a_circle_with_more_behind_it_by_the_vendors_word_or_by_a_full_page_is_no_end() {
        for (limit, promised) in [(1000, Some(3)), (1, None), (1, Some(3))] {
            let turns = vec![promising(Some("a"), promised), promising(Some("a"), promised)];
            let (outcome, asked) = walk(limit, turns).await;
            assert!(outcome.unwrap_err().contains("leads back"), "{limit} {promised:?}");
            assert_eq!(asked.len(), 2, "the page itself was given out");
        }
        let turns = vec![promising(Some("a"), Some(2)), promising(Some("a"), Some(2))];
        assert_eq!(walk(1, turns).await.0, Ok(2));
    }

    #[tokio::test]
    async fn an_incomplete_page_is_given_out_before_its_error() {
        let turns = vec![page(Some("a")), Turn::Incomplete(one_event(), error())];
        let script = script(turns);
        let mut walk = Walk::new(&script, window(), 1000);
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
        let mut first = Walk::new(&script, window(), 50);
        assert_eq!(first.place(), None);
        first.next(deadline).await.unwrap();
        let place = first.place().unwrap();
        let mut second = Walk::new(&script, window(), 50).going_on_behind(place);
        while second.next(deadline).await.unwrap().is_some() {}
        let asked: Vec<_> = script
            .asked
            .lock()
            .unwrap()
            .iter()
            .map(|(_, cursor)| cursor.clone())
            .collect();
        assert_eq!(asked, [None, Some("a".to_owned()), Some("b".to_owned())]);
        assert_eq!(second.place(), None);
    }
}
