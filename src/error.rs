//! The one error type: what happened, what to do about it, and the exit code that scripts rely on.

use std::fmt;

use crate::remedy::{Hint, Remedy};
use crate::text::sanitize::one_line;

/// Most characters of a message, and of a remedy: what they quote may have any length.
const MOST: usize = 1000;

/// What an operation that depends on the outside world returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong. Each kind has its own exit code (see the README).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A broken promise inside shadegrad itself.
    Internal,
    /// A flag, a configuration key or a combination of them that makes no sense.
    Usage,
    /// A data set that is missing, damaged or not what it claims to be.
    Data,
    /// No such device, or the device was lost or ran out of memory.
    Device,
    /// Training produced a NaN or an infinity.
    Diverged,
    /// A model or checkpoint file that is missing, damaged or of the wrong shape.
    Model,
    /// A device computed something else than the reference.
    Parity,
    /// The disk or another file operation failed.
    Io,
    /// The user pressed Ctrl-C.
    Interrupted,
    /// Nobody reads standard output any more, as behind `| head`: no mistake, and nothing to say.
    OutputClosed,
    /// The process was asked to end (SIGTERM).
    Terminated,
    /// The terminal was closed (SIGHUP).
    HungUp,
}

impl ErrorKind {
    /// The process's exit code for an error of this kind.
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
            // As a process that SIGPIPE ended.
            ErrorKind::OutputClosed => 141,
            ErrorKind::Terminated => 143,
        }
    }
}

/// An error that a user can act on: one line for what happened, one for what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    kind: ErrorKind,
    /// The setting that is wrong, if it is one.
    setting: Option<Box<Hint>>,
    message: String,
    // Boxed, so that results stay small.
    remedy: Option<Box<Remedy>>,
}

impl Error {
    /// An error of `kind`; `message` is one line without a full stop that names the thing at fault.
    ///
    /// It may quote what a file says: control characters are spelt out, and excess is left out.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: one_line(&message.into(), MOST), remedy: None, setting: None }
    }

    /// Adds what to do: a [`Remedy`], or a sentence that names no setting and no command.
    pub fn advise(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedy = Some(Box::new(remedy.into()));
        self
    }

    /// A setting's value that makes no sense: `{setting}: {message}`, where front ends write the
    /// setting in their own way.
    pub fn setting(setting: &'static str, value: impl Into<String>, message: impl Into<String>) -> Self {
        let setting = Some(Box::new(Hint { setting, value: Some(value.into()) }));
        Error { setting, ..Error::usage(message) }
    }

    /// The message, with the setting that is wrong as `write` writes it.
    pub(crate) fn message(&self, write: impl Fn(&Hint) -> String) -> String {
        match &self.setting {
            Some(hint) => one_line(&format!("{}: {}", write(hint), self.message), MOST),
            None => self.message.clone(),
        }
    }

    /// The same error with another message.
    pub fn with_message(self, message: impl Into<String>) -> Self {
        Error { message: one_line(&message.into(), MOST), setting: None, ..self }
    }

    /// Puts the place of the mistake in front of the message: `{place}: {message}`.
    pub fn at(self, place: impl fmt::Display) -> Self {
        let message = format!("{place}: {self}");
        self.with_message(message)
    }

    /// A mistake in flags or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Usage, message)
    }

    /// A mistake in a data set.
    pub fn data(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Data, message)
    }

    /// A device that is not there or failed.
    pub fn device(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Device, message)
    }

    /// A model file that cannot be used.
    pub fn model(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Model, message)
    }

    /// A failed file operation: `doing` says what was attempted, for example `write
    /// runs/x/log.txt`.
    pub fn io(doing: impl fmt::Display, cause: &std::io::Error) -> Self {
        Error::new(ErrorKind::Io, format!("cannot {doing}: {cause}"))
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What to do about it, if anything can be done.
    pub fn remedy(&self) -> Option<&Remedy> {
        self.remedy.as_deref()
    }

    /// What to do about it in one line, in the library's words: without flags and commands.
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
