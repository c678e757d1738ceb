//! The table of optimizers: names, hyperparameters with their defaults, and updates.
//!
//! Configuration, help, README and messages are made from the table. To add an optimizer, add a
//! variant of [`Algorithm`] and a row.

use crate::ops::sgd::{self, Momentum};
use crate::ops::{Rate, adam, lion, muon};
use crate::plan::{Plan, Role, StepRecord};
use crate::tensor::{Element, Tensor};
use crate::text::named::names_of;

/// The algorithm of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Stochastic gradient descent.
    Sgd,
    /// Adam (Kingma and Ba 2015).
    Adam,
    /// AdamW (Loshchilov and Hutter 2019).
    AdamW,
    /// Lion (Chen et al. 2023).
    Lion,
    /// Muon (Jordan et al. 2024) for weights; all other parameters are trained by SGD with the same
    /// hyperparameters.
    Muon,
}

/// An optimizer: an algorithm with its hyperparameters. Those that it does not have are ignored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimizer {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Momentum, from 0 up to (not including) 1; 0 disables it.
    pub momentum: f32,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
    /// Weight decay of all parameters, biases included.
    pub weight_decay: f32,
    /// Decay rates of the first and the second moment; for Lion, of the momentum: for the update,
    /// and for the momentum that is kept.
    pub betas: [f32; 2],
    /// Added to the denominator, the root of the second moment.
    pub epsilon: f32,
}

/// A hyperparameter of some of the optimizers.
#[derive(Clone, Copy, Debug)]
pub struct Hyperparameter {
    /// The name in flags and files.
    pub name: &'static str,
    /// Borrows it from an optimizer.
    pub of: fn(&mut Optimizer) -> Place<'_>,
}

/// The place of a hyperparameter in an [`Optimizer`].
#[derive(Debug)]
pub enum Place<'a> {
    /// A number.
    Number(&'a mut f32),
    /// True or false.
    Switch(&'a mut bool),
}

const MOMENTUM: Hyperparameter =
    Hyperparameter { name: "momentum", of: |own| Place::Number(&mut own.momentum) };
const NESTEROV: Hyperparameter =
    Hyperparameter { name: "nesterov", of: |own| Place::Switch(&mut own.nesterov) };
const WEIGHT_DECAY: Hyperparameter =
    Hyperparameter { name: "weight-decay", of: |own| Place::Number(&mut own.weight_decay) };
const BETA1: Hyperparameter = Hyperparameter { name: "beta1", of: |own| Place::Number(&mut own.betas[0]) };
const BETA2: Hyperparameter = Hyperparameter { name: "beta2", of: |own| Place::Number(&mut own.betas[1]) };
const EPSILON: Hyperparameter = Hyperparameter { name: "epsilon", of: |own| Place::Number(&mut own.epsilon) };

impl Hyperparameter {
    /// All hyperparameters.
    pub const ALL: [Hyperparameter; 6] = [MOMENTUM, NESTEROV, WEIGHT_DECAY, BETA1, BETA2, EPSILON];

    /// The hyperparameter with this name.
    pub fn named(name: &str) -> Option<Hyperparameter> {
        Hyperparameter::ALL.into_iter().find(|own| own.name == name)
    }

    /// The optimizers that have it, with their default hyperparameters.
    pub fn optimizers(self) -> impl Iterator<Item = Optimizer> {
        Optimizer::all().filter(move |one| one.hyperparameters().iter().any(|own| own.name == self.name))
    }
}

/// Adds to a step's record what depends on the betas and the index of the step.
type Correction = fn(StepRecord, [f32; 2], usize) -> StepRecord;

struct Row {
    /// The name in flags and files.
    name: &'static str,
    /// The optimizer in PyTorch or its paper, in Markdown.
    summary: &'static str,
    /// The optimizer with its default hyperparameters.
    usual: Optimizer,
    hyperparameters: &'static [Hyperparameter],
    /// Whether weight decay is subtracted from the parameter instead of added to its gradient.
    is_decoupled: bool,
    /// What the step's record needs, such as Adam's bias corrections.
    correct: Option<Correction>,
    /// Records the update of a parameter by its gradient.
    record: fn(Update<'_>, Tensor),
}

/// The hyperparameters of most optimizers.
const USUAL: Optimizer = Optimizer {
    algorithm: Algorithm::Sgd,
    momentum: 0.0,
    nesterov: false,
    weight_decay: 0.0,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
};

/// All optimizers, in the order of help and messages.
static TABLE: [Row; 5] = [
    Row {
        name: "sgd",
        summary: "`torch.optim.SGD`",
        usual: USUAL,
        hyperparameters: &[MOMENTUM, WEIGHT_DECAY, NESTEROV],
        is_decoupled: false,
        correct: None,
        record: |mut update, dw| {
            let own = update.sgd();
            sgd::step(update.plan, own, dw);
        },
    },
    Row {
        name: "adam",
        summary: "`torch.optim.Adam`",
        usual: Optimizer { algorithm: Algorithm::Adam, ..USUAL },
        hyperparameters: &[WEIGHT_DECAY, BETA1, BETA2, EPSILON],
        is_decoupled: false,
        correct: Some(adam::correct),
        record: record_adam,
    },
    Row {
        name: "adamw",
        summary: "`torch.optim.AdamW`",
        usual: Optimizer { algorithm: Algorithm::AdamW, ..USUAL },
        hyperparameters: &[WEIGHT_DECAY, BETA1, BETA2, EPSILON],
        is_decoupled: true,
        correct: Some(adam::correct),
        record: record_adam,
    },
    Row {
        name: "lion",
        summary: "algorithm 2 of Chen et al. 2023",
        usual: Optimizer { algorithm: Algorithm::Lion, betas: [0.9, 0.99], ..USUAL },
        hyperparameters: &[WEIGHT_DECAY, BETA1, BETA2],
        is_decoupled: true,
        correct: None,
        record: |mut update, dw| {
            let mean = update.state("mean");
            let Update { plan, parameter, optimizer, rate, coupled, decoupled } = update;
            let betas = optimizer.betas;
            lion::step(plan, lion::Update { parameter, mean, betas, rate, coupled, decoupled }, dw);
        },
    },
    Row {
        name: "muon",
        summary: "Jordan et al. 2024, for weights; all other parameters are trained by SGD",
        usual: Optimizer { algorithm: Algorithm::Muon, ..USUAL },
        hyperparameters: &[MOMENTUM, WEIGHT_DECAY, NESTEROV],
        is_decoupled: false,
        correct: None,
        record: |mut update, dw| {
            let momentum = update.momentum();
            let Update { plan, parameter, rate, coupled: decay, .. } = update;
            muon::step(plan, muon::Update { parameter, rate, decay, momentum }, dw);
        },
    },
];

fn record_adam(mut update: Update<'_>, dw: Tensor) {
    let [mean, square] = ["mean", "square"].map(|what| update.state(what));
    let Update { plan, parameter, optimizer, rate, coupled, decoupled } = update;
    let Optimizer { betas, epsilon, .. } = optimizer;
    let update = adam::Update { parameter, mean, square, betas, epsilon, rate, coupled, decoupled };
    adam::step(plan, update, dw);
}

impl Optimizer {
    /// The names of all optimizers.
    pub const NAMES: [&'static str; TABLE.len()] = names_of!(TABLE);

    /// All optimizers, with their default hyperparameters.
    pub fn all() -> impl Iterator<Item = Optimizer> {
        TABLE.iter().map(|row| row.usual)
    }

    /// The optimizer with this algorithm and its default hyperparameters.
    pub fn new(algorithm: Algorithm) -> Self {
        row(algorithm).usual
    }

    /// The name in flags and files.
    pub fn name(self) -> &'static str {
        row(self.algorithm).name
    }

    /// The optimizer in PyTorch or its paper, in Markdown.
    pub fn summary(self) -> &'static str {
        row(self.algorithm).summary
    }

    /// The hyperparameters that the optimizer has, in the order of messages.
    pub fn hyperparameters(self) -> &'static [Hyperparameter] {
        row(self.algorithm).hyperparameters
    }

    /// Whether weight decay is subtracted from the parameter, times the learning rate, instead of
    /// added to its gradient.
    pub fn is_decoupled(self) -> bool {
        row(self.algorithm).is_decoupled
    }

    /// SGD with the hyperparameters that it shares with this optimizer.
    #[must_use]
    pub const fn sgd(self) -> Optimizer {
        Optimizer { algorithm: Algorithm::Sgd, ..self }
    }

    pub(super) fn has_momentum(self) -> bool {
        self.hyperparameters().iter().any(|own| own.name == MOMENTUM.name)
    }

    /// Adds to the record of the `step`-th step, counted from 0, what the optimizer needs.
    pub(super) fn correct(self, record: StepRecord, step: usize) -> StepRecord {
        row(self.algorithm).correct.map_or(record, |correct| correct(record, self.betas, step))
    }
}

