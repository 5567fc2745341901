//! Settings: from the environment to typed values, checked all at once. No I/O.
//!
//! [`Settings::load`] reads everything that is set, also for sources that are off. What is wrong with an instance of a
//! source switches off that instance; what is wrong with the whole program, or leaves no source, is refused, and then
//! everything that is wrong is named. No message and no debug output holds a secret.

#![allow(
    dead_code,
    reason = "every setting is read and checked, also those of sources that later versions bring"
)]

mod catalog;
mod destination;
mod duration;
mod environment;
mod faults;
mod given;
mod health;
mod instance;
mod instance_reader;
mod invalid_value;
mod log_format;
mod look_alike;
mod names;
mod onelogin;
mod origin;
mod pingone;
mod pingone_enterprise;
mod platform_references;
mod poll;
mod poll_url;
mod problem;
mod push;
mod push_token;
mod reader;
mod reference;
mod references;
mod region;
mod resolved;
mod schedule;
mod secret;
mod sentinelone;
mod state;
mod suggestion;
mod switched_off;
#[cfg(test)]
mod tests;
mod twins;
mod values;
mod web_address;

use std::path::PathBuf;

pub use destination::{DestinationChoice, IngestionRule};
#[cfg(test)]
pub use environment::MapEnvironment;
pub use environment::{Environment, ProcessEnvironment};
pub use health::Health;
pub use instance::InstanceName;
pub use invalid_value::InvalidValue;
pub use log_format::{LogFormat, log_format};
pub use onelogin::{OneLogin, OneLoginApi};
pub use origin::Origin;
pub use pingone::{PingOne, PingOnePoll};
pub use pingone_enterprise::{EnterpriseSignIn, PingOneEnterprise};
pub use poll::Poll;
pub use problem::SettingProblems;
pub use push::Push;
pub use reference::Reference;
pub use references::{SettingReference, references};
pub use resolved::ResolvedEnvironment;
pub use schedule::Schedule;
pub use secret::Secret;
pub use sentinelone::{SentinelOne, SentinelOneStream};
pub use state::StateLocation;
pub use switched_off::{OffCause, OffPart, SwitchedOff};

pub use catalog::setting_prefix;
use catalog::{ONELOGIN, PINGONE, PINGONE_ENTERPRISE, SENTINELONE, SOURCES};
use destination::Destinations;
use faults::Faults;
use given::Given;
use names::{Instances, LookAlike, Names};
use reader::Reader;

const DEFAULT_DESTINATION_DIR: &str = "data/tables";
const DEFAULT_SPOOL_MAX_BYTES: u64 = 1 << 30;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `PINGONE__*`: the instances that are on, the unnamed one first.
    pub pingone: Vec<PingOne>,
    /// `PINGONE_ENTERPRISE__*`: the instances that are on, the unnamed one first.
    pub pingone_enterprise: Vec<PingOneEnterprise>,
    /// `SENTINELONE__*`: the instances that are on, the unnamed one first.
    pub sentinelone: Vec<SentinelOne>,
    /// `ONELOGIN__*`: the instances that are on, the unnamed one first.
    pub onelogin: Vec<OneLogin>,
    /// What is configured but off, because a setting is bad or a Key Vault reference was not resolved.
    pub switched_off: Vec<SwitchedOff>,
    /// The local destination: `DESTINATION_DIR`, default `data/tables`.
    pub destination_dir: PathBuf,
    /// `STATE_URL`, default `data/state`.
    pub state: StateLocation,
    /// `POLL_*`.
    pub poll: Poll,
    /// `PUSH_*`.
    pub push: Push,
    /// How large the spool may grow, in bytes: `SPOOL_MAX_BYTES`, default 1 GiB.
    pub spool_max_bytes: u64,
    /// `HEALTH__*`.
    pub health: Health,
}

impl Settings {
    /// Reads and checks all settings.
    ///
    /// # Errors
    /// Names everything that is wrong, not only the first thing, where a setting of the whole program is bad or no
    /// source is left.
    pub fn load(environment: &dyn Environment) -> Result<Self, SettingProblems> {
        let mut reader = Reader::new(environment);
        let Names {
            instances, look_alikes, ..
        } = names::look_over(environment);
        refuse_look_alikes(&mut reader, look_alikes, &instances);
        let destinations = Destinations::read(&mut reader);

        let pingone = pingone::load(&mut reader, &instances, &destinations);
        let pingone_enterprise = pingone_enterprise::load(&mut reader, &instances, &destinations);
        let sentinelone = sentinelone::load(&mut reader, &instances, &destinations);
        let onelogin = onelogin::load(&mut reader, &instances, &destinations);
        let health = Health::read(&mut reader, &destinations);

        let default_dir = PathBuf::from(DEFAULT_DESTINATION_DIR);
        let destination_dir = reader.read_or("DESTINATION_DIR", default_dir, accept_path);
        let state = read_state(&mut reader);
        let poll = Poll::read(&mut reader);
        let push = Push::read(&mut reader);
        let spool_max_bytes = reader.read_or("SPOOL_MAX_BYTES", DEFAULT_SPOOL_MAX_BYTES, values::size);
        // These two belong to later versions: checked, and nothing follows from them yet.
        reader.read_plain("DEAD_LETTERS_MAX_BYTES", values::size);
        reader.read_plain("MEMORY_BUDGET", values::size);
        // Logging has read it before, without a word about a bad value.
        reader.read_plain("LOG_FORMAT", log_format::accept);
        refuse_local_destination_in_azure(&mut reader);

        let Reader {
            mut problems,
            faults,
            mut switched_off,
            ..
        } = reader;
        switched_off.extend(faults.switched_off());
        let (Some(poll), true) = (poll, problems.is_empty()) else {
            problems.extend(all_of(&switched_off));
            return Err(problems);
        };
        let mut settings = Self {
            pingone,
            pingone_enterprise,
            sentinelone,
            onelogin,
            switched_off,
            destination_dir,
            state,
            poll,
            push,
            spool_max_bytes,
            health,
        };
        settings.keep_only_the_good(&faults);
        if !faults.is_empty() && !settings.has_a_source(&faults) {
            return Err(all_of(&settings.switched_off));
        }
        Ok(settings)
    }

