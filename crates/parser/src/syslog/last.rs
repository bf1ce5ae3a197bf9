//! The frame read last: most lines begin as the one before them did.

use super::{Header, MAX_TAG, host_and_tag};
use crate::text;

/// Host and program of the frame read last. The next frame is likely to have them too.
#[derive(Debug, Default)]
pub struct Last {
    /// `<host> <program>[` or `<host> <program>:`
    start: String,
    /// Bytes of the host in `start`.
    host: usize,
}

impl Last {
    /// Reads `[<host> ]<tag>: <message>`, which follows the time, into `header`.
    #[inline]
    pub fn read<'l>(&mut self, after: &'l str, header: &mut Header<'l>) {
        if self.read_plain(after, header).is_none() {
            host_and_tag(after, header);
        }
    }

    /// Reads `<host> <plain name>[[<digits>]]: <message>`: what nearly every frame is. `None`: look
    /// again.
    #[inline]
    fn read_plain<'l>(&mut self, after: &'l str, header: &mut Header<'l>) -> Option<()> {
        if self.start.is_empty() || !after.starts_with(&*self.start) {
            self.learn(after)?;
        }
        let (start, rest) = after.split_at_checked(self.start.len())?;
        let (process, pid, message) = if start.ends_with('[') {
            let (pid, digits) = text::leading_number(rest.as_bytes())?;
            let (process, rest) = rest.split_at_checked(digits)?;
            let Some([b']', b':', b' ']) = rest.as_bytes().first_chunk() else { return None };
            (process, Some(pid), rest.get(3..)?)
        } else {
            ("", None, rest.strip_prefix(' ')?)
        };
        header.host = start.get(..self.host)?;
        header.program = start.get(self.host + 1..start.len() - 1)?;
        (header.process, header.pid, header.message) = (process, pid, message);
        Some(())
    }

    /// Remembers the host and the plain name that `after` begins with.
    fn learn(&mut self, after: &str) -> Option<()> {
        let (host, rest) = text::split(after, b' ')?;
        if host.len() > MAX_TAG || host.ends_with(':') || host == "---" {
            return None;
        }
        let end = host.len() + 1 + plain_tag_end(rest)?;
        let start = after.get(..=end)?;
        self.start.clear();
        self.start.push_str(start);
        self.host = host.len();
        Some(())
    }
}

/// Where `[` or `:` stands behind a plain name at the start of `rest`: one of letters, digits and
/// `-./_`.
fn plain_tag_end(rest: &str) -> Option<usize> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-'..=b'/' | b'_');
    let end = rest.bytes().take(MAX_TAG).position(|byte| !plain(byte))?;
    (end > 0 && matches!(rest.as_bytes().get(end), Some(b'[' | b':'))).then_some(end)
}
