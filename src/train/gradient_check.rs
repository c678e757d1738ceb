//! Checks a device's gradients against finite differences of the loss, for a user's configuration.
//!
//! The reference is central differences of a float64 forward pass (`wide`) that runs no f32 code of
//! the ops. The gradients are the change of the parameters in one plain SGD step of the run's own
//! plan. If a layer's backward pass, an epilogue or a kernel is wrong, the tensors of that layer
//! and of those before it differ.
//!
//! A ReLU has no derivative at zero, and a max pool has none if two cells are the largest. Images
//! with a value close to such a kink are left out, because f32 may be on the other side of it. The
//! differences are taken on the linear [piece](pieces) of the function that the images are on.

mod batch;
mod pieces;
mod values;
mod wide;

use std::collections::HashMap;
use std::ops::RangeInclusive;

use batch::Batch;
use wide::{Place, Target, Trace, WideModel};

use super::dataset_on_device::write_normalisation;
use super::program::RunPlanBuilder;
use super::{tensors, whitening};
use crate::augmentation::Augmentation;
use crate::checkpoint::read_model;
use crate::config::{Config, Init};
use crate::data::{Dataset, Normalisation, Split};
use crate::device::Device;
use crate::error::Result;
use crate::nn::{ModelSpec, ParameterKind};
use crate::optim::{Algorithm, Groups, Optimizer, Recipe};
use crate::plan::{Launch, StepRecord};
use crate::tensor::Element;
use crate::train::step::{SplitSize, TrainStepOptions};

/// Maximum number of images in the batch.
const MOST_IMAGES: usize = 64;

/// Number of values that are compared per tensor; all values if it has fewer.
const SAMPLES: RangeInclusive<usize> = 10..=100;

/// Limits for float64, which is slow: multiply-adds per pass, which limits the number of images,
/// and multiply-adds of all passes together, which limits the number of samples.
const MOST_OPERATIONS: u64 = 200_000_000;
const MOST_OF_ALL: u64 = 100_000_000_000;

/// Step of the central differences, as in PyTorch's `gradcheck`.
const STEP: f64 = 1e-6;

/// Tolerance of a gradient, relative to the finite difference as in PyTorch's `gradcheck`, and
/// relative to the tensor's largest one, because of rounding in f32 sums of that magnitude.
const RELATIVE: f64 = 1e-3;
const OF_LARGEST: f64 = 1e-5;

/// Tolerance relative to the largest finite difference of the model. A batch norm cancels the bias
/// in front of it, so that bias has a gradient of rounding errors only.
const OF_MODELS_LARGEST: f64 = 1e-6;

/// Learning rate of the step whose change is the gradient. It is so large that rounding of the
/// parameters is far below that of the gradients.
const RATE: f32 = 1024.0;

/// Result of a gradient check.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GradientCheck {
    /// Number of images in the batch.
    pub images: usize,
    /// Number of images that were left out because a ReLU or a max pool is at a kink.
    pub left_out: usize,
    /// Mean loss of the batch, without the L2 penalty: by float64, then by the device.
    pub losses: [f64; 2],
    /// All trained tensors, first layer first.
    pub tensors: Vec<CheckedTensor>,
}

/// Comparison of one tensor's gradient with finite differences.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CheckedTensor {
    /// PyTorch's name of the tensor: `0.weight`.
    pub name: String,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// Number of values that were compared.
    pub checked: usize,
    /// Largest magnitude among the finite differences.
    pub largest_slope: f64,
    /// Largest difference between gradient and finite difference.
    pub largest_error: f64,
    /// Largest difference as a fraction of the tolerance; at most 1 if the gradient is right.
    pub of_tolerance: f64,
}

impl CheckedTensor {
    /// Whether the gradient is within the tolerance.
    pub fn is_right(&self) -> bool {
        // This is false for NaN.
        self.of_tolerance <= 1.0
    }
}

impl GradientCheck {
    /// Whether the device's loss equals that of float64.
    pub fn loss_is_right(&self) -> bool {
        let [wanted, got] = self.losses;
        (got - wanted).abs() <= 1e-5 * wanted.abs().max(1.0)
    }

