//! When a beat is due, and when silence has lasted too long. No I/O, no clock: the caller says what time it is, counted
//! from any moment that stays the same.

use std::time::Duration;

/// The least that counts as silence. With nothing at all the peer would be silent at every look, and looking has no end where
/// silence is told and nothing else comes of it. Most timers know no less.
const LEAST: Duration = Duration::from_millis(1);

/// What is known of the peer's pulse.
#[derive(Debug)]
pub(crate) struct Pulse {
    interval: Duration,
    tolerance: Duration,
    /// When the peer last showed that it lives.
    life: Duration,
    /// When the caller said that it would ask again.
    next: Option<Duration>,
    /// Until when this silence is not judged.
    put_off: Option<Duration>,
    /// When the last regular beat was due.
    last: Duration,
    /// The beat whose echo has not come, and when it was sent. There is one at a time (B29).
    out: Option<(u32, Duration)>,
    /// Somebody wants one now.
    wanted: bool,
    /// The last one came to nobody.
    refused: bool,
    rtt: Option<Duration>,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send a beat, and say so: [`Pulse::sent`].
    Beat,
    /// The peer has been silent for so long, which is too long. Said once for each such time.
    Silent(Duration),
    /// Nothing until then.
    Until(Duration),
    /// Nothing at all.
    Rest,
}

/// An echo of something that was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongEcho;

impl Pulse {
    /// The first beat is due at once.
    pub(crate) fn new(interval: Duration, tolerance: Duration, now: Duration) -> Pulse {
        Pulse {
            interval,
            tolerance,
            life: now,
            next: None,
            put_off: None,
            last: now,
            out: None,
            wanted: true,
            refused: false,
            rtt: None,
        }
    }

    pub(crate) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    pub(crate) fn set_tolerance(&mut self, tolerance: Duration) {
        self.tolerance = tolerance;
    }

    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// Somebody wants to know now. A beat that is under way will do.
    pub(crate) fn want(&mut self) {
        self.wanted |= self.out.is_none();
    }

    /// The peer showed that it lives.
    pub(crate) fn handle_life(&mut self, at: Duration) {
        if at > self.life {
            self.life = at;
            self.put_off = None;
        }
    }

    /// A beat has gone out.
    pub(crate) fn sent(&mut self, value: u32, now: Duration) {
        self.out = Some((value, now));
        self.wanted = false;
        self.last = now;
    }

    /// The beat that was sent has been turned away, which is no echo of it.
    pub(crate) fn refuse(&mut self) {
        self.out = None;
        self.refused = true;
    }

    /// None can be sent. Who cannot be asked is not silent.
    pub(crate) fn miss(&mut self, now: Duration) {
        self.refuse();
        self.wanted = false;
        self.last = now;
        self.handle_life(now);
    }

    /// An echo has come. The time it took.
    pub(crate) fn handle_echo(&mut self, value: u32, now: Duration) -> Result<Duration, WrongEcho> {
        match self.out.take() {
            Some((sent, at)) if sent == value => {
                let rtt = now.saturating_sub(at);
                self.rtt = Some(rtt);
                self.refused = false;
                self.handle_life(now);
                Ok(rtt)
            }
            _ => Err(WrongEcho),
        }
    }

