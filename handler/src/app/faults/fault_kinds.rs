//! What may go wrong in a scenario, and what takes part in it.

use super::rng::SeededRng;

/// By itself or together.
#[derive(Clone, Copy, Debug)]
pub struct FaultKinds {
    pub vendors: bool,
    pub destination: bool,
    pub state: bool,
    pub kills: bool,
    pub pauses: bool,
    pub rivals: bool,
    /// A table refuses everything for longer than a pushed event is waited for.
    pub outages: bool,
    /// OneLogin's API is read beside its webhook.
    pub onelogin_api: bool,
    /// A SentinelOne console is read.
    pub sentinelone: bool,
    /// Every run leaves health rows.
    pub health: bool,
    /// The clocks of the vendors are ahead of ours, or behind.
    pub wrong_clocks: bool,
}

impl FaultKinds {
    /// Nothing goes wrong by itself.
    pub fn calm() -> Self {
        Self {
            sentinelone: false,
            health: false,
            wrong_clocks: false,
            ..Self::of(0, &SeededRng::new(0))
        }
    }

    /// Eight switches are bits of the seed: every 256 scenarios have had all combinations. The others are drawn.
    pub fn of(seed: u64, rng: &SeededRng) -> Self {
        let on = |bit: u32| seed >> bit & 1 == 1;
        Self {
            vendors: on(0),
            destination: on(1),
            state: on(2),
            kills: on(3),
            pauses: on(4),
            rivals: on(5),
            onelogin_api: on(6),
            outages: on(7),
            sentinelone: rng.hits(0.4),
            health: rng.hits(0.3),
            wrong_clocks: rng.hits(0.3),
        }
    }
}
