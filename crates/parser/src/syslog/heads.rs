//! The heads of frames read lately: most lines begin as one before them did.

use super::{Header, MAX_TAG, host_and_tag};
use crate::program::{self, Parse};
use crate::said::{self, Packed};
use crate::sshd::Server;
use crate::{application, text};

/// Places for heads; a power of two.
const PLACES: usize = 64;

/// The heads of frames read lately, each in a place of its own kind. The next frame is likely to
/// have one of them, and then only that is compared.
#[derive(Debug)]
pub struct Heads {
    places: Box<[Head]>,
    /// Bytes of the host that was read last.
    host: usize,
}

/// `<host> <program>[` or `<host> <program>:`, and what follows from it alone.
#[derive(Debug)]
pub struct Head {
    /// The head's number, which no other has.
    pub number: u64,
    start: String,
    /// Bytes of the host in `start`.
    host: usize,
    /// The program's name.
    pub name: String,
    /// The program's name, where its messages are worth remembering.
    pub packed: Option<Packed>,
    /// Whether the name is one that a program can have.
    pub named: bool,
    /// Whether a process id follows.
    numbered: bool,
    /// Reads what the program says.
    pub parse: Parse,
    /// The source that was asked about last, and the host's server.
    server: (u64, Server),
}

impl Default for Head {
    fn default() -> Self {
        Self {
            number: 0,
            start: String::new(),
            host: 0,
            name: String::new(),
            packed: None,
            named: false,
            numbered: false,
            parse: program::parse,
            server: (0, Server::of(0, "")),
        }
    }
}

impl Default for Heads {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Head::default()).collect(), host: 0 }
    }
}

impl Heads {
    /// A memory that remembers nothing.
    #[cfg(test)]
    pub fn nothing() -> Self {
        Self { places: Box::new([]), host: 0 }
    }

    /// Reads `[<host> ]<tag>: <message>`, which follows the time, into `header`.
    #[inline]
    pub fn read<'l>(&mut self, after: &'l str, header: &mut Header<'l>) {
        if self.read_plain(after, header).is_none() {
            host_and_tag(after, header);
        }
    }

    /// Reads `<host> <plain name>[[<digits>]]: <message>`: what nearly every frame is. `None`: look
    /// again.
    fn read_plain<'l>(&mut self, after: &'l str, header: &mut Header<'l>) -> Option<()> {
        let head = self.of(after, 0)?;
        let (pid, message) = head.process(after.as_bytes())?;
        let process = match pid {
            Some(_) => after.get(head.length()..message - 3)?,
            None => "",
        };
        header.host = after.get(..head.host)?;
        header.program = after.get(head.program())?;
        (header.process, header.pid, header.message) = (process, pid, after.get(message..)?);
        Some(())
    }

    /// The head at `at` of `line`, of `<host> <plain name>[…` or `<host> <plain name>:…`. `None`: there is no such
    /// head.
    #[inline]
    pub fn of(&mut self, line: &str, at: usize) -> Option<&mut Head> {
        let bytes = line.as_bytes().get(at..)?;
        if bytes.get(self.host) != Some(&b' ') {
            self.host = text::find(bytes, b' ')?;
        }
        let place = place_of(bytes, self.host)?;
        let known = self
            .places
            .get(place)
            .is_some_and(|head| !head.start.is_empty() && bytes.starts_with(head.start.as_bytes()));
        if !known {
            self.learn(line.get(at..)?, place)?;
        }
        self.places.get_mut(place)
    }

    /// Remembers the host and the plain name that `after` begins with. A place holds one head
    /// only, so heads without end cost nothing but their learning.
    #[cold]
    fn learn(&mut self, after: &str, place: usize) -> Option<()> {
        let (host, rest) = text::split(after, b' ')?;
        if host.len() > MAX_TAG || host.ends_with(':') || host == "---" {
            return None;
        }
        let end = host.len() + 1 + plain_tag_end(rest)?;
        let start = after.get(..=end)?;
        let head = self.places.get_mut(place)?;
        head.number = said::fresh_number();
        head.start.clear();
        head.start.push_str(start);
        head.host = host.len();
        head.numbered = start.ends_with('[');
        let name = start.get(head.program())?;
        head.name.clear();
        head.name.push_str(name);
        head.parse = program::reader_of(name);
        head.packed = program::repeats_itself(name).then(|| said::pack(name)).flatten();
        head.named = application::is_name(name);
        head.server = (0, Server::of(0, host));
        Some(())
    }
}

/// The place of heads with a host of that many bytes, by the letters around the space behind it.
#[inline]
fn place_of(bytes: &[u8], host: usize) -> Option<usize> {
    let [last, _, first, second] = *bytes.get(host.checked_sub(1)?..)?.first_chunk()?;
    let mixed = usize::from(first) * 5 + usize::from(second) + usize::from(last) * 7;
    Some(mixed % PLACES)
}

impl Head {
    /// Bytes of the head.
    #[inline]
    pub fn length(&self) -> usize {
        self.start.len()
    }

    /// Bytes of the host, which the head begins with.
    #[inline]
    pub fn host(&self) -> usize {
        self.host
    }

    /// Where the program's name stands in the head.
    #[inline]
    pub fn program(&self) -> std::ops::Range<usize> {
        self.host + 1..self.start.len() - 1
    }

    /// The process id in `after`, which begins with the head, and where the message begins. `None`:
    /// the tag goes on otherwise.
    #[inline]
    pub fn process(&self, after: &[u8]) -> Option<(Option<i64>, usize)> {
        let rest = after.get(self.start.len()..)?;
        if self.numbered {
            let (pid, digits) = text::leading_number(rest)?;
            let Some(b"]: ") = rest.get(digits..)?.first_chunk() else { return None };
            Some((Some(pid), self.start.len() + digits + 3))
        } else {
            (rest.first() == Some(&b' ')).then_some((None, self.start.len() + 1))
        }
    }

    /// The host's server, of which the source tells that was made known last.
    #[inline]
    pub fn server(&self) -> &Server {
        &self.server.1
    }

    /// Makes known the source, which tells of the host's server.
    #[inline]
    pub fn know_server(&mut self, origin: u64) {
        if self.server.0 != origin {
            self.learn_server(origin);
        }
    }

    #[cold]
    fn learn_server(&mut self, origin: u64) {
        let host = self.start.get(..self.host).unwrap_or_default();
        self.server = (origin, Server::of(origin, host));
    }
}

/// Where `[` or `:` stands behind a plain name at the start of `rest`: one of letters, digits and
/// `-./_`.
fn plain_tag_end(rest: &str) -> Option<usize> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-'..=b'/' | b'_');
    let end = rest.bytes().take(MAX_TAG).position(|byte| !plain(byte))?;
    (end > 0 && matches!(rest.as_bytes().get(end), Some(b'[' | b':'))).then_some(end)
}
