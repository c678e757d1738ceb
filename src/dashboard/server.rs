//! Connections: a thread for each, few at a time, none for long.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Serialize;

use super::request::{Refusal, Request};
use super::watched::{Notes, Watched};
use crate::report;

/// Most connections at a time; more are closed at once.
const MOST_CONNECTIONS: usize = 32;

/// How long a watcher may take to ask, or to take what it asked for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Events come no closer than this.
const PAUSE: Duration = Duration::from_millis(200);

/// A watcher that has heard nothing for so long is sent a comment, to see whether it is still there.
const SILENCE: Duration = Duration::from_secs(5);

/// The page may be read by nobody else, shown in no other page, and kept by no one.
const HEAD: &str = "Cache-Control: no-store\r\n\
    Connection: close\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\n\
    Referrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\n\
    X-Frame-Options: DENY\r\n\
    \r\n";

/// Accepts connections until it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(listener: TcpListener, watched: Arc<Watched>) -> io::Result<Self> {
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
                    Ok(stream) => attend(stream, &watched, &connections),
                    // Out of file handles, perhaps: better later than in a tight loop.
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
        // The thread looks up when somebody connects.
        let mut door = self.address;
        match door.ip() {
            IpAddr::V4(address) if address.is_unspecified() => door.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(address) if address.is_unspecified() => door.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        if TcpStream::connect_timeout(&door, PATIENCE).is_ok()
            && let Some(thread) = self.thread.take()
        {
            thread.join().ok();
        }
    }
}

/// Answers on a thread of its own, if there are not too many.
fn attend(stream: TcpStream, watched: &Arc<Watched>, connections: &Arc<AtomicUsize>) {
    if connections.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
        connections.fetch_sub(1, Ordering::SeqCst);
        return;
    }
    let (watched, counted) = (Arc::clone(watched), Arc::clone(connections));
    let answer = move || {
        // Whoever has gone away is owed nothing.
        answer(stream, &watched).ok();
        counted.fetch_sub(1, Ordering::SeqCst);
    };
    if thread::Builder::new().name("dashboard watcher".into()).spawn(answer).is_err() {
        connections.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(mut stream: TcpStream, watched: &Watched) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    match Request::read(&mut stream)? {
        Ok(Request::Page) => {
            let page =
                watched.body().and_then(|(name, version, body)| report::live_page(&name, &body, version));
            match page {
                Ok(page) => send(&mut stream, "200 OK", "text/html", &page),
                Err(error) => {
                    send(&mut stream, "503 Service Unavailable", "text/plain", &format!("{error}\n"))
                }
            }
        }
        Ok(Request::Events { seen }) => {
            watched.notes().listeners += 1;
            let told = tell(&mut stream, watched, seen);
            watched.notes().listeners -= 1;
            watched.changed.notify_all();
            told
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

/// Sends events until the run has ended or the watcher is gone.
fn tell(stream: &mut TcpStream, watched: &Watched, mut seen: u64) -> io::Result<()> {
    stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{HEAD}").as_bytes())?;
    let mut told = None;
    loop {
        let notes = watched.notes().clone();
        let Notes { version, progress, end, .. } = notes;
        if version > seen {
            // What cannot be drawn now may be next time.
            if let Ok((_, drawn, body)) = watched.body() {
                seen = drawn;
                event(stream, "body", &*body)?;
            }
        }
        if progress != told {
            event(stream, "progress", &progress)?;
            told = progress;
        }
        if let Some(words) = end {
            return event(stream, "end", &*words);
        }
        thread::sleep(PAUSE);
        let notes = watched.notes();
        if notes.version <= seen && notes.progress == told && notes.end.is_none() {
            watched.wait(notes, SILENCE);
            stream.write_all(b":\n\n")?;
        }
    }
}

/// JSON has no line ends of its own, so an event is a line.
fn event<T: Serialize + ?Sized>(stream: &mut TcpStream, name: &str, body: &T) -> io::Result<()> {
    stream.write_all(format!("event: {name}\ndata: {}\n\n", serde_json::to_string(body)?).as_bytes())
}
