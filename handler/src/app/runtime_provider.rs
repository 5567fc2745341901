//! The runtime, built from settings whose secrets may come late or change.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::access::Access;
use super::build_error::BuildError;
use super::runtime::{Runtime, open_store};
use super::secrets::{SecretOrigin, Secrets};
use super::settings::{Settings, catalog, unknown_names};
use super::shared::Shared;
use crate::azure::{KeyVault, Resolved, TokenSource};
use crate::config::{Environment, SettingProblems};
use crate::logging::spawn_in_invocation;
use crate::report::RunReport;
use crate::state::{Holder, Leases, StateLocation};
use crate::time::Shutdown;

/// A run waits so long for secrets that are asked for again; the first time it waits until resolving ends by itself.
/// A vault that is well answers long before, and one that is not shall not delay the sources that need nothing of it.
const RUN_WAITS: Duration = Duration::from_secs(3);
/// A push waits so long for the first secrets, and for no others: its answer has ten seconds in all.
const PUSH_WAITS: Duration = Duration::from_secs(2);

/// What a kill may take of the counts of pushes, where pushes are few. Each save is a write that is paid for: where they
/// do not end, saves come less and less often.
const SAVE_LEDGERS_AFTER: Duration = Duration::from_secs(1);
const SAVE_LEDGERS_AT_LEAST_EVERY: Duration = Duration::from_secs(10);
/// Also where nothing changes it is looked whether something is to be saved: the last save may have failed, and a file
/// must be renewed.
const LOOK_AT_LEDGERS_EVERY: Duration = Duration::from_secs(30);
/// A run waits so long for the counts of pushes to be saved.
const RUN_WAITS_FOR_LEDGERS: Duration = Duration::from_secs(3);

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeUnavailable {
    #[error("the settings cannot be used: {}", in_one_line(.0))]
    Settings(SettingProblems),
    /// What is outside of them.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl RuntimeUnavailable {
    /// What of the program cannot be had.
    pub fn part(&self) -> &'static str {
        match self {
            Self::Settings(_) => "settings",
            Self::Build(BuildError::Http(_)) => "HTTPS",
            Self::Build(_) => "state store and local destination",
        }
    }
}

/// Reads the settings, resolves what of them lies in a Key Vault, and builds the runtime; again when a secret has come
/// or changed, and when building failed.
#[derive(Clone)]
pub struct RuntimeProvider {
    inner: Arc<Inner>,
}

struct Inner {
    environment: Arc<Environment>,
    holder: Holder,
    stop: Shutdown,
    /// Held during a lookup: one at a time.
    looking_up: tokio::sync::Mutex<()>,
    /// Told when something was counted of pushes.
    ledgers_changed: Arc<Notify>,
    state: Mutex<RuntimeState>,
}

struct RuntimeState {
    secrets: Secrets,
    access: Access,
    shared: Option<Arc<Shared>>,
    settings: Option<Result<Arc<Settings>, SettingProblems>>,
    runtime: Option<Arc<Runtime>>,
    /// As they were logged last.
    logged: SettingProblems,
    /// Names under our prefixes that are no settings; none before they are looked for.
    unknown: Option<SettingProblems>,
    first_lookup_ended: bool,
}

impl RuntimeProvider {
    /// Nothing is read or asked for yet. `holder` names the process to others that meet its leases, `stop` tells the
    /// runtime when to end.
    pub fn new(environment: Arc<Environment>, holder: Holder, stop: Shutdown) -> Self {
        Self::with_access(Access::ReadWrite, environment, holder, stop)
    }

    /// For the status: the runtime writes nothing, and no secret is asked for.
    pub fn read_only(environment: Arc<Environment>, holder: Holder) -> Self {
        Self::with_access(Access::ReadOnly, environment, holder, Shutdown::default())
    }

    fn with_access(access: Access, environment: Arc<Environment>, holder: Holder, stop: Shutdown) -> Self {
        let references = match access {
            // A malformed catalog is reported when the settings are read.
            Access::ReadWrite => catalog()
                .map(|catalog| environment.references(catalog))
                .unwrap_or_default(),
            Access::ReadOnly => Vec::new(),
        };
        let state = RuntimeState {
            secrets: Secrets::new(environment.as_ref().clone(), references),
            access,
            shared: None,
            settings: None,
            runtime: None,
            logged: SettingProblems::default(),
            unknown: None,
            first_lookup_ended: false,
        };
        Self {
            inner: Arc::new(Inner {
                environment,
                holder,
                stop,
                looking_up: tokio::sync::Mutex::default(),
                ledgers_changed: Arc::default(),
                state: Mutex::new(state),
            }),
        }
    }

