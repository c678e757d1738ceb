//! The layout of `--help`, and the help of flags that set a configuration key.

use std::borrow::Cow;

use crate::config::Key;

/// Layout of a command's help: its purpose, examples, usage and arguments.
pub(super) const TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// Returns the help of a key's flag in one line: the help of the key, with the names of commands
/// added.
pub(super) fn of_key(key: Key) -> Cow<'static, str> {
    let purpose = match key {
        Key::Preset => "Start from the values of a preset [see: shadegrad config presets]",
        Key::Data => "Data set to train on: a known name or a folder of images [see: shadegrad data list]",
        Key::Device => {
            "Device to train on: auto, cpu, gpu, an index or part of a name [see: shadegrad devices]"
        }
        _ => return key.help(),
    };
    purpose.into()
}
