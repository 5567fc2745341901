use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::connector::build;
use crate::functions::{Work, Workplace};
use crate::settings::{Environment, Settings};
use crate::time::Stop;

const SAVE_LEDGERS_EVERY: Duration = Duration::from_secs(30);

/// Builds the work when it is first asked for, and again until that succeeds.
pub struct LazyWorkplace {
    /// The settings, or what is wrong with them in one line.
    settings: Result<Settings, String>,
    environment: Arc<dyn Environment>,
    stop: Stop,
    built: Mutex<Option<Arc<Work>>>,
}

impl LazyWorkplace {
    /// With settings that were read once; they change only with a new process.
    pub fn new(settings: Result<Settings, String>, environment: Arc<dyn Environment>, stop: Stop) -> Self {
        Self {
            settings,
            environment,
            stop,
            built: Mutex::new(None),
        }
    }

    /// Saves what was counted of pushes, every now and then.
    pub async fn keep_ledgers(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SAVE_LEDGERS_EVERY).await;
            self.save_ledgers().await;
        }
    }

    /// Saves what was counted of pushes since the last time.
    pub async fn save_ledgers(&self) {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (vendor, receiver) in built.iter().flat_map(|work| &work.receivers) {
            if let Err(error) = receiver.save_ledgers().await {
                log::warn!(source = *vendor; "push/{vendor}: the counts of this process are not saved: {error}");
            }
        }
    }
}

impl Workplace for LazyWorkplace {
    fn work(&self) -> Result<Arc<Work>, String> {
        let settings = self.settings.as_ref().map_err(Clone::clone)?;
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(work) = &*built {
            return Ok(work.clone());
        }
        let work =
            build(settings, self.environment.as_ref(), "serve", &self.stop).map_err(|error| error.to_string())?;
        let work = Arc::new(work);
        *built = Some(work.clone());
        Ok(work)
    }
}
