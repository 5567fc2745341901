//! Memory for bodies while they are read and answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

const KIB: usize = 1024;
/// The first bytes of every body have a part of the memory to themselves: bodies that are large, or are never ended,
/// do not keep out those of a usual push.
const BEGINNING: usize = 256 * KIB;
const BEGINNINGS: usize = 32 * KIB * KIB;
const STEP_OF_BEGINNING: usize = 16 * KIB;
const STEP: usize = KIB * KIB;
/// Who finds no room waits so long for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The memory of one kind of request, for all connections. Cheap to clone: clones share it.
#[derive(Clone, Debug)]
pub struct ReadBudget {
    beginnings: Arc<Semaphore>,
    rest: Arc<Semaphore>,
}

/// The room of one body; given back when dropped.
#[derive(Debug, Default)]
pub struct Held {
    beginning: Option<OwnedSemaphorePermit>,
    rest: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl ReadBudget {
    /// With so many bytes for what comes behind the beginnings.
    pub fn new(bytes: usize) -> Self {
        let semaphore = |bytes: usize| Arc::new(Semaphore::new(bytes / KIB));
        Self {
            beginnings: semaphore(BEGINNINGS),
            rest: semaphore(bytes),
        }
    }

    /// Makes `held` at least so many bytes; room is taken as a body grows, not for what it promises. False if there is
    /// none within the patience.
    pub async fn hold(&self, held: &mut Held, bytes: usize) -> bool {
        while held.bytes < bytes {
            let (from, part, step) = if held.bytes < BEGINNING {
                (&self.beginnings, &mut held.beginning, STEP_OF_BEGINNING)
            } else {
                (&self.rest, &mut held.rest, STEP)
            };
            let Ok(kib) = u32::try_from(step / KIB) else {
                return false;
            };
            let Ok(Ok(more)) = timeout(PATIENCE, from.clone().acquire_many_owned(kib)).await else {
                return false;
            };
            match part {
                Some(part) => part.merge(more),
                None => *part = Some(more),
            }
            held.bytes += step;
        }
        true
    }
}

impl Held {
    /// How large the body may become before more room is needed.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn large_bodies_leave_room_for_the_beginnings_of_others_and_give_theirs_back() {
        let room = ReadBudget::new(4 * STEP);
        let mut large = Held::default();
        assert!(room.hold(&mut large, 4 * STEP).await);
        assert!(room.hold(&mut Held::default(), 200 * KIB).await);
        let mut second = Held::default();
        assert!(room.hold(&mut second, BEGINNING).await);
        assert!(!room.hold(&mut second, BEGINNING + 1).await);
        assert_eq!(second.bytes(), BEGINNING);
        drop(large);
        assert!(room.hold(&mut second, BEGINNING + 1).await);
        assert_eq!(second.bytes(), BEGINNING + STEP);
        drop(second);
        assert_eq!(room.beginnings.available_permits(), BEGINNINGS / KIB);
        assert_eq!(room.rest.available_permits(), 4 * STEP / KIB);
    }
}
