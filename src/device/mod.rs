//! Devices run plans and transfer data. There are two, [`cpu`] and [`gpu`]. Neither has a method
//! for each op, because the ops provide their own implementations for both.
//!
//! [`Options`] opens a device by name, and applies the cached results of tuning and selftests.
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
pub mod poison;
pub mod profile;
mod verdict;

pub use choice::Choice;
pub use cpu::Cpu;
pub use info::{DeviceInfo, DeviceKind};
pub use interface::{Device, MOST_LAUNCHES, Session, Ticket};
pub use notice::Notice;
pub use options::Options;
pub use profile::Profile;
pub use verdict::{SelftestSummary, Verdict};
