//! The mechanism of settings: from the environment to typed values, checked all at once. No I/O, and no setting of its own.
//!
//! A [`Catalog`] names every setting. A [`Reader`] takes in what is set, gives typed values, and keeps everything that is
//! wrong. What is wrong with an instance of a source disables that instance; what is wrong with the whole program is
//! refused. No message and no debug output holds a secret.

mod catalog;
mod disabled;
mod duplicates;
pub mod duration;
mod environment;
mod instance;
mod instance_reader;
mod invalid_value;
mod log_format;
mod look_alike;
mod names;
mod origin;
mod platform_references;
mod problem;
mod push_token;
mod raw_setting;
mod reader;
mod reference;
mod schedule;
mod secret;
mod suggestion;
pub mod values;
pub mod web_address;

pub use catalog::Catalog;
#[cfg(test)]
pub use catalog::SourceCatalog;
pub use disabled::{Disabled, DisabledCause, DisabledPart};
pub use environment::{Environment, SettingReference};
pub use instance::{InstanceName, Instances};
pub use instance_reader::{InstanceReader, PartReader};
pub use invalid_value::InvalidValue;
pub use log_format::{LogFormat, accept_log_format, log_format};
#[cfg(test)]
pub use look_alike::LookAlikes;
#[cfg(test)]
pub use names::Names;
pub use names::look_over;
pub use origin::Origin;
pub use problem::{SettingProblem, SettingProblems};
pub use push_token::PushTokens;
pub use raw_setting::UnresolvedReference;
pub use reader::{ReadProblems, Reader, Rejected};
pub use reference::Reference;
pub use schedule::Schedule;
pub use secret::Secret;
