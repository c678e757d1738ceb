//! The value `auto`: settings whose values are computed from the training images once these are
//! known.
//!
//! | key | `auto` is |
//! | --- | --- |
//! | `epochs` | 1600 / sqrt(images), from 10 to 100: four times the images take twice the time |
//! | `batch-size` | the largest power of two that leaves 32 steps an epoch, from 8 to 128 |
//! | `crop` | an eighth of the shorter side |
//! | `model` | stride-2 convolutions down to at most 32 pixels, then four convolutions |
//! | `clip-norm` | 1 for smaller batches or larger images than the preset's own, else none |
//!
//! A learning rate that suits a preset's own data set can be far too high for smaller batches,
//! whose gradients are noisier, and for larger images, whose gradients are larger. Clipping bounds
//! the step. It does not apply to runs that match the setup the preset was tuned for.

use super::key::Key;
use super::presets::Preset;
use super::settings::{Origin, Setting, Settings};
use super::value::{AUTO, Value};
use crate::data::{Catalogue, ImageShape};
use crate::text::human;

/// Product of the number of epochs and the square root of the number of images.
const EPOCHS: f64 = 1600.0;

/// Minimum number of steps per epoch, if there are enough images.
const STEPS: usize = 32;

/// Divisor of the shorter side that gives the largest random shift.
const CROP: usize = 8;

/// Largest shorter side of feature maps that are convolved without a stride.
const FULL_SIDE: usize = 32;

/// Global gradient norm used when `auto` turns clipping on.
const CLIP_NORM: f32 = 1.0;

/// The properties of the training images that `auto` depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingSet {
    /// Number of training images, without those that are held out.
    pub images: usize,
    /// Shape of each image.
    pub shape: ImageShape,
}

/// Placeholder used before the images are known, so that the configuration can be checked.
const UNKNOWN: TrainingSet =
    TrainingSet { images: 1000, shape: ImageShape { channels: 3, height: 64, width: 64 } };

impl Setting {
    /// Whether the value of `key` is still `auto`, to be computed from the training images.
    pub fn is_open(&self, key: Key) -> bool {
        key.kind().takes_auto() && matches!(&self.value, Value::Text(text) if text == AUTO)
    }
}

/// Removes the preset's clipping if its learning rate or its model is replaced. The recipe is then
/// no longer the preset's. A recorded configuration names both, so it resolves to the same values
/// when it is read again.
pub(super) fn without_needless_clipping(settings: Settings) -> Settings {
    let is_said = |key| settings.get(key).is_some_and(Setting::is_said);
    let is_open = settings.get(Key::ClipNorm).is_some_and(|setting| setting.is_open(Key::ClipNorm));
    let is_replaced = is_said(Key::Lr) || is_said(Key::Model);
    let is_needless = is_open && !is_said(Key::ClipNorm) && is_replaced;
    settings.filter(|key| !(key == Key::ClipNorm && is_needless))
}

/// Replaces each `auto` with a plain value and removes the keys that have none. Without a training
/// set, the values are those for a data set of typical size.
pub(super) fn settle(settings: Settings, set: Option<&TrainingSet>) -> Settings {
    let TrainingSet { images, shape } = *set.unwrap_or(&UNKNOWN);
    let number = || format!("{} training images", human::count(images as u64));
    let size = || format!("images of {}", side_by_side(shape));
    let count = |count: usize| Value::Whole(count as u64);
    let mut settled = settings;
    // The order matters, because clipping depends on the batch size.
    for key in Key::ALL {
        if !settled.get(key).is_some_and(|setting| setting.is_open(key)) {
            continue;
        }
        let found = match key {
            Key::Epochs => Some((count(epochs(images)), number())),
            Key::BatchSize => Some((count(batch_size(images)), number())),
            Key::Crop => Some((count(shape.shorter_side() / CROP), size())),
            Key::Model => Some((Value::Text(model(shape)), size())),
            Key::ClipNorm => set
                .and_then(|set| reason_to_clip(&settled, set.shape))
                .map(|reason| (Value::Number(CLIP_NORM), reason)),
            _ => unreachable!("{} has no value that follows from the images", key.name()),
        };
        match found {
            Some((value, reason)) => settled.set(key, value, Origin::Auto(reason)),
            None => settled = settled.filter(|other| other != key),
        }
    }
    settled
}

