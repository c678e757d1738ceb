//! Whether a device's gradients are the slopes of the loss, on a user's own configuration.
//!
//! The slopes are central differences of a float64 forward pass (`wide`) that shares nothing with the ops; the
//! gradients are what one step of the run's own plan changes in the parameters, by plain descent. Where a layer's
//! backward pass, an epilogue or a kernel is wrong, its tensors differ and those behind it do not.
//!
//! A ReLU has no slope at zero. Images that bring an input of one close to it are left out, and a value whose change
//! takes one to the other side is counted as a kink and not compared.

mod wide;

use super::program::{Builder, SplitSize, Training};
use super::resident::{Normalisation, write_normalisation};
use super::tensors;
use crate::config::{Config, Groups, Init, Optimizer};
use crate::data::{Dataset, Split};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::init::ParameterKind;
use crate::model::ModelSpec;
use crate::plan::{Launch, StepRecord};
use crate::run::SavedModel;
use wide::{Place, Trace, WideModel};

/// Most images of the batch: float64 is slow.
const MOST_IMAGES: usize = 64;

/// Values that are compared of one tensor; all values of smaller tensors.
const SAMPLES: usize = 100;

/// How far a value goes to either side, as in PyTorch's `gradcheck`.
const STEP: f64 = 1e-6;

/// What a gradient may be off by, relative to the slope as in PyTorch's `gradcheck`, and relative to the tensor's
/// largest slope, because float32 sums of numbers of that size.
const RELATIVE: f64 = 1e-3;
const OF_LARGEST: f64 = 1e-5;

/// The learning rate of the step whose change is the gradient: so large that the rounding of the parameter is far below
/// that of the gradient.
const RATE: f32 = 1024.0;

/// What was compared, tensor by tensor.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GradientCheck {
    /// Images in the batch.
    pub images: usize,
    /// Images that were passed over because a ReLU is at its kink for them.
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
    /// Values that were not, because a ReLU changed its side between the two ends of the difference.
    pub kinks: usize,
    /// The largest slope's magnitude.
    pub largest_slope: f64,
    /// The largest difference between gradient and slope.
    pub largest_error: f64,
    /// The largest difference as a share of what it may be: at most 1 where the gradient is right.
    pub of_tolerance: f64,
}

