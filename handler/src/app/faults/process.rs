//! One process of the handler: everything that the real wiring builds.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::memory::InMemory;

use super::crash_points::CrashPoints;
use super::fault_kinds::FaultKinds;
use super::objects::Objects;
use super::process_io::{ProcessIo, Tokens};
use super::settings::settings;
use super::world::World;
use crate::app::plans::Assembly;
use crate::app::shared::{Outside, Shared};
use crate::azure::AzureIdentity;
use crate::config::Environment;
use crate::http::HttpClient;
use crate::jobs::{Housekeeping, JobContext, Plans, PollRules, PushReceiver};
use crate::state::{BlobStore, Holder, Leases, StreamHealths};
use crate::status::RunRecorder;
use crate::time::Shutdown;

const BODY_LIMIT: usize = 1_500;

pub struct Process {
    pub number: u32,
    pub crash_points: Arc<CrashPoints>,
    pub plans: Plans,
    pub context: Arc<JobContext>,
    pub recorder: RunRecorder,
    pub receivers: Arc<BTreeMap<&'static str, PushReceiver>>,
}

impl Process {
    pub fn start(world: &Arc<World>, container: &Arc<InMemory>, number: u32, kinds: FaultKinds) -> Self {
        let crash_points = Arc::new(CrashPoints::default());
        let io = Arc::new(ProcessIo {
            world: world.clone(),
            crash_points: crash_points.clone(),
            process: number,
        });
        let settings = settings(kinds);
        let clock = world.clock.clone();
        let http = HttpClient::scripted(io.clone());
        let objects = Arc::new(Objects::new(container.clone(), io));
        let store: Arc<dyn Leases> = Arc::new(BlobStore::new(objects, "the container", clock.clone(), None));
        let (stop, name) = (Shutdown::default(), format!("process-{number}"));
        let identity = Arc::new(AzureIdentity::from_environment(&Environment::default()));
        let outside = Outside {
            clock: clock.clone(),
            http,
            identity,
            tokens: Arc::new(Tokens::new(world.clone())),
        };
        let mut shared = Shared::with(outside, stop.clone(), name.clone());
        shared.destinations.set_body_limit(BODY_LIMIT);
        let assembly = Assembly::new(&settings, &shared, store.clone()).unwrap();
        let plans = Plans {
            streams: assembly.stream_plans(),
            drains: assembly.drain_plans(),
            disabled: Vec::new(),
            disabled_streams: Vec::new(),
            schedule: settings.poll.schedule.clone(),
        };
        let recorder = RunRecorder {
            healths: StreamHealths::new(store.clone()),
            new_keys: shared.destinations.new_keys.clone(),
            health_route: assembly.health_route().unwrap(),
            app: None,
        };
        let context = JobContext {
            rules: PollRules {
                lookback: settings.poll.lookback,
                overlap: settings.poll.overlap,
                settle: settings.poll.settle,
                concurrency: settings.poll.concurrency,
            },
            store,
            clock,
            holder: Holder {
                who: name,
                yields: false,
            },
            shutdown: stop,
            housekeeping: Housekeeping::new(assembly.push_ledgers()),
        };
        let receivers = Arc::new(assembly.receivers());
        Self {
            number,
            crash_points,
            plans,
            context: Arc::new(context),
            recorder,
            receivers,
        }
    }
}
