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
    use crate::config::{Key, Value};

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

    #[test]
    fn the_lab_runs_are_the_ones_that_its_tables_are_from() {
        let check = |name: &str, expected: &[(Key, Value)]| {
            let settings = Preset::named(name).expect("it exists").settings().expect("it is valid");
            for (key, value) in expected {
                assert_eq!(&settings.get(*key).expect("it is set").value, value, "{name} {}", key.name());
            }
        };
        let text = |text: &str| Value::Text(text.into());
        let common = [
            (Key::Normalize, text("unit")),
            (Key::Model, text("linear:100,relu,linear:10")),
            (Key::Optimizer, text("sgd")),
            (Key::Momentum, Value::Number(0.0)),
            (Key::WeightDecay, Value::Number(0.0)),
            (Key::Schedule, text("constant")),
            (Key::Shuffle, Value::Switch(true)),
        ];
        check("lab-cifar10", &common);
        check("lab-fashion-mnist", &common);
        let cifar = [
            (Key::Data, text("cifar10")),
            (Key::Init, text("normal")),
            (Key::BatchSize, Value::Whole(1)),
            (Key::Lr, Value::Number(0.001)),
            (Key::L2, Value::Number(0.01)),
            (Key::Epochs, Value::Whole(20)),
        ];
        check("lab-cifar10", &cifar);
        let fashion = [
            (Key::Data, text("fashion-mnist")),
            (Key::Lr, Value::Number(0.01)),
            (Key::L2, Value::Number(0.0)),
            (Key::Epochs, Value::Whole(10)),
        ];
        check("lab-fashion-mnist", &fashion);
    }
}
