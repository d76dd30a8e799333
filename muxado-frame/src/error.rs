//! Why bytes are not a muxado frame, and which error code the session ends with for it.
//!
//! Wire: docs/protocol.md, "Frame". All of these are fatal to the session; what is wrong with a single stream is
//! not seen at this level.

use core::fmt;

use crate::{ErrorCode, Kind};

/// Why what a peer sent cannot be a frame. The session cannot go on: end it with [`code`](DecodeError::code).
///
/// ```
/// use muxado_frame::{Decoder, ErrorCode};
///
/// let error = Decoder::new().decode(&[0, 0, 4, 0x20, 0, 0, 0, 3, 0, 0, 0, 0]).unwrap_err();
/// assert_eq!(error.code(), ErrorCode::PROTOCOL_ERROR);
/// assert_eq!(error.to_string(), "WNDINC frame of 0 for stream 3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The length is impossible for the kind: RST and WNDINC have 4 bytes, GOAWAY at least 8.
    FrameSize {
        /// RST, WNDINC or GOAWAY.
        kind: Kind,
        /// The length in the header, in bytes.
        length: u32,
    },
    /// A frame that belongs to a stream names stream 0.
    ZeroStreamId {
        /// RST, DATA or WNDINC.
        kind: Kind,
    },
    /// A GOAWAY, which belongs to the session, names a stream.
    NonZeroStreamId {
        /// The stream id field as it is on the wire.
        id: u32,
    },
    /// A WNDINC grants nothing: its low 31 bits are 0.
    ZeroIncrement {
        /// The stream id field as it is on the wire.
        id: u32,
    },
}

impl DecodeError {
    /// The code that says this to the peer: [`ErrorCode::FRAME_SIZE_ERROR`] or [`ErrorCode::PROTOCOL_ERROR`].
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::FrameSize { .. } => ErrorCode::FRAME_SIZE_ERROR,
            Self::ZeroStreamId { .. } | Self::NonZeroStreamId { .. } | Self::ZeroIncrement { .. } => {
                ErrorCode::PROTOCOL_ERROR
            }
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameSize { kind, length } => {
                write!(f, "{kind} frame with an impossible length of {length}")
            }
            Self::ZeroStreamId { kind } => write!(f, "{kind} frame for stream 0"),
            Self::NonZeroStreamId { id } => write!(f, "GOAWAY frame for stream {id}"),
            Self::ZeroIncrement { id } => write!(f, "WNDINC frame of 0 for stream {id}"),
        }
    }
}

impl core::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::DecodeError;
    use crate::{ErrorCode, Kind};
    use std::string::ToString;

    #[test]
    fn each_error_has_its_code_and_its_words() {
        let table = [
            (
                DecodeError::FrameSize { kind: Kind::Rst, length: 3 },
                ErrorCode::FRAME_SIZE_ERROR,
                "RST frame with an impossible length of 3",
            ),
            (
                DecodeError::ZeroStreamId { kind: Kind::Data },
                ErrorCode::PROTOCOL_ERROR,
                "DATA frame for stream 0",
            ),
            (DecodeError::NonZeroStreamId { id: 7 }, ErrorCode::PROTOCOL_ERROR, "GOAWAY frame for stream 7"),
            (
                DecodeError::ZeroIncrement { id: 5 },
                ErrorCode::PROTOCOL_ERROR,
                "WNDINC frame of 0 for stream 5",
            ),
        ];
        for (error, code, words) in table {
            assert_eq!(error.code(), code);
            assert_eq!(error.to_string(), words);
        }
    }
}