fn side_by_side(ImageShape { channels, height, width }: ImageShape) -> String {
    format!("{channels}x{height}x{width}")
}

fn epochs(images: usize) -> usize {
    (EPOCHS / (images.max(1) as f64).sqrt()).round().clamp(10.0, 100.0) as usize
}

fn batch_size(images: usize) -> usize {
    let most = (images / STEPS).clamp(8, 128);
    1 << most.ilog2()
}

/// Returns four convolutions as in the preset `cifar10-cnn`, followed by global average pooling, so
/// that images of any size fit.
fn model(shape: ImageShape) -> String {
    let mut side = shape.shorter_side();
    let mut layers = Vec::new();
    while side > FULL_SIDE {
        layers.push("conv:16x3s2,batchnorm,relu");
        side = side.div_ceil(2);
    }
    for convolution in ["conv:32x3,batchnorm,relu", "conv:64x3,batchnorm,relu"] {
        layers.push(convolution);
        // A map of a single row cannot be halved.
        if side >= 2 {
            layers.push("maxpool:2");
            side /= 2;
        }
    }
    layers.push("conv:128x3,batchnorm,relu,residual(conv:128x3,batchnorm,relu),globalavgpool");
    layers.join(",")
}

/// Returns why the preset's learning rate may be too high, or `None` if it is not. It may be too
/// high if the run's batches are smaller or its images larger than those the preset was tuned for.
fn reason_to_clip(settings: &Settings, shape: ImageShape) -> Option<String> {
    let whole = |settings: &Settings, key| match settings.get(key) {
        Some(Setting { value: Value::Whole(number), .. }) => Some(*number),
        _ => None,
    };
    let name = settings.text(Key::Preset)?;
    let own = Preset::named(name)?.settings().ok()?;
    let own_batch = whole(&own, Key::BatchSize)?;
    let own_shape = Catalogue::built_in().find(own.text(Key::Data)?)?.shape();
    let is_other = whole(settings, Key::BatchSize)? < own_batch || shape.pixels() > own_shape.pixels();
    is_other.then(|| {
        let own_shape = side_by_side(own_shape);
        format!("the learning rate of preset {name} is for batches of {own_batch} images of {own_shape}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::resolve::tests::resolve_file;
    use crate::config::{Resolved, Sources, complete, presets, said};
    use crate::nn::ModelSpec;

    fn resolved(flags: &[(Key, &str)]) -> Resolved {
        let mut settings = Settings::default();
        for (key, value) in flags {
            settings.set_text(*key, value.as_ref(), Origin::Caller).expect("the value is allowed");
        }
        let sources = Sources { flags: settings, environment: &|_| None, file: None };
        complete(said(sources).expect("the values are allowed")).expect("they go together")
    }

    fn set(images: usize, channels: usize, side: usize) -> TrainingSet {
        TrainingSet { images, shape: ImageShape { channels, height: side, width: side } }
    }

    #[test]
    fn few_images_are_seen_more_often_and_in_small_batches() {
        for (images, expected_epochs, expected_batch) in [
            (0, 100, 8),
            (6, 100, 8),
            (100, 100, 8),
            (672, 62, 16),
            (1438, 42, 32),
            (4000, 25, 64),
            (50_000, 10, 128),
            (10_000_000, 10, 128),
        ] {
            assert_eq!((epochs(images), batch_size(images)), (expected_epochs, expected_batch), "{images}");
        }
    }

    #[test]
    fn the_model_fits_images_of_every_size() {
        let sides = (1..=256).map(|side| [side, side]);
        for [height, width] in sides.chain([[8, 64], [200, 4], [1, 300], [33, 500]]) {
            let shape = ImageShape { channels: 1, height, width };
            let spec = ModelSpec::parse(&model(shape), 2).expect("it is a model");
            spec.check_sizes(shape.into(), 8).unwrap_or_else(|error| panic!("{height}x{width}: {error}"));
        }
    }

    #[test]
    fn every_auto_is_settled_and_recorded_as_a_plain_value() {
        let before = resolved(&[(Key::Preset, presets::PICTURES), (Key::Data, "flowers")]);
        for key in [Key::Epochs, Key::BatchSize, Key::Crop, Key::Model] {
            assert!(before.settings.get(key).is_some_and(|setting| setting.is_open(key)), "{}", key.name());
        }
        let settled = before.settle(&set(1438, 1, 8));
        let config = &settled.config;
        assert_eq!((config.epochs, config.batch_size, config.crop), (42, 32, 1));
        assert!(!config.to_toml().contains(AUTO), "{}", config.to_toml());
        let origin = &settled.settings.get(Key::Epochs).expect("it is set").origin;
        assert_eq!(origin.to_string(), "auto: 1,438 training images");
        assert_eq!(settled.clone().settle(&set(1, 3, 99)), settled, "plain values stay");
    }

    #[test]
    fn what_somebody_said_is_not_replaced() {
        let flags = [(Key::Preset, presets::PICTURES), (Key::Epochs, "3"), (Key::Model, "linear:8")];
        let config = resolved(&flags).settle(&set(1438, 1, 8)).config;
        assert_eq!((config.epochs, config.model.as_str(), config.batch_size), (3, "linear:8", 32));
        let config = resolved(&[(Key::Epochs, AUTO), (Key::Crop, AUTO)]).settle(&set(50_000, 1, 28)).config;
        assert_eq!((config.epochs, config.crop, config.batch_size), (10, 3, 64), "of any preset");
    }

    #[test]
    fn presets_clip_gradients_only_where_their_rate_may_be_too_high() {
        let clipped = |flags: &[(Key, &str)], set: &TrainingSet| {
            let flags = [&[(Key::Preset, "cifar10-mlp")], flags].concat();
            resolved(&flags).settle(set).config.clip_norm
        };
        let own = set(50_000, 3, 32);
        assert_eq!(clipped(&[], &own), None, "as it was measured");
        assert_eq!(clipped(&[], &set(100, 3, 32)), None, "the number of images is no reason");
        assert_eq!(clipped(&[], &set(50_000, 3, 16)), None);
        assert_eq!(clipped(&[(Key::BatchSize, "256")], &own), None);
        assert_eq!(clipped(&[(Key::BatchSize, "32")], &own), Some(1.0));
        assert_eq!(clipped(&[], &set(672, 3, 64)), Some(1.0));
        assert_eq!(clipped(&[(Key::BatchSize, "32"), (Key::ClipNorm, "5")], &own), Some(5.0));
        assert_eq!(clipped(&[(Key::BatchSize, "32"), (Key::Lr, "0.1")], &own), None, "a rate that was said");
        assert_eq!(clipped(&[(Key::BatchSize, "32"), (Key::Model, "linear:8")], &own), None, "another model");
    }

    /// A run is resumed from its recorded configuration, which contains every value.
    #[test]
    fn a_recorded_configuration_means_the_same_when_it_is_read_again() {
        for preset in presets::ALL {
            for set in [set(50_000, 3, 32), set(672, 3, 64)] {
                let flags = [(Key::Preset, preset.name), (Key::Data, "flowers"), (Key::BatchSize, "4")];
                let config = resolved(&flags).settle(&set).config;
                let again = resolve_file(&config.to_toml()).expect("its own text");
                assert_eq!(again.config, config, "{}", preset.name);
                assert_eq!(again.settle(&set).config, config, "{}", preset.name);
            }
        }
    }
}
