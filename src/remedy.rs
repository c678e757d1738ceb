//! Remedies for errors, as data that a front end formats.
//!
//! The library names settings by their configuration keys, and knows neither flags nor commands.
//! [`Display`](fmt::Display) formats a remedy for programs that use the library. The command line
//! formats it in its own way (`cli/remedy.rs`).
//!
//! ```
//! use shadegrad::{Error, Remedy};
//!
//! let error = Error::device("the GPU is out of memory").advise(Remedy::SmallerBatch(32));
//! assert_eq!(error.remedy(), Some(&Remedy::SmallerBatch(32)));
//! ```

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

/// A setting that a remedy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Name of the setting, for example `batch-size`.
    pub setting: &'static str,
    /// A value that helps; `None` if only the setting is named.
    pub value: Option<String>,
}

/// A remedy for an error.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Remedy {
    /// A sentence that names no setting and no command.
    Advice(String),
    /// A sentence with a `{}` for each setting that it names.
    Settings {
        /// The sentence.
        sentence: String,
        /// The settings, in the order of the sentence.
        hints: Vec<Hint>,
    },
    /// Explain a setting whose value is invalid.
    Explain {
        /// Name of the setting.
        setting: &'static str,
        /// Help text of the setting.
        help: Cow<'static, str>,
    },
    /// Train with this learning rate.
    LowerLearningRate {
        /// The rate to try.
        rate: f32,
        /// Whether standardised pixels would also help.
        standardise: bool,
    },
    /// Use a batch of at most this many images, which is the maximum for the device.
    SmallerBatch(usize),
    /// Use less memory, or the CPU.
    LessMemory,
    /// Resume this run from its last checkpoint.
    Resume(PathBuf),
    /// Do this first. The last checkpoint is intact, and the run resumes from it.
    ThenResume(String),
    /// Resume from the last checkpoint. The device may be faulty.
    DistrustDevice,
    /// Start a new run with this configuration file.
    StartAgain(PathBuf),
    /// Resume this run with other settings, to use those of an edited configuration.
    ResumeWith {
        /// Folder of the run.
        run: PathBuf,
        /// The settings.
        hints: Vec<Hint>,
    },
    /// Train a new run with this configuration file, to use its settings.
    TrainWith(PathBuf),
    /// Give a configuration file, which is TOML.
    GiveConfigFile,
    /// Give the folder of a run.
    GiveRunFolder,
    /// Download this data set, or give the folder that contains it.
    FetchData(String),
    /// Download a file of this data set by hand, and import it.
    ImportData {
        /// URL of the file.
        url: String,
        /// Name of the data set.
        name: String,
    },
    /// Use one of these devices, or the CPU, which is not in the list.
    ChooseDevice(Vec<String>),
    /// Use another device.
    AnotherDevice,
    /// Install a driver. The text depends on the operating system.
    InstallDriver(&'static str),
    /// Report a fault of a driver or of a kernel.
    ReportFault,
    /// Choose a GPU, because a selftest compares a GPU with the CPU.
    SelftestNeedsGpu,
    /// Use the CPU until the driver is updated and the selftest passes.
    UpdateDriver,
    /// Resume on another device, because the one that the run began on is missing.
    ResumeElsewhere,
    /// Do both, in this order.
    Both(Box<Remedy>, Box<Remedy>),
}

impl Remedy {
    /// Creates a remedy from a sentence with a `{}` for each setting. An empty value means no
    /// value.
    ///
    /// # Panics
    /// If the number of `{}` in the sentence differs from the number of settings.
    pub fn settings<V: Into<String>>(
        sentence: impl Into<String>,
        settings: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        let hint = |(setting, value): (&'static str, V)| {
            let value = Some(value.into()).filter(|value| !value.is_empty());
            Hint { setting, value }
        };
        let (sentence, hints): (String, Vec<Hint>) =
            (sentence.into(), settings.into_iter().map(hint).collect());
        assert_eq!(sentence.matches("{}").count(), hints.len(), "{sentence}");
        Remedy::Settings { sentence, hints }
    }

    /// Creates a remedy that ends with the advice to use the CPU: `{sentence}, or use {the CPU}`.
    pub fn or_cpu(sentence: &str) -> Self {
        Remedy::settings(format!("{sentence}, or use {{}}"), [("device", "cpu")])
    }

