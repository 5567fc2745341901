//! One process of the handler: everything that the real wiring builds, behind a plug.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::memory::InMemory;

use super::objects::Objects;
use super::plug::Plug;
use super::world::{ENTERPRISE, INGESTION, Line, ONELOGIN, PINGONE, Tokens, World};
use crate::app::plans::Assembly;
use crate::app::settings::Settings;
use crate::app::shared::{Outside, Shared};
use crate::azure::AzureIdentity;
use crate::config::MapEnvironment;
use crate::http::HttpClient;
use crate::jobs::{Housekeeping, JobContext, Plans, PollRules, PushReceiver};
use crate::state::{BlobStore, Holder, Store, StreamHealths};
use crate::status::RunRecorder;
use crate::time::Shutdown;

pub const PUSH_TOKEN: &str = "a-push-token-of-20-letters";
const BODY_LIMIT: usize = 1_500;

pub struct Process {
    pub number: u32,
    pub plug: Arc<Plug>,
    pub plans: Plans,
    pub context: Arc<JobContext>,
    pub recorder: RunRecorder,
    pub receivers: Arc<BTreeMap<&'static str, PushReceiver>>,
}

impl Process {
    pub fn start(world: &Arc<World>, container: &Arc<InMemory>, number: u32, has_onelogin_api: bool) -> Self {
        let plug = Arc::new(Plug::default());
        let line = Arc::new(Line {
            world: world.clone(),
            plug: plug.clone(),
            process: number,
        });
        let settings = settings(has_onelogin_api);
        let clock = world.clock.clone();
        let http = HttpClient::scripted(line.clone());
        let objects = Arc::new(Objects::new(container.clone(), line));
        let store: Arc<dyn Store> = Arc::new(BlobStore::new(objects, "the container", clock.clone(), None));
        let (stop, name) = (Shutdown::default(), format!("process-{number}"));
        let identity = Arc::new(AzureIdentity::from_environment(&MapEnvironment::default()));
        let outside = Outside {
            clock: clock.clone(),
            http,
            identity,
            tokens: Arc::new(Tokens),
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
            health_route: None,
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
            holder: Holder { who: name },
            shutdown: stop,
            housekeeping: Housekeeping::new(assembly.push_ledgers()),
        };
        let receivers = Arc::new(assembly.receivers());
        Self {
            number,
            plug,
            plans,
            context: Arc::new(context),
            recorder,
            receivers,
        }
    }
}

fn settings(has_onelogin_api: bool) -> Settings {
    let poll_url = format!("{ENTERPRISE}/v3/reports/a1/poll-subscriptions/s1/events");
    let token_url = format!("{ENTERPRISE}/token");
    let mut pairs = vec![
        ("PINGONE__ENVIRONMENT_ID", "e1"),
        ("PINGONE__CLIENT_ID", "worker"),
        ("PINGONE__CLIENT_SECRET", "secret"),
        ("PINGONE__API_URL", PINGONE),
        ("PINGONE__AUTH_URL", PINGONE),
        (
            "PINGONE__TABLES",
            "PingOne_AuditActivitiesV2_CL,PingOne_AuditActivities_CL",
        ),
        ("PINGONE__PUSH_TOKEN", PUSH_TOKEN),
        ("PINGONE_ENTERPRISE__POLL_URL", &poll_url),
        ("PINGONE_ENTERPRISE__TOKEN_URL", &token_url),
        ("PINGONE_ENTERPRISE__CLIENT_ID", "client"),
        ("PINGONE_ENTERPRISE__CLIENT_SECRET", "secret"),
        ("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN),
        ("LOGS_INGESTION__ENDPOINT", INGESTION),
        ("LOGS_INGESTION__RULE_ID", "dcr-1"),
        ("POLL_LOOKBACK", "1h"),
        ("POLL_OVERLAP", "10m"),
        ("POLL_SETTLE", "30s"),
    ];
    if has_onelogin_api {
        pairs.extend([
            ("ONELOGIN__URL", ONELOGIN),
            ("ONELOGIN__CLIENT_ID", "client"),
            ("ONELOGIN__CLIENT_SECRET", "secret"),
            ("ONELOGIN__TABLES", "OneLogin_CL,OneLoginEventsV2_CL"),
        ]);
    }
    let environment = MapEnvironment::from(pairs);
    Settings::load(&environment)
        .unwrap_or_else(|problems| panic!("{:?}", problems.iter().map(ToString::to_string).collect::<Vec<_>>()))
}
