//! The objects of one stream as the API shows them, in every order that was asked for.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::contract::{Column, Contract, text_at};
use super::cursor::Place;
use super::filters::Filter;
use super::stored::Stored;

/// All objects of a stream.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    objects: Vec<Stored>,
    by_id: HashMap<String, usize>,
    /// Ascending orders by the name of the sort, until something is published.
    orders: HashMap<&'static str, Vec<(Place, usize)>>,
}

/// What is listed, and from where.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub(super) filters: Vec<Filter>,
    pub(super) sort: Column,
    pub(super) descending: bool,
    /// The last object of the page before.
    pub(super) after: Option<Place>,
    pub(super) limit: usize,
}

/// One page.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) objects: Vec<&'a Stored>,
    /// Where the next page goes on; `None` on the last one.
    pub(super) next_after: Option<Place>,
    /// How many objects there are on all pages.
    pub(super) total: usize,
}

impl Catalogue {
    /// Shows this version; gives the number of the version that it replaces.
    pub(super) fn show(&mut self, contract: &Contract, value: &Value, json: Arc<str>, version: usize) -> Option<usize> {
        self.orders.clear();
        let id = text_at(value, contract.id).map(str::to_owned);
        let stored = Stored::new(contract, value, json, version);
        let known = id.as_ref().and_then(|id| self.by_id.get(id)).copied();
        if let Some(place) = known {
            let replaced = std::mem::replace(&mut self.objects[place], stored);
            return Some(replaced.version);
        }
        if let Some(id) = id {
            self.by_id.insert(id, self.objects.len());
        }
        self.objects.push(stored);
        None
    }

    /// The object at that place of an order, wherever it stands now.
    pub(super) fn at(&self, place: &Place) -> Option<&Stored> {
        self.objects.iter().find(|stored| stored.id == place.id)
    }

    /// The next page of a selection. The place of the last object is the key of the next page, so what is
    /// published meanwhile shifts nothing; an object that was changed meanwhile stands at its new place.
    pub(super) fn page(&mut self, selection: &Selection) -> Page<'_> {
        let order = Self::order(&mut self.orders, &self.objects, selection.sort);
        let holds = |&(_, number): &&(Place, usize)| {
            let stored = &self.objects[*number];
            selection.filters.iter().all(|filter| filter.holds(stored))
        };
        let total = order.iter().filter(holds).count();
        let rest: Box<dyn Iterator<Item = &(Place, usize)>> = match (&selection.after, selection.descending) {
            (None, false) => Box::new(order.iter()),
            (None, true) => Box::new(order.iter().rev()),
            (Some(after), false) => Box::new(order[order.partition_point(|(place, _)| place <= after)..].iter()),
            (Some(after), true) => Box::new(order[..order.partition_point(|(place, _)| place < after)].iter().rev()),
        };
        let mut matching = rest.filter(holds);
        let taken: Vec<&(Place, usize)> = matching.by_ref().take(selection.limit).collect();
        let more = matching.next().is_some();
        Page {
            objects: taken.iter().map(|(_, number)| &self.objects[*number]).collect(),
            next_after: taken.last().filter(|_| more).map(|(place, _)| place.clone()),
            total,
        }
    }

    fn order<'a>(
        orders: &'a mut HashMap<&'static str, Vec<(Place, usize)>>,
        objects: &[Stored],
        sort: Column,
    ) -> &'a [(Place, usize)] {
        orders.entry(sort.name).or_insert_with(|| {
            let places = objects.iter().map(|stored| stored.place(sort));
            let mut order: Vec<(Place, usize)> = places.zip(0..).collect();
            order.sort();
            order
        })
    }
}
