//! What opening and preparing a device tells the user, as data: a front end says it in its own
//! words.

use std::fmt;

use super::verdict::Verdict;
use crate::error::Error;

/// Something to know about a device. It is no error.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// [`Choice::Auto`](super::Choice::Auto) takes the CPU: the only GPU driver is this one, which
    /// computes on the CPU.
    OnlySoftware(String),
    /// [`Choice::Auto`](super::Choice::Auto) takes the CPU: no GPU was found.
    NoGpu,
    /// [`Choice::Gpu`](super::Choice::Gpu) takes this driver, which computes on the CPU.
    SoftwareGpu(String),
    /// No selftest of the GPU is cached.
    Untested,
    /// A selftest of the GPU is cached, and its verdict is applied.
    Tested(Verdict),
    /// The kernels of this GPU are benchmarked, which takes a while.
    Tuning(String),
    /// Cooperative matrices gave wrong products in these tile classes, which are disabled.
    WrongMatrices {
        /// Name of the GPU.
        gpu: String,
        /// Labels of the classes.
        classes: Vec<String>,
    },
    /// The results of tuning could not be cached.
    NotCached(Error),
}

impl Notice {
    /// Whether the GPU's kernels are fine or untested, which matters only at the start of a run.
    pub fn is_minor(&self) -> bool {
        match self {
            Notice::Untested => true,
            Notice::Tested(verdict) => verdict.is_clean(),
            _ => false,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::OnlySoftware(name) => write!(
                formatter,
                "using the CPU: the only GPU driver is {name}, which computes on the CPU but slower"
            ),
            Notice::NoGpu => formatter.write_str("using the CPU: no GPU was found"),
            Notice::SoftwareGpu(name) => {
                write!(formatter, "{name} is no GPU: it computes on the CPU, and slower")
            }
            Notice::Untested => formatter.write_str("this GPU's kernels were not compared with the CPU yet"),
            Notice::Tested(verdict) => formatter.write_str(&verdict.summary()),
            Notice::Tuning(name) => write!(formatter, "tuning kernels for {name} (one-time)"),
            Notice::WrongMatrices { gpu, classes } => write!(
                formatter,
                "cooperative matrices are wrong on {gpu}: products do without {}",
                classes.join(", ")
            ),
            Notice::NotCached(error) => write!(formatter, "what was found is not remembered: {error}"),
        }
    }
}
