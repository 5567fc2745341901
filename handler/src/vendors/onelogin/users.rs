//! The users of an account.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;

use super::client::OneLoginClient;
use super::fields::fields;
use super::list::List;
use super::list_spec::ListSpec;
use crate::event::Identity;
use crate::http::Throttle;
use crate::sources::cursor_pager::{CursorPager, least_page};
use crate::sources::cursor_pages::CursorPages;
use crate::sources::{
    EventKey, Page, Pages, PolledStream, SnapshotStream, SourceError, StreamBase, VendorClock, Window,
};
use crate::time::Deadline;

const USERS: ListSpec = ListSpec {
    path: "users",
    asked: "the users endpoint",
    has_windows: false,
    key_of,
};

/// What the table has columns for. The rest of a user changes with every sign-in and is no news.
const MAPPED: [&str; 8] = [
    "id",
    "username",
    "firstname",
    "email",
    "lastname",
    "department",
    "openid_name",
    "title",
];

/// The stream `onelogin/<instance>/users`: all users, read again every so often, because changed ones cannot be asked
/// for.
pub struct ApiUsers {
    list: List,
    every: Duration,
    /// Pages of users that may be asked for: half of the calls that an account has, so that its events, and whoever
    /// else uses the account, never wait for a scan of all users.
    share: Throttle,
}

/// The list takes no times. A window without a length cannot be halved, and that is all that a pager asks of it.
const EVERYTHING: Window = Window {
    from: DateTime::UNIX_EPOCH,
    to: DateTime::UNIX_EPOCH,
};
/// OneLogin allows 5000 calls an hour to an account. Source: OneLogin's page on rate limits.
const PAGES_PER_SECOND: f64 = 2500.0 / 3600.0;
/// A scan that is not longer than this needs no second run.
const PAGES_AT_ONCE: NonZeroU32 = match NonZeroU32::new(200) {
    Some(pages) => pages,
    None => NonZeroU32::MIN,
};

/// A scan within its share.
struct SharedPages<'a> {
    pager: CursorPager<'a>,
    users: &'a ApiUsers,
}

#[async_trait]
impl Pages for SharedPages<'_> {
    /// To wait for the next place would hold up the run, and cost more than to go on in the next one.
    async fn next(&mut self, deadline: Deadline) -> Result<Option<Page>, SourceError> {
        if !self.pager.is_at_end() && self.users.share.admit(Deadline::after(Duration::ZERO)).await.is_err() {
            return Err(SourceError::ShareUsed);
        }
        self.pager.next(deadline).await
    }

    fn place(&self) -> Option<String> {
        self.pager.place()
    }
}

impl ApiUsers {
    /// Of an account.
    pub(super) fn new(instance: &str, client: Arc<OneLoginClient>, every: Duration) -> Self {
        Self {
            list: List::new(instance, &USERS, client),
            every,
            share: Throttle::per_second(PAGES_PER_SECOND, PAGES_AT_ONCE),
        }
    }
}

#[async_trait]
impl PolledStream for ApiUsers {
    fn base(&self) -> &StreamBase {
        self.list.base()
    }

    /// The events of the account tell of it.
    fn vendor_clock(&self) -> Option<&VendorClock> {
        None
    }

    fn key_of(&self, user: &str) -> EventKey {
        self.list.key_of(user)
    }
}

#[async_trait]
impl SnapshotStream for ApiUsers {
    fn scan_interval(&self) -> Duration {
        self.every
    }

    fn scan(&self, place: Option<String>) -> Box<dyn Pages + '_> {
        let pager = CursorPager::new(&self.list, EVERYTHING, self.list.page_size());
        Box::new(SharedPages {
            pager: match place {
                Some(cursor) => pager.resuming_at(cursor),
                None => pager,
            },
            users: self,
        })
    }

    async fn probe(&self, deadline: Deadline) -> Result<usize, SourceError> {
        least_page(&self.list, EVERYTHING, deadline).await
    }
}

/// Identity is what the table shows of a user: a change of it is a new version, and nothing else is. A user without an
/// id is named by its content.
fn key_of(user: &str) -> EventKey {
    let values = fields(user, &MAPPED);
    let identity = if values[0].is_empty() {
        Identity::of_content(user)
    } else {
        let mut parts = vec!["onelogin-user"];
        parts.extend(values.iter().map(|value| &**value));
        Identity::of_parts(&parts)
    };
    EventKey { identity, time: None }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use simulator::generate::onelogin_api::Users;

    use super::*;
    use crate::tables::table;

    const USER: &str = r#"{"id":7,"username":"noor","firstname":"Noor","email":"n@example.com","lastname":"H",
        "department":"D","openid_name":"noor","title":null,"last_login":"2026-11-20T10:00:00Z"}"#;

    #[test]
    fn a_change_of_any_mapped_column_is_a_new_version() {
        for name in MAPPED {
            let mut user: Value = serde_json::from_str(USER).unwrap();
            user[name] = json!("other");
            assert_ne!(key_of(&user.to_string()).identity, key_of(USER).identity, "{name}");
        }
    }

    #[test]
    fn other_columns_order_whitespace_and_absence_are_no_new_version() {
        let same = r#"{ "title" : "", "id":"7","openid_name":"noor","department":"D","lastname":"H",
            "email":"n@example.com","firstname":"N\u006for","username":"noor","locked_until":1,"role_id":[1] }"#;
        for same in [same, &same.replace(r#""title" : "","#, "")] {
            assert_eq!(key_of(same), key_of(USER), "{same}");
        }
        assert_eq!(key_of(USER).time, None);
    }

    #[test]
    fn values_do_not_move_from_one_column_to_another_unnoticed() {
        let one = key_of(r#"{"id":7,"firstname":"a","lastname":""}"#);
        let other = key_of(r#"{"id":7,"firstname":"","lastname":"a"}"#);
        assert_ne!(one.identity, other.identity);
    }

    #[test]
    fn a_sign_in_is_no_new_version_and_an_update_is() {
        let mut users = Users::new(3);
        let start = "2026-11-20T10:00:00Z".parse().unwrap();
        let user = users.new_object(start);
        let signed_in = users.sign_in(&user, start);
        let updated = users.update(&signed_in, start);
        assert_eq!(key_of(&user.json), key_of(&signed_in.json));
        assert_ne!(key_of(&user.json), key_of(&updated.json));
    }

    #[test]
    fn a_user_without_an_id_is_named_by_its_content() {
        for text in [r#"{"username":"a","last_login":1}"#, r#"{"id":null}"#, "7"] {
            assert_eq!(key_of(text).identity, Identity::of_content(text), "{text}");
        }
    }

    #[test]
    fn the_mapped_columns_are_those_of_the_table() {
        let definition = include_str!("../../../../infra/tables/OneLoginUsersV2_CL.json");
        let definition: Value = serde_json::from_str(definition).unwrap();
        let columns = definition["columns"].as_array().unwrap().iter();
        let mut from: Vec<_> = columns.filter_map(|column| column["from"][0].as_str()).collect();
        from.retain(|name| *name != "updated_at" && !name.starts_with('$'));
        let mut mapped = MAPPED;
        mapped.sort_unstable();
        from.sort_unstable();
        assert_eq!(from, mapped);
        assert!(table("OneLoginUsersV2_CL").is_some());
    }
}
