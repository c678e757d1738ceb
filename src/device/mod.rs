//! Devices run plans and move data. There are two, [`cpu`] and [`gpu`], and neither has a method
//! per op: both read what the ops themselves offer.
//!
//! [`Options`] opens one by name, with the results of earlier tuning and selftests.
//!
//! ```
//! use shadegrad::device::{Choice, Options};
//!
//! let device = Options::default().open(&Choice::Cpu)?;
//! assert_eq!(device.info().backend, "cpu");
//! # Ok::<(), shadegrad::Error>(())
//! ```

pub mod choice;
pub mod cpu;
pub mod gpu;
mod info;
mod interface;
pub mod notice;
mod options;
pub mod profile;
mod verdict;

pub use choice::Choice;
pub use info::{DeviceInfo, DeviceKind};
pub use interface::{Device, MOST_LAUNCHES, Session, Ticket};
pub use notice::Notice;
pub use options::Options;
pub use verdict::{SelftestSummary, Verdict};