    pub(crate) fn poll(&mut self, now: Duration) -> Step {
        let late = self.next.take().map_or(Duration::ZERO, |next| now.saturating_sub(next));
        let most = self.interval.checked_add(self.tolerance).map(|most| most.max(LEAST));
        let mut dead = most.and_then(|most| self.life.checked_add(most));
        if let (Some(most), true) = (most, dead.is_some_and(|dead| dead <= now)) {
            // Whoever asks late has been held up, and what the peer said meanwhile may not be read yet. That is waited for as
            // long again, once.
            let judged = *self.put_off.get_or_insert(now.saturating_add(late.min(most)));
            if judged <= now {
                let silence = now.saturating_sub(self.life);
                // Counted anew from here, for whoever goes on in spite of it.
                self.handle_life(now);
                return Step::Silent(silence);
            }
            dead = Some(judged);
        }
        // Without haste where it is likely to be for nothing, and early enough to be answered before the silence is too long.
        let pause = match self.refused {
            true => self.interval.max(self.tolerance / 2).max(LEAST),
            false => self.interval,
        };
        let due = self.last.checked_add(pause).filter(|_| self.out.is_none());
        if self.wanted || due.is_some_and(|due| due <= now) {
            return Step::Beat;
        }
        self.next = due.into_iter().chain(dead).min();
        self.next.map_or(Step::Rest, Step::Until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);
    const TOLERANCE: Duration = Duration::from_secs(15);

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn started() -> (Pulse, Duration) {
        let start = secs(1000);
        let mut pulse = Pulse::new(INTERVAL, TOLERANCE, start);
        assert_eq!(pulse.poll(start), Step::Beat, "the first one at once");
        pulse.sent(7, start);
        (pulse, start)
    }

    #[test]
    fn beats_are_due_at_each_interval_and_silence_is_over_exactly_after_both_times() {
        let (mut pulse, start) = started();
        assert_eq!(pulse.poll(start), Step::Until(start + INTERVAL + TOLERANCE), "one at a time");
        assert_eq!(pulse.handle_echo(7, start + secs(1)), Ok(secs(1)));
        assert_eq!(pulse.rtt(), Some(secs(1)));
        assert_eq!(pulse.poll(start + secs(1)), Step::Until(start + INTERVAL));
        let just_before = start + INTERVAL - Duration::from_nanos(1);
        assert_eq!(pulse.poll(just_before), Step::Until(start + INTERVAL));
        assert_eq!(pulse.poll(start + INTERVAL), Step::Beat);
        pulse.sent(8, start + INTERVAL);
        let dead = start + secs(1) + INTERVAL + TOLERANCE;
        assert_eq!(pulse.poll(dead - Duration::from_nanos(1)), Step::Until(dead));
        assert_eq!(pulse.poll(dead), Step::Silent(INTERVAL + TOLERANCE));
        assert_eq!(pulse.poll(dead), Step::Until(dead + INTERVAL + TOLERANCE), "said once");
    }

    #[test]
    fn whoever_asks_late_asks_once_more_before_the_peer_is_dead() {
        let (mut pulse, start) = started();
        let dead = start + INTERVAL + TOLERANCE;
        assert_eq!(pulse.poll(start), Step::Until(dead));
        assert_eq!(pulse.poll(dead + secs(2)), Step::Until(dead + secs(4)));
        assert_eq!(pulse.poll(dead + secs(3)), Step::Until(dead + secs(4)), "whatever else there is to do");
        assert_eq!(pulse.poll(dead + secs(9)), Step::Silent(INTERVAL + TOLERANCE + secs(9)), "but once");
        // No longer than silence may last, and each silence by itself.
        let (anew, long) = (dead + secs(9), secs(10_000));
        assert_eq!(pulse.poll(anew), Step::Until(anew + INTERVAL + TOLERANCE));
        assert_eq!(pulse.poll(anew + long), Step::Until(anew + long + INTERVAL + TOLERANCE));
        pulse.handle_life(anew + long);
        assert_eq!(pulse.poll(anew + long), Step::Until(anew + long + INTERVAL + TOLERANCE));
        assert_eq!(pulse.poll(anew + long * 2), Step::Until(anew + long * 2 + INTERVAL + TOLERANCE));
    }

    #[test]
    fn anything_that_comes_is_a_sign_of_life() {
        let (mut pulse, start) = started();
        pulse.handle_life(start + secs(24));
        pulse.handle_life(start + secs(3));
        assert_eq!(pulse.poll(start + secs(25)), Step::Until(start + secs(24) + INTERVAL + TOLERANCE));
    }

    #[test]
    fn an_echo_of_something_else_is_wrong_and_so_is_one_too_many() {
        let (mut pulse, start) = started();
        assert_eq!(pulse.handle_echo(8, start), Err(WrongEcho));
        let (mut pulse, start) = started();
        pulse.handle_echo(7, start).unwrap();
        assert_eq!(pulse.handle_echo(7, start), Err(WrongEcho));
    }

    #[test]
    fn one_on_demand_goes_out_at_once_unless_one_is_under_way() {
        let (mut pulse, start) = started();
        pulse.want();
        assert_eq!(pulse.poll(start), Step::Until(start + INTERVAL + TOLERANCE));
        pulse.handle_echo(7, start + secs(2)).unwrap();
        pulse.want();
        assert_eq!(pulse.poll(start + secs(2)), Step::Beat);
    }

    #[test]
    fn without_any_time_silence_is_said_once_for_each_millisecond() {
        let (mut pulse, start) = started();
        pulse.set_interval(Duration::ZERO);
        pulse.set_tolerance(Duration::ZERO);
        assert_eq!(pulse.poll(start), Step::Until(start + LEAST));
        assert_eq!(pulse.poll(start + LEAST), Step::Silent(LEAST));
        assert_eq!(pulse.poll(start + LEAST), Step::Until(start + LEAST * 2));
    }

    #[test]
    fn times_may_change_at_any_time_and_be_endless() {
        let (mut pulse, start) = started();
        pulse.handle_echo(7, start).unwrap();
        pulse.set_interval(secs(1));
        assert_eq!(pulse.poll(start), Step::Until(start + secs(1)));
        assert_eq!(pulse.poll(start + secs(1)), Step::Beat);
        pulse.set_interval(Duration::MAX);
        pulse.set_tolerance(Duration::MAX);
        assert_eq!(pulse.poll(start + secs(1_000_000)), Step::Rest);
    }
}