    /// Appends the remedy `next`.
    #[must_use]
    pub fn then(self, next: Remedy) -> Self {
        Remedy::Both(Box::new(self), Box::new(next))
    }
}

/// Replaces each `{}` of a sentence by a setting that `write` formats.
pub(crate) fn fill(sentence: &str, hints: &[Hint], write: impl Fn(&Hint) -> String) -> String {
    let mut parts = sentence.split("{}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (part, hint) in parts.zip(hints) {
        text.push_str(&write(hint));
        text.push_str(part);
    }
    text
}

impl<T: Into<String>> From<T> for Remedy {
    fn from(advice: T) -> Self {
        Remedy::Advice(advice.into())
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(formatter, "{} = {value}", self.setting),
            None => formatter.write_str(self.setting),
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remedy::Advice(advice) => formatter.write_str(advice),
            Remedy::Settings { sentence, hints } => {
                formatter.write_str(&fill(sentence, hints, Hint::to_string))
            }
            Remedy::Explain { setting, help } => write!(formatter, "{setting}: {help}"),
            Remedy::LowerLearningRate { rate, standardise } => {
                let other = if *standardise { ", or standardise the pixels" } else { "" };
                write!(formatter, "use a smaller learning rate, for example {rate:?}{other}")
            }
            Remedy::SmallerBatch(most) => {
                write!(formatter, "use a batch of at most {most} images, a smaller model or another device")
            }
            Remedy::LessMemory => formatter.write_str("use a smaller batch or model, or the CPU"),
            Remedy::Resume(run) => write!(formatter, "resume the run in {}", run.display()),
            Remedy::ThenResume(first) => {
                write!(formatter, "{first}; the last checkpoint is intact, and the run resumes from it")
            }
            Remedy::DistrustDevice => formatter.write_str(
                "resume the run from its last checkpoint; the device or its memory may be at fault",
            ),
            Remedy::StartAgain(config) => {
                write!(formatter, "start a new run with {}", config.display())
            }
            Remedy::ResumeWith { run, hints } => {
                let hints: Vec<_> = hints.iter().map(Hint::to_string).collect();
                write!(formatter, "to use them: resume {} with {}", run.display(), hints.join(", "))
            }
            Remedy::TrainWith(config) => {
                write!(formatter, "to use them: train a new run with {}", config.display())
            }
            Remedy::GiveConfigFile => formatter.write_str("give a configuration in TOML"),
            Remedy::GiveRunFolder => formatter.write_str("give the folder of a run"),
            Remedy::FetchData(name) => write!(formatter, "download {name}, or give the folder that has it"),
            Remedy::ImportData { url, name } => {
                write!(formatter, "download it by hand, for example from {url}, and import it as {name}")
            }
            Remedy::ChooseDevice(there) if there.is_empty() => {
                formatter.write_str("only the CPU is available: no GPU was found")
            }
            Remedy::ChooseDevice(there) => write!(formatter, "there are cpu, {}", there.join(", ")),
            Remedy::AnotherDevice => formatter.write_str("use another GPU or the CPU"),
            Remedy::InstallDriver(how) => write!(formatter, "{how}; or use the CPU"),
            Remedy::ReportFault => {
                formatter.write_str("please report this with the name of the GPU and of its driver")
            }
            Remedy::SelftestNeedsGpu => formatter.write_str("choose a GPU"),
            Remedy::UpdateDriver => {
                formatter.write_str("use the CPU; update the driver and run the selftest again")
            }
            Remedy::ResumeElsewhere => {
                formatter.write_str("choose another device: the run then continues, with different rounding")
            }
            Remedy::Both(first, next) => write!(formatter, "{first}; {next}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_its_settings_by_their_keys() {
        let remedy = Remedy::settings("use {} or a smaller {}", [("resize", "crop"), ("batch-size", "")]);
        assert_eq!(remedy.to_string(), "use resize = crop or a smaller batch-size");
        assert_eq!(Remedy::or_cpu("wait").to_string(), "wait, or use device = cpu");
        assert_eq!(Remedy::from("wait").then("try again".into()).to_string(), "wait; try again");
    }

    /// A value that contains `{}` is not replaced.
    #[test]
    fn values_are_not_searched_for_places() {
        let remedy = Remedy::settings("use {} or {}", [("data", "{}"), ("model", "")]);
        assert_eq!(remedy.to_string(), "use data = {} or model");
    }
}