    fn keep_only_the_good(&mut self, faults: &Faults) {
        self.pingone.retain(|one| !faults.concern(PINGONE.name, &one.instance));
        self.pingone_enterprise
            .retain(|one| !faults.concern(PINGONE_ENTERPRISE.name, &one.instance));
        self.sentinelone
            .retain(|one| !faults.concern(SENTINELONE.name, &one.instance));
        self.onelogin
            .retain(|one| !faults.concern(ONELOGIN.name, &one.instance));
    }

    /// Whether something can run, now or, without another setting, when a reference can be resolved.
    fn has_a_source(&self, faults: &Faults) -> bool {
        let may_come_back = |off: &SwitchedOff| {
            off.cause == OffCause::UnresolvedReference
                && off.source != health::NAME
                && !faults.concern(off.source, &off.instance)
        };
        self.has_an_instance() || self.switched_off.iter().any(may_come_back)
    }

    fn has_an_instance(&self) -> bool {
        !self.pingone.is_empty()
            || !self.pingone_enterprise.is_empty()
            || !self.sentinelone.is_empty()
            || !self.onelogin.is_empty()
    }

    /// Whether no source is configured, be it on or off.
    pub fn nothing_configured(&self) -> bool {
        let is_source = |off: &SwitchedOff| off.source != health::NAME;
        !self.has_an_instance() && !self.switched_off.iter().any(is_source)
    }

    /// Whether a push of `source` (`pingone`, `onelogin`) that no token matches may belong to an
    /// instance that is off or whose token could not be had: it is to come again later and not to be refused.
    pub fn push_is_unresolved(&self, source: &str) -> bool {
        let is_push_off = |off: &SwitchedOff| off.takes_push && off.part != OffPart::Poll;
        self.switched_off
            .iter()
            .any(|off| off.source == source && is_push_off(off))
    }
}

/// What is wrong with everything that is off.
fn all_of(switched_off: &[SwitchedOff]) -> SettingProblems {
    let mut problems = SettingProblems::default();
    for off in switched_off {
        problems.add(&off.setting, off.message());
    }
    problems
}

/// The names under our prefixes that this version does not know: a newer template may.
pub fn unknown_names(environment: &dyn Environment) -> SettingProblems {
    names::look_over(environment).unknown
}

/// A misspelt name switches off the instance whose setting was meant, all of the source if that cannot be told.
fn refuse_look_alikes(reader: &mut Reader<'_>, look_alikes: Vec<LookAlike>, instances: &Instances) {
    for LookAlike { name, message, of } in look_alikes {
        let Some(of) = of else {
            reader.refuse(name, message);
            continue;
        };
        let Some(source) = SOURCES.into_iter().find(|source| source.name == of.source) else {
            continue;
        };
        let mut meant: Vec<InstanceName> = match of.instance {
            Some(instance) => vec![instance],
            None => instances.of(source),
        };
        if meant.is_empty() {
            meant.push(InstanceName::unnamed());
        }
        for instance in meant {
            if of.is_push_token {
                reader.faults.note_push(source, &instance);
            }
            reader.refuse_instance(source, &instance, &name, &message);
        }
    }
}

fn accept_path(text: &str) -> Result<PathBuf, InvalidValue> {
    values::text(text).map(PathBuf::from)
}

fn read_state(reader: &mut Reader<'_>) -> StateLocation {
    let given = reader.read_plain("STATE_URL", StateLocation::accept);
    if reader.is_in_azure() && !given.is_given() {
        reader.refuse(
            "STATE_URL",
            "is missing; in Azure (WEBSITE_SITE_NAME is set) the local default lies on a disk that \
             vanishes; set https://<account>.blob.core.windows.net/<container>",
        );
    }
    match given {
        Given::Value(location) => location,
        _ => StateLocation::Directory(PathBuf::from(state::DEFAULT_DIRECTORY)),
    }
}

fn refuse_local_destination_in_azure(reader: &mut Reader<'_>) {
    if reader.without_rule.is_empty() || !reader.is_in_azure() {
        return;
    }
    let message = format!(
        "is missing, and so the rows of {} have no destination but the local default, which in \
         Azure (WEBSITE_SITE_NAME is set) lies on a disk that vanishes; set LOGS_INGESTION__ENDPOINT \
         and LOGS_INGESTION__RULE_ID",
        reader.without_rule.join(", ")
    );
    reader.refuse("LOGS_INGESTION__ENDPOINT", message);
}
