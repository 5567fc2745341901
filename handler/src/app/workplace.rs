use std::sync::{Arc, Mutex, PoisonError};

use super::connector::build;
use crate::functions::{Work, Workplace};
use crate::settings::{Environment, Settings};

/// Builds the work when it is first asked for, and again until that succeeds.
pub struct LazyWorkplace {
    /// The settings, or what is wrong with them in one line.
    settings: Result<Settings, String>,
    environment: Arc<dyn Environment>,
    built: Mutex<Option<Arc<Work>>>,
}

impl LazyWorkplace {
    /// With settings that were read once; they change only with a new process.
    pub fn new(settings: Result<Settings, String>, environment: Arc<dyn Environment>) -> Self {
        Self {
            settings,
            environment,
            built: Mutex::new(None),
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
        let work = build(settings, self.environment.as_ref(), "serve").map_err(|error| error.to_string())?;
        let work = Arc::new(work);
        *built = Some(work.clone());
        Ok(work)
    }
}
