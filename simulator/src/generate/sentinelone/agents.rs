//! Agents: snapshots of the computers.

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::common::{cut, hexadecimal, microseconds, parsed};
use super::estate::Estate;
use super::snowflake::Snowflakes;
use crate::generate::{ADDRESSES, DIFFICULT_NAMES};
use crate::random::{one_in, pick};

/// One version of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agent {
    /// `id`: decimal text over 2^53.
    pub id: String,
    /// `createdAt`: when it was registered.
    pub created_at: DateTime<Utc>,
    /// `updatedAt`, whole microseconds.
    pub updated_at: DateTime<Utc>,
    /// `isDecommissioned`.
    pub decommissioned: bool,
    /// The agent as compact JSON text.
    pub json: String,
}

/// Makes agents of one account.
#[derive(Debug)]
pub struct Agents {
    rng: StdRng,
    ids: Snowflakes,
    estate: Estate,
    made: usize,
}

impl Agents {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Agents {
            ids: Snowflakes::new(&mut rng),
            estate: Estate::new(seed),
            rng,
            made: 0,
        }
    }

    /// An agent that was registered at that time.
    pub fn new_object(&mut self, at: DateTime<Utc>) -> Agent {
        let at = cut(at);
        let id = self.ids.at(at);
        self.made += 1;
        let mut agent = self.birth(&id, at);
        merge(&mut agent, self.machine(at));
        Agent {
            id,
            created_at: at,
            updated_at: at,
            decommissioned: false,
            json: agent.to_string(),
        }
    }

    /// The same agent with a newer heart-beat and other counters, changed at that time.
    pub fn update(&mut self, previous: &Agent, at: DateTime<Utc>) -> Agent {
        let threats = self.rng.random_range(0..4);
        let mut changes = json!({
            "activeThreats": threats,
            "infected": threats > 0,
            "lastActiveDate": microseconds(cut(at) - TimeDelta::milliseconds(340)),
            "externalIp": pick(&mut self.rng, &ADDRESSES),
            "networkStatus": if one_in(&mut self.rng, 3) { "disconnected" } else { "connected" },
        });
        if one_in(&mut self.rng, 3) {
            changes["agentVersion"] = json!(format!("25.2.{}.{}", threats, self.rng.random_range(10..99)));
            changes["scanStatus"] = json!("finished");
            changes["scanFinishedAt"] = json!(microseconds(cut(at)));
        }
        self.changed(previous, at, changes)
    }

    /// The same agent taken out of service; the API shows it only where it is asked for.
    pub fn decommission(&mut self, previous: &Agent, at: DateTime<Utc>) -> Agent {
        let agent = self.changed(previous, at, json!({"isDecommissioned": true, "isActive": false}));
        Agent {
            decommissioned: true,
            ..agent
        }
    }

    /// The same agent taken off its computer; the API shows it only where it is asked for.
    pub fn uninstall(&mut self, previous: &Agent, at: DateTime<Utc>) -> Agent {
        self.changed(previous, at, json!({"isUninstalled": true, "isActive": false}))
    }

    fn changed(&mut self, previous: &Agent, at: DateTime<Utc>, changes: Value) -> Agent {
        let at = cut(at);
        let mut agent = parsed(&previous.json);
        merge(&mut agent, changes);
        agent["updatedAt"] = json!(microseconds(at));
        Agent {
            updated_at: at,
            json: agent.to_string(),
            ..previous.clone()
        }
    }

    /// What the console knows.
    fn birth(&mut self, id: &str, at: DateTime<Utc>) -> Value {
        let place = self.estate.place(&mut self.rng);
        let tags = if one_in(&mut self.rng, 2) {
            json!({"sentinelone": []})
        } else {
            json!({"sentinelone": [{"id": self.ids.at(at), "key": "owner", "value": "quay 3", "assignedBy": "ops"}]})
        };
        json!({
            "id": id,
            "uuid": hexadecimal(&mut self.rng, 32),
            "accountId": self.estate.account_id,
            "accountName": self.estate.account_name,
            "siteId": place.site_id,
            "siteName": place.site_name,
            "groupId": place.group_id,
            "groupName": place.group_name,
            "createdAt": microseconds(at),
            "updatedAt": microseconds(at),
            "registeredAt": microseconds(at - TimeDelta::microseconds(4_210)),
            "lastActiveDate": microseconds(at),
            "agentVersion": "25.1.4.117",
            "activeThreats": 0,
            "infected": false,
            "isActive": true,
            "isDecommissioned": false,
            "isPendingUninstall": false,
            "isUninstalled": false,
            "isUpToDate": !one_in(&mut self.rng, 3),
            "licenseKey": "",
            "mitigationMode": "protect",
            "mitigationModeSuspicious": "detect",
            "networkQuarantineEnabled": false,
            "networkStatus": "connected",
            "operationalState": "na",
            "operationalStateExpiration": null,
            "rangerStatus": "NotApplicable",
            "rangerVersion": null,
            "remoteProfilingState": "disabled",
            "scanStatus": "started",
            "scanStartedAt": microseconds(at),
            "scanFinishedAt": null,
            "scanAbortedAt": null,
            "userActionsNeeded": [],
            "allowRemoteShell": false,
            "inRemoteShellSession": false,
            "tags": tags,
        })
    }

    /// What the computer told about itself.
    fn machine(&mut self, at: DateTime<Utc>) -> Value {
        let name = format!("bench-{:03}", self.made);
        let has_directory = one_in(&mut self.rng, 2);
        let address = pick(&mut self.rng, &ADDRESSES[..3]);
        json!({
            "computerName": name,
            "domain": if has_directory { "QUAY" } else { "WORKGROUP" },
            "activeDirectory": {
                "computerDistinguishedName": has_directory.then(|| format!("CN={name},OU=Benches,DC=example,DC=com")),
                "computerMemberOf": [],
                "lastUserDistinguishedName": null,
                "lastUserMemberOf": has_directory.then(|| vec!["CN=Crew,DC=example,DC=com"]),
                "userPrincipalName": null,
            },
            "cloudProviders": {},
            "coreCount": 8,
            "cpuCount": 1,
            "cpuId": "Example CPU @ 2.60GHz",
            "encryptedApplications": one_in(&mut self.rng, 2),
            "externalId": "",
            "externalIp": pick(&mut self.rng, &ADDRESSES),
            "firewallEnabled": true,
            "installerType": ".deb",
            "lastIpToMgmt": address,
            "lastLoggedInUserName": if one_in(&mut self.rng, 2) { "" } else { "noor" },
            "locations": [{"id": self.ids.at(at), "name": pick(&mut self.rng, &DIFFICULT_NAMES), "scope": "site"}],
            "locationEnabled": true,
            "locationType": "not_applicable",
            "machineType": if one_in(&mut self.rng, 3) { "server" } else { "laptop" },
            "modelName": "Example Corp. - Bench 7",
            "networkInterfaces": [{
                "id": self.ids.at(at),
                "name": "eth0",
                "inet": [address],
                "inet6": ["2001:db8:7::31"],
                "physical": "02:00:5e:10:00:01",
                "gatewayIp": null,
                "gatewayMacAddress": null,
            }],
            "osArch": "64 bit",
            "osName": "Linux",
            "osRevision": "Example Linux 9.4 5.14.0",
            // No fraction here, unlike every other time.
            "osStartTime": (at - TimeDelta::hours(30)).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "osType": "linux",
            "osUsername": null,
            "serialNumber": format!("BN-{}", self.rng.random_range(10_000..99_999)),
            "storageType": null,
            "totalMemory": 15_871,
            "threatRebootRequired": false,
        })
    }
}

/// Puts the keys of `changes` into `object`.
fn merge(object: &mut Value, changes: Value) {
    if let (Value::Object(object), Value::Object(changes)) = (object, changes) {
        object.extend(changes);
    }
}
