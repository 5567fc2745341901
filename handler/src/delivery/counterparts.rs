//! Which events that were pushed and which that were read are the same, although they share no key.
//!
//! What both forms have in common may fit several events, so forms are paired one to one: a pushed event stands for
//! one that is read, and the second of two equal pushed events for the second of two equal ones that are read. Every
//! record is tied to the identities of the events themselves, so telling the same thing again changes nothing.
//!
//! A wrong pair may bring an event in both forms, never in none: whatever was pushed is delivered to its own tables,
//! unless its other form was accepted in the same table.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::event::Identity;
use crate::state::{CounterpartRecords, Key, Record, Store, StoreError};

/// More records than this are not kept: the oldest are forgotten first.
const MOST_RECORDS: usize = if cfg!(test) { 2_000 } else { 250_000 };
/// What both forms of an event share holds its second.
const WIDTH_OF_COMMON: TimeDelta = TimeDelta::seconds(1);

/// See the module.
pub struct Counterparts {
    stored: CounterpartRecords,
    unsaved: Vec<(Record, DateTime<Utc>)>,
    pushes: HashMap<Identity, EventForm>,
    reads: HashMap<Identity, EventForm>,
    /// By what they share with their other form: pushed events that have met none yet.
    unpaired_pushes: BTreeSet<(Identity, Identity)>,
    /// Read and delivered events that have met none yet.
    unpaired_gaps: BTreeSet<(Identity, Identity)>,
    /// Events that were read, and the tables that took them.
    accepted: BTreeSet<(Identity, Identity)>,
    entries: HashMap<Identity, DateTime<Utc>>,
    /// Nothing is known of events before it.
    horizon: DateTime<Utc>,
}

/// One form of an event.
#[derive(Clone, Copy)]
struct EventForm {
    common: Identity,
    time: DateTime<Utc>,
    /// The identity of its other form.
    other: Option<Identity>,
}

impl Counterparts {
    /// With what was stored below `folder`.
    pub async fn load(store: Arc<dyn Store>, folder: Key) -> Result<Self, StoreError> {
        let (stored, records) = CounterpartRecords::load(store, folder).await?;
        let mut counterparts = Self {
            stored,
            unsaved: Vec::new(),
            pushes: HashMap::new(),
            reads: HashMap::new(),
            unpaired_pushes: BTreeSet::new(),
            unpaired_gaps: BTreeSet::new(),
            accepted: BTreeSet::new(),
            entries: HashMap::new(),
            horizon: DateTime::UNIX_EPOCH,
        };
        for (record, time) in records {
            counterparts.apply(record, time);
        }
        Ok(counterparts)
    }

    /// An event was pushed and acknowledged.
    pub fn note_pushed(&mut self, common: Identity, push: Identity, time: DateTime<Utc>) {
        if self.pushes.contains_key(&push) {
            return;
        }
        self.add(Record::Pushed { common, push }, time);
        let gaps: Vec<Identity> = all_of(&self.unpaired_gaps, common).collect();
        let delivered = gaps.iter().find(|read| self.is_accepted_somewhere(read));
        let Some(read) = delivered.or(gaps.first()).copied() else {
            return;
        };
        let record = match gaps.len() {
            // The only one that it can belong to: one of the two forms is enough.
            1 => Record::Pair { common, push, read },
            // It may belong to another one than this: none of them may count as covered.
            _ => Record::Late { common, push, read },
        };
        self.add(record, time);
    }

    /// True if the other form of a pushed event is in the table already.
    pub fn has_counterpart_in(&self, table: &str, push: &Identity) -> bool {
        let counterpart = self.pushes.get(push).and_then(|form| form.other);
        counterpart.is_some_and(|read| self.accepted.contains(&(read, name_of(table))))
    }

    fn is_accepted_somewhere(&self, read: &Identity) -> bool {
        all_of(&self.accepted, *read).next().is_some()
    }

    /// An event was read that no table has yet: true if it was pushed too, so that it needs no delivery.
    pub fn is_covered(&mut self, common: Identity, read: Identity, time: DateTime<Utc>) -> bool {
        if let Some(form) = self.reads.get(&read) {
            return form.other.is_some();
        }
        // What was pushed in that second may be forgotten by now, and what it was paired with as well.
        let is_beyond_memory = time < self.horizon + WIDTH_OF_COMMON;
        let push = all_of(&self.unpaired_pushes, common)
            .next()
            .filter(|_| !is_beyond_memory);
        let record = match push {
            Some(push) => Record::Pair { common, push, read },
            None => Record::Gap { common, read },
        };
        self.add(record, time);
        push.is_some()
    }

