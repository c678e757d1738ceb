//! A web server on the loopback interface with programmable faults.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The answer to one request for a file.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Status 200 and these bytes.
    Whole(Vec<u8>),
    /// Like `Whole`, but supports `Range`, with this ETag.
    Ranged(Vec<u8>, &'static str),
    /// Announces all of these bytes with an ETag, sends the first ones, and closes the connection.
    Short(Vec<u8>, usize, &'static str),
    /// Like `Short`, but stops sending instead of closing the connection.
    Stall(Vec<u8>, usize, &'static str),
    /// These bytes without a length. The end of the connection marks the end.
    NoLength(Vec<u8>),
    /// A status without a body.
    Status(u16),
    /// Status 302 to this address.
    Redirect(String),
    /// Status 206 with these bytes for any range.
    WrongRange(Vec<u8>),
    /// Closes the connection immediately.
    HangUp,
}

/// The server. It sends its answers in order and repeats the last one forever.
pub struct Server {
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let request = read_request(&stream);
                let index = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request.clone());
                    seen.len() - 1
                };
                let answer = answers[index.min(answers.len() - 1)].clone();
                thread::spawn(move || respond(stream, &request, answer));
            }
        });
        Server { address, requests }
    }

    /// Returns the headers of all requests so far, in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> String {
    let mut request = String::new();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap_or_default();
        if line.is_empty() {
            break;
        }
        request.push_str(&line.to_lowercase());
        request.push('\n');
    }
    request
}

/// Returns the value of a request header.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn respond(mut stream: TcpStream, request: &str, answer: Answer) {
    // An error here means that the client closed the connection first.
    let mut send = |status: &str, headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(body);
        let _ = stream.flush();
    };
    let length = |bytes: &[u8]| format!("Content-Length: {}\r\n", bytes.len());
    match answer {
        Answer::Whole(bytes) => send("200 OK", &length(&bytes), &bytes),
        Answer::NoLength(bytes) => send("200 OK", "", &bytes),
        Answer::Ranged(bytes, tag) => {
            let start = header(request, "range")
                .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'))
                .map(|start| start.parse::<usize>().unwrap());
            let tag_header = format!("ETag: {tag}\r\n");
            let same = header(request, "if-range").is_none_or(|wanted| wanted == tag);
            match start {
                Some(start) if same => {
                    let total = bytes.len();
                    let headers = format!(
                        "{tag_header}Content-Range: bytes {start}-{}/{total}\r\n{}",
                        total - 1,
                        length(&bytes[start..])
                    );
                    send("206 Partial Content", &headers, &bytes[start..]);
                }
                _ => send("200 OK", &(tag_header + &length(&bytes)), &bytes),
            }
        }
        Answer::Short(bytes, sent, tag) => {
            let headers = format!("ETag: {tag}\r\n{}", length(&bytes));
            send("200 OK", &headers, &bytes[..sent]);
        }
        Answer::Stall(bytes, sent, tag) => {
            let headers = format!("ETag: {tag}\r\n{}", length(&bytes));
            send("200 OK", &headers, &bytes[..sent]);
            thread::sleep(Duration::from_secs(20));
        }
        Answer::Status(status) => send(&format!("{status} Whatever"), "Content-Length: 0\r\n", b""),
        Answer::Redirect(to) => {
            let headers = format!("Location: {to}\r\nContent-Length: 0\r\n");
            send("302 Found", &headers, b"");
        }
        Answer::WrongRange(bytes) => {
            let headers = format!("Content-Range: bytes 1-2/3\r\n{}", length(&bytes));
            send("206 Partial Content", &headers, &bytes);
        }
        Answer::HangUp => {}
    }
}
