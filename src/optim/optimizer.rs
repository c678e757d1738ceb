//! Which optimizers there are, and what each is told.

/// How parameters follow their gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent, with PyTorch's definitions.
    Sgd {
        /// How much of the running mean of gradients is kept, 0 to 1; 0 keeps none.
        momentum: f32,
        /// Whether to look ahead.
        nesterov: bool,
        /// Factor of each parameter that is added to its gradient, biases included.
        weight_decay: f32,
    },
    /// Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), with PyTorch's definitions.
    Adam {
        /// How much of the means of gradients and of their squares is kept.
        betas: [f32; 2],
        /// What is added to the root of the mean square.
        epsilon: f32,
        /// How strongly parameters decay, biases included.
        weight_decay: f32,
        /// Whether they decay by themselves (AdamW) or by their gradients (Adam).
        decoupled: bool,
    },
    /// Lion (Chen et al. 2023, algorithm 2).
    Lion {
        /// How much of the mean the step takes, and how much of it is kept.
        betas: [f32; 2],
        /// How strongly parameters decay by themselves, biases included.
        weight_decay: f32,
    },
    /// Muon (Jordan et al. 2024) for weights; all else follows by stochastic gradient descent with the same values.
    Muon {
        /// How much of the running mean of gradients is kept, 0 to 1.
        momentum: f32,
        /// Whether to look ahead.
        nesterov: bool,
        /// Factor of each parameter that is added to its gradient, biases included.
        weight_decay: f32,
    },
}

impl Optimizer {
    /// The names of all of them.
    pub const NAMES: [&'static str; 5] = ["sgd", "adam", "adamw", "lion", "muon"];

    /// Stochastic gradient descent with what it shares with this optimizer.
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

    /// As in flags and files.
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
