//! Trials for test programs with their own runner. A test whose requirements are missing is counted
//! as ignored, by name.

use std::sync::LazyLock;

use libtest_mimic::Trial;
use shadegrad::data::locate::ENVIRONMENT_VARIABLE;
use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::kernel::GpuFacts;

use super::small_run::gpu;

/// Facts about the GPU under test.
static FACTS: LazyLock<GpuFacts> = LazyLock::new(|| *gpu(Capabilities::Adapter).facts());

/// The requirement of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing but an adapter. Without one, all device tests fail.
    Nothing,
    /// A GPU with f16.
    F16,
    /// A GPU with cooperative matrices and the features they need.
    CooperativeMatrices,
    /// The files of CIFAR-10.
    Cifar10,
}

impl Need {
    /// Returns what is missing on this machine, if anything.
    fn missing(self) -> Option<&'static str> {
        match self {
            Need::Nothing => None,
            Need::F16 => (!FACTS.f16).then_some("this GPU has no 16-bit floats"),
            Need::CooperativeMatrices => {
                FACTS.cooperative.is_none().then_some("this GPU has no cooperative matrices")
            }
            Need::Cifar10 => {
                std::env::var_os(ENVIRONMENT_VARIABLE).is_none().then_some("SHADEGRAD_DATA is not set")
            }
        }
    }
}

/// Runs the trials with the arguments of the command line, and exits the process.
pub fn run(trials: Vec<Trial>) -> ! {
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit()
}

/// Returns a trial that is ignored if its requirement is missing, with the reason in its name.
pub fn trial(name: &str, need: Need, test: fn()) -> Trial {
    let missing = need.missing();
    let name = missing.map_or_else(|| name.to_owned(), |missing| format!("{name} [{missing}]"));
    let run = move || {
        test();
        Ok(())
    };
    Trial::test(name, run).with_ignored_flag(missing.is_some())
}

/// Creates trials of functions. Each is named by its path.
#[allow(unused_macros, reason = "not every test program lists functions")]
macro_rules! trials {
    ($need:expr; $($($part:ident)::+,)+) => {
        vec![$($crate::samples::trials::trial(
            &stringify!($($part)::+).replace(' ', ""),
            $need,
            $($part)::+,
        ),)+]
    };
}
#[allow(unused_imports, reason = "not every test program lists functions")]
pub(crate) use trials;
