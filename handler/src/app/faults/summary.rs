use std::fmt;

/// What scenarios brought, to show that they were worth it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub events: u64,
    pub faults: u64,
    pub kills: u64,
    pub pauses: u64,
    pub acknowledged: u64,
    pub doubled: u64,
    pub set_aside: u64,
    pub possible_losses: u64,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.faults += other.faults;
        self.kills += other.kills;
        self.pauses += other.pauses;
        self.acknowledged += other.acknowledged;
        self.doubled += other.doubled;
        self.set_aside += other.set_aside;
        self.possible_losses += other.possible_losses;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            events,
            faults,
            kills,
            pauses,
            acknowledged,
            doubled,
            set_aside,
            possible_losses,
        } = self;
        write!(
            formatter,
            "{events} events, {faults} faults, {kills} kills, {pauses} pauses, {acknowledged} pushed events acknowledged, \
             {doubled} rows doubled within the bound, {set_aside} set aside, {possible_losses} possible losses reported"
        )
    }
}

impl Summary {
    /// Everything that the schedules are for has happened in them.
    pub fn is_worth_the_name(&self) -> bool {
        let seen = [
            self.events,
            self.faults,
            self.kills,
            self.pauses,
            self.acknowledged,
            self.doubled,
            self.set_aside,
            self.possible_losses,
        ];
        seen.iter().all(|count| *count > 0)
    }
}