    /// A table took the row of an event that was read.
    pub fn note_accepted(&mut self, read: Identity, table: &str) {
        let table = name_of(table);
        let Some(form) = self.reads.get(&read) else { return };
        if !self.accepted.contains(&(read, table)) {
            self.add(Record::Accepted { read, table }, form.time);
        }
    }

    /// Every event of a spool entry is noted as pushed.
    pub fn note_entry(&mut self, entry: &Key, time: DateTime<Utc>) {
        let entry = name_of(entry.as_str());
        if !self.entries.contains_key(&entry) {
            self.add(Record::Entry { entry }, time);
        }
    }

    /// True if [`Self::note_entry`] was called for it.
    pub fn knows_entry(&self, entry: &Key) -> bool {
        self.entries.contains_key(&name_of(entry.as_str()))
    }

    /// True if what was pushed at this time stands for no event any more: none from so long ago is taken for covered.
    pub fn is_forgotten(&self, time: DateTime<Utc>) -> bool {
        time < self.horizon
    }

    /// Stores what is new. It must be done before an event is delivered or a spool entry is removed.
    pub async fn save(&mut self) -> Result<(), StoreError> {
        if self.unsaved.is_empty() {
            return Ok(());
        }
        self.stored.append(&self.unsaved).await?;
        self.unsaved.clear();
        Ok(())
    }

