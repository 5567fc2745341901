//! Looks over the names that are set: which instances there are, and which names are unknown.

use crate::config::catalog::{Catalog, KeyGroup, SourceCatalog};
use crate::config::environment::Environment;
use crate::config::instance::{InstanceName, InstanceNameFault, Instances};
use crate::config::look_alike::{LookAlikes, MeantInstance};
use crate::config::problem::SettingProblems;
use crate::config::reader::Reader;

/// What the names tell.
#[derive(Debug, Default)]
pub struct Names {
    /// The instances that are there.
    pub instances: Instances,
    /// Names that look like settings and are none.
    pub look_alikes: Vec<LookAlike>,
    /// Names under our prefixes that look like nothing we know: a newer template may.
    pub unknown: SettingProblems,
}

/// A name that looks like a setting.
#[derive(Debug)]
pub struct LookAlike {
    /// As it was written.
    pub name: String,
    /// What is wrong and what may be meant.
    pub message: String,
    /// Whose setting was meant; none for one of the whole program.
    of: Option<MeantInstance>,
}

/// Looks over every name that is set, and those for which the platform tells a reference.
pub fn look_over(environment: &Environment, catalog: &'static Catalog) -> Names {
    let mut names = Names::default();
    let mut others = Vec::new();
    for name in environment.names(catalog) {
        match instance_of(name, catalog) {
            Some((source, instance)) => names.instances.add(source, instance),
            None if catalog.program_key(name).is_some() => {}
            None => others.push(name),
        }
    }
    // An empty value counts as absent.
    others.retain(|name| environment.get(name).is_none_or(|value| !value.trim_ascii().is_empty()));
    for name in others {
        names.judge(name, catalog);
    }
    names
}

/// The source and the instance whose setting a name is.
fn instance_of(name: &str, catalog: &'static Catalog) -> Option<(&'static SourceCatalog, InstanceName)> {
    let (source, group, rest) = catalog.group_of(name)?;
    if group.key(rest).is_some() {
        return Some((source?, InstanceName::unnamed()));
    }
    let (written, key) = rest.rsplit_once("__")?;
    let instance = InstanceName::from_setting(written).ok()?;
    group.key(key).and(source).map(|source| (source, instance))
}

/// The names that are accepted under a prefix.
fn accepted_names(source: Option<&SourceCatalog>, group: &KeyGroup) -> String {
    let prefix = group.prefix;
    let keys = match group.keys.as_slice() {
        [] => "nothing".to_owned(),
        _ => group.key_names().join(", "),
    };
    match source {
        Some(_) => format!("{prefix} or {prefix}<INSTANCE>__ takes {keys}"),
        None => format!("{prefix} takes {keys}"),
    }
}

impl Names {
    /// Sorts a name that is no setting.
    fn judge(&mut self, name: &str, catalog: &'static Catalog) {
        let place = catalog.group_of(name);
        if let Some((Some(source), _, rest)) = place
            && let Some(odd) = odd_instance(source, name, rest)
        {
            self.look_alikes.push(odd);
            return;
        }
        let known = &self.instances;
        let meant = LookAlikes { catalog, known }.meant_by(name);
        let accepted = place.map(|(source, group, _)| accepted_names(source, group));
        match (meant, accepted) {
            (Some(meant), accepted) => {
                let accepted = accepted.unwrap_or_default();
                let message = format!("is not a setting; did you mean {}? {accepted}", meant.setting);
                self.look_alikes.push(LookAlike {
                    name: name.to_owned(),
                    message: message.trim_end().to_owned(),
                    of: meant.of,
                });
            }
            (None, Some(accepted)) => {
                let message = format!("is not a setting of this version, and nothing follows from it; {accepted}");
                self.unknown.add(name, message);
            }
            (None, None) => {}
        }
    }

    /// A misspelt name disables the instance whose setting was meant, all of the source if that cannot be told.
    pub fn reject_look_alikes(&self, reader: &mut Reader) {
        for LookAlike { name, message, of } in &self.look_alikes {
            let Some(of) = of else {
                reader.reject(name, message);
                continue;
            };
            let mut meant: Vec<InstanceName> = match &of.instance {
                Some(instance) => vec![instance.clone()],
                None => self.instances.of(of.source).cloned().collect(),
            };
            if meant.is_empty() {
                meant.push(InstanceName::unnamed());
            }
            for instance in meant {
                if of.is_push_token {
                    reader.note_pushed(of.source, &instance);
                }
                reader.reject_instance(of.source, &instance, name, message);
            }
        }
    }
}

/// A known key under an instance name that is not accepted.
fn odd_instance(source: &'static SourceCatalog, name: &str, rest: &str) -> Option<LookAlike> {
    let (written, key) = rest.rsplit_once("__")?;
    let key = source.group.key(key)?.name;
    let fault = InstanceName::from_setting(written).err()?;
    // `<SOURCE>__CLIENT__ID` has a better reading.
    if source.group.key(&rest.replace("__", "_")).is_some() {
        return None;
    }
    let plain: String = written.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = InstanceName::from_setting(&plain.to_ascii_uppercase()).ok();
    let prefix = source.group.prefix;
    let (message, instance) = match fault {
        InstanceNameFault::Reserved => (
            format!("{written} is the name of the instance without a name; write {prefix}{key}"),
            Some(InstanceName::unnamed()),
        ),
        InstanceNameFault::Form => {
            let example = plain.as_ref().map_or_else(|| "ACME__".to_owned(), InstanceName::infix);
            let accepted = "the name of the instance must consist of the letters A-Z and digits";
            (format!("{accepted}, as in {prefix}{example}{key}"), plain)
        }
    };
    Some(LookAlike {
        name: name.to_owned(),
        message,
        of: Some(MeantInstance {
            source,
            instance,
            is_push_token: source.push_key == Some(key),
        }),
    })
}
