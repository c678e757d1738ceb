//! The list of all presets.

use crate::text::named::names_of;

/// The preset that applies if none is named.
pub const DEFAULT: &str = "fashion-mnist";

/// The preset for a folder of pictures if none is named.
pub const PICTURES: &str = "pictures";

/// A named recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name that `train` accepts.
    pub name: &'static str,
    /// The text of the TOML file, including its comments.
    pub text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// The names of all presets.
pub const NAMES: [&str; ALL.len()] = names_of!(ALL);
