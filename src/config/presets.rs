//! Presets: complete recipes, embedded in the program.
//!
//! ```
//! use shadegrad::config::presets::Preset;
//!
//! let preset = Preset::named("fashion-mnist").expect("it is a preset");
//! assert!(preset.settings()?.iter().count() > 0);
//! # Ok::<(), shadegrad::Error>(())
//! ```

use super::file::ConfigFile;
pub use super::preset_list::{ALL, DEFAULT, NAMES, PICTURES, Preset};
use super::settings::{Origin, Settings};
use crate::error::Result;

impl Preset {
    /// Returns the preset with this name.
    pub fn named(name: &str) -> Option<Preset> {
        ALL.into_iter().find(|preset| preset.name == name)
    }

    /// Returns the values that the preset sets.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if its file contains a mistake.
    pub fn settings(&self) -> Result<Settings> {
        Ok(self.read()?.settings)
    }

    /// Returns a description of the preset, in one line.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if its file contains a mistake.
    pub fn description(&self) -> Result<String> {
        Ok(self.read()?.description.unwrap_or_default())
    }

    fn read(&self) -> Result<ConfigFile> {
        ConfigFile::parse(self.text, |_, _| Origin::Preset(self.name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Key;

    #[test]
    fn every_preset_is_valid_and_says_what_it_is_for() {
        for preset in ALL {
            let settings = preset.settings().expect("a preset is valid");
            for key in [Key::Model, Key::Epochs, Key::BatchSize, Key::Lr] {
                assert!(settings.get(key).is_some(), "{} does not set {}", preset.name, key.name());
            }
            // The user supplies the pictures.
            assert_eq!(settings.get(Key::Data).is_none(), preset.name == PICTURES, "{}", preset.name);
            // A preset must not name another one, which would have to be resolved first, nor a
            // device, which is not part of a recipe.
            for (key, _) in settings.iter() {
                assert!(key.is_of_config() && key != Key::Preset, "{} sets {}", preset.name, key.name());
            }
            assert!(!preset.description().expect("a preset is valid").is_empty(), "{}", preset.name);
        }
    }
}
