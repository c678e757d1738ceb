//! Whether a device's gradients are the slopes of the loss, on a user's own configuration.
//!
//! The slopes are central differences of a forward pass in f64 (`wide`), which runs no f32 code of
//! the ops. The gradients are the changes of the parameters in one step of the run's own plan, with
//! plain SGD. If a layer's backward pass, an epilogue or a kernel is wrong, the tensors of that
//! layer and of those before it differ, and those behind it do not.
//!
//! A ReLU has no slope at zero, and a max pool none where two cells are the largest. Images that
//! bring a value close to such a kink are left out, since float32 may be on the other side of it;
//! the differences are taken on the [piece](pieces) of the function that the images are on.

mod batch;
mod pieces;
mod values;
mod wide;

use std::collections::HashMap;
use std::ops::RangeInclusive;

use batch::Batch;
use wide::{Place, Target, Trace, WideModel};

use super::program::Builder;
use super::resident::write_normalisation;
use super::{tensors, whitening};
use crate::augmentation::Augmentation;
use crate::checkpoint::read_model;
use crate::config::{Config, Init};
use crate::data::{Dataset, Normalisation, Split};
use crate::device::Device;
use crate::error::Result;
use crate::nn::ModelSpec;
use crate::nn::init::ParameterKind;
use crate::optim::{Groups, Optimizer, Recipe};
use crate::plan::{Launch, StepRecord};
use crate::tensor::Element;
use crate::train::step::{SplitSize, Training};

/// Most images of the batch.
const MOST_IMAGES: usize = 64;

/// Values that are compared of one tensor, or all values where it has fewer.
const SAMPLES: RangeInclusive<usize> = 10..=100;

/// Float64 is slow: images are fewer where a pass would have more multiplications and additions
/// than this, samples where all passes together would.
const MOST_OPERATIONS: u64 = 200_000_000;
const MOST_OF_ALL: u64 = 100_000_000_000;

/// How far a value goes to either side, as in PyTorch's `gradcheck`.
const STEP: f64 = 1e-6;

/// What a gradient may be off by, relative to the slope as in PyTorch's `gradcheck`, and relative
/// to the tensor's largest slope, because float32 sums of numbers of that size.
const RELATIVE: f64 = 1e-3;
const OF_LARGEST: f64 = 1e-5;

/// And relative to the model's largest slope: what a bias adds in front of a batch norm is taken
/// away again, and what is left of its gradient is the rounding of others'.
const OF_MODELS_LARGEST: f64 = 1e-6;

/// The learning rate of the step whose change is the gradient: so large that the rounding of the
/// parameter is far below that of the gradient.
const RATE: f32 = 1024.0;

/// What was compared, tensor by tensor.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GradientCheck {
    /// Images in the batch.
    pub images: usize,
    /// Images that were passed over because a ReLU or a max pool is at a kink for them.
    pub left_out: usize,
    /// The mean loss of the batch, L2 penalty not included: by float64, and by the device.
    pub losses: [f64; 2],
    /// Every trained tensor, first layer first.
    pub tensors: Vec<CheckedTensor>,
}

/// How a tensor's gradient compares with slopes.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CheckedTensor {
    /// PyTorch's name: `0.weight`.
    pub name: String,
    /// Sizes.
    pub shape: Vec<usize>,
    /// Values that were compared.
    pub checked: usize,
    /// The largest slope's magnitude.
    pub largest_slope: f64,
    /// The largest difference between gradient and slope.
    pub largest_error: f64,
    /// The largest difference as a share of what it may be: at most 1 where the gradient is right.
    pub of_tolerance: f64,
}

impl CheckedTensor {
    /// Whether the gradient is the slope.
    pub fn is_right(&self) -> bool {
        // NaN is no small number.
        self.of_tolerance <= 1.0
    }
}

impl GradientCheck {
    /// Whether the device computes the loss that float64 does.
    pub fn loss_is_right(&self) -> bool {
        let [wanted, got] = self.losses;
        (got - wanted).abs() <= 1e-5 * wanted.abs().max(1.0)
    }

    /// Whether loss and gradients are right.
    pub fn is_right(&self) -> bool {
        self.loss_is_right() && self.tensors.iter().all(CheckedTensor::is_right)
    }
}

