//! All settings: what can be set, and reading it.

mod additional_fields;
mod catalog;
mod health;
mod poll;
mod push;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use self::additional_fields::read_additional_fields;
pub use self::catalog::catalog;
pub use self::health::HealthSettings;
pub use self::poll::PollSettings;
use self::poll::{missing_schedule, timer_is_disabled};
pub use self::push::PushSettings;
use crate::config::{
    Disabled, DisabledCause, DisabledPart, Environment, InstanceName, InstanceReader, Instances, ReadProblems, Reader,
    SettingProblem, SettingProblems, accept_log_format, look_over, values,
};
use crate::destination::{DestinationChoice, DestinationReader, SourceDestinations, read_directory};
use crate::event::StreamName;
use crate::state::{Container, StateLocation};
use crate::vendors::{VENDORS, Vendor, VendorConfig};

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The instances that run, in the order of [`VENDORS`], the unnamed one of each first.
    pub instances: Vec<InstanceSettings>,
    /// What is configured but disabled, because a setting is bad or a Key Vault reference was not resolved.
    pub disabled: Vec<Disabled>,
    /// The local destination: `DESTINATION_DIR`.
    pub destination_dir: PathBuf,
    /// `STATE_URL`.
    pub state: StateLocation,
    /// Where an earlier deployment may have kept the state.
    pub former_state: Option<Container>,
    /// `POLL_*`.
    pub poll: PollSettings,
    /// Why nothing is polled although something is configured to be; pushes are received all the same.
    pub schedule_problem: Option<SettingProblem>,
    /// Somebody has switched the timer function off: `AzureWebJobs.function-timer.Disabled`.
    pub timer_is_disabled: bool,
    /// `PUSH_*`.
    pub push: PushSettings,
    /// How large the spool may grow, in bytes: `SPOOL_MAX_BYTES`.
    pub spool_max_bytes: u64,
    /// `HEALTH__*`.
    pub health: HealthSettings,
}

/// One instance of a source.
#[derive(Debug, Clone)]
pub struct InstanceSettings {
    /// The name of the source.
    pub source: &'static str,
    /// The instance's name.
    pub instance: InstanceName,
    /// What the names of its settings start with, e.g. `<SOURCE>__ACME__`.
    pub setting_prefix: String,
    /// Where its rows go.
    pub destination: DestinationChoice,
    /// Whether what no column takes of an event is delivered too: `..__ADDITIONAL_FIELDS`.
    pub additional_fields: bool,
    /// What the vendor needs.
    pub vendor: Arc<dyn VendorConfig>,
}

impl InstanceSettings {
    /// The source and the instance, as in `source/instance`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.source, self.instance)
    }

    /// Whether a stream is one of this instance.
    pub fn is_of(&self, stream: &StreamName) -> bool {
        stream.source == self.source && stream.instance == self.instance.as_str()
    }
}

impl Settings {
    /// Reads and checks all settings, also of sources that are disabled. What is wrong with an instance of a source
    /// disables that instance.
    ///
    /// # Errors
    /// Names everything that is wrong, not only the first thing, where a setting of the whole program is bad or no
    /// source is left.
    pub fn load(environment: &Environment) -> Result<Self, SettingProblems> {
        Self::read(environment, Reader::new(environment, catalog()?))
    }

