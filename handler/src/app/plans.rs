//! Settings -> what is polled, received and drained.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::build_error::BuildError;
use super::destinations::RouteRequest;
use super::settings::{InstanceSettings, Settings};
use super::shared::Shared;
use crate::config::Secret;
use crate::delivery::TableRoute;
use crate::event::StreamName;
use crate::jobs::{
    ConsumePlan, Dedupe, DrainPlan, GroupCommit, GroupCommitConfig, MAX_UPLOAD_WAIT, PollerQueues, PullPlan, PushPlan,
    PushReceiver, PushRoute, PushedPlan, SnapshotPlan, StreamPlan, UploadContext,
};
use crate::sources::WebhookFormat;
use crate::state::{DeadLetters, ProcessLedger, Spool, SpoolQuota, Store};
use crate::tables::TableOptions;
use crate::vendors::{BuildContext, BuiltStream, BuiltWebhook, StreamEvents, VENDORS};

const HEALTH_TABLES: [&str; 1] = ["SentinelConnectorHealth_CL"];

/// Everything that the settings name, with its tables.
pub struct Assembly<'a> {
    settings: &'a Settings,
    shared: &'a Shared,
    store: Arc<dyn Store>,
    spool_quota: SpoolQuota,
    instances: Vec<RoutedInstance<'a>>,
}

struct RoutedInstance<'a> {
    settings: &'a InstanceSettings,
    streams: Vec<RoutedStream>,
    pushed: Option<RoutedPushes>,
}

struct RoutedStream {
    stream: BuiltStream,
    routes: Vec<TableRoute>,
}

struct RoutedPushes {
    format: Arc<WebhookFormat>,
    tokens: Vec<Secret>,
    routes: Vec<TableRoute>,
    /// The stream of the poller that reads the same events.
    polled: StreamName,
    is_polled_too: bool,
}

impl<'a> Assembly<'a> {
    /// Builds every instance.
    ///
    /// # Errors
    /// Where a destination cannot be opened, or a table is not built in.
    pub fn new(settings: &'a Settings, shared: &'a Shared, store: Arc<dyn Store>) -> Result<Self, BuildError> {
        let mut assembly = Self {
            settings,
            shared,
            spool_quota: SpoolQuota::new(store.clone(), settings.spool_max_bytes),
            store,
            instances: Vec::new(),
        };
        for instance in &settings.instances {
            let routed = assembly.instance(instance)?;
            assembly.instances.push(routed);
        }
        Ok(assembly)
    }

