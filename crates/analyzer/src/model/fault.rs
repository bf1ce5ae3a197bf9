//! What can be wrong with a server.

use std::fmt;

/// Why a server gave no answer. No text of the server's is kept in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens, the name is unknown, the connection broke, or TLS failed.
    Unreachable(String),
    /// No whole answer within the time.
    TimedOut,
    /// 401 or 403: the key is missing or wrong.
    Key,
    /// 404: there is no such model or path.
    NotThere,
    /// 429: too many requests; the seconds to wait where the server named them.
    Busy(Option<u32>),
    /// Another status than success.
    Status(u16),
    /// 3xx: redirects are never followed, since the key would follow too.
    Redirected,
    /// More bytes than an answer can have.
    TooLarge,
    /// Not an answer of this interface.
    Garbled,
}

impl Fault {
    /// Whether trying again later can help.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut | Self::Busy(_) => true,
            Self::Status(status) => *status >= 500,
            Self::Key | Self::NotThere | Self::Redirected | Self::TooLarge | Self::Garbled => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "not reachable: {why}"),
            Self::TimedOut => f.write_str("no answer in time (model.timeout_s)"),
            Self::Key => f.write_str(
                "the server refuses the key: set VIGIE_MODEL_KEY, or model.key_file to a file with it",
            ),
            Self::NotThere => f.write_str(
                "the server knows no such path or model: check model.url (it mostly ends in /v1) and model.name",
            ),
            Self::Busy(_) => f.write_str("the server is busy (429)"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::Redirected => {
                f.write_str("the server redirects, which is not followed: set model.url to the final address")
            }
            Self::TooLarge => f.write_str("the answer is larger than any answer can be"),
            Self::Garbled => {
                f.write_str("the answer is none of the chat completions interface: check model.url")
            }
        }
    }
}

impl std::error::Error for Fault {}
