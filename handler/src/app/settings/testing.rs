//! The settings of one vendor, for tests.

use std::any::Any;
use std::ops::Deref;

use super::{InstanceSettings, Settings};
use crate::config::{Environment, InstanceName};
use crate::destination::DestinationChoice;
use crate::vendors::VendorConfig;

/// An instance, with what its vendor needs.
pub struct Configured<'s, T> {
    pub instance: &'s InstanceName,
    pub destination: &'s DestinationChoice,
    pub additional_fields: bool,
    pub config: &'s T,
}

impl<T> Deref for Configured<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.config
    }
}

impl Settings {
    /// The instances of one vendor that run.
    pub fn of<T: VendorConfig>(&self) -> Vec<Configured<'_, T>> {
        self.instances.iter().filter_map(configured).collect()
    }
}

fn configured<T: VendorConfig>(one: &InstanceSettings) -> Option<Configured<'_, T>> {
    let config: &dyn Any = one.vendor.as_ref();
    Some(Configured {
        instance: &one.instance,
        destination: &one.destination,
        additional_fields: one.additional_fields,
        config: config.downcast_ref()?,
    })
}

/// Settings that are right.
#[track_caller]
pub fn loaded<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Settings {
    Settings::load(&Environment::from(pairs)).unwrap_or_else(|problems| panic!("{problems}"))
}
