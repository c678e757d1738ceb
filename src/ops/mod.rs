//! The ops, one file each: formula and shapes, recording, CPU code, and GPU kernels.
//!
//! Names are the same everywhere: `x w b y`, gradients `dx dw db dy`. An op overwrites its outputs
//! and never depends on their previous contents. The exceptions (parameters, optimizer state) are
//! listed as *updates*.
//!
//! Functions that record an op panic if the operands do not have the shapes and element types that
//! its formula needs. Their documentation names only other conditions.
//!
//! ```
//! use shadegrad::ops;
//!
//! assert!(ops::ALL.contains(&"matmul"));
//! assert!(ops::kernels().iter().any(|kernel| kernel.name == "relu"));
//! ```

mod elementwise;
pub mod fixture;
mod frame;
pub mod peak;
mod rate;
pub mod window;

pub use activation::Activation;
pub use rate::Rate;
pub use window::Window;

use crate::kernel::{Kernel, fnv, shaders};

/// Passes the list of ops to a macro: `for_each_op!(callback)` is
/// `callback! { activation, adam, ... }`. `peak` is not in the list: it only measures speed, and
/// nothing reads its result.
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

        /// Names of the modules of all ops.
        pub const ALL: &[&str] = &[$(stringify!($op)),+];
    };
}
for_each_op!(modules);

/// Fingerprint of the version and of every kernel's source. Selftest and tuning results are valid
/// only for the fingerprint under which they were measured.
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
