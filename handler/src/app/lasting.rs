//! What stays when the work is built anew with other settings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::azure::AzureIdentity;
use crate::http::HttpClient;
use crate::pipeline::{PushMemory, PushPlan, PushRoom};
use crate::settings::Environment;
use crate::sources::Rejections;
use crate::time::{Clock, SystemClock};

/// The streams and their tables, by number.
type Places = Vec<(String, Vec<String>)>;

/// See the module.
pub struct Lasting {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The one client.
    pub http: HttpClient,
    /// The one identity.
    pub identity: Arc<AzureIdentity>,
    /// Where sources note that a credential was rejected.
    pub rejections: Arc<Rejections>,
    /// Memory for the bodies of pushes on their way, of all receivers together.
    pub push_room: PushRoom,
    memories: Mutex<HashMap<&'static str, (Places, Arc<PushMemory>)>>,
}

impl Lasting {
    /// Fails where the machine has no usable certificate store.
    pub fn new(environment: &dyn Environment) -> Result<Self, String> {
        Ok(Self {
            clock: Arc::new(SystemClock),
            http: HttpClient::new()?,
            identity: Arc::new(AzureIdentity::from_environment(environment)),
            rejections: Arc::default(),
            push_room: PushRoom::default(),
            memories: Mutex::default(),
        })
    }

    /// What a vendor has pushed and was stored. It goes by the numbers of instances and tables, and so it is another
    /// one when these are others.
    pub fn push_memory(&self, vendor: &'static str, plans: &[PushPlan]) -> Arc<PushMemory> {
        let places: Places = plans
            .iter()
            .map(|plan| {
                let tables = plan.targets.iter().map(|target| target.table.name().to_string());
                (plan.form.name().to_string(), tables.collect())
            })
            .collect();
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, memory) = memories.entry(vendor).or_default();
        if *known != places {
            *known = places;
            *memory = Arc::default();
        }
        memory.clone()
    }
}
