//! One validated configuration, made from defaults, a preset, a TOML file, the environment and flags.
//!
//! [`Key`] is the one table of what can be set; each key is a line of a TOML file and a flag of the
//! same name. [`Settings`] holds what one source says, with where it was said; [`resolve()`] puts
//! the sources on top of each other and makes the [`Config`] that a run depends on.

mod automatic;
mod choices;
mod configuration;
mod convert;
mod file;
mod interval;
mod key;
mod kind;
mod paths;
mod preset_list;
pub mod presets;
mod resolve;
mod resolved;
mod settings;
mod value;

pub use automatic::TrainingSet;
pub use choices::{Monitor, Validation};
pub use configuration::{Config, Init};
pub use file::ConfigFile;
pub use interval::Interval;
pub use key::Key;
pub use kind::{Kind, Written};
pub use paths::absolute_data;
pub use resolve::{Sources, complete, resolve, said};
pub use resolved::Resolved;
pub use settings::{Difference, Origin, Setting, Settings};
pub use value::Value;