/// Compares the gradients that `device` computes with slopes: for the model, first weights, data,
/// L2 penalty, label smoothing and batch of `config` (at most 64 images).
///
/// # Errors
/// Where model, data, first weights and device do not fit each other; [`ErrorKind::Data`](crate::ErrorKind::Data) where
/// every image is at a kink.
pub fn check_gradients(config: &Config, dataset: Dataset, device: &dyn Device) -> Result<GradientCheck> {
    let shape = dataset.shape;
    let most = config.batch_size.min(dataset.train.len()).min(MOST_IMAGES);
    let spec = ModelSpec::parse(&config.model, dataset.classes.len())?;
    spec.check_sizes(shape.into(), most)?;
    spec.check_batch_norm(shape.into(), most)?;
    // A batch norm that sees one value of each image has no variance of a single one.
    let least = if spec.check_batch_norm(shape.into(), 1).is_ok() { 1 } else { 2 };
    let mut builder = Builder::new(&spec, shape);
    let operations = builder.model.summary().operations.max(1);
    // Two, where a batch norm has more than one value to normalise.
    let rows = most.min((MOST_OPERATIONS / operations).max(2) as usize);
    let optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let training = Training {
        batch: rows,
        recipe: Recipe {
            optimizer,
            groups: Groups::default(),
            l2: config.l2,
            clip_norm: None,
            learning_rate: 1.0,
        },
        averaged: false,
        label_smoothing: config.label_smoothing,
        augmentation: Augmentation::default(),
        // Slopes are of a function, which training with dropout is not.
        dropout: None,
        element: Element::F32,
        is_constant: false,
    };
    let size = SplitSize { count: rows, shape, largest: device.largest_tensor() };
    let pass = builder.train_batches(size, training)?;
    builder.plan.share_scratch(&[]);
    let Builder { plan, model, normalisation: factors, .. } = builder;

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
    tensors::write_first_weights(&mut *session, &model, config, file.as_ref())?;
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
            ParameterKind::Bias | ParameterKind::Gain | ParameterKind::Shift => 0.0,
        };
        let compared = samples(gradient.len(), most).into_iter().map(|index| {
            let place = Place { parameter: parameter.tensor, index };
            let slope = slope(&mut wide, place, &mut trace, target);
            // Of the penalty, a parabola, the slope is known.
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

/// Indices of the values that are compared, at most so many: multiples of the golden ratio, which
/// fall evenly over the tensor and on no row or column more than on others.
fn samples(length: usize, most: usize) -> Vec<usize> {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    if length <= most {
        return (0..length).collect();
    }
    let place = |sample: u64| (u128::from(sample.wrapping_mul(GOLDEN)) * length as u128) >> 64;
    (0..most as u64).map(|sample| place(sample) as usize).collect()
}

/// The split with as many images as the plan declared; the step does not reach those added.
fn filled(mut split: Split, images: usize, pixels: usize) -> Split {
    split.images.resize(images * pixels, 0);
    split.labels.resize(images, 0);
    split
}

/// The central difference of the loss.
fn slope(wide: &mut WideModel, place: Place, trace: &mut Trace, target: Target<'_>) -> f64 {
    let [above, below] = [STEP, -STEP].map(|change| target.loss(&wide.with_change(place, change, trace)));
    (above - below) / (2.0 * STEP)
}

/// The largest magnitude among pairs of slope and gradient.
fn largest_slope<'a>(pairs: impl IntoIterator<Item = &'a (f64, f64)>) -> f64 {
    pairs.into_iter().fold(0.0, |largest, (slope, _)| largest.max(slope.abs()))
}

impl CheckedTensor {
    /// From pairs of slope and gradient, and the largest slope of the model.
    fn of(name: String, shape: Vec<usize>, pairs: &[(f64, f64)], models_largest: f64) -> Self {
        let largest_slope = largest_slope(pairs);
        let least = OF_LARGEST * largest_slope + OF_MODELS_LARGEST * models_largest + f64::MIN_POSITIVE;
        let error = |&(slope, gradient): &(f64, f64)| (slope - gradient).abs();
        let share = |pair: &(f64, f64)| error(pair) / (RELATIVE * pair.0.abs() + least);
        // A NaN among them must not be lost.
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
