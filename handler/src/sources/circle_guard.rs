//! A vendor whose pages lead back to themselves must not hold up a run until its end.

use std::collections::HashSet;

use crate::event::Identity;

/// Cursors that are remembered one by one. A walk with more of them is watched by a single landmark.
const MOST_REMEMBERED: usize = 10_000;

/// Notices a walk that goes round in a circle: at once among the first pages, and later within a few rounds, so that
/// the memory does not grow with the walk (Brent).
#[derive(Debug, Default)]
pub struct CircleGuard {
    seen: HashSet<Identity>,
    landmark: Option<Identity>,
    steps: u64,
    next_landmark_at: u64,
}

impl CircleGuard {
    /// Takes the cursor of the next page. False once the walk has been there before.
    pub fn admits(&mut self, cursor: &str) -> bool {
        let cursor = Identity::of_parts(&[cursor]);
        if self.landmark == Some(cursor) || self.seen.contains(&cursor) {
            return false;
        }
        if self.seen.len() < MOST_REMEMBERED {
            self.seen.insert(cursor);
        }
        if self.steps == self.next_landmark_at {
            self.landmark = Some(cursor);
            self.next_landmark_at = (self.steps + 1) * 2;
        }
        self.steps += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(tail: usize, circle: usize) -> usize {
        let mut guard = CircleGuard::default();
        let cursors = (0..).map(|step| {
            if step < tail {
                step
            } else {
                tail + (step - tail) % circle
            }
        });
        cursors.take_while(|cursor| guard.admits(&cursor.to_string())).count()
    }

    #[test]
    fn a_circle_among_the_first_pages_is_noticed_before_a_page_comes_twice() {
        for (tail, circle) in [(0, 1), (1, 1), (0, 2), (5, 3), (40, 7), (3, 100)] {
            assert_eq!(admitted(tail, circle), tail + circle, "{tail} {circle}");
        }
    }

    #[test]
    fn a_circle_far_behind_is_noticed_in_a_few_rounds() {
        for (tail, circle) in [(MOST_REMEMBERED + 5, 1), (MOST_REMEMBERED + 5, 300)] {
            let admitted = admitted(tail, circle);
            assert!(admitted >= tail + circle, "{tail} {circle}: {admitted}");
            assert!(admitted <= 4 * (tail + circle) + 2, "{tail} {circle}: {admitted}");
        }
    }

    #[test]
    fn a_walk_without_a_circle_is_never_stopped() {
        let mut guard = CircleGuard::default();
        assert!((0..MOST_REMEMBERED * 2).all(|cursor| guard.admits(&cursor.to_string())));
    }
}
