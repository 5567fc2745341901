//! A vendor whose pages lead back to themselves must not hold up a run until its end.

/// Notices a walk that goes round in a circle, however long, and remembers a single cursor for it (Brent).
#[derive(Debug, Default)]
pub struct CircleGuard {
    landmark: Option<String>,
    steps: u64,
    next_landmark_at: u64,
}

impl CircleGuard {
    /// Takes the cursor of the next page. False once the walk has been there before.
    pub fn admits(&mut self, cursor: &str) -> bool {
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
            let cursors = (0..).map(|step| {
                if step < tail {
                    step
                } else {
                    tail + (step - tail) % circle
                }
            });
            let admitted = cursors.take_while(|cursor| guard.admits(&cursor.to_string())).count();
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
