//! The optimizers and their hyperparameters.

/// An optimizer with its hyperparameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent, as PyTorch defines it.
    Sgd {
        /// Momentum, from 0 up to (not including) 1; 0 disables it.
        momentum: f32,
        /// Whether to use Nesterov momentum.
        nesterov: bool,
        /// Weight decay: this factor of each parameter is added to its gradient, biases included.
        weight_decay: f32,
    },
    /// Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), as PyTorch defines them.
    Adam {
        /// Decay rates of the first and the second moment.
        betas: [f32; 2],
        /// Added to the root of the second moment.
        epsilon: f32,
        /// Weight decay, biases included.
        weight_decay: f32,
        /// Whether weight decay is decoupled (AdamW) or part of the gradient (Adam).
        decoupled: bool,
    },
    /// Lion (Chen et al. 2023, algorithm 2).
    Lion {
        /// Decay rates of the momentum: for the update, and for the momentum that is kept.
        betas: [f32; 2],
        /// Decoupled weight decay, biases included.
        weight_decay: f32,
    },
    /// Muon (Jordan et al. 2024) for weights; all other parameters are trained by SGD with the same
    /// hyperparameters.
    Muon {
        /// Momentum, from 0 up to (not including) 1.
        momentum: f32,
        /// Whether to use Nesterov momentum.
        nesterov: bool,
        /// Weight decay: this factor of each parameter is added to its gradient, biases included.
        weight_decay: f32,
    },
}

impl Optimizer {
    /// The names of all optimizers.
    pub const NAMES: [&'static str; 5] = ["sgd", "adam", "adamw", "lion", "muon"];

    /// SGD with the hyperparameters that it shares with this optimizer.
    #[must_use]
    pub const fn sgd(self) -> Optimizer {
        match self {
            Optimizer::Sgd { momentum, nesterov, weight_decay }
            | Optimizer::Muon { momentum, nesterov, weight_decay } => {
                Optimizer::Sgd { momentum, nesterov, weight_decay }
            }
            Optimizer::Adam { weight_decay, .. } | Optimizer::Lion { weight_decay, .. } => {
                Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay }
            }
        }
    }

    /// The name in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Optimizer::Sgd { .. } => "sgd",
            Optimizer::Adam { decoupled: false, .. } => "adam",
            Optimizer::Adam { decoupled: true, .. } => "adamw",
            Optimizer::Lion { .. } => "lion",
            Optimizer::Muon { .. } => "muon",
        }
    }
}
