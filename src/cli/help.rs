//! What `--help` has in common for all commands, and the help of flags that set something.

use crate::config::Key;

/// Layout of a command's help: what it does, then examples, then the rest.
pub(super) const TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// What the flag of a key does, in one line: the key's help, with flags and commands where the
/// library has none.
pub(super) fn of_key(key: Key) -> &'static str {
    match key {
        Key::Preset => "Start from the values of a preset [see: shadegrad config presets]",
        Key::Data => "Data set to train on: a known name or a folder of images [see: shadegrad data list]",
        Key::Device => {
            "Device to train on: auto, cpu, gpu, an index or part of a name [see: shadegrad devices]"
        }
        _ => key.help(),
    }
}