    /// Whether the loss and all gradients are right.
    pub fn is_right(&self) -> bool {
        self.loss_is_right() && self.tensors.iter().all(CheckedTensor::is_right)
    }
}

/// Compares the gradients of `device` with finite differences, for the model, initial weights,
/// data, L2 penalty, label smoothing and batch size of `config` (at most 64 images).
///
/// # Errors
/// If model, data, initial weights and device do not fit each other;
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if every image is at a kink.
pub fn check_gradients(config: &Config, dataset: Dataset, device: &dyn Device) -> Result<GradientCheck> {
    let shape = dataset.shape;
    let most = config.batch_size.min(dataset.train.len()).min(MOST_IMAGES);
    let spec = ModelSpec::parse(&config.model, dataset.classes.len())?;
    spec.check_sizes(shape.into(), most)?;
    spec.check_batch_norm(shape.into(), most)?;
    // A batch norm that sees one value per image has no variance in a batch of one.
    let least = if spec.check_batch_norm(shape.into(), 1).is_ok() { 1 } else { 2 };
    let mut builder = RunPlanBuilder::new(&spec, shape);
    let operations = builder.model.summary().operations.max(1);
    // At least two images, so that a batch norm has more than one value to normalise.
    let rows = most.min((MOST_OPERATIONS / operations).max(2) as usize);
    let training = TrainStepOptions {
        batch: rows,
        recipe: Recipe {
            optimizer: Optimizer::new(Algorithm::Sgd),
            groups: Groups::default(),
            l2: config.l2,
            clip_norm: None,
            learning_rate: 1.0,
        },
        averaged: false,
        label_smoothing: config.label_smoothing,
        augmentation: Augmentation::default(),
        // Dropout is random, so it has no finite differences.
        dropout: None,
        element: Element::F32,
        is_constant: false,
    };
    let size = SplitSize { count: rows, shape, largest: device.largest_tensor() };
    let pass = builder.train_batches(size, training)?;
    builder.plan.share_scratch(&[]);
    let RunPlanBuilder { plan, model, normalisation: factors, .. } = builder;

    let mut session = device.load(plan)?;
    let normalisation = Normalisation::of(config.normalize, &dataset);
    write_normalisation(&mut *session, factors, &normalisation)?;
    let file = match &config.init {
        Init::File(path) => Some(read_model(path)?.1),
        Init::Rule(_) => {
            whitening::write(&mut *session, &model, &dataset.train, shape, &normalisation)?;
            None
        }
    };
    tensors::write_initial_weights(&mut *session, &model, config, file.as_ref())?;
    let read = |session: &mut dyn crate::device::Session| -> Result<Vec<Vec<f32>>> {
        model.parameters().map(|parameter| Ok(session.read(parameter.tensor)?.into_f32())).collect()
    };
    let before = read(&mut *session)?;
    let wide_values = |values: &Vec<f32>| values.iter().map(|&value| value.into()).collect();
    let parameters = model.parameters().zip(&before);
    let parameters = parameters.map(|(parameter, values)| (parameter.tensor, wide_values(values)));
    let mut parameters: HashMap<_, _> = parameters.collect();
    if let Some(filters) = model.whitening() {
        parameters.insert(filters, wide_values(&session.read(filters)?.into_f32()));
    }
    let mut wide = WideModel::new(model.modules(), parameters);
    let Batch { split, mut trace, left_out } =
        batch::smooth(&wide, &dataset, &normalisation, model.input(), least..=rows)?;
    let declared = rows;
    let (labels, rows) = (split.labels.clone(), split.len());
    let target = Target { labels: &labels, smoothing: config.label_smoothing.into() };
    let wanted_loss = target.loss(trace.logits());

    pass.split.write(&mut *session, filled(split, declared, shape.pixels()), shape)?;
    let record = StepRecord {
        first: 0,
        rows: rows as u32,
        slot: 0,
        row_weight: 1.0 / rows as f32,
        learning_rate: RATE,
        ..StepRecord::default()
    };
    let ticket = session.submit(&[Launch { step: pass.step, record }], &[pass.metrics], 1)?;
    let metrics = session.finish(ticket)?;
    let loss = metrics[0].chunks_exact(2).map(|pair| f64::from(pair[0])).sum();
    let after = read(&mut *session)?;

    let gradients = before.iter().zip(&after).map(|(before, after)| {
        let change = |(&before, &after): (&f32, &f32)| f64::from(before) - f64::from(after);
        before.iter().zip(after).map(change).map(|change| change / f64::from(RATE)).collect::<Vec<f64>>()
    });
    let passes = 2 * model.parameters().count() as u64 * rows as u64 * operations;
    let most = ((MOST_OF_ALL / passes) as usize).clamp(*SAMPLES.start(), *SAMPLES.end());
    let compared = model.parameters().zip(gradients).map(|(parameter, gradient)| {
        let penalty = match parameter.kind {
            ParameterKind::Weight => f64::from(config.l2),
            ParameterKind::Bias | ParameterKind::NormWeight | ParameterKind::NormBias => 0.0,
        };
        let compared = samples(gradient.len(), most).into_iter().map(|index| {
            let place = Place { parameter: parameter.tensor, index };
            let slope = slope(&mut wide, place, &mut trace, target);
            // The penalty is a parabola with a known derivative.
            (slope + penalty * wide.value(place), gradient[index])
        });
        compared.collect::<Vec<(f64, f64)>>()
    });
    let compared: Vec<Vec<(f64, f64)>> = compared.collect();
    let largest = largest_slope(compared.iter().flatten());
    let tensors = model.parameters().zip(&compared).map(|(parameter, compared)| {
        let name = session.plan().name(parameter.tensor).to_owned();
        CheckedTensor::of(name, parameter.tensor.shape().sizes().to_vec(), compared, largest)
    });
    let tensors = tensors.collect();
    Ok(GradientCheck { images: rows, left_out, losses: [wanted_loss, loss], tensors })
}