    /// The same for whoever only looks: a secret that is missing or a Key Vault reference disables nothing.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_without_secrets(environment: &Environment) -> Result<Self, SettingProblems> {
        Self::read(environment, Reader::new(environment, catalog()?).without_secrets())
    }

    fn read(environment: &Environment, mut reader: Reader) -> Result<Self, SettingProblems> {
        let names = look_over(environment, catalog()?);
        names.reject_look_alikes(&mut reader);
        let mut destinations = DestinationReader::new(&mut reader);
        let instances = load_instances(&mut reader, &names.instances, &mut destinations);
        let settings = Self::load_program(&mut reader, &mut destinations);
        destinations.reject_local_default_in_azure(&mut reader);

        let ReadProblems { mut problems, disabled } = reader.finish();
        if settings.is_none() && problems.is_empty() {
            problems.add(
                "settings",
                "a default in this executable is not usable; please report it with this line",
            );
        }
        let Some(settings) = settings.filter(|_| problems.is_empty()) else {
            problems.extend(&all_of(&disabled));
            return Err(problems);
        };
        let mut settings = settings.with_sources(instances, disabled)?;
        settings.timer_is_disabled = timer_is_disabled(environment);
        let host_account = environment.get("AzureWebJobsStorage__accountName");
        settings.former_state = host_account.and_then(|account| settings.state.in_host_account(account.trim_ascii()));
        if settings.instances.iter().any(|instance| instance.vendor.is_polled()) {
            settings.schedule_problem = missing_schedule(environment);
        }
        Ok(settings)
    }

    /// Adds the instances that run.
    ///
    /// # Errors
    /// Names everything that is wrong where no source is left.
    fn with_sources(
        mut self,
        instances: Vec<InstanceSettings>,
        disabled: Vec<Disabled>,
    ) -> Result<Self, SettingProblems> {
        let bad = disabled.iter().filter(|one| one.cause == DisabledCause::BadSetting);
        let bad: HashSet<(&str, &InstanceName)> = bad.map(|one| (one.source, &one.instance)).collect();
        self.instances = instances;
        self.instances.retain(|one| !bad.contains(&(one.source, &one.instance)));
        // Something can run, now or, without another setting, when a reference can be resolved.
        let may_come_back = |one: &Disabled| {
            let is_reference = one.cause == DisabledCause::UnresolvedReference && one.source != health::NAME;
            is_reference && !bad.contains(&(one.source, &one.instance))
        };
        if !bad.is_empty() && self.instances.is_empty() && !disabled.iter().any(may_come_back) {
            return Err(all_of(&disabled));
        }
        self.disabled = disabled;
        Ok(self)
    }

    /// What is set for the whole program, without any instance.
    fn load_program(reader: &mut Reader, destinations: &mut DestinationReader) -> Option<Self> {
        let settings = Self {
            instances: Vec::new(),
            disabled: Vec::new(),
            health: HealthSettings::read(reader, destinations)?,
            destination_dir: read_directory(reader)?,
            state: StateLocation::read(reader)?,
            former_state: None,
            poll: PollSettings::read(reader)?,
            schedule_problem: None,
            timer_is_disabled: false,
            push: PushSettings::read(reader)?,
            spool_max_bytes: reader.program("SPOOL_MAX_BYTES", values::size)?,
        };
        // These belong to later versions: checked, and nothing follows from them yet.
        reader.program("DEAD_LETTERS_MAX_BYTES", values::size);
        reader.program("MEMORY_BUDGET", values::size);
        // Logging has read it before, without a word about a bad value.
        reader.program("LOG_FORMAT", accept_log_format);
        Some(settings)
    }

    /// Whether no source is configured, be it on or disabled.
    pub fn nothing_configured(&self) -> bool {
        self.instances.is_empty() && self.disabled.iter().all(|disabled| disabled.source == health::NAME)
    }

    /// Whether a push of `source` that no token matches may belong to an instance that is disabled or whose token could
    /// not be had: it is to come again later and not to be refused.
    pub fn push_is_unresolved(&self, source: &str) -> bool {
        let waits = |disabled: &Disabled| disabled.takes_push && disabled.part != DisabledPart::Poll;
        self.disabled
            .iter()
            .any(|disabled| disabled.source == source && waits(disabled))
    }

    /// Every place where rows may go.
    pub fn destinations(&self) -> impl Iterator<Item = &DestinationChoice> {
        let of_instances = self.instances.iter().map(|instance| &instance.destination);
        of_instances.chain(self.health.enabled.then_some(&self.health.destination))
    }
}

/// Reads every instance of every vendor.
fn load_instances(
    reader: &mut Reader,
    known: &Instances,
    destinations: &mut DestinationReader,
) -> Vec<InstanceSettings> {
    let mut instances = Vec::new();
    for vendor in &VENDORS {
        let Some(source) = reader.source(vendor.name) else {
            reader.reject(
                vendor.name,
                "has no settings in this executable; please report it with this line",
            );
            continue;
        };
        let of_source = DestinationReader::of_source(reader, source.group.prefix);
        for instance in known.of(source) {
            let entry = InstanceReader::new(reader, source, instance.clone());
            let shared = OfSource {
                prefix: source.group.prefix,
                destinations: &of_source,
            };
            instances.extend(load_instance(vendor, entry, shared, destinations));
        }
        reader.reject_duplicates(source);
    }
    instances
}

/// What the instances of a source share.
#[derive(Clone, Copy)]
struct OfSource<'s> {
    /// `<SOURCE>__`
    prefix: &'static str,
    destinations: &'s SourceDestinations,
}

fn load_instance(
    vendor: &Vendor,
    mut reader: InstanceReader<'_>,
    of_source: OfSource<'_>,
    destinations: &mut DestinationReader,
) -> Option<InstanceSettings> {
    let config = (vendor.load)(&mut reader);
    let additional_fields = read_additional_fields(&mut reader, of_source.prefix);
    let destination = destinations.of_instance(of_source.destinations, &mut reader);
    reader.reject_gaps();
    Some(InstanceSettings {
        source: vendor.name,
        instance: reader.instance().clone(),
        setting_prefix: reader.setting_prefix(),
        destination: destination?,
        additional_fields: additional_fields?,
        vendor: config?,
    })
}

/// What is wrong with everything that is disabled.
fn all_of(disabled: &[Disabled]) -> SettingProblems {
    let mut problems = SettingProblems::default();
    for disabled in disabled {
        problems.add(&disabled.setting, &disabled.message);
    }
    problems
}

/// The names under our prefixes that this version does not know: a newer template may. None without a catalog, which
/// [`Settings::load`] reports.
pub fn unknown_names(environment: &Environment) -> SettingProblems {
    catalog()
        .map(|catalog| look_over(environment, catalog).unknown)
        .unwrap_or_default()
}
