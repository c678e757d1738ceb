//! The configuration of a run, merged from defaults, a preset, a TOML file, the environment and
//! flags.
//!
//! [`Key`] is the table of all settings. Each key is a line of a TOML file and a flag of the same
//! name. [`Settings`] holds the values of one source and where each came from. [`resolve()`] merges
//! the sources into the [`Config`] that a run depends on.
//!
//! ```
//! use shadegrad::config::{ConfigFile, Key, Origin, Value};
//!
//! let file = ConfigFile::parse("lr = 0.1", |_, _| Origin::Default)?;
//! let setting = file.settings.get(Key::Lr).expect("the file sets it");
//! assert_eq!(setting.value, Value::Number(0.1));
//! # Ok::<(), shadegrad::Error>(())
//! ```

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
pub use choices::{Init, Monitor, Validation};
pub use configuration::Config;
pub use file::ConfigFile;
pub use interval::Interval;
pub use key::Key;
pub use kind::{Kind, Written};
pub use paths::absolute_data;
pub use resolve::{Sources, complete, resolve, said};
pub use resolved::Resolved;
pub use settings::{Difference, Origin, Setting, Settings};
pub use value::Value;
