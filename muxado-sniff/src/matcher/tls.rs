//! TLS, by its ClientHello: the name that the client wants to reach (SNI) and the protocols that it offers (ALPN).

use super::{Matcher, Verdict};

/// TLS clients of any kind; [`Tls::server_name`] and [`Tls::alpn`] narrow it down.
///
/// ```
/// use muxado_sniff::tls;
///
/// let web = tls().server_name("www.example.com");
/// let muxado = tls().alpn("muxado/2");
/// # let _: [&dyn muxado_sniff::Matcher; 2] = [&web, &muxado];
/// ```
#[must_use]
pub fn tls() -> Tls {
    Tls { server_name: None, alpn: None }
}

/// A matcher for TLS; see [`tls()`].
#[derive(Clone, Debug)]
pub struct Tls {
    server_name: Option<String>,
    alpn: Option<Vec<u8>>,
}

impl Tls {
    /// Only clients that ask for the server of this name. `*.example.com` stands for one more label, as in certificates.
    /// Case does not matter.
    #[must_use]
    pub fn server_name(mut self, name: &str) -> Tls {
        self.server_name = Some(name.to_ascii_lowercase());
        self
    }

    /// Only clients that offer this protocol, perhaps among others.
    #[must_use]
    pub fn alpn(mut self, protocol: impl AsRef<[u8]>) -> Tls {
        self.alpn = Some(protocol.as_ref().to_vec());
        self
    }

    fn fits(&self, hello: &ClientHello) -> bool {
        let named = self.server_name.as_deref().is_none_or(|right| {
            hello.server_name.as_deref().is_some_and(|name| name_fits(&name.to_ascii_lowercase(), right))
        });
        named && self.alpn.as_ref().is_none_or(|right| hello.alpn.contains(right))
    }
}

impl Matcher for Tls {
    fn look(&self, seen: &[u8]) -> Verdict {
        match client_hello(seen) {
            Parsed::Hello(hello) if self.fits(&hello) => Verdict::Match,
            Parsed::Hello(_) | Parsed::Other => Verdict::NoMatch,
            Parsed::Partial => Verdict::NeedMore,
        }
    }
}

fn name_fits(name: &str, right: &str) -> bool {
    match right.strip_prefix("*.") {
        None => name == right,
        Some(domain) => name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == domain),
    }
}

/// What a ClientHello says, for matchers of your own.
///
/// For an example see [`client_hello`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientHello {
    /// The name of the server that the client wants to reach, if it tells (RFC 6066, section 3).
    pub server_name: Option<String>,
    /// The protocols that it offers, the one it likes best first (RFC 7301). They need not be text.
    pub alpn: Vec<Vec<u8>>,
}

/// How far a ClientHello has come.
///
/// For an example see [`client_hello`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parsed {
    /// It may become one.
    Partial,
    /// It is none.
    Other,
    /// It is complete.
    Hello(ClientHello),
}

/// Reads a ClientHello, however it is cut into records and these into packets.
///
/// ```
/// use muxado_sniff::{Parsed, Verdict, client_hello};
///
/// // TLS clients that offer any protocol at all, for one.
/// let with_alpn = |seen: &[u8]| match client_hello(seen) {
///     Parsed::Hello(hello) if !hello.alpn.is_empty() => Verdict::Match,
///     Parsed::Partial => Verdict::NeedMore,
///     _ => Verdict::NoMatch,
/// };
/// assert_eq!(with_alpn(&[22, 3, 1]), Verdict::NeedMore);
/// # let _: &dyn muxado_sniff::Matcher = &with_alpn;
/// ```
#[must_use]
pub fn client_hello(seen: &[u8]) -> Parsed {
    let message = match message(seen) {
        Ok(message) => message,
        Err(parsed) => return parsed,
    };
    match read(&message) {
        Some(hello) => Parsed::Hello(hello),
        None => Parsed::Other,
    }
}

/// Types of records, messages and extensions (RFC 8446, appendix B).
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// The most that a record carries of a plain message, in bytes.
const MAX_RECORD: usize = 1 << 14;

/// The body of the first handshake message, put together from its records.
fn message(seen: &[u8]) -> Result<Vec<u8>, Parsed> {
    let mut message = Vec::new();
    let mut rest = seen;
    loop {
        // A byte that is there must be right; one that is not may come.
        let wrong = rest.first().is_some_and(|kind| *kind != HANDSHAKE)
            || rest.get(1).is_some_and(|major| *major != 3)
            || rest.get(2).is_some_and(|minor| *minor > 4);
        if wrong {
            return Err(Parsed::Other);
        }
        let Some((&[_, _, _, high, low], after)) = rest.split_first_chunk() else {
            return Err(Parsed::Partial);
        };
        let len = usize::from(u16::from_be_bytes([high, low]));
        if len == 0 || len > MAX_RECORD {
            return Err(Parsed::Other);
        }
        message.extend_from_slice(after.get(..len).unwrap_or(after));
        if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Err(Parsed::Other);
        }
        if let Some((&[_, a, b, c], body)) = message.split_first_chunk() {
            let len = usize::from(a) * 65_536 + usize::from(b) * 256 + usize::from(c);
            if let Some(body) = body.get(..len) {
                return Ok(body.to_vec());
            }
        }
        rest = after.get(len..).ok_or(Parsed::Partial)?;
        if rest.is_empty() {
            return Err(Parsed::Partial);
        }
    }
}

fn read(body: &[u8]) -> Option<ClientHello> {
    let mut hello = ClientHello::default();
    let mut body = Reader(body);
    let [major, _minor] = *body.take(2)?.first_chunk()?;
    if major != 3 {
        return None;
    }
    body.take(32)?; // random
    body.vector8()?; // session id
    body.vector16()?; // cipher suites
    body.vector8()?; // compression methods
    if body.0.is_empty() {
        // Without extensions, as TLS 1.0 was.
        return Some(hello);
    }
    let mut extensions = Reader(body.vector16()?);
    while !extensions.0.is_empty() {
        let kind = extensions.number16()?;
        let mut extension = Reader(extensions.vector16()?);
        match kind {
            SERVER_NAME => hello.server_name = server_name(&mut extension)?,
            ALPN => hello.alpn = protocols(&mut extension)?,
            _ => {}
        }
    }
    Some(hello)
}

/// The first name that is a host's, which has type 0 and is the only kind that there is.
fn server_name(extension: &mut Reader<'_>) -> Option<Option<String>> {
    let mut names = Reader(extension.vector16()?);
    while !names.0.is_empty() {
        let [kind] = *names.take(1)?.first_chunk()?;
        let name = names.vector16()?;
        if kind == 0 {
            return Some(Some(String::from_utf8(name.to_vec()).ok()?));
        }
    }
    Some(None)
}

fn protocols(extension: &mut Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let mut list = Reader(extension.vector16()?);
    let mut protocols = Vec::new();
    while !list.0.is_empty() {
        protocols.push(list.vector8()?.to_vec());
    }
    Some(protocols)
}

/// What is left of a message.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    fn vector8(&mut self) -> Option<&'b [u8]> {
        let [len] = *self.take(1)?.first_chunk()?;
        self.take(usize::from(len))
    }

    fn vector16(&mut self) -> Option<&'b [u8]> {
        let len = self.number16()?;
        self.take(usize::from(len))
    }
}
