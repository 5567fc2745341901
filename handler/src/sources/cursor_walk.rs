//! Walks over the pages of a window along the cursors that the vendor gives.

use async_trait::async_trait;

use super::circle_guard::CircleGuard;
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
    /// A page size that is refused by nobody for being too large.
    fn modest_limit(&self) -> usize {
        100
    }
    /// The modest page size was accepted where the usual one was refused.
    fn modest_limit_was_accepted(&self) {}
    /// The page of at most `limit` events behind `cursor`, or the first.
    async fn page(
        &self,
        window: Window,
        limit: usize,
        cursor: Option<&str>,
        deadline: Deadline,
    ) -> Result<Turn, SourceError>;
}

/// The first page of a window, of one event at the most: how many came.
pub async fn least_page(source: &dyn CursorPages, window: Window, deadline: Deadline) -> Result<usize, SourceError> {
    match source.page(window, 1, None, deadline).await? {
        Turn::Page(page, _) => Ok(page.events().count()),
        Turn::Refused(error) | Turn::Unwieldy(error) => Err(error),
    }
}

/// What asking for a page brought.
#[derive(Debug)]
pub enum Turn {
    /// The page, and the cursor of the next one unless it is the last.
    Page(Page, Option<String>),
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
    place: Place,
    guard: CircleGuard,
    new_starts_left: u32,
    /// The usual page size was refused, and whether the modest one is accepted is still to be seen.
    tries_modest_limit: bool,
}

enum Place {
    First,
    Behind(String),
    End,
}

impl<'a> Walk<'a> {
    /// At the beginning of a window.
    pub fn new(source: &'a dyn CursorPages, window: Window, limit: usize) -> Self {
        Self {
            source,
            window,
            limit,
            place: Place::First,
            guard: CircleGuard::default(),
            new_starts_left: NEW_STARTS,
            tries_modest_limit: false,
        }
    }

    fn go_on(&mut self, cursor: Option<String>) -> Result<(), SourceError> {
        if std::mem::take(&mut self.tries_modest_limit) {
            self.source.modest_limit_was_accepted();
        }
        let Some(cursor) = cursor else {
            self.place = Place::End;
            return Ok(());
        };
        if self.guard.admits(&cursor) {
            self.place = Place::Behind(cursor);
            return Ok(());
        }
        let (stream, asked) = self.source.names();
        Err(SourceError::BadPage {
            stream: stream.clone(),
            asked,
            status: 200,
            reason: "its cursor leads back to a page that was read".to_owned(),
            excerpt: "[not shown]".to_owned(),
        })
    }

    /// What was read is dropped by identity when it comes again.
    fn begin_anew(&mut self, error: SourceError) -> Result<(), SourceError> {
        let on_first_page = matches!(self.place, Place::First);
        if on_first_page && self.limit > self.source.modest_limit() {
            self.limit = self.source.modest_limit();
            self.tries_modest_limit = true;
            return Ok(());
        }
        if on_first_page || self.new_starts_left == 0 {
            return Err(error);
        }
        self.new_starts_left -= 1;
        self.place = Place::First;
        self.guard = CircleGuard::default();
        Ok(())
    }

    /// The cursor is a place in the order, so a smaller page may follow a larger one.
    fn ask_for_less(&mut self, error: SourceError) -> Result<(), SourceError> {
        if self.limit <= 1 {
            return Err(error);
        }
        self.limit /= 2;
        Ok(())
    }
}

#[async_trait]
impl Pages for Walk<'_> {
    async fn next(&mut self, deadline: Deadline) -> Result<Option<Page>, SourceError> {
        loop {
            let cursor = match &self.place {
                Place::First => None,
                Place::Behind(cursor) => Some(cursor.as_str()),
                Place::End => return Ok(None),
            };
            match self.source.page(self.window, self.limit, cursor, deadline).await? {
                Turn::Page(page, next) => {
                    self.go_on(next)?;
                    return Ok(Some(page));
                }
                Turn::Refused(error) => self.begin_anew(error)?,
                Turn::Unwieldy(error) => self.ask_for_less(error)?,
            }
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
        turns: Mutex<VecDeque<Turn>>,
        asked: Mutex<Vec<(usize, Option<String>)>>,
    }

    #[async_trait]
    impl CursorPages for Script {
        fn names(&self) -> (&StreamName, &'static str) {
            (&self.name, "the endpoint")
        }

        async fn page(&self, _: Window, limit: usize, cursor: Option<&str>, _: Deadline) -> Result<Turn, SourceError> {
            self.asked.lock().unwrap().push((limit, cursor.map(str::to_owned)));
            Ok(self
                .turns
                .lock()
                .unwrap()
                .pop_front()
                .expect("nothing more was to be asked"))
        }
    }

    fn page(next: Option<&str>) -> Turn {
        let events = std::iter::once(0..2).collect();
        Turn::Page(Page::new("{}".to_owned(), events, 0), next.map(str::to_owned))
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

    /// The number of pages or the error, and what was asked: `limit`, or `limit@cursor`.
    async fn walk(limit: usize, turns: Vec<Turn>) -> (Result<usize, String>, Vec<String>) {
        let script = Script {
            name: name(),
            turns: Mutex::new(turns.into()),
            asked: Mutex::default(),
        };
        let window = Window {
            from: "2026-11-20T10:00:00Z".parse().unwrap(),
            to: "2026-11-20T11:00:00Z".parse().unwrap(),
        };
        let mut walk = Walk::new(&script, window, limit);
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
    async fn cursors_that_go_round_in_a_circle_end_in_an_error() {
        let turns = (0..40).map(|turn| page(Some(["a", "b", "c"][turn % 3]))).collect();
        let (outcome, asked) = walk(1000, turns).await;
        assert!(outcome.unwrap_err().contains("leads back"));
        assert!(asked.len() < 15, "{asked:?}");
    }
}
