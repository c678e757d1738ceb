//! The list of all presets.

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

/// All presets.
pub const ALL: [Preset; 9] = [
    Preset { name: DEFAULT, text: include_str!("../../presets/fashion-mnist.toml") },
    Preset { name: PICTURES, text: include_str!("../../presets/pictures.toml") },
    Preset { name: "fashion-mnist-cnn", text: include_str!("../../presets/fashion-mnist-cnn.toml") },
    Preset { name: "cifar10-cnn", text: include_str!("../../presets/cifar10-cnn.toml") },
    Preset { name: "cifar10-resnet9", text: include_str!("../../presets/cifar10-resnet9.toml") },
    Preset { name: "cifar10-speedrun", text: include_str!("../../presets/cifar10-speedrun.toml") },
    Preset { name: "cifar10-mlp", text: include_str!("../../presets/cifar10-mlp.toml") },
    Preset { name: "lab-fashion-mnist", text: include_str!("../../presets/lab-fashion-mnist.toml") },
    Preset { name: "lab-cifar10", text: include_str!("../../presets/lab-cifar10.toml") },
];

/// The names of all presets.
pub const NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = ALL[index].name;
        index += 1;
    }
    names
};