    /// How many settings are Key Vault references that have no value yet.
    pub fn unresolved(&self) -> usize {
        self.inner.state().secrets.unresolved()
    }

    /// Asks for the secrets that are due, if there are any, and takes over what came. Ends within ten seconds.
    pub async fn look_up(&self) {
        let inner = &self.inner;
        let _one_at_a_time = inner.looking_up.lock().await;
        let (due, shared) = {
            let mut state = inner.state();
            let due = state.secrets.due(Instant::now());
            // Without a client nothing can be asked; building the runtime says why.
            let shared = match due.is_empty() {
                true => None,
                false => state.shared(inner).ok(),
            };
            (due, shared)
        };
        if let Some(shared) = shared {
            let resolved = KeyVault::new(shared.identity.clone()).resolve(due).await;
            inner.state().take(&resolved);
        }
        inner.state().first_lookup_ended = true;
    }

    /// Every setting whose value lies in a Key Vault, and what became of it.
    pub fn secret_origins(&self) -> Vec<SecretOrigin> {
        self.inner.state().secrets.origins()
    }

    /// The tokens of the one identity.
    ///
    /// # Errors
    /// Where there can be no client.
    pub fn tokens(&self) -> Result<Arc<dyn TokenSource>, BuildError> {
        let shared = self.inner.state().shared(&self.inner)?;
        Ok(shared.tokens.clone())
    }

    /// The store at another place than that of the settings.
    ///
    /// # Errors
    /// Where there can be no client, or the address makes no sense.
    pub fn store_at(&self, location: &StateLocation) -> Result<Arc<dyn Leases>, BuildError> {
        let shared = self.inner.state().shared(&self.inner)?;
        open_store(location, &shared)
    }

    /// The settings as they are now. What is wrong with them is logged, once.
    ///
    /// # Errors
    /// Names everything that is wrong.
    pub fn settings(&self) -> Result<Arc<Settings>, SettingProblems> {
        self.inner.state().settings()
    }

    /// Names under our prefixes that this version does not know.
    pub fn unknown_names(&self) -> SettingProblems {
        self.inner.state().unknown_names()
    }

    /// The runtime of the present settings.
    ///
    /// # Errors
    /// Where a setting of the whole program is bad, or something outside of the settings cannot be had.
    pub fn runtime(&self) -> Result<Arc<Runtime>, RuntimeUnavailable> {
        let mut state = self.inner.state();
        let settings = state.settings().map_err(RuntimeUnavailable::Settings)?;
        if let Some(runtime) = &state.runtime {
            return Ok(runtime.clone());
        }
        let shared = state.shared(&self.inner)?;
        let runtime = Arc::new(Runtime::build(&settings, &shared, &self.inner.holder)?);
        state.runtime = Some(runtime.clone());
        Ok(runtime)
    }

    /// Saves what was counted of pushes, soon after it was.
    pub async fn keep_ledgers(self) {
        let mut pause = SAVE_LEDGERS_AFTER;
        loop {
            let changes_soon = tokio::time::timeout(pause, self.inner.ledgers_changed.notified());
            pause = match changes_soon.await {
                Ok(()) => (2 * pause).min(SAVE_LEDGERS_AT_LEAST_EVERY),
                Err(_) => {
                    let changes = self.inner.ledgers_changed.notified();
                    let _ = tokio::time::timeout(LOOK_AT_LEDGERS_EVERY, changes).await;
                    SAVE_LEDGERS_AFTER
                }
            };
            tokio::time::sleep(pause).await;
            self.save_ledgers().await;
        }
    }

    /// Waits until no push is on its way any more, answered or not.
    pub async fn pushes_settled(&self) {
        let shared = self.inner.state().shared.clone();
        if let Some(shared) = shared {
            shared.inflight_budget.emptied().await;
        }
    }

    /// Saves what was counted of pushes since the last time.
    pub async fn save_ledgers(&self) {
        let built = self.inner.state().runtime.clone();
        if let Some(runtime) = built {
            runtime.save_ledgers().await;
        }
    }

