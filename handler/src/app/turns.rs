use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use tokio::sync::Mutex;

/// A destination and a table of it.
type Place = (String, Arc<str>);

/// Whose turn it is to send to a table. Clones share it.
#[derive(Clone, Default)]
pub struct Turns(Arc<StdMutex<HashMap<Place, Arc<Mutex<()>>>>>);

impl Turns {
    /// The turn of one table.
    pub fn of(&self, place: Place) -> Arc<Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(place).or_default().clone()
    }
}
