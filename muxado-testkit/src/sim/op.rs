//! What can happen in a step.

use super::profile::Mode;

/// One kind of thing that an application, a driver, a clock or a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Accept,
    Write,
    WriteBytes,
    Reserve,
    Commit,
    Read,
    Flush,
    Finish,
    Reset,
    Refuse,
    ReleaseSend,
    ReleaseRecv,
    ReleaseBoth,
    Abort,
    Priority,
    /// Calls with the key of a stream that is gone.
    Stale,
    CreditDue,
    Sweep,
    /// The machine is told the time.
    Time,
    Drain,
    GoAway,
    Abandon,
    Close,
    Deadline,
    Stall,
    Failure,
    /// The transport stops after a byte, in one direction.
    Cut,
    /// The machine fills its batch.
    Pull,
    /// The transport takes some of it.
    Take,
    /// Some of it arrives.
    Deliver,
    /// All of it goes all the way, both ways.
    Move,
    /// A frame of the hostile peer's, or a fault of the link.
    Foreign,
}

/// All kinds.
pub(super) const ALL: [Kind; 33] = [
    Kind::Open,
    Kind::Accept,
    Kind::Write,
    Kind::WriteBytes,
    Kind::Reserve,
    Kind::Commit,
    Kind::Read,
    Kind::Flush,
    Kind::Finish,
    Kind::Reset,
    Kind::Refuse,
    Kind::ReleaseSend,
    Kind::ReleaseRecv,
    Kind::ReleaseBoth,
    Kind::Abort,
    Kind::Priority,
    Kind::Stale,
    Kind::CreditDue,
    Kind::Sweep,
    Kind::Time,
    Kind::Drain,
    Kind::GoAway,
    Kind::Abandon,
    Kind::Close,
    Kind::Deadline,
    Kind::Stall,
    Kind::Failure,
    Kind::Cut,
    Kind::Pull,
    Kind::Take,
    Kind::Deliver,
    Kind::Move,
    Kind::Foreign,
];

impl Kind {
    pub(super) fn usual_weight(self, mode: Mode) -> usize {
        match self {
            Kind::Write | Kind::Read => 160,
            Kind::Deliver | Kind::Pull | Kind::Take => 100,
            Kind::Open | Kind::Accept | Kind::WriteBytes | Kind::Move => 60,
            Kind::Finish | Kind::Reserve | Kind::Commit => 40,
            Kind::Flush | Kind::ReleaseSend | Kind::ReleaseRecv | Kind::ReleaseBoth => 20,
            Kind::Reset | Kind::Refuse | Kind::Priority | Kind::CreditDue | Kind::Sweep => 16,
            Kind::Time => 60,
            Kind::Abort | Kind::Stale => 6,
            Kind::Drain | Kind::GoAway | Kind::Abandon | Kind::Close => 1,
            Kind::Deadline | Kind::Stall | Kind::Failure | Kind::Cut => 1,
            Kind::Foreign => match mode {
                Mode::Honest => 0,
                Mode::Corrupt => 4,
                Mode::Hostile => 300,
            },
        }
    }

    /// Without these nothing happens at all.
    pub(super) fn is_vital(self) -> bool {
        matches!(
            self,
            Kind::Open | Kind::Accept | Kind::Write | Kind::Read | Kind::Pull | Kind::Take | Kind::Deliver
        )
    }
}
