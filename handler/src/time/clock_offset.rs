use chrono::TimeDelta;

/// Up to this, two clocks agree: a reply is under way for a while, and HTTP writes whole seconds.
const AGREEMENT: TimeDelta = TimeDelta::seconds(5);
/// Beyond this it is a broken header and no clock that is set wrong.
const LARGEST: TimeDelta = TimeDelta::days(7);

/// How far another clock is ahead of ours (behind, where negative). It lies between two bounds, because what was read
/// off that clock was under way for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// It is no less.
    pub least: TimeDelta,
    /// It is no more.
    pub most: TimeDelta,
}

impl ClockOffset {
    /// One that was measured exactly.
    pub fn exactly(offset: TimeDelta) -> Self {
        Self {
            least: offset,
            most: offset,
        }
    }

    /// True if the other clock is certainly behind ours, by more than clocks that are set right may be.
    pub fn is_behind(&self) -> bool {
        self.most < -AGREEMENT
    }

    /// True if the other clock is certainly ahead of ours, by more than clocks that are set right may be.
    pub fn is_ahead(&self) -> bool {
        self.least > AGREEMENT
    }

    /// True if it is no more than what a clock that was set wrong explains.
    pub fn is_plausible(&self) -> bool {
        self.most >= -LARGEST && self.least <= LARGEST
    }

    /// The likeliest value.
    pub fn middle(&self) -> TimeDelta {
        (self.least + self.most) / 2
    }

    /// The likeliest value in seconds, if the clocks do not agree.
    pub fn difference_seconds(&self) -> Option<f64> {
        (self.is_behind() || self.is_ahead()).then(|| self.middle().as_seconds_f64())
    }
}
