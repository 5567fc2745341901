use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use tokio::sync::Mutex;

use crate::delivery::TableRecord;

/// A destination and a table of it.
type Place = (String, Arc<str>);

/// Whose turn it is to send to a table, and what is known of it. Clones share it.
#[derive(Clone, Default)]
pub struct Turns(Arc<StdMutex<HashMap<Place, Shared>>>);

/// What everybody shares who sends to a table.
type Shared = (Arc<Mutex<()>>, TableRecord);

impl Turns {
    /// The turn of one table, and its record.
    pub fn of(&self, place: Place) -> Shared {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(place).or_default().clone()
    }
}
