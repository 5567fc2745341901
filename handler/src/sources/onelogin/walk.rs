//! A walk over the pages of a list along its cursors.

use async_trait::async_trait;

use super::list::{LIMITS, List};
use crate::sources::{Page, Pages, SourceError, Window};
use crate::time::Deadline;

/// How often a list is begun anew because a cursor was refused.
const NEW_STARTS: u32 = 2;

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
    list: &'a List,
    window: Option<Window>,
    limit: usize,
    place: Place,
    circle: CircleGuard,
    new_starts_left: u32,
    /// The usual page size was refused, and whether the documented one is accepted is still to be seen.
    tries_documented_limit: bool,
}

enum Place {
    First,
    Behind(String),
    End,
}

impl<'a> Walk<'a> {
    /// At the beginning of `list`.
    pub fn new(list: &'a List, window: Option<Window>, limit: usize) -> Self {
        Self {
            list,
            window,
            limit,
            place: Place::First,
            circle: CircleGuard::default(),
            new_starts_left: NEW_STARTS,
            tries_documented_limit: false,
        }
    }

    fn go_on(&mut self, cursor: Option<String>) -> Result<(), SourceError> {
        if std::mem::take(&mut self.tries_documented_limit) {
            self.list.begin_with(LIMITS.1);
        }
        let Some(cursor) = cursor else {
            self.place = Place::End;
            return Ok(());
        };
        if !self.circle.admits(&cursor) {
            return Err(self.list.leads_back());
        }
        self.place = Place::Behind(cursor);
        Ok(())
    }

    /// What was read is dropped by identity when it comes again.
    fn begin_anew(&mut self, error: SourceError) -> Result<(), SourceError> {
        let on_first_page = matches!(self.place, Place::First);
        if on_first_page && self.limit > LIMITS.1 {
            self.limit = LIMITS.1;
            self.tries_documented_limit = true;
            return Ok(());
        }
        if on_first_page || self.new_starts_left == 0 {
            return Err(error);
        }
        self.new_starts_left -= 1;
        self.place = Place::First;
        self.circle = CircleGuard::default();
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
            match self.list.page(self.window, self.limit, cursor, deadline).await? {
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

/// Notices a walk that goes round in a circle, however long, and remembers a single cursor for it (Brent).
#[derive(Debug, Default)]
struct CircleGuard {
    landmark: Option<String>,
    steps: u64,
    next_landmark_at: u64,
}

impl CircleGuard {
    /// Takes the cursor of the next page. False once the walk has been there before.
    fn admits(&mut self, cursor: &str) -> bool {
        if self.landmark.as_deref() == Some(cursor) {
            return false;
        }
        if self.steps == self.next_landmark_at {
            self.landmark = Some(cursor.to_owned());
            self.next_landmark_at = (self.steps + 1) * 2;
        }
        self.steps += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_of_any_length_is_noticed_in_a_few_rounds() {
        for (tail, circle) in [(0, 1), (1, 1), (0, 2), (5, 3), (40, 7), (3, 100)] {
            let mut guard = CircleGuard::default();
            let place = |step: usize| {
                if step < tail {
                    step
                } else {
                    tail + (step - tail) % circle
                }
            };
            let admitted = (0..)
                .map(place)
                .take_while(|cursor| guard.admits(&cursor.to_string()))
                .count();
            assert!(admitted >= tail + circle, "{tail} {circle}: {admitted}");
            assert!(admitted <= 4 * (tail + circle) + 2, "{tail} {circle}: {admitted}");
        }
    }

    #[test]
    fn a_walk_without_a_circle_is_never_stopped() {
        let mut guard = CircleGuard::default();
        assert!((0..10_000).all(|cursor| guard.admits(&cursor.to_string())));
    }
}