    /// Forgets events from before `from`, and the oldest if there are too many. What belongs to the same `common` is
    /// forgotten together, and the horizon tells that it is: no event is taken for covered by what is left of others.
    pub async fn compact(&mut self, from: DateTime<Utc>) -> Result<(), StoreError> {
        let horizon = self.new_horizon(from);
        let before = self.len();
        self.forget(horizon);
        let has_forgotten_much = self.len() * 2 < before;
        if has_forgotten_much || self.stored.is_scattered() || before > MOST_RECORDS {
            self.stored.write_anew(&self.records()).await?;
            self.unsaved.clear();
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.pushes.len() + self.reads.len() + self.accepted.len() + self.entries.len()
    }

    fn add(&mut self, record: Record, time: DateTime<Utc>) {
        self.apply(record, time);
        self.unsaved.push((record, time));
    }

    fn apply(&mut self, record: Record, time: DateTime<Utc>) {
        match record {
            Record::Pushed { common, push } => {
                self.pushes.insert(push, EventForm::unpaired(common, time));
                self.unpaired_pushes.insert((common, push));
            }
            Record::Gap { common, read } => {
                self.reads.insert(read, EventForm::unpaired(common, time));
                self.unpaired_gaps.insert((common, read));
            }
            Record::Pair { common, push, read } | Record::Late { common, push, read } => {
                let unpaired = EventForm::unpaired(common, time);
                self.pushes.entry(push).or_insert(unpaired).other = Some(read);
                if matches!(record, Record::Pair { .. }) {
                    self.reads.entry(read).or_insert(unpaired).other = Some(push);
                }
                self.unpaired_pushes.remove(&(common, push));
                self.unpaired_gaps.remove(&(common, read));
            }
            Record::Accepted { read, table } => drop(self.accepted.insert((read, table))),
            Record::Entry { entry } => drop(self.entries.insert(entry, time)),
            Record::Horizon => self.horizon = self.horizon.max(time),
        }
    }

    /// `from`, or later where there is too much.
    fn new_horizon(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        let from = from.max(self.horizon);
        if self.len() <= MOST_RECORDS {
            return from;
        }
        let mut newest: Vec<DateTime<Utc>> = self.newest_by_common().into_values().collect();
        newest.sort_unstable();
        newest
            .get(newest.len() / 2)
            .copied()
            .map_or(from, |middle| middle.max(from))
    }

    fn newest_by_common(&self) -> HashMap<Identity, DateTime<Utc>> {
        let mut newest: HashMap<Identity, DateTime<Utc>> = HashMap::new();
        for form in self.pushes.values().chain(self.reads.values()) {
            let known = newest.entry(form.common).or_insert(form.time);
            *known = (*known).max(form.time);
        }
        newest
    }

    fn forget(&mut self, horizon: DateTime<Utc>) {
        self.horizon = horizon;
        let newest = self.newest_by_common();
        let is_kept = |common: &Identity| newest.get(common).is_some_and(|time| *time >= horizon);
        self.pushes.retain(|_, form| is_kept(&form.common));
        self.reads.retain(|_, form| is_kept(&form.common));
        self.unpaired_pushes.retain(|(common, _)| is_kept(common));
        self.unpaired_gaps.retain(|(common, _)| is_kept(common));
        self.accepted.retain(|(read, _)| self.reads.contains_key(read));
        self.entries.retain(|_, time| *time >= horizon);
    }

    fn records(&self) -> Vec<(Record, DateTime<Utc>)> {
        let mut records = vec![(Record::Horizon, self.horizon)];
        for (push, EventForm { common, time, .. }) in &self.pushes {
            let (common, push) = (*common, *push);
            records.push((Record::Pushed { common, push }, *time));
        }
        for (read, EventForm { common, time, other }) in &self.reads {
            let (common, read) = (*common, *read);
            let record = match *other {
                Some(push) => Record::Pair { common, push, read },
                None => Record::Gap { common, read },
            };
            records.push((record, *time));
        }
        for (push, EventForm { common, time, other }) in &self.pushes {
            let Some(read) = *other else { continue };
            let is_paired = self.reads.get(&read).is_some_and(|form| form.other == Some(*push));
            if !is_paired {
                let (common, push) = (*common, *push);
                records.push((Record::Late { common, push, read }, *time));
            }
        }
        for (read, table) in &self.accepted {
            let (read, table) = (*read, *table);
            let time = self.reads.get(&read).map_or(self.horizon, |form| form.time);
            records.push((Record::Accepted { read, table }, time));
        }
        let entries = self.entries.iter();
        records.extend(entries.map(|(entry, time)| (Record::Entry { entry: *entry }, *time)));
        records
    }
}

impl EventForm {
    fn unpaired(common: Identity, time: DateTime<Utc>) -> Self {
        Self {
            common,
            time,
            other: None,
        }
    }
}

fn all_of(unpaired: &BTreeSet<(Identity, Identity)>, common: Identity) -> impl Iterator<Item = Identity> {
    let from = (common, Identity([0; 16]));
    let to = (common, Identity([u8::MAX; 16]));
    unpaired.range(from..=to).map(|(_, own)| *own)
}

fn name_of(text: &str) -> Identity {
    Identity::of_parts(&[text])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;
    use proptest::prelude::*;

    const TABLE: &str = "T_CL";

    fn own(kind: &str, number: usize) -> Identity {
        Identity::of_parts(&[kind, &number.to_string()])
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    struct Opened {
        _folder: tempfile::TempDir,
        store: Arc<dyn Store>,
    }

    impl Opened {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
            Self { _folder: folder, store }
        }

        async fn load(&self) -> Counterparts {
            Counterparts::load(self.store.clone(), Key::new(["records"]))
                .await
                .unwrap()
        }
    }

    /// True: pushed, false: read; all of one second and alike. Each is told `times` times, as after failed runs. How
    /// many were delivered in all, and whether every push was delivered or has its counterpart in the table.
    async fn delivered(order: &[bool], restart_every: usize, times: usize) -> (usize, bool) {
        let opened = Opened::new();
        let (common, time) = (own("common", 0), at(1000));
        let mut counterparts = opened.load().await;
        let (mut delivered, mut is_each_push_there) = (0, true);
        for (number, is_pushed) in order.iter().enumerate() {
            for _ in 0..times {
                if *is_pushed {
                    counterparts.note_pushed(common, own("push", number), time);
                } else if !counterparts.is_covered(common, own("read", number), time) {
                    counterparts.save().await.unwrap();
                    counterparts.note_accepted(own("read", number), TABLE);
                }
                if number % restart_every == 0 {
                    counterparts.save().await.unwrap();
                    counterparts.compact(at(0)).await.unwrap();
                    counterparts = opened.load().await;
                }
            }
            let is_delivered = match *is_pushed {
                true => !counterparts.has_counterpart_in(TABLE, &own("push", number)),
                false => !counterparts.is_covered(common, own("read", number), time),
            };
            delivered += usize::from(is_delivered);
            is_each_push_there &= !is_pushed || is_delivered || delivered > 0;
        }
        (delivered, is_each_push_there)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn of_equal_events_as_many_are_delivered_as_the_longer_side_has_however_often_they_are_told(
            order in proptest::collection::vec(any::<bool>(), 0..12), restart_every in 1_usize..4, times in 1_usize..4
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let pushed = order.iter().filter(|is_pushed| **is_pushed).count();
            let expected = pushed.max(order.len() - pushed);
            prop_assert_eq!(runtime.block_on(delivered(&order, restart_every, times)), (expected, true));
        }
    }

    #[tokio::test]
    async fn a_push_is_a_duplicate_only_where_its_counterpart_was_accepted() {
        let opened = Opened::new();
        let mut counterparts = opened.load().await;
        let (common, read, push) = (own("common", 0), own("read", 0), own("push", 0));
        assert!(!counterparts.is_covered(common, read, at(5)));
        counterparts.note_pushed(common, push, at(9));
        assert!(!counterparts.has_counterpart_in(TABLE, &push), "nothing was accepted");
        counterparts.note_accepted(read, TABLE);
        assert!(counterparts.has_counterpart_in(TABLE, &push) && !counterparts.has_counterpart_in("Other_CL", &push));
        counterparts.save().await.unwrap();
        let mut counterparts = opened.load().await;
        assert!(counterparts.has_counterpart_in(TABLE, &push));
        // It stands for the event that was read before, and for no other.
        assert!(!counterparts.is_covered(common, own("read", 1), at(5)));
    }

    #[tokio::test]
    async fn a_late_push_that_may_belong_to_several_reads_covers_none_of_them() {
        let opened = Opened::new();
        let mut counterparts = opened.load().await;
        let common = own("common", 0);
        for number in 0..6 {
            assert!(!counterparts.is_covered(common, own("read", number), at(5)));
        }
        // Three of them are in the table, the others could not be delivered yet.
        for number in 0..3 {
            counterparts.note_accepted(own("read", number), TABLE);
        }
        for number in 0..3 {
            counterparts.note_pushed(common, own("push", number), at(9));
        }
        for is_loaded_again in [false, true] {
            for number in 0..6 {
                assert!(!counterparts.is_covered(common, own("read", number), at(5)), "{number}");
            }
            // Each stands for one that is there, and for no event that is read later.
            assert!((0..3).all(|number| counterparts.has_counterpart_in(TABLE, &own("push", number))));
            assert!(!counterparts.is_covered(common, own("later", usize::from(is_loaded_again)), at(5)));
            counterparts.save().await.unwrap();
            let records = counterparts.records();
            counterparts.stored.write_anew(&records).await.unwrap();
            counterparts = opened.load().await;
        }
    }

    #[tokio::test]
    async fn what_is_forgotten_never_makes_another_event_look_covered() {
        let opened = Opened::new();
        let mut counterparts = opened.load().await;
        let common = own("common", 0);
        assert!(!counterparts.is_covered(common, own("read", 0), at(100)));
        counterparts.save().await.unwrap();
        counterparts.compact(at(200)).await.unwrap();
        let mut counterparts = opened.load().await;
        // The push of the first event comes late; the second one, equal to it, was never pushed.
        counterparts.note_pushed(common, own("push", 0), at(300));
        assert!(!counterparts.is_covered(common, own("read", 1), at(100)));
        assert!(counterparts.is_forgotten(at(199)) && !counterparts.is_forgotten(at(200)));
    }

    #[tokio::test]
    async fn there_are_never_more_records_than_fit_and_the_newest_stay() {
        let opened = Opened::new();
        let mut counterparts = opened.load().await;
        let count = MOST_RECORDS * 2;
        for number in 0..count {
            let time = at(i64::try_from(number).unwrap() * 10);
            counterparts.note_pushed(own("common", number), own("push", number), time);
        }
        counterparts.save().await.unwrap();
        while counterparts.len() > MOST_RECORDS {
            counterparts.compact(at(0)).await.unwrap();
        }
        let mut counterparts = opened.load().await;
        assert!(counterparts.len() <= MOST_RECORDS && counterparts.len() > MOST_RECORDS / 4);
        let (oldest, newest) = (0, count - 1);
        let time = |number: usize| at(i64::try_from(number).unwrap() * 10);
        assert!(!counterparts.is_covered(own("common", oldest), own("read", oldest), time(oldest)));
        assert!(counterparts.is_covered(own("common", newest), own("read", newest), time(newest)));
    }
}