    /// The runtime for a run over all streams, which can wait some seconds for secrets.
    ///
    /// # Errors
    /// As [`Self::runtime`].
    pub async fn for_run(&self) -> Result<Arc<Runtime>, RuntimeUnavailable> {
        let is_first = !self.inner.state().first_lookup_ended;
        let patience = if is_first { Duration::MAX } else { RUN_WAITS };
        self.wait_for_secrets(patience).await;
        // What the run delivers of pushes is received, also for whoever looks after this process was killed.
        let _ = tokio::time::timeout(RUN_WAITS_FOR_LEDGERS, self.save_ledgers()).await;
        self.runtime()
    }

    /// The runtime for a push, whose sender waits.
    ///
    /// # Errors
    /// As [`Self::runtime`].
    pub async fn for_push(&self) -> Result<Arc<Runtime>, RuntimeUnavailable> {
        let is_first = !self.inner.state().first_lookup_ended;
        let patience = if is_first { PUSH_WAITS } else { Duration::ZERO };
        self.wait_for_secrets(patience).await;
        self.runtime()
    }

    /// Takes in what a run brought: secrets that a vendor rejected are asked for anew before the next one.
    pub fn run_ended(&self, report: &RunReport) {
        let mut state = self.inner.state();
        let Some(Ok(settings)) = state.settings.clone() else {
            return;
        };
        for stream in report.rejected_credentials() {
            if let Some(instance) = settings.instances.iter().find(|instance| instance.is_of(stream)) {
                state.secrets.reject(&instance.setting_prefix);
            }
        }
    }

    /// Starts a lookup if one is due, and waits for it. It goes on if that takes too long.
    async fn wait_for_secrets(&self, patience: Duration) {
        let is_due = {
            let state = self.inner.state();
            !state.first_lookup_ended || !state.secrets.due(Instant::now()).is_empty()
        };
        if !is_due {
            return;
        }
        let provider = self.clone();
        let looking_up = spawn_in_invocation(async move { provider.look_up().await });
        // Its outcome is in the state; that it takes longer, or panicked, leaves everything as it was.
        let _ = tokio::time::timeout(patience, looking_up).await;
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, RuntimeState> {
        self.state.lock()
    }
}

impl RuntimeState {
    fn take(&mut self, resolved: &Resolved) {
        let change = self.secrets.take(resolved, Instant::now());
        for (setting, why) in change.not_renewed {
            log::warn!(setting = setting.as_str();
                "{setting}: its value was rejected and could not be resolved anew, so it stays as it was: {why}");
        }
        if change.settings {
            self.settings = None;
            self.runtime = None;
        }
    }

    fn settings(&mut self) -> Result<Arc<Settings>, SettingProblems> {
        if let Some(settings) = &self.settings {
            return settings.clone();
        }
        self.unknown_names();
        let environment = self.secrets.environment();
        let settings = match self.access {
            Access::ReadWrite => Settings::load(&environment),
            Access::ReadOnly => Settings::load_without_secrets(&environment),
        };
        let settings = settings.map(Arc::new);
        self.log_problems(match &settings {
            Ok(settings) => settings.schedule_problem.clone().into_iter().collect(),
            Err(problems) => problems.clone(),
        });
        self.settings = Some(settings.clone());
        settings
    }

    /// Logged when they are looked for: once.
    fn unknown_names(&mut self) -> SettingProblems {
        if let Some(unknown) = &self.unknown {
            return unknown.clone();
        }
        let unknown = unknown_names(&self.secrets.environment());
        for name in &unknown {
            log::warn!(setting = name.setting.as_str(); "{name}");
        }
        self.unknown = Some(unknown.clone());
        unknown
    }

    /// Once each, as long as they stay the same.
    fn log_problems(&mut self, problems: SettingProblems) {
        if self.logged == problems {
            return;
        }
        for problem in &problems {
            log::error!(setting = problem.setting.as_str(); "{problem}");
        }
        self.logged = problems;
    }

    fn shared(&mut self, inner: &Inner) -> Result<Arc<Shared>, BuildError> {
        if let Some(shared) = &self.shared {
            return Ok(shared.clone());
        }
        let mut shared = Shared::new(inner.environment.as_ref(), inner.stop.clone()).map_err(BuildError::Http)?;
        shared.ledgers_changed = inner.ledgers_changed.clone();
        shared.set_access(self.access);
        let shared = Arc::new(shared);
        self.shared = Some(shared.clone());
        Ok(shared)
    }
}

fn in_one_line(problems: &SettingProblems) -> String {
    let names: Vec<String> = problems.iter().map(ToString::to_string).collect();
    names.join("; ")
}
