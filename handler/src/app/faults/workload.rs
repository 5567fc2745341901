//! What happens at the vendors, and what their webhooks push of it.

use chrono::{DateTime, TimeDelta, Utc};
use simulator::sentinelone::Stream;

use super::fault_kinds::FaultKinds;
use super::marks::POISON;
use super::push::Push;
use super::vendors::Vendor;
use super::world::World;

pub struct Workload<'a> {
    pub world: &'a World,
    pub kinds: FaultKinds,
}

impl Workload<'_> {
    /// Ties, what a vendor shows late, and what stands at the very edge of a window.
    pub fn publish(&self) -> Vec<Push> {
        let mut pushes = self.publish_pingone();
        let now = self.world.vendor_now(Vendor::Enterprise);
        for _ in 0..self.world.rng.between(0, 20) {
            self.world.published().enterprise(&self.world.vendors, now);
        }
        if self.kinds.sentinelone {
            self.publish_sentinelone();
        }
        for _ in 0..self.world.rng.between(0, 12) {
            let size = self.world.rng.one_of(&[1, 2, 3, 30]);
            let push = match self.kinds.onelogin_api {
                true => self.joined_push(size.min(3)),
                false => self.onelogin_push(size),
            };
            pushes.push(push);
        }
        if self.kinds.onelogin_api {
            let now = self.world.vendor_now(Vendor::OneLogin);
            for _ in 0..self.world.rng.between(0, 4) {
                self.world
                    .published()
                    .onelogin_user(&self.world.vendors, &self.world.rng, now);
            }
        }
        pushes
    }

    fn publish_pingone(&self) -> Vec<Push> {
        let mut recorded_at = self.world.vendor_now(Vendor::PingOne);
        let mut pushed = Vec::new();
        for _ in 0..self.world.rng.between(0, 25) {
            recorded_at = self.time_of_next(Vendor::PingOne, recorded_at);
            let activity = self.world.published().pingone(&self.world.vendors, recorded_at);
            self.world
                .trace(|| format!("{} is recorded at {recorded_at}", activity.id));
            if self.world.rng.hits(0.3) {
                pushed.push(activity);
            }
        }
        let size = self.world.rng.one_of(&[1, 1, 1, 3]);
        let batches = pushed.chunks(size);
        batches.map(|batch| Push::of_pingone(&self.world.rng, batch)).collect()
    }

    fn publish_sentinelone(&self) {
        for stream in Stream::ALL {
            let mut at = self.world.vendor_now(Vendor::SentinelOne);
            for _ in 0..self.world.rng.between(0, 5) {
                at = self.time_of_next(Vendor::SentinelOne, at);
                let mut published = self.world.published();
                published.sentinelone(&self.world.vendors, &self.world.rng, stream, at);
            }
        }
    }

    /// Up to eight minutes ago, half a minute ago, or the same as that of the event before.
    fn time_of_next(&self, vendor: Vendor, before: DateTime<Utc>) -> DateTime<Utc> {
        let now = self.world.vendor_now(vendor);
        if self.world.rng.hits(0.7) {
            return now - self.world.rng.delta(0, 8 * 60_000);
        }
        match self.world.rng.hits(0.3) {
            true => now - TimeDelta::seconds(30),
            false => before,
        }
    }

    /// Events of which each comes by webhook, by API or by both; some are alike in all that both forms share.
    pub fn joined_push(&self, size: u64) -> Push {
        let (mut marks, mut events) = (Vec::new(), Vec::new());
        let mut created_at = self.world.vendor_now(Vendor::OneLogin);
        for _ in 0..size {
            if self.world.rng.hits(0.6) {
                created_at -= self.world.rng.delta(0, 120_000);
            }
            let is_in_api = self.world.rng.hits(0.85);
            let mut published = self.world.published();
            let event = published.onelogin_event(&self.world.vendors, &self.world.rng, created_at, is_in_api);
            self.world.trace(|| format!("{event:?}"));
            if !is_in_api || self.world.rng.hits(0.8) {
                let poison = if self.world.rng.hits(0.02) { POISON } else { "" };
                events.push(event.pushed(poison));
                marks.push(event.pushed_mark());
            }
        }
        Push::of_onelogin(&self.world.rng, marks, events)
    }

    fn onelogin_push(&self, size: u64) -> Push {
        let (mut marks, mut events) = (Vec::new(), Vec::new());
        for _ in 0..size {
            let poison = if self.world.rng.hits(0.03) { POISON } else { "" };
            let (mark, event) = self.world.published().pushed_only(self.world.now(), poison);
            events.push(event);
            marks.push(mark);
        }
        Push::of_onelogin(&self.world.rng, marks, events)
    }
}
