//! HTTP connections: a thread per connection, with limits on their number and duration.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Serialize;

use super::request::{Refusal, Request};
use super::state::{RunState, SharedState};
use crate::report;

/// Maximum number of connections. Further ones are closed immediately.
const MOST_CONNECTIONS: usize = 32;

/// Timeout for reading a request and for writing an answer.
const IO_TIMEOUT: Duration = Duration::from_secs(5);

/// Minimum interval between events.
const PAUSE: Duration = Duration::from_millis(200);

/// Interval after which an idle client is sent a comment, to detect whether it is still connected.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Headers that keep the page from being read by other origins, embedded in frames, or cached.
const HEAD: &str = "Cache-Control: no-store\r\n\
    Connection: close\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\n\
    Referrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\n\
    X-Frame-Options: DENY\r\n\
    \r\n";

/// A server that accepts connections until it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(listener: TcpListener, state: Arc<SharedState>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let closed = Arc::new(AtomicBool::new(false));
        let seen_closed = Arc::clone(&closed);
        let accept = move || {
            let connections = Arc::new(AtomicUsize::new(0));
            for stream in listener.incoming() {
                if seen_closed.load(Ordering::SeqCst) {
                    return;
                }
                match stream {
                    Ok(stream) => serve(stream, &state, &connections),
                    // This may be a lack of file handles. The pause avoids a busy loop.
                    Err(_) => thread::sleep(PAUSE),
                }
            }
        };
        let thread = thread::Builder::new().name("dashboard".into()).spawn(accept)?;
        Ok(Server { address, closed, thread: Some(thread) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // The thread checks the flag when a client connects.
        let mut own_address = self.address;
        match own_address.ip() {
            IpAddr::V4(address) if address.is_unspecified() => own_address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(address) if address.is_unspecified() => own_address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        if TcpStream::connect_timeout(&own_address, IO_TIMEOUT).is_ok()
            && let Some(thread) = self.thread.take()
        {
            thread.join().ok();
        }
    }
}

/// Answers a connection on its own thread, unless there are too many.
fn serve(stream: TcpStream, state: &Arc<SharedState>, connections: &Arc<AtomicUsize>) {
    if connections.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
        connections.fetch_sub(1, Ordering::SeqCst);
        return;
    }
    let (state, counted) = (Arc::clone(state), Arc::clone(connections));
    let answer = move || {
        // An error means that the client has disconnected.
        answer(stream, &state).ok();
        counted.fetch_sub(1, Ordering::SeqCst);
    };
    if thread::Builder::new().name("dashboard watcher".into()).spawn(answer).is_err() {
        connections.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(mut stream: TcpStream, state: &SharedState) -> io::Result<()> {
    stream.set_read_timeout(Some(IO_TIMEOUT))?;
    stream.set_write_timeout(Some(IO_TIMEOUT))?;
    match Request::read(&mut stream)? {
        Ok(Request::Page) => {
            let page =
                state.body().and_then(|(name, version, body)| report::live_page(&name, &body, version));
            match page {
                Ok(page) => send(&mut stream, "200 OK", "text/html", &page),
                Err(error) => {
                    send(&mut stream, "503 Service Unavailable", "text/plain", &format!("{error}\n"))
                }
            }
        }
        Ok(Request::Events { seen }) => {
            state.run_state().listeners += 1;
            let sent = send_events(&mut stream, state, seen);
            state.run_state().listeners -= 1;
            state.changed.notify_all();
            sent
        }
        Err(Refusal { status, reason }) => send(&mut stream, status, "text/plain", &format!("{reason}\n")),
    }
}

fn send(stream: &mut TcpStream, status: &str, kind: &str, text: &str) -> io::Result<()> {
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {length}\r\n{HEAD}{text}"
    );
    stream.write_all(answer.as_bytes())
}

/// Sends events until the run has ended or the client has disconnected.
fn send_events(stream: &mut TcpStream, state: &SharedState, mut seen: u64) -> io::Result<()> {
    stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{HEAD}").as_bytes())?;
    let mut sent = None;
    loop {
        let run_state = state.run_state().clone();
        let RunState { version, progress, end, .. } = run_state;
        if version > seen {
            // If drawing fails, the next iteration tries again.
            if let Ok((_, drawn, body)) = state.body() {
                seen = drawn;
                event(stream, "body", &*body)?;
            }
        }
        if progress != sent {
            event(stream, "progress", &progress)?;
            sent = progress;
        }
        if let Some(text) = end {
            return event(stream, "end", &*text);
        }
        thread::sleep(PAUSE);
        let run_state = state.run_state();
        if run_state.version <= seen && run_state.progress == sent && run_state.end.is_none() {
            state.wait(run_state, KEEP_ALIVE);
            stream.write_all(b":\n\n")?;
        }
    }
}

/// JSON contains no line breaks, so an event is one line.
fn event<T: Serialize + ?Sized>(stream: &mut TcpStream, name: &str, body: &T) -> io::Result<()> {
    stream.write_all(format!("event: {name}\ndata: {}\n\n", serde_json::to_string(body)?).as_bytes())
}
