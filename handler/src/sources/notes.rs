//! What a person should know although nothing failed, collected while a window is read.

use std::collections::BTreeSet;

use parking_lot::Mutex;

/// Sentences of one stream, each once until they are taken.
#[derive(Debug, Default)]
pub struct Notes(Mutex<BTreeSet<String>>);

impl Notes {
    /// Adds a sentence.
    pub fn add(&self, sentence: String) {
        self.0.lock().insert(sentence);
    }

    /// Gives the sentences away.
    pub fn take(&self) -> Vec<String> {
        let taken = std::mem::take(&mut *self.0.lock());
        taken.into_iter().collect()
    }
}
