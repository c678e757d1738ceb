//! The error type: a message, a remedy, and the exit code that scripts rely on.

use std::fmt;

use crate::remedy::{Hint, Remedy};
use crate::text::sanitize::one_line;

/// Maximum number of characters of a message or a remedy, which may quote text of any length.
const MOST: usize = 1000;

/// The result of an operation that may fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an error. Each kind has its own exit code (see the README).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An internal error of shadegrad.
    Internal,
    /// An invalid flag, configuration key or combination of them.
    Usage,
    /// A data set that is missing, damaged or different from its description.
    Data,
    /// The device does not exist, was lost, or ran out of memory.
    Device,
    /// Training produced a NaN or an infinity.
    Diverged,
    /// A model or checkpoint file that is missing, damaged or of the wrong shape.
    Model,
    /// The results of a device differ from the reference.
    Parity,
    /// A file operation failed.
    Io,
    /// The user pressed Ctrl-C.
    Interrupted,
    /// Standard output was closed, for example by `| head`. This is not reported.
    OutputClosed,
    /// The process was terminated (SIGTERM).
    Terminated,
    /// The terminal was closed (SIGHUP).
    HungUp,
}

impl ErrorKind {
    /// Returns the exit code of the process for an error of this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Internal => 1,
            ErrorKind::Usage => 2,
            ErrorKind::Data => 3,
            ErrorKind::Device => 4,
            ErrorKind::Diverged => 5,
            ErrorKind::Model => 6,
            ErrorKind::Parity => 7,
            ErrorKind::Io => 8,
            ErrorKind::HungUp => 129,
            ErrorKind::Interrupted => 130,
            // The code of a process that SIGPIPE ended.
            ErrorKind::OutputClosed => 141,
            ErrorKind::Terminated => 143,
        }
    }
}

/// An error with one line that says what happened and one line that says what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    kind: ErrorKind,
    /// The setting that is invalid, if the error is about one.
    setting: Option<Box<Hint>>,
    message: String,
    // Boxed to keep results small.
    remedy: Option<Box<Remedy>>,
}

impl Error {
    /// Creates an error. `message` is one line without a full stop that names the cause.
    ///
    /// It may quote text from a file: control characters are escaped, and long text is shortened.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: one_line(&message.into(), MOST), remedy: None, setting: None }
    }

    /// Adds a [`Remedy`], or a sentence that names no setting and no command.
    #[must_use]
    pub fn advise(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedy = Some(Box::new(remedy.into()));
        self
    }

    /// Creates an error about the value of a setting: `{setting}: {message}`. Front ends format the
    /// setting in their own way.
    pub fn setting(setting: &'static str, value: impl Into<String>, message: impl Into<String>) -> Self {
        let setting = Some(Box::new(Hint { setting, value: Some(value.into()) }));
        Error { setting, ..Error::usage(message) }
    }

    /// Returns the message, in which `write` formats the invalid setting.
    pub(crate) fn message(&self, write: impl Fn(&Hint) -> String) -> String {
        match &self.setting {
            Some(hint) => one_line(&format!("{}: {}", write(hint), self.message), MOST),
            None => self.message.clone(),
        }
    }

    /// Replaces the message.
    #[must_use]
    pub fn with_message(self, message: impl Into<String>) -> Self {
        Error { message: one_line(&message.into(), MOST), setting: None, ..self }
    }

    /// Adds the place of the mistake before the message: `{place}: {message}`.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        let message = format!("{place}: {self}");
        self.with_message(message)
    }

    /// Creates an error about flags or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Usage, message)
    }

    /// Creates an error about a data set.
    pub fn data(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Data, message)
    }

    /// Creates an error about a device that is missing or failed.
    pub fn device(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Device, message)
    }

    /// Creates an error about a model file.
    pub fn model(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Model, message)
    }

    /// Creates an error about a failed file operation. `doing` is the operation, for example `write
    /// runs/x/log.txt`.
    pub fn io(doing: impl fmt::Display, cause: &std::io::Error) -> Self {
        Error::new(ErrorKind::Io, format!("cannot {doing}: {cause}"))
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the remedy, if there is one.
    pub fn remedy(&self) -> Option<&Remedy> {
        self.remedy.as_deref()
    }

    /// Returns the remedy as one line without flags and commands.
    pub fn advice(&self) -> Option<String> {
        self.remedy().map(|remedy| one_line(&remedy.to_string(), MOST))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message(Hint::to_string))
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_message_quotes_it_is_one_plain_line() {
        let file = "evil\u{1b}[2J\n.toml".repeat(100);
        let error = Error::data(format!("{file}: found x")).advise(file.clone()).at(&file);
        for line in [error.to_string(), error.advice().expect("there is some")] {
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(line.chars().count() <= MOST + 1, "{line:?}");
        }
        assert!(error.to_string().ends_with(": found x"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Data);
    }
}
