//! Parsing of untrusted HTTP requests.
//!
//! ```
//! use shadegrad::dashboard::request::Request;
//!
//! let bytes = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
//! assert!(matches!(Request::read(&bytes[..]), Ok(Ok(Request::Page))));
//! ```

use std::io::Read;
use std::net::{IpAddr, SocketAddr};

/// Maximum size of a request in bytes. It is far more than a browser sends.
const MOST_BYTES: usize = 16 << 10;

/// Maximum number of header fields.
const MOST_FIELDS: usize = 100;

/// A request that the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The page.
    Page,
    /// The events from now on, for a client that has version `seen` of the page.
    Events {
        /// 0 if the request does not say.
        seen: u64,
    },
}

/// A rejected request: an HTTP status and a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: &'static str,
    pub reason: &'static str,
}

const BAD: Refusal = Refusal { status: "400 Bad Request", reason: "this is not HTTP" };
const TOO_LONG: Refusal =
    Refusal { status: "431 Request Header Fields Too Large", reason: "the request is too long" };
const NOT_FOUND: Refusal = Refusal { status: "404 Not Found", reason: "only / exists" };
const METHOD: Refusal = Refusal { status: "405 Method Not Allowed", reason: "only GET is supported" };
const FOREIGN: Refusal = Refusal {
    status: "403 Forbidden",
    reason: "open the dashboard by its IP address or as localhost; other host names are rejected to protect it from other sites",
};

impl Request {
    /// Reads a request up to the end of its header.
    ///
    /// # Errors
    /// The inner error is to be sent to the client. The outer error is that of `stream`.
    pub fn read(mut stream: impl Read) -> std::io::Result<Result<Self, Refusal>> {
        let mut head = Vec::new();
        let mut piece = [0; 1024];
        loop {
            let count = stream.read(&mut piece)?;
            head.extend_from_slice(&piece[..count]);
            match Request::parse(&head) {
                Some(request) => return Ok(request),
                None if count == 0 => return Ok(Err(BAD)),
                None if head.len() > MOST_BYTES => return Ok(Err(TOO_LONG)),
                None => {}
            }
        }
    }

    /// Returns `None` if the header is incomplete.
    fn parse(head: &[u8]) -> Option<Result<Self, Refusal>> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(head) {
            Ok(httparse::Status::Complete(_)) => Some(Request::of(&request)),
            Ok(httparse::Status::Partial) => None,
            Err(httparse::Error::TooManyHeaders) => Some(Err(TOO_LONG)),
            Err(_) => Some(Err(BAD)),
        }
    }

    fn of(request: &httparse::Request<'_, '_>) -> Result<Self, Refusal> {
        let mut hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if is_this_computer(host.value) => {}
            (Some(_), None) => return Err(FOREIGN),
            _ => return Err(BAD),
        }
        if request.method != Some("GET") {
            return Err(METHOD);
        }
        let target = request.path.unwrap_or_default();
        match target.split_once('?').unwrap_or((target, "")) {
            ("/", _) => Ok(Request::Page),
            ("/events", query) => {
                let seen = query.strip_prefix("seen=").and_then(|version| version.parse().ok());
                Ok(Request::Events { seen: seen.unwrap_or_default() })
            }
            _ => Err(NOT_FOUND),
        }
    }
}

/// Whether a `Host` is an IP address or `localhost`, with or without a port.
///
/// Another site could resolve its own name to the address of this computer (DNS rebinding) and have
/// its visitors' browsers read the dashboard. The browser would then send that site's name.
fn is_this_computer(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let host = host.trim();
    let without_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    host.parse::<SocketAddr>().is_ok()
        || without_brackets.unwrap_or(host).parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost") && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Request, Refusal> {
        Request::read(head.as_bytes()).expect("memory can be read")
    }

    fn get(target: &str, host: &str) -> Result<Request, Refusal> {
        read(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n"))
    }

    #[test]
    fn browsers_get_what_there_is() {
        assert_eq!(get("/", "127.0.0.1:7878"), Ok(Request::Page));
        assert_eq!(get("/?x", "localhost"), Ok(Request::Page));
        assert_eq!(get("/events?seen=12", "[::1]:80"), Ok(Request::Events { seen: 12 }));
        for query in ["", "?", "?seen=", "?seen=-1", "?seen=99999999999999999999", "?other=3"] {
            assert_eq!(get(&format!("/events{query}"), "[::1]"), Ok(Request::Events { seen: 0 }), "{query}");
        }
        for target in ["/favicon.ico", "//", "/../x", "/events/", "*"] {
            assert_eq!(get(target, "localhost:1"), Err(NOT_FOUND), "{target}");
        }
    }

    #[test]
    fn other_names_are_refused() {
        for host in [
            "evil.example",
            "evil.example:7878",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:127.0.0.1",
            "[evil]",
            "",
            "2130706433.example",
            "localhost:evil.example",
        ] {
            assert_eq!(get("/", host), Err(FOREIGN), "{host}");
        }
        let twice = "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n";
        assert_eq!(read(twice), Err(BAD));
        assert_eq!(read("GET / HTTP/1.1\r\n\r\n"), Err(BAD));
        assert_eq!(read("GET / HTTP/1.1\r\nHost: \u{fc}\r\n\r\n"), Err(FOREIGN));
    }

    #[test]
    fn whatever_else_comes_is_refused_in_time() {
        for method in ["POST", "HEAD", "DELETE", "OPTIONS", "X"] {
            assert_eq!(read(&format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n")), Err(METHOD));
        }
        for noise in
            ["", "\r\n", "GET", "GET / HTTP/1.1\r\nHost: localhost\r\n", "\u{0}\u{1}", "GET / SMTP\r\n\r\n"]
        {
            assert_eq!(read(noise), Err(BAD), "{noise:?}");
        }
        // A request without an end.
        let endless = Read::chain("GET /".as_bytes(), std::io::repeat(b'x'));
        assert_eq!(Request::read(endless).expect("memory can be read"), Err(TOO_LONG));
        let fields = "a: b\r\n".repeat(200);
        assert_eq!(read(&format!("GET / HTTP/1.1\r\n{fields}\r\n")), Err(TOO_LONG));
    }
}
