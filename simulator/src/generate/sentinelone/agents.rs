//! Agents: snapshots of the computers.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use serde_json::{Value, json};

use super::common::{cut, merge, microseconds};
use super::object::Object;
use super::source::Source;
use crate::generate::{ADDRESSES, DIFFICULT_NAMES};
use crate::sentinelone::Stream;

/// An agent that was registered at that time.
pub(super) fn new_object(source: &mut Source, at: DateTime<Utc>) -> Object {
    let at = cut(at);
    let id = source.id_at(at);
    source.made += 1;
    let mut agent = birth(source, &id, at);
    merge(&mut agent, machine(source, at));
    Object {
        stream: Stream::Agents,
        id,
        created_at: at,
        updated_at: at,
        json: agent.to_string(),
    }
}

/// The same agent with a newer heart-beat and other counters, changed at that time.
pub(super) fn update(source: &mut Source, previous: &Object, at: DateTime<Utc>) -> Object {
    let threats = source.rng.random_range(0..4);
    let mut changes = json!({
        "activeThreats": threats,
        "infected": threats > 0,
        "lastActiveDate": microseconds(cut(at) - TimeDelta::milliseconds(340)),
        "externalIp": source.pick(&ADDRESSES),
        "networkStatus": if source.one_in(3) { "disconnected" } else { "connected" },
    });
    if source.one_in(3) {
        changes["agentVersion"] = json!(format!("25.2.{}.{}", threats, source.rng.random_range(10..99)));
        changes["scanStatus"] = json!("finished");
        changes["scanFinishedAt"] = json!(microseconds(cut(at)));
    }
    previous.changed(at, "", |agent| merge(agent, changes))
}

/// The same agent taken out of service; the API shows it only where it is asked for.
pub(super) fn decommission(previous: &Object, at: DateTime<Utc>) -> Object {
    previous.changed(at, "", |agent| {
        merge(agent, json!({"isDecommissioned": true, "isActive": false}))
    })
}

/// The same agent taken off its computer; the API shows it only where it is asked for.
pub(super) fn uninstall(previous: &Object, at: DateTime<Utc>) -> Object {
    previous.changed(at, "", |agent| {
        merge(agent, json!({"isUninstalled": true, "isActive": false}))
    })
}

/// What the console knows.
fn birth(source: &mut Source, id: &str, at: DateTime<Utc>) -> Value {
    let place = source.place();
    let tags = if source.one_in(2) {
        json!({"sentinelone": []})
    } else {
        json!({"sentinelone": [{"id": source.id_at(at), "key": "owner", "value": "quay 3", "assignedBy": "ops"}]})
    };
    let keys = json!({
        "id": id,
        "uuid": source.hexadecimal(32),
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
        "isUpToDate": !source.one_in(3),
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
    });
    source.placed(&place, keys)
}

/// What the computer told about itself.
fn machine(source: &mut Source, at: DateTime<Utc>) -> Value {
    let name = format!("bench-{:03}", source.made);
    let has_directory = source.one_in(2);
    let address = source.pick(&ADDRESSES[..3]);
    json!({
        "computerName": name,
        "domain": if has_directory { "QUAY" } else { "WORKGROUP" },
        "activeDirectory": active_directory(&name, has_directory),
        "cloudProviders": {},
        "coreCount": 8,
        "cpuCount": 1,
        "cpuId": "Example CPU @ 2.60GHz",
        "encryptedApplications": source.one_in(2),
        "externalId": "",
        "externalIp": source.pick(&ADDRESSES),
        "firewallEnabled": true,
        "installerType": ".deb",
        "lastIpToMgmt": address,
        "lastLoggedInUserName": if source.one_in(2) { "" } else { "noor" },
        "locations": [{"id": source.id_at(at), "name": source.pick(&DIFFICULT_NAMES), "scope": "site"}],
        "locationEnabled": true,
        "locationType": "not_applicable",
        "machineType": if source.one_in(3) { "server" } else { "laptop" },
        "modelName": "Example Corp. - Bench 7",
        "networkInterfaces": [{
            "id": source.id_at(at),
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
        "serialNumber": format!("BN-{}", source.rng.random_range(10_000..99_999)),
        "storageType": null,
        "totalMemory": 15_871,
        "threatRebootRequired": false,
    })
}

fn active_directory(computer: &str, is_member: bool) -> Value {
    json!({
        "computerDistinguishedName": is_member.then(|| format!("CN={computer},OU=Benches,DC=example,DC=com")),
        "computerMemberOf": [],
        "lastUserDistinguishedName": null,
        "lastUserMemberOf": is_member.then_some(["CN=Crew,DC=example,DC=com"]),
        "userPrincipalName": null,
    })
}
