//! Everything a console remembers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::catalogue::Catalogue;
use super::contract::{Stream, text_at};
use super::cursor::Cursor;
use super::errors::error;
use super::options::{ConsoleFault, ConsoleOptions, PlannedFault};
use super::published::{Published, Record, Version};
use crate::service::{Configured, Controls, Fault, Reply, Request};

/// The filters and the sort of a page: what must come back with its cursor.
pub(super) type LastingParameters = BTreeMap<String, String>;

/// A cursor that was given out.
#[derive(Debug)]
struct IssuedCursor {
    cursor: Cursor,
    /// Of each page that gave it out: pages that end with the same object have the same cursor.
    parameters: BTreeSet<LastingParameters>,
}

/// Versions that replies show for the first time.
#[derive(Debug, Default)]
pub(super) struct NewlyShown {
    /// Those of the reply in the making.
    current: Vec<usize>,
    /// Those of each reply that is not on its way yet.
    underway: HashMap<usize, Vec<usize>>,
    replies: usize,
}

impl NewlyShown {
    /// The reply in the making is made; gives its number.
    pub(super) fn begin(&mut self) -> usize {
        self.replies += 1;
        self.underway.insert(self.replies, std::mem::take(&mut self.current));
        self.replies
    }
}

/// One console.
#[derive(Debug)]
pub struct Console {
    pub(super) options: ConsoleOptions,
    pub(super) controls: Controls<PlannedFault>,
    pub(super) token_is_valid: bool,
    pub(super) published: Published,
    issued: HashMap<(Stream, String), IssuedCursor>,
    pub(super) shown: NewlyShown,
    catalogues: BTreeMap<Stream, Catalogue>,
}

impl Configured for Console {
    type Options = ConsoleOptions;

    fn new(options: ConsoleOptions) -> Self {
        Console {
            options,
            controls: Controls::default(),
            token_is_valid: true,
            published: Published::default(),
            issued: HashMap::new(),
            shown: NewlyShown::default(),
            catalogues: BTreeMap::new(),
        }
    }
}

impl Console {
    pub(super) fn publish_raw(&mut self, stream: Stream, json: &str) {
        let contract = stream.contract();
        let value: Value = serde_json::from_str(json).expect("what is published is JSON");
        let text = |pointer| text_at(&value, pointer).unwrap_or_default().to_owned();
        let number = self.published.records.len();
        let version = Version {
            stream,
            id: text(contract.id),
            updated_at: text(contract.updated_at),
            json: json.to_owned(),
        };
        self.published.records.push(Record {
            version,
            shown: false,
            current: true,
        });
        let replaced = self.catalogue(stream).show(contract, &value, json.into(), number);
        if let Some(replaced) = replaced {
            self.published.records[replaced].current = false;
        }
    }

    pub(super) fn catalogue(&mut self, stream: Stream) -> &mut Catalogue {
        self.catalogues.entry(stream).or_default()
    }

    /// Remembers a cursor that is given out as that text.
    pub(super) fn issue(&mut self, stream: Stream, text: String, cursor: Cursor, parameters: LastingParameters) {
        let issued = self.issued.entry((stream, text)).or_insert_with(|| IssuedCursor {
            cursor,
            parameters: BTreeSet::new(),
        });
        issued.parameters.insert(parameters);
    }

    /// The cursor that was given out as that text. It is a violation if other parameters come back with it.
    pub(super) fn follow(&mut self, stream: Stream, text: &str, parameters: &LastingParameters) -> Option<Cursor> {
        let issued = self.issued.get(&(stream, text.to_owned()))?;
        let cursor = issued.cursor.clone();
        if !issued.parameters.contains(parameters) {
            self.violation(stream, "the filters or the sort changed between a page and its cursor");
        }
        Some(cursor)
    }

    /// How many cursors have been given out.
    pub(super) fn cursors_issued(&self) -> usize {
        self.issued.len()
    }

    /// How many objects stand on a page that is asked for that many.
    pub(super) fn page_limit(&self, asked: usize) -> usize {
        self.options.page_cap.map_or(asked, |cap| cap.min(asked))
    }

    pub(super) fn mark_shown(&mut self, versions: &[usize]) {
        for number in versions {
            let record = &mut self.published.records[*number];
            if !record.shown {
                record.shown = true;
                self.shown.current.push(*number);
            }
        }
    }

    /// A reply ends; what it should have shown was not, if the client gave up before it was due.
    pub(super) fn forget_shown(&mut self, tag: Option<usize>, sent: bool) {
        let marked = tag.and_then(|number| self.shown.underway.remove(&number));
        for number in marked.unwrap_or_default().into_iter().filter(|_| !sent) {
            self.published.records[number].shown = false;
        }
    }

    /// The fault of a request of the stream: those of the stream come before those of any.
    pub(super) fn next_fault(&mut self, stream: Stream) -> Option<Fault<ConsoleFault>> {
        let faults = &mut self.controls.faults;
        let place_of = |wanted| faults.iter().position(|planned| planned.stream == wanted);
        let place = place_of(Some(stream)).or_else(|| place_of(None))?;
        faults.remove(place).map(|planned| planned.fault)
    }

    pub(super) fn violation(&mut self, stream: Stream, problem: &str) {
        self.controls.violation(format!("{stream:?}: {problem}"));
    }

    /// 400 for a request that is the client's mistake.
    pub(super) fn refused(&mut self, stream: Stream, problem: &str) -> Reply {
        self.violation(stream, problem);
        error(400, problem)
    }

    /// `Authorization: ApiToken <token>`; the vendor's own clients differ in the case of the scheme.
    pub(super) fn check_token(&mut self, stream: Stream, request: &Request) -> Result<(), Reply> {
        let shown = request.authorization().split_once(' ');
        let Some((_, token)) = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("ApiToken")) else {
            self.violation(stream, "asked without Authorization: ApiToken");
            return Err(error(401, "An API token is needed"));
        };
        if !self.token_is_valid || token != self.options.api_token {
            return Err(error(401, "The API token is unknown, expired or revoked"));
        }
        Ok(())
    }

    pub(super) fn look_for_secrets(&mut self, request: &Request) {
        let token = &self.options.api_token;
        self.controls.look_for_secrets(request, |url| url.contains(token));
    }
}
