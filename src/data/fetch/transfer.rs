//! One attempt to download one file from one mirror.

use super::options::FetchOptions;
use super::staged::{Note, Staged};
use crate::Error;
use crate::data::catalogue::{Form, KnownFile};
use crate::data::verify::check;
use indicatif::ProgressBar;
use std::io::Read;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body};

/// Size of the network buffer in bytes.
const NETWORK_BUFFER: usize = 64 * 1024;

/// Why an attempt failed, which determines what to do next.
pub(super) enum Failure {
    /// The same mirror may succeed later.
    Again(String),
    /// This mirror does not have the file.
    NextMirror(String),
    /// The error is on this machine.
    Fatal(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Fatal(error)
    }
}

/// The state that all attempts for one file share.
pub(super) struct Transfer<'a> {
    agent: Agent,
    file: &'a KnownFile,
    bar: ProgressBar,
}

impl<'a> Transfer<'a> {
    pub(super) fn new(file: &'a KnownFile, options: &FetchOptions, bar: ProgressBar) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.stall_timeout))
            .timeout_per_read(Some(options.stall_timeout))
            .timeout_per_write(Some(options.stall_timeout))
            // The files are already compressed, and their hashes are of the bytes as they are.
            .accept_encoding("identity")
            .user_agent(concat!("shadegrad/", env!("CARGO_PKG_VERSION")));
        if !options.proxy_from_environment {
            config = config.proxy(None);
        }
        Transfer { agent: config.build().into(), file, bar }
    }

    /// Downloads the bytes that `staged` lacks and verifies the whole file. After `Ok` the file is
    /// the official one. After a failure it contains only bytes from which the download can be
    /// resumed.
    pub(super) fn attempt(&self, url: &str, staged: &mut Staged) -> Result<(), Failure> {
        let note = staged.note().filter(|note| note.url == url);
        let resumes = match &note {
            // All bytes arrived, but the process ended before it could verify them.
            Some(note) if note.total == Some(staged.length()) => true,
            _ => self.receive(url, staged, note.as_ref())?,
        };
        match check(staged.path(), self.file)? {
            Ok(()) => Ok(()),
            Err(reason) => {
                staged.discard()?;
                // A wrong file may consist of parts of different objects.
                Err(match resumes {
                    true => Failure::Again(reason),
                    false => Failure::NextMirror(reason),
                })
            }
        }
    }

    /// Downloads until the end. Returns whether earlier bytes were continued.
    fn receive(&self, url: &str, staged: &mut Staged, note: Option<&Note>) -> Result<bool, Failure> {
        let mut request = self.agent.get(url);
        if let Some(note) = note {
            request = request.header(header::RANGE, format!("bytes={}-", staged.length()));
            if let Some(validator) = &note.validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let response = request.call().map_err(|error| request_failure(&error))?;
        let resumes = match (response.status(), note) {
            (StatusCode::PARTIAL_CONTENT, Some(note)) => {
                if !continues(response.headers(), staged.length(), note) {
                    staged.discard()?;
                    let reason = "the file changed since the download began";
                    return Err(Failure::Again(reason.to_owned()));
                }
                true
            }
            (StatusCode::OK, _) => {
                staged.restart(&describe(url, &response))?;
                false
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => {
                staged.discard()?;
                let reason = "the file is shorter than the part downloaded before";
                return Err(Failure::Again(reason.to_owned()));
            }
            (status, _) => return Err(status_failure(status)),
        };
        self.receive_body(response, staged)?;
        Ok(resumes)
    }

    fn receive_body(&self, response: Response<Body>, staged: &mut Staged) -> Result<(), Failure> {
        let length = content_length(response.headers());
        let promised = length.map(|length| staged.length().saturating_add(length));
        self.bar.set_length(promised.unwrap_or_else(|| self.most_bytes()));
        self.bar.set_position(staged.length());
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; NETWORK_BUFFER];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(cause) => {
                    let so_far = staged.length();
                    return Err(Failure::Again(format!("{cause} after {so_far} bytes")));
                }
            };
            staged.append(&buffer[..read])?;
            self.bar.set_position(staged.length());
            if staged.length() > self.most_bytes() {
                staged.discard()?;
                let most = self.most_bytes();
                let reason = format!("sent more than {most} bytes, the maximum for this file");
                return Err(Failure::NextMirror(reason));
            }
        }
        match promised {
            Some(promised) if staged.length() < promised => Err(Failure::Again(format!(
                "the connection ended after {} of {promised} bytes",
                staged.length()
            ))),
            _ => Ok(()),
        }
    }

    /// Returns the maximum size of the file. Compression of incompressible data adds a little.
    fn most_bytes(&self) -> u64 {
        match self.file.form {
            Form::AsIs => self.file.bytes,
            Form::Decompressed => self.file.bytes + self.file.bytes / 64 + 1024,
        }
    }
}

/// Whether a partial response continues the object of `note` at byte `start`.
fn continues(headers: &HeaderMap, start: u64, note: &Note) -> bool {
    let range = text(headers, header::CONTENT_RANGE);
    let Some((range, total)) = range.and_then(|range| range.split_once('/')) else {
        return false;
    };
    let same_total = match (total.parse::<u64>(), note.total) {
        (Ok(total), Some(noted)) => total == noted,
        _ => true,
    };
    same_total && range.starts_with(&format!("bytes {start}-"))
}

/// Describes a complete response, so that it can be resumed later.
fn describe(url: &str, response: &Response<Body>) -> Note {
    let headers = response.headers();
    // A weak tag does not guarantee the same bytes, so it cannot validate a range.
    let tag = text(headers, header::ETAG).filter(|tag| !tag.starts_with("W/"));
    let validator = tag.or_else(|| text(headers, header::LAST_MODIFIED));
    Note { url: url.to_owned(), validator: validator.map(str::to_owned), total: content_length(headers) }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, header::CONTENT_LENGTH)?.parse().ok()
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn status_failure(status: StatusCode) -> Failure {
    let worth_waiting = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    if status.is_server_error() || worth_waiting.contains(&status) {
        Failure::Again(status.to_string())
    } else {
        Failure::NextMirror(status.to_string())
    }
}

/// Connections may recover. Names, addresses and certificates do not change within seconds.
fn request_failure(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::ConnectionFailed
        | ureq::Error::Protocol(_) => Failure::Again(error.to_string()),
        _ => Failure::NextMirror(error.to_string()),
    }
}
