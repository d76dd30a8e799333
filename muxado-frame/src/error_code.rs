//! The code of a RST or GOAWAY: named numbers, and every other number unchanged.
//!
//! Wire: docs/protocol.md, "Error codes".

use core::fmt;

/// Why a stream was reset or a session ended, as the 32 bits on the wire.
///
/// Any number is valid, applications may define their own, and none is changed on the way through.
/// 4294967295 is what the Rust crate `muxado` sends for an error it has no code for; it has no name here.
///
/// ```
/// use muxado_frame::ErrorCode;
///
/// assert_eq!(ErrorCode::FLOW_CONTROL_ERROR.to_string(), "FlowControlError (3)");
/// assert_eq!(ErrorCode::new(1234).to_string(), "error code 1234");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(u32);

impl ErrorCode {
    /// 0: nothing went wrong.
    pub const NO_ERROR: Self = Self(0);
    /// 1: the peer broke a rule of the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1);
    /// 2: a fault of the implementation that sends it.
    pub const INTERNAL_ERROR: Self = Self(2);
    /// 3: the peer sent more than the window allowed.
    pub const FLOW_CONTROL_ERROR: Self = Self(3);
    /// 4: payload came for a stream that no longer takes any.
    pub const STREAM_CLOSED: Self = Self(4);
    /// 5: a new stream was not accepted; nothing of it was processed.
    pub const STREAM_REFUSED: Self = Self(5);
    /// 6: the application lost interest in the stream.
    pub const STREAM_CANCELLED: Self = Self(6);
    /// 7: the application aborted the stream.
    pub const STREAM_RESET: Self = Self(7);
    /// 8: the length of a frame is impossible for its kind.
    pub const FRAME_SIZE_ERROR: Self = Self(8);
    /// 9: too many streams wait to be accepted.
    pub const ACCEPT_QUEUE_FULL: Self = Self(9);
    /// 10: the peer costs more work than it is worth.
    pub const ENHANCE_YOUR_CALM: Self = Self(10);
    /// 11: the peer sent GOAWAY before it handled the stream.
    pub const REMOTE_GONE_AWAY: Self = Self(11);
    /// 12: no stream id is left to open.
    pub const STREAMS_EXHAUSTED: Self = Self(12);
    /// 13: a write took too long.
    pub const WRITE_TIMEOUT: Self = Self(13);
    /// 14: the session ended.
    pub const SESSION_CLOSED: Self = Self(14);
    /// 15: the transport ended without GOAWAY.
    pub const PEER_EOF: Self = Self(15);
    /// 0xFF: an error that has no code of its own.
    pub const UNKNOWN: Self = Self(0xFF);

    /// The code with this number.
    #[inline]
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The number on the wire.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The protocol's name for this code, if it has one.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NO_ERROR => "NoError",
            Self::PROTOCOL_ERROR => "ProtocolError",
            Self::INTERNAL_ERROR => "InternalError",
            Self::FLOW_CONTROL_ERROR => "FlowControlError",
            Self::STREAM_CLOSED => "StreamClosed",
            Self::STREAM_REFUSED => "StreamRefused",
            Self::STREAM_CANCELLED => "StreamCancelled",
            Self::STREAM_RESET => "StreamReset",
            Self::FRAME_SIZE_ERROR => "FrameSizeError",
            Self::ACCEPT_QUEUE_FULL => "AcceptQueueFull",
            Self::ENHANCE_YOUR_CALM => "EnhanceYourCalm",
            Self::REMOTE_GONE_AWAY => "RemoteGoneAway",
            Self::STREAMS_EXHAUSTED => "StreamsExhausted",
            Self::WRITE_TIMEOUT => "WriteTimeout",
            Self::SESSION_CLOSED => "SessionClosed",
            Self::PEER_EOF => "PeerEof",
            Self::UNKNOWN => "ErrorUnknown",
            _ => return None,
        })
    }
}

impl From<u32> for ErrorCode {
    #[inline]
    fn from(code: u32) -> Self {
        Self(code)
    }
}

impl From<ErrorCode> for u32 {
    #[inline]
    fn from(code: ErrorCode) -> Self {
        code.0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "error code {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;
    use std::string::ToString;

    #[test]
    fn the_numbers_and_names_of_the_protocol() {
        let table = [
            (ErrorCode::NO_ERROR, 0, "NoError"),
            (ErrorCode::PROTOCOL_ERROR, 1, "ProtocolError"),
            (ErrorCode::INTERNAL_ERROR, 2, "InternalError"),
            (ErrorCode::FLOW_CONTROL_ERROR, 3, "FlowControlError"),
            (ErrorCode::STREAM_CLOSED, 4, "StreamClosed"),
            (ErrorCode::STREAM_REFUSED, 5, "StreamRefused"),
            (ErrorCode::STREAM_CANCELLED, 6, "StreamCancelled"),
            (ErrorCode::STREAM_RESET, 7, "StreamReset"),
            (ErrorCode::FRAME_SIZE_ERROR, 8, "FrameSizeError"),
            (ErrorCode::ACCEPT_QUEUE_FULL, 9, "AcceptQueueFull"),
            (ErrorCode::ENHANCE_YOUR_CALM, 10, "EnhanceYourCalm"),
            (ErrorCode::REMOTE_GONE_AWAY, 11, "RemoteGoneAway"),
            (ErrorCode::STREAMS_EXHAUSTED, 12, "StreamsExhausted"),
            (ErrorCode::WRITE_TIMEOUT, 13, "WriteTimeout"),
            (ErrorCode::SESSION_CLOSED, 14, "SessionClosed"),
            (ErrorCode::PEER_EOF, 15, "PeerEof"),
            (ErrorCode::UNKNOWN, 0xFF, "ErrorUnknown"),
        ];
        for (code, number, name) in table {
            assert_eq!(code.get(), number);
            assert_eq!(code.name(), Some(name));
            assert_eq!(ErrorCode::new(number), code);
        }
    }

    #[test]
    fn other_numbers_have_no_name_and_print_as_they_are() {
        for number in [16, 0xFE, 0x100, 0x1234, u32::MAX] {
            let code = ErrorCode::from(number);
            assert_eq!(code.name(), None, "{number:#x}");
            assert_eq!(u32::from(code), number);
        }
        assert_eq!(ErrorCode::new(u32::MAX).to_string(), "error code 4294967295");
        assert_eq!(ErrorCode::UNKNOWN.to_string(), "ErrorUnknown (255)");
    }
}
