//! Selects the compiler that translates shaders into code for a GPU.
//!
//! Vulkan and Metal drivers have their own compilers. DX12 needs bytecode from one of Microsoft's
//! two compilers: DXC, which is either linked into the binary (the crate's feature `static-dxc`) or
//! loaded from a `dxcompiler.dll`, or FXC, which is part of Windows. FXC is the last resort: it is
//! several times slower, and supports neither subgroup operations nor f16.

use std::fmt;
use std::path::{Path, PathBuf};

use wgpu::Dx12Compiler;

/// The compiler for the kernels of a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShaderCompiler {
    /// The compiler of the driver, as on Vulkan and Metal.
    Driver,
    /// DXC, linked into this binary.
    LinkedDxc,
    /// DXC, from this library.
    Dxc(PathBuf),
    /// FXC, from the system's `d3dcompiler_47.dll`.
    Fxc,
}

/// File name of the DXC library.
const DXC_LIBRARY: &str = "dxcompiler.dll";

/// Whether DXC is linked into this binary. wgpu supports this only for these targets.
const HAS_LINKED_DXC: bool =
    cfg!(all(feature = "static-dxc", windows, target_env = "msvc", not(target_arch = "aarch64")));

impl ShaderCompiler {
    /// Returns the compilers to try for DX12, the best first. `WGPU_DX12_COMPILER` (`dxc`,
    /// `staticdxc` or `fxc`) selects only one of them.
    pub(super) fn for_dx12() -> Vec<ShaderCompiler> {
        let binary = std::env::current_exe().ok();
        let folder = binary.as_deref().and_then(Path::parent);
        let beside = folder.map(|folder| folder.join(DXC_LIBRARY)).filter(|library| library.is_file());
        candidates(Dx12Compiler::from_env(), HAS_LINKED_DXC, beside)
    }

    /// Returns wgpu's setting for this compiler.
    pub(super) fn setting(&self) -> Dx12Compiler {
        match self {
            ShaderCompiler::Driver => Dx12Compiler::Auto,
            ShaderCompiler::LinkedDxc => Dx12Compiler::StaticDxc,
            ShaderCompiler::Dxc(library) => {
                Dx12Compiler::DynamicDxc { dxc_path: library.to_string_lossy().into_owned() }
            }
            ShaderCompiler::Fxc => Dx12Compiler::Fxc,
        }
    }

    /// Returns `driver`, `dxc` or `fxc`. The results of selftests and tuning depend on it.
    pub fn label(&self) -> &'static str {
        match self {
            ShaderCompiler::Driver => "driver",
            ShaderCompiler::LinkedDxc | ShaderCompiler::Dxc(_) => "dxc",
            ShaderCompiler::Fxc => "fxc",
        }
    }
}

impl fmt::Display for ShaderCompiler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShaderCompiler::Driver => formatter.write_str("the driver's own"),
            ShaderCompiler::LinkedDxc => formatter.write_str("DXC (linked)"),
            ShaderCompiler::Dxc(library) => write!(formatter, "DXC ({})", library.display()),
            ShaderCompiler::Fxc => {
                write!(formatter, "FXC (slow; put {DXC_LIBRARY} next to the binary to use DXC)")
            }
        }
    }
}

/// Returns the compilers to try. `wanted` is the compiler that the environment selects, `beside` a
/// DXC library next to the binary.
fn candidates(
    wanted: Option<Dx12Compiler>,
    has_linked_dxc: bool,
    beside: Option<PathBuf>,
) -> Vec<ShaderCompiler> {
    let linked = has_linked_dxc.then_some(ShaderCompiler::LinkedDxc);
    let loaded = beside.into_iter().chain([PathBuf::from(DXC_LIBRARY)]).map(ShaderCompiler::Dxc);
    match wanted {
        Some(Dx12Compiler::Fxc) => vec![ShaderCompiler::Fxc],
        Some(Dx12Compiler::DynamicDxc { .. }) => loaded.collect(),
        // wgpu panics if the requested DXC is not linked.
        Some(Dx12Compiler::StaticDxc) if has_linked_dxc => linked.into_iter().collect(),
        Some(Dx12Compiler::StaticDxc | Dx12Compiler::Auto) | None => {
            linked.into_iter().chain(loaded).chain([ShaderCompiler::Fxc]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dxc(path: &str) -> ShaderCompiler {
        ShaderCompiler::Dxc(path.into())
    }

    #[test]
    fn fxc_is_the_last_resort() {
        use ShaderCompiler::{Fxc, LinkedDxc};
        let beside = || Some(PathBuf::from("bin/dxcompiler.dll"));
        let [near, far] = ["bin/dxcompiler.dll", "dxcompiler.dll"].map(dxc);
        for auto in [None, Some(Dx12Compiler::Auto)] {
            assert_eq!(candidates(auto.clone(), false, None), [far.clone(), Fxc]);
            assert_eq!(candidates(auto.clone(), false, beside()), [near.clone(), far.clone(), Fxc]);
            assert_eq!(candidates(auto, true, beside()), [LinkedDxc, near.clone(), far.clone(), Fxc]);
        }
    }

    #[test]
    fn the_environment_chooses_one_compiler() {
        use ShaderCompiler::{Fxc, LinkedDxc};
        let wanted = |name: &str| Some(name.parse::<Dx12Compiler>().expect("a compiler of wgpu"));
        assert_eq!(candidates(wanted("fxc"), true, None), [Fxc]);
        assert_eq!(candidates(wanted("dxc"), true, None), [dxc("dxcompiler.dll")]);
        assert_eq!(candidates(wanted("staticdxc"), true, None), [LinkedDxc]);
        // A compiler that is not available must not cause a panic.
        assert_eq!(candidates(wanted("staticdxc"), false, None), candidates(None, false, None));
    }

    #[test]
    fn each_compiler_is_what_wgpu_is_asked_for() {
        for name in ["fxc", "staticdxc"] {
            let wanted = name.parse::<Dx12Compiler>().expect("a compiler of wgpu");
            let [candidate] = &candidates(Some(wanted.clone()), true, None)[..] else {
                panic!("{name} is one compiler")
            };
            assert_eq!(format!("{:?}", candidate.setting()), format!("{wanted:?}"));
        }
        let setting = dxc("bin/dxcompiler.dll").setting();
        assert!(matches!(setting, Dx12Compiler::DynamicDxc { dxc_path } if dxc_path == "bin/dxcompiler.dll"));
    }
}
