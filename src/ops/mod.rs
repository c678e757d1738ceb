//! One file per op: its formula and shapes, how to record it, its CPU code, and which kernels it
//! runs on a GPU.
//!
//! Names are the same everywhere: `x w b y`, gradients `dx dw db dy`. An op overwrites what it
//! writes and never depends on what was there before; the exceptions (parameters, optimizer
//! state) are listed as *updates*.

mod elementwise;
pub(crate) mod fixture;
pub mod peak;
mod rate;
pub mod window;
mod with_facts;

pub use rate::Rate;
pub use window::Window;
pub use with_facts::WithFacts;

use crate::kernel::{Kernel, fnv, shaders};

/// Hands the list of ops to a macro: `for_each_op!(callback)` is `callback! { activation, adam, ...
/// }`. `peak` is none: it is a measuring rod, whose result nobody reads.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_op {
    ($callback:ident) => {
        $callback! {
            activation,
            adam,
            add,
            average,
            average_pool,
            batch_norm,
            cast,
            classifier,
            clip_norm,
            column_sum,
            conv2d,
            dropout,
            gather,
            l2_penalty,
            lion,
            matmul,
            max_pool,
            muon,
            online_steps,
            relu,
            sgd,
            softmax_cross_entropy,
        }
    };
}

macro_rules! modules {
    ($($op:ident,)+) => {
        $(pub mod $op;)+

        /// Name of every op's module.
        pub const ALL: &[&str] = &[$(stringify!($op)),+];
    };
}
for_each_op!(modules);

/// Changes with the version and with the source of any kernel: what was found out about others says
/// nothing of these.
pub fn fingerprint() -> u64 {
    let plain = shaders::all();
    let texts = plain.iter().map(|kernel| &*kernel.source).chain([env!("CARGO_PKG_VERSION")]);
    texts.fold(matmul::gpu::FINGERPRINT, |hash, text| fnv(hash, text.as_bytes()))
}

/// Every kernel that an op may use: the plain ones and those of matrix products.
pub fn kernels() -> Vec<Kernel> {
    let mut all = shaders::all();
    all.extend(matmul::kernels());
    all
}
