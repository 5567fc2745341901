//! What reads have taken from the queue, and what became of their replies.

/// An element of the queue.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Empty for a raw element.
    pub(super) id: String,
    pub(super) json: String,
}

/// What became of the reply with the events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It went out whole.
    Sent,
    /// It went out up to its middle.
    Cut,
    /// A page of markup went out instead.
    Replaced,
    /// Nothing went out, or the client had gone away by then.
    Lost,
}

/// What one GET took from the queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consumption {
    /// The ids of the events that are gone from the queue, in order; empty for raw elements.
    pub ids: Vec<String>,
    /// The ids among them that stand whole in what went out.
    pub readable: Vec<String>,
    /// What became of the reply.
    pub fate: Fate,
}

/// Every read of the subscription.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) consumed: Vec<Consumption>,
    /// GETs whose replies are not on their way yet.
    open: Vec<OpenRead>,
    begun: usize,
}

#[derive(Debug)]
struct OpenRead {
    number: usize,
    /// Its place among the consumptions.
    consumption: Option<usize>,
    /// Another GET came meanwhile.
    overtaken: bool,
}

impl Reads {
    /// A GET begins; gives its number.
    pub(super) fn begin(&mut self) -> usize {
        for open in &mut self.open {
            open.overtaken = true;
        }
        self.begun += 1;
        self.open.push(OpenRead {
            number: self.begun,
            consumption: None,
            overtaken: false,
        });
        self.begun
    }

    /// The GET that began last has taken these from the queue.
    pub(super) fn consume(&mut self, batch: &[Waiting], fate: Fate, readable: Vec<String>) {
        if let Some(open) = self.open.last_mut() {
            open.consumption = Some(self.consumed.len());
        }
        self.consumed.push(Consumption {
            ids: ids_of(batch),
            readable,
            fate,
        });
    }

    /// A GET ends; gives whether its client has got a reply while another one was asking.
    pub(super) fn finish(&mut self, number: Option<usize>, sent: bool) -> bool {
        let Some(place) = self.open.iter().position(|open| Some(open.number) == number) else {
            return false;
        };
        let ended = self.open.swap_remove(place);
        // A GET whose client went away while the reply was due is no overlap, but what it took is gone.
        if !sent && let Some(consumption) = ended.consumption.and_then(|place| self.consumed.get_mut(place)) {
            consumption.fate = Fate::Lost;
            consumption.readable.clear();
        }
        sent && ended.overtaken
    }
}

pub(super) fn ids_of(batch: &[Waiting]) -> Vec<String> {
    batch.iter().map(|waiting| waiting.id.clone()).collect()
}
