//! One file per op: its formula and shapes, how to record it, its CPU code, and which kernels it
//! runs on a GPU.
//!
//! Names are the same everywhere: `x w b y`, gradients `dx dw db dy`. An op overwrites what it
//! writes and never depends on what was there before; the exceptions (parameters, optimizer
//! state) are listed as *updates*.

pub(crate) mod fixture;
mod rate;
pub mod window;
mod with_facts;

pub use rate::Rate;
pub use window::Window;
pub use with_facts::WithFacts;

/// Elements of a tensor that one task of a CPU half takes, where elements have nothing to do with each other.
const ELEMENTS_PER_TASK: usize = 1 << 14;

/// The list of ops. `tests/ops.rs` fails for an op that is listed here and has no cases there.
macro_rules! ops {
    ($($op:ident,)+) => {
        $(pub mod $op;)+

        /// Name of every op's room.
        pub const ALL: &[&str] = &[$(stringify!($op)),+];

        /// Changes with the version and with the source of any kernel (FNV-1a, 64 bits): what was found out about others
        /// says nothing of these.
        pub fn fingerprint() -> u64 {
            let mut kernels = Vec::new();
            // All that are rendered are from the same templates.
            $(if !["matmul", "conv2d"].contains(&stringify!($op)) { kernels.extend($op::kernels()); })+
            let texts = kernels.iter().map(|kernel| &*kernel.source).chain([env!("CARGO_PKG_VERSION")]);
            let bytes = texts.flat_map(str::bytes);
            bytes.fold(matmul::gpu::FINGERPRINT, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        }

        /// Every kernel that an op may use, with the op's name; for tests and `devices`.
        pub fn kernels() -> Vec<(&'static str, crate::kernel::Kernel)> {
            let mut all = Vec::new();
            $(all.extend($op::kernels().into_iter().map(|kernel| (stringify!($op), kernel)));)+
            all.extend(peak::kernels().into_iter().map(|kernel| ("peak", kernel)));
            all
        }
    };
}

// Not in the list of ops, but in that of kernels: a measuring rod, whose result nobody reads.
pub mod peak;

ops! {
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
