//! Notices about opening and preparing a device, as data that a front end formats.

use std::fmt;

use super::verdict::Verdict;
use crate::error::Error;

/// A notice about a device. It is not an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// [`Choice::Auto`](super::Choice::Auto) selects the CPU, because the only GPU driver is this
    /// software driver.
    OnlySoftware(String),
    /// [`Choice::Auto`](super::Choice::Auto) selects the CPU, because no GPU was found.
    NoGpu,
    /// [`Choice::Gpu`](super::Choice::Gpu) selects this software driver.
    SoftwareGpu(String),
    /// No selftest result of the GPU is cached.
    Untested,
    /// A selftest result of the GPU is cached, and its verdict is applied.
    Tested(Verdict),
    /// The kernels of this GPU are being tuned, which takes a while.
    Tuning(String),
    /// These tile classes are disabled, because their cooperative matrices gave wrong products.
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
    /// Whether the notice matters only at the start of a run: the kernels passed or are untested.
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
            Notice::OnlySoftware(name) => {
                write!(formatter, "using the CPU: the only GPU driver, {name}, is software and slower")
            }
            Notice::NoGpu => formatter.write_str("using the CPU: no GPU was found"),
            Notice::SoftwareGpu(name) => {
                write!(formatter, "{name} is a software driver, which is slower")
            }
            Notice::Untested => formatter.write_str("this GPU has not been tested yet"),
            Notice::Tested(verdict) => formatter.write_str(&verdict.summary()),
            Notice::Tuning(name) => write!(formatter, "tuning kernels for {name} (one-time)"),
            Notice::WrongMatrices { gpu, classes } => {
                write!(formatter, "cooperative matrices are wrong on {gpu}: disabled {}", classes.join(", "))
            }
            Notice::NotCached(error) => write!(formatter, "the result could not be cached: {error}"),
        }
    }
}