impl CheckedTensor {
    /// Whether the gradient is the slope; something must have been compared.
    pub fn is_right(&self) -> bool {
        // NaN is no small number.
        self.checked > 0 && self.of_tolerance <= 1.0
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

/// Compares the gradients that `device` computes with slopes: for the model, first weights, data, L2 penalty and batch
/// of `config` (at most 64 images).
///
/// # Errors
/// Where model, data, first weights and device do not fit each other; [`ErrorKind::Data`](crate::ErrorKind::Data) where
/// every image is at a kink.
pub fn check_gradients(config: &Config, dataset: Dataset, device: &dyn Device) -> Result<GradientCheck> {
    let shape = dataset.shape;
    let rows = config.batch_size.min(dataset.train.len()).min(MOST_IMAGES);
    let spec = ModelSpec::parse(&config.model, dataset.classes.len())?;
    spec.check_sizes(shape.into(), rows)?;
    let mut builder = Builder::new(&spec, shape);
    let optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let training = Training {
        batch: rows,
        optimizer,
        groups: Groups::default(),
        averaged: false,
        l2: config.l2,
        clip_norm: None,
        label_smoothing: 0.0,
        constant_rate: None,
    };
    let size = SplitSize { count: rows, shape, largest: device.largest_tensor() };
    let pass = builder.train_batches(size, training)?;
    builder.plan.share_scratch(&[]);
    let Builder { plan, model, normalisation: factors, .. } = builder;

    let mut session = device.load(plan)?;
    let normalisation = Normalisation::of(config.normalize, &dataset);
    write_normalisation(&mut *session, factors, &normalisation)?;
    let file = match &config.init {
        Init::File(path) => Some(SavedModel::read(path)?),
        Init::Rule(_) => None,
    };
    tensors::write_first_weights(&mut *session, &model, config, file.as_ref())?;
    let read = |session: &mut dyn crate::device::Session| -> Result<Vec<Vec<f32>>> {
        model.parameters().map(|parameter| Ok(session.read(parameter.tensor)?.into_f32())).collect()
    };
    let before = read(&mut *session)?;
    let mut wide = WideModel::new(&model.stages(), |tensor| {
        let position = model.parameters().position(|parameter| parameter.tensor == tensor);
        before[position.expect("a stage's tensors are the model's")]
            .iter()
            .map(|&value| value.into())
            .collect()
    });
    let Batch { split, x, left_out } = smooth_images(&wide, &dataset, &normalisation, rows)?;
    let declared = rows;
    let (labels, rows) = (split.labels.clone(), split.len());
    let trace = wide.forward(x, rows);

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
    let tensors = model.parameters().zip(gradients).map(|(parameter, gradient)| {
        let penalty = match parameter.kind {
            ParameterKind::Weight => f64::from(config.l2),
            ParameterKind::Bias | ParameterKind::Gain | ParameterKind::Shift => 0.0,
        };
        let compared = samples(gradient.len()).into_iter().map(|index| {
            let place = Place { parameter: parameter.tensor, index };
            let slope = slope(&mut wide, place, &trace, &labels)?;
            // Of the penalty, a parabola, the slope is known.
            Some((slope + penalty * wide.value(place), gradient[index]))
        });
        let compared: Vec<Option<(f64, f64)>> = compared.collect();
        let name = session.plan().name(parameter.tensor).to_owned();
        CheckedTensor::of(name, parameter.tensor.shape().sizes().to_vec(), &compared)
    });
    let tensors = tensors.collect();
    Ok(GradientCheck { images: rows, left_out, losses: [trace.loss(&labels), loss], tensors })
}

/// Indices of the values that are compared: multiples of the golden ratio, which fall evenly over the tensor and on no
/// row or column more than on others.
fn samples(length: usize) -> Vec<usize> {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    if length <= SAMPLES {
        return (0..length).collect();
    }
    let place = |sample: u64| (u128::from(sample.wrapping_mul(GOLDEN)) * length as u128) >> 64;
    (0..SAMPLES as u64).map(|sample| place(sample) as usize).collect()
}

/// The split with as many images as the plan declared; the step does not reach those added.
fn filled(mut split: Split, images: usize, pixels: usize) -> Split {
    split.images.resize(images * pixels, 0);
    split.labels.resize(images, 0);
    split
}

/// The central difference of the loss; none where a ReLU has different sides at its ends.
fn slope(wide: &mut WideModel, place: Place, trace: &Trace, labels: &[u32]) -> Option<f64> {
    let [above, below] = [STEP, -STEP].map(|change| wide.with_change(place, change, trace, labels.len()));
    let smooth = wide.same_sides(&above, &below);
    smooth.then(|| (above.loss(labels) - below.loss(labels)) / (2.0 * STEP))
}

impl CheckedTensor {
    /// From pairs of slope and gradient.
    fn of(name: String, shape: Vec<usize>, compared: &[Option<(f64, f64)>]) -> Self {
        let pairs = || compared.iter().flatten();
        let largest_slope = pairs().fold(0.0f64, |largest, (slope, _)| largest.max(slope.abs()));
        let error = |&(slope, gradient): &(f64, f64)| (slope - gradient).abs();
        let share = |pair: &(f64, f64)| {
            error(pair) / (RELATIVE * pair.0.abs() + OF_LARGEST * largest_slope + f64::MIN_POSITIVE)
        };
        // A NaN among them must not be lost.
        let worst = |one: f64, other: f64| if one.is_nan() || one > other { one } else { other };
        CheckedTensor {
            name,
            shape,
            checked: pairs().count(),
            kinks: compared.len() - pairs().count(),
            largest_slope,
            largest_error: pairs().map(error).fold(0.0, worst),
            of_tolerance: pairs().map(share).fold(0.0, worst),
        }
    }
}

/// Images for which no ReLU is at its kink.
struct Batch {
    split: Split,
    /// Normalised, one after the other.
    x: Vec<f64>,
    left_out: usize,
}

fn smooth_images(
    wide: &WideModel,
    dataset: &Dataset,
    Normalisation { mean, std }: &Normalisation,
    most: usize,
) -> Result<Batch> {
    let (pixels, plane) = (dataset.shape.pixels(), dataset.shape.pixels() / dataset.shape.channels);
    let mut batch = Batch { split: Split::default(), x: Vec::new(), left_out: 0 };
    for (image, &label) in dataset.train.images.chunks_exact(pixels).zip(&dataset.train.labels) {
        if batch.split.len() == most {
            break;
        }
        let normalised = image.iter().enumerate().map(|(pixel, &byte)| {
            let channel = pixel / plane;
            (f64::from(byte) / 255.0 - mean[channel]) / std[channel]
        });
        let x: Vec<f64> = normalised.collect();
        if wide.is_smooth(&wide.forward(x.clone(), 1)) {
            batch.split.images.extend(image);
            batch.split.labels.push(label);
            batch.x.extend(x);
        } else {
            batch.left_out += 1;
        }
    }
    if batch.split.is_empty() {
        return Err(Error::data(
            "no image of the data has a gradient: a ReLU is at its kink for each of them",
        )
        .advise("use other first weights (--init, --seed)"));
    }
    Ok(batch)
}