/// Indices of at most `most` values to compare. Multiples of the golden ratio spread evenly over
/// the tensor and favour no row or column.
fn samples(length: usize, most: usize) -> Vec<usize> {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    if length <= most {
        return (0..length).collect();
    }
    let place = |sample: u64| (u128::from(sample.wrapping_mul(GOLDEN)) * length as u128) >> 64;
    (0..most as u64).map(|sample| place(sample) as usize).collect()
}

/// Pads the split to the number of images that the plan declared; the step does not use the added
/// ones.
fn filled(mut split: Split, images: usize, pixels: usize) -> Split {
    split.images.resize(images * pixels, 0);
    split.labels.resize(images, 0);
    split
}

/// Central difference of the loss.
fn slope(wide: &mut WideModel, place: Place, trace: &mut Trace, target: Target<'_>) -> f64 {
    let [above, below] = [STEP, -STEP].map(|change| target.loss(&wide.with_change(place, change, trace)));
    (above - below) / (2.0 * STEP)
}

/// The largest magnitude among pairs of slope and gradient.
fn largest_slope<'a>(pairs: impl IntoIterator<Item = &'a (f64, f64)>) -> f64 {
    pairs.into_iter().fold(0.0, |largest, (slope, _)| largest.max(slope.abs()))
}

impl CheckedTensor {
    /// Compares pairs of finite difference and gradient; `models_largest` is the largest finite
    /// difference of the model.
    fn of(name: String, shape: Vec<usize>, pairs: &[(f64, f64)], models_largest: f64) -> Self {
        let largest_slope = largest_slope(pairs);
        let least = OF_LARGEST * largest_slope + OF_MODELS_LARGEST * models_largest + f64::MIN_POSITIVE;
        let error = |&(slope, gradient): &(f64, f64)| (slope - gradient).abs();
        let share = |pair: &(f64, f64)| error(pair) / (RELATIVE * pair.0.abs() + least);
        // Keeps a NaN, which `f64::max` would drop.
        let worst = |one: f64, other: f64| if one.is_nan() || one > other { one } else { other };
        CheckedTensor {
            name,
            shape,
            checked: pairs.len(),
            largest_slope,
            largest_error: pairs.iter().map(error).fold(0.0, worst),
            of_tolerance: pairs.iter().map(share).fold(0.0, worst),
        }
    }
}
