//! Groups of agents: snapshots with a secret.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::common::{PEOPLE, REGISTRATION_TOKEN_MARK, cut, microseconds};
use super::object::Object;
use super::source::Source;
use crate::generate::DIFFICULT_NAMES;
use crate::sentinelone::Stream;

/// A group that was made at that time, with a `registrationToken` that holds [`REGISTRATION_TOKEN_MARK`].
pub(super) fn new_object(source: &mut Source, at: DateTime<Utc>) -> Object {
    let at = cut(at);
    let id = source.id_at(at);
    let place = source.place();
    let kind = ["static", "dynamic", "pinned"][source.made % 3];
    source.made += 1;
    let is_dynamic = kind == "dynamic";
    let mut group = json!({
        "id": id,
        "name": source.pick(&DIFFICULT_NAMES),
        "type": kind,
        "rank": is_dynamic.then_some(source.made),
        "filterId": is_dynamic.then(|| source.id_at(at)),
        "filterName": is_dynamic.then_some("kiosks / all"),
        "inherits": source.one_in(2),
        "isDefault": source.one_in(4),
        "siteId": place.site_id,
        "creator": source.pick(&PEOPLE),
        "creatorId": source.id_at(at),
        "totalAgents": 0,
        "registrationToken": format!("{REGISTRATION_TOKEN_MARK}-{}", source.hexadecimal(24)),
        "createdAt": microseconds(at),
        "updatedAt": microseconds(at),
    });
    if source.one_in(2) {
        group["description"] = json!("made for a trial\nkeep");
    }
    Object {
        stream: Stream::Groups,
        id,
        created_at: at,
        updated_at: at,
        json: group.to_string(),
    }
}

/// The same group, with more agents and sometimes another name, changed at that time.
pub(super) fn update(source: &mut Source, previous: &Object, at: DateTime<Utc>) -> Object {
    let name = source.one_in(3).then(|| source.pick(&DIFFICULT_NAMES));
    previous.changed(at, "", |group| {
        let agents = group["totalAgents"].as_u64().unwrap_or_default();
        group["totalAgents"] = json!(agents + 1);
        if let Some(name) = name {
            group["name"] = json!(name);
        }
    })
}
