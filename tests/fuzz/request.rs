//! Requests from browsers and other clients to the dashboard.

use shadegrad::dashboard::request::Request;

use crate::harness::{Target, dictionary, fuzz};

const REQUESTS: [&str; 3] = [
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:7878\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
    "GET /events?seen=12 HTTP/1.1\r\nHost: [::1]:80\r\nAccept: text/event-stream\r\nConnection: keep-alive\r\n\r\n",
    "GET /?x HTTP/1.1\r\nHost: localhost\r\n\r\n",
];

/// A stream that returns a few bytes at a time, and then ends.
struct Trickle<'a> {
    rest: &'a [u8],
    most: usize,
}

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.most.min(self.rest.len()).min(buffer.len());
        let (now, later) = self.rest.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.rest = later;
        Ok(count)
    }
}

#[test]
fn requests() {
    let samples = REQUESTS.map(|text| text.as_bytes().to_vec()).to_vec();
    let target = Target { name: "requests", samples, dictionary: dictionary!("request"), mend: None };
    fuzz(&target, |case| {
        let read = |most| Request::read(Trickle { rest: &case.bytes, most }).expect("memory can be read");
        let answer = read(usize::MAX);
        // How the network splits a request has no effect.
        assert_eq!(read(7), answer);
        // An accepted request must name this computer as the host.
        let text = String::from_utf8_lossy(&case.bytes).to_lowercase();
        let head = text.trim_start().lines().take_while(|line| !line.is_empty());
        let mut hosts = head.filter(|line| line.starts_with("host:"));
        assert!(answer.is_err() || !hosts.any(|host| host.contains("evil")), "{text}");
        answer.is_ok()
    });
}