fn row(algorithm: Algorithm) -> &'static Row {
    TABLE.iter().find(|row| row.usual.algorithm == algorithm).expect("every algorithm is in the table")
}

pub(super) struct Update<'a> {
    plan: &'a mut Plan,
    parameter: Tensor,
    optimizer: Optimizer,
    rate: Rate,
    /// The factor of the parameter that is added to its gradient.
    coupled: f32,
    /// The factor of the parameter that is subtracted from it, times the learning rate.
    decoupled: f32,
}

impl<'a> Update<'a> {
    /// An update of `parameter`. `penalty` is the L2 factor, if the gradient does not include it.
    pub(super) fn new(
        plan: &'a mut Plan,
        parameter: Tensor,
        optimizer: Optimizer,
        rate: Rate,
        penalty: f32,
    ) -> Self {
        let (coupled, decoupled) = match optimizer.is_decoupled() {
            true => (penalty, optimizer.weight_decay),
            false => (optimizer.weight_decay + penalty, 0.0),
        };
        Update { plan, parameter, optimizer, rate, coupled, decoupled }
    }

    /// Records the update by the gradient `dw`.
    pub(super) fn record(self, dw: Tensor) {
        (row(self.optimizer.algorithm).record)(self, dw);
    }

    /// The update as one of SGD, which a matrix product can apply to its result.
    pub(super) fn sgd(&mut self) -> sgd::Update {
        let momentum = (self.optimizer.momentum != 0.0).then(|| self.momentum());
        sgd::Update { parameter: self.parameter, rate: self.rate, decay: self.coupled, momentum }
    }

    fn momentum(&mut self) -> Momentum {
        let Optimizer { momentum: factor, nesterov, .. } = self.optimizer;
        Momentum { velocity: self.state("velocity"), factor, nesterov }
    }

    fn state(&mut self, what: &str) -> Tensor {
        let name = format!("{}.{what}", self.plan.name(self.parameter));
        self.plan.declare(name, Role::State, Element::F32, self.parameter.shape())
    }
}
