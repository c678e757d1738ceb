//! What `--help` has in common for all commands, and the help of flags that set something.

use crate::config::Key;

/// Layout of a command's help: what it does, then examples, then the rest.
pub(super) const TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// What the flag of a key does, in one line: the key's help, with flags and commands where the
/// library has none.
pub(super) fn of_key(key: Key) -> &'static str {
    match key {
        Key::Preset => "Start from this preset's values [see: shadegrad config presets]",
        Key::Data => "Train on a known data set or on a folder [see: shadegrad data list]",
        Key::StepEvery => "Steps (500) or epochs (30e) after which `--schedule step` lowers the rate",
        Key::StepFactor => "What `--schedule step` multiplies the learning rate by",
        Key::Patience => {
            "Stop after this many epochs without improvement [needs: --validation, or data with val/]"
        }
        Key::Device => {
            "What to train on: auto, cpu, gpu, an index or part of a name [see: shadegrad devices]"
        }
        _ => key.help(),
    }
}
