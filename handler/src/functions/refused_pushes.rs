//! How refused pushes are logged: the first of a cause at once and the others as one count a minute, so that a flood of
//! requests is no flood of lines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

const COUNTED_FOR: Duration = Duration::from_secs(60);

/// Counts refused pushes between two lines of their cause.
#[derive(Clone, Default)]
pub struct RefusedPushes {
    counted: Arc<Mutex<BTreeMap<RefusalCause, Unlogged>>>,
}

/// Who was to receive the push, and the HTTP status number that it was answered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RefusalCause {
    vendor: String,
    status: u16,
}

/// The pushes since the last line.
#[derive(Default)]
struct Unlogged {
    count: u64,
    last_reason: String,
}

impl RefusedPushes {
    /// Logs a refused push at once, or with the count of its minute.
    pub fn log(&self, vendor: &str, status: u16, reason: String) {
        let cause = RefusalCause {
            vendor: vendor.to_owned(),
            status,
        };
        let Some(line) = self.add(&cause, reason) else { return };
        log::warn!(source = vendor; "{line}");
        let pushes = self.clone();
        // Not in the invocation: what it logs belongs to many.
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(COUNTED_FOR).await;
                let Some(line) = pushes.end_minute(&cause) else { return };
                log::warn!(source = cause.vendor.as_str(); "{line}");
            }
        });
    }

    /// Logs what is counted and not logged yet: the process ends.
    pub fn log_rest(&self) {
        for (cause, unlogged) in std::mem::take(&mut *self.counted.lock()) {
            if let Some(line) = unlogged.line(&cause) {
                log::warn!(source = cause.vendor.as_str(); "{line}");
            }
        }
    }

    /// The line of the first push of a cause; the others are counted.
    fn add(&self, cause: &RefusalCause, reason: String) -> Option<String> {
        let mut counted = self.counted.lock();
        if let Some(unlogged) = counted.get_mut(cause) {
            unlogged.count += 1;
            unlogged.last_reason = reason;
            return None;
        }
        counted.insert(cause.clone(), Unlogged::default());
        Some(format!("push/{}: answered {}: {reason}", cause.vendor, cause.status))
    }

    /// The line of the pushes of the last minute. After a minute without any the next one is a first one again.
    fn end_minute(&self, cause: &RefusalCause) -> Option<String> {
        let mut counted = self.counted.lock();
        let line = counted.get_mut(cause).map(std::mem::take)?.line(cause);
        if line.is_none() {
            counted.remove(cause);
        }
        line
    }
}

impl Unlogged {
    fn line(&self, cause: &RefusalCause) -> Option<String> {
        let Self { count, last_reason } = self;
        let RefusalCause { vendor, status } = cause;
        (*count > 0)
            .then(|| format!("push/{vendor}: answered {status}: {count} more since, the last one: {last_reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_push_of_a_cause_is_logged_at_once_and_the_others_as_one_count_a_minute() {
        let pushes = RefusedPushes::default();
        let cause = |status| RefusalCause {
            vendor: "onelogin".to_owned(),
            status,
        };
        let add = |status, reason: &str| pushes.add(&cause(status), reason.to_owned());
        assert_eq!(add(401, "no token").unwrap(), "push/onelogin: answered 401: no token");
        assert_eq!(add(400, "no JSON").unwrap(), "push/onelogin: answered 400: no JSON");
        for _ in 0..4_999 {
            assert_eq!(add(401, "no token"), None);
        }
        assert_eq!(add(401, "another token"), None);
        assert_eq!(
            pushes.end_minute(&cause(401)).unwrap(),
            "push/onelogin: answered 401: 5000 more since, the last one: another token"
        );
        assert_eq!(add(401, "no token"), None);
        assert!(pushes.end_minute(&cause(401)).unwrap().contains(" 1 more "));
        assert_eq!(pushes.end_minute(&cause(401)), None);
        assert!(add(401, "no token").is_some());
    }
}
