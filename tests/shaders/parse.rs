//! A kernel's shader, as parsed by naga.

use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Block, EntryPoint, Module, Statement};
use shadegrad::kernel::Kernel;

/// A shader that is valid WGSL and needs only the optional features that its descriptor or its text
/// names.
pub struct Parsed {
    pub module: Module,
    pub info: ModuleInfo,
}

impl Parsed {
    /// Parses and validates a shader. The error is written for a developer.
    pub fn new(kernel: &Kernel) -> Result<Self, String> {
        let source = &*kernel.source;
        let module = naga::front::wgsl::parse_str(source)
            .map_err(|error| error.emit_to_string_with_path(source, &kernel.name))?;
        let mut capabilities = Capabilities::empty();
        capabilities.set(Capabilities::SUBGROUP, kernel.subgroups);
        capabilities.set(Capabilities::SHADER_FLOAT16, kernel.needs_f16());
        capabilities.set(Capabilities::COOPERATIVE_MATRIX, kernel.needs_cooperative_matrices());
        let mut validator = Validator::new(ValidationFlags::all(), capabilities);
        let info = validator
            .validate(&module)
            .map_err(|error| error.emit_to_string_with_path(source, &kernel.name))?;
        Ok(Parsed { module, info })
    }

    /// The only entry point, if it is a compute shader's `main`.
    pub fn main(&self) -> Option<&EntryPoint> {
        match self.module.entry_points.as_slice() {
            [main] if main.name == "main" && main.stage == naga::ShaderStage::Compute => Some(main),
            _ => None,
        }
    }
}

/// Blocks within a statement.
pub fn children(statement: &Statement) -> Vec<&Block> {
    match statement {
        Statement::Block(block) => vec![block],
        Statement::If { accept, reject, .. } => vec![accept, reject],
        Statement::Switch { cases, .. } => cases.iter().map(|case| &case.body).collect(),
        Statement::Loop { body, continuing, .. } => vec![body, continuing],
        _ => Vec::new(),
    }
}