    fn instance(&self, settings: &'a InstanceSettings) -> Result<RoutedInstance<'a>, BuildError> {
        let built = settings.vendor.build(&BuildContext {
            instance: settings.instance.as_str(),
            http: &self.shared.http,
            clock: &self.shared.clock,
        });
        let streams = built.streams.into_iter().map(|stream| {
            let routes = self.routes(settings, &stream.tables, stream.parser_aliases)?;
            Ok(RoutedStream { stream, routes })
        });
        Ok(RoutedInstance {
            streams: streams.collect::<Result<_, BuildError>>()?,
            pushed: built
                .webhook
                .map(|webhook| self.pushes(settings, webhook))
                .transpose()?,
            settings,
        })
    }

    fn pushes(&self, settings: &InstanceSettings, pushed: BuiltWebhook) -> Result<RoutedPushes, BuildError> {
        Ok(RoutedPushes {
            routes: self.routes(settings, &pushed.tables, false)?,
            polled: StreamName {
                stream: pushed.polled_stream,
                ..pushed.format.name().clone()
            },
            format: pushed.format,
            tokens: pushed.tokens,
            is_polled_too: pushed.is_polled_too,
        })
    }

    fn routes(
        &self,
        instance: &InstanceSettings,
        tables: &[&'static str],
        parser_aliases: bool,
    ) -> Result<Vec<TableRoute>, BuildError> {
        self.shared.destinations.routes(&RouteRequest {
            choice: &instance.destination,
            directory: &self.settings.destination_dir,
            tables,
            options: TableOptions {
                parser_aliases,
                additional_fields: instance.additional_fields,
            },
            instance: instance.instance.as_str(),
        })
    }

    /// Where health rows go, if they are switched on. A folder that cannot be had costs the rows and nothing else.
    ///
    /// # Errors
    /// Where the table is not built in.
    pub fn health_route(&self) -> Result<Option<TableRoute>, BuildError> {
        let health = &self.settings.health;
        if !health.enabled {
            return Ok(None);
        }
        let routes = self.shared.destinations.routes(&RouteRequest {
            choice: &health.destination,
            directory: &self.settings.destination_dir,
            tables: &HEALTH_TABLES,
            options: TableOptions::default(),
            instance: "",
        });
        match routes {
            Ok(routes) => Ok(routes.into_iter().next()),
            Err(BuildError::Destination(error)) => {
                log::warn!("no health rows are written: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub fn stream_plans(&self) -> Vec<StreamPlan> {
        let instances = self.instances.iter();
        let plans = instances.flat_map(|instance| {
            let streams = instance.streams.iter();
            streams.flat_map(|routed| self.plans_of(instance, routed))
        });
        plans.collect()
    }

    fn plans_of(&self, instance: &RoutedInstance<'_>, routed: &RoutedStream) -> Vec<StreamPlan> {
        match &routed.stream.events {
            StreamEvents::Windowed(stream) => {
                // Also while the token is not resolved: what was pushed before may still wait, and the webhook sends
                // again what it cannot send now.
                let pushed = instance.pushed.as_ref().filter(|_| routed.stream.joins_webhook);
                vec![StreamPlan::Windows(PullPlan {
                    stream: stream.clone(),
                    targets: routed.routes.clone(),
                    counterparts: routed.stream.counterparts.filter(|_| pushed.is_some()),
                    pushed: pushed.map(|pushed| PushedPlan {
                        spool: Spool::new(&self.spool_quota, stream.name()),
                        form: pushed.format.clone(),
                        targets: pushed.routes.clone(),
                    }),
                })]
            }
            StreamEvents::Snapshot(stream) => vec![StreamPlan::Snapshot(SnapshotPlan {
                stream: stream.clone(),
                targets: routed.routes.clone(),
            })],
            StreamEvents::Destructive(stream) => {
                let spool = Spool::new(&self.spool_quota, stream.name());
                let plans = routed.routes.iter().map(|target| {
                    StreamPlan::Consumed(ConsumePlan {
                        stream: stream.clone(),
                        target: target.clone(),
                        spool: spool.clone(),
                    })
                });
                plans.collect()
            }
        }
    }

    /// Who takes pushes, with the name of the source.
    fn pushing(&self) -> impl Iterator<Item = (&'static str, &RoutedPushes)> {
        let pushes = self.instances.iter().filter_map(|instance| {
            let pushed = instance.pushed.as_ref()?;
            Some((instance.settings.source, pushed))
        });
        pushes.filter(|(_, pushed)| !pushed.tokens.is_empty())
    }

    /// Every queue where pushed rows may wait. Also those of an instance that is polled too: it may not always have
    /// been.
    pub fn drain_plans(&self) -> Vec<DrainPlan> {
        let plans = self.pushing().flat_map(move |(_, pushed)| {
            let beside_the_poller = (!pushed.is_polled_too).then_some(&pushed.polled);
            let streams = [pushed.format.name()].into_iter().chain(beside_the_poller);
            streams.flat_map(move |stream| {
                let spool = Spool::new(&self.spool_quota, stream);
                let routes = pushed.routes.iter();
                routes.map(move |target| DrainPlan {
                    form: pushed.format.clone(),
                    spool: spool.clone(),
                    target: target.clone(),
                })
            })
        });
        plans.collect()
    }

    /// The ledgers of everything that is pushed.
    pub fn push_ledgers(&self) -> Vec<ProcessLedger> {
        let (clock, process) = (&self.shared.clock, &self.shared.process);
        let pushing = self.pushing();
        pushing
            .map(|(_, pushed)| ProcessLedger::new(self.store.clone(), clock.clone(), pushed.format.name(), process))
            .collect()
    }

    /// The receivers of pushes by the last part of their route. A vendor without a token has none.
    pub fn receivers(&self) -> BTreeMap<&'static str, PushReceiver> {
        let mut receivers = BTreeMap::new();
        for vendor in &VENDORS {
            let source = vendor.name;
            let pushing = self.pushing().filter(|(of, _)| *of == source);
            let pushing: Vec<&RoutedPushes> = pushing.map(|(_, pushed)| pushed).collect();
            let has_unresolved_tokens = self.settings.push_is_unresolved(source);
            if pushing.is_empty() && !has_unresolved_tokens {
                continue;
            }
            let dedupe = self.shared.push_dedupe(source);
            let receiver = PushReceiver {
                plans: pushing.iter().map(|pushed| self.push_plan(pushed, &dedupe)).collect(),
                has_unresolved_tokens,
                dead_letters: DeadLetters::new(self.store.clone()),
                clock: self.shared.clock.clone(),
                budget: self.shared.inflight_budget.clone(),
            };
            receivers.insert(source, receiver);
        }
        receivers
    }

    fn push_plan(&self, pushed: &RoutedPushes, dedupe: &Arc<Dedupe>) -> PushPlan {
        let ledger = self.shared.push_ledger(&self.store, pushed.format.name());
        let route = if pushed.is_polled_too {
            // What is polled too goes through the poller's identities.
            PushRoute::ThroughPoller(PollerQueues {
                spool: Spool::new(&self.spool_quota, &pushed.polled),
                routes: pushed.routes.clone(),
                dedupe: dedupe.clone(),
                ledger: ledger.clone(),
            })
        } else {
            let routes = pushed.routes.iter();
            let queues = routes.map(|route| self.group_commit(pushed.format.name(), route, dedupe));
            PushRoute::Direct(queues.collect())
        };
        PushPlan {
            form: pushed.format.clone(),
            tokens: pushed.tokens.clone(),
            route,
            ledger,
        }
    }

    fn group_commit(&self, name: &StreamName, route: &TableRoute, dedupe: &Arc<Dedupe>) -> GroupCommit {
        let config = GroupCommitConfig {
            linger: self.settings.push.linger.min(MAX_UPLOAD_WAIT),
            upload_wait: self.settings.push.deadline.min(MAX_UPLOAD_WAIT),
        };
        let context = UploadContext {
            stream: name.clone(),
            route: route.clone(),
            spool: Spool::new(&self.spool_quota, name),
            dead_letters: DeadLetters::new(self.store.clone()),
            dedupe: dedupe.clone(),
            ledger: self.shared.push_ledger(&self.store, name),
            clock: self.shared.clock.clone(),
            shutdown: self.shared.stop.clone(),
        };
        GroupCommit::new(context, config)
    }
}
