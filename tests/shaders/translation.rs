//! Checks that a shader can be translated to the shader languages of Vulkan, Metal and DX12.

use naga::back::{hlsl, msl, spv};
use shadegrad::kernel::Kernel;

use super::parse::Parsed;

/// Every language that the shader cannot be translated to, with the reason.
pub fn complaints(kernel: &Kernel, parsed: &Parsed) -> Vec<String> {
    let mut attempts = vec![("SPIR-V", to_spirv(parsed)), ("MSL", to_metal(kernel, parsed))];
    // HLSL has no cooperative matrices.
    if !kernel.needs_cooperative_matrices() {
        attempts.push(("HLSL", to_hlsl(parsed)));
    }
    let mut complaints = Vec::new();
    for (language, attempt) in attempts {
        match attempt {
            Ok(length) if length > 100 => {}
            Ok(length) => {
                complaints.push(format!("its {language} translation has only {length} words or bytes"));
            }
            Err(error) => complaints.push(format!("cannot be translated to {language}: {error}")),
        }
    }
    complaints
}

fn to_spirv(parsed: &Parsed) -> Result<usize, String> {
    let options = spv::Options { lang_version: (1, 3), ..spv::Options::default() };
    spv::write_vec(&parsed.module, &parsed.info, &options, None)
        .map(|words| words.len())
        .map_err(|error| error.to_string())
}

fn to_metal(kernel: &Kernel, parsed: &Parsed) -> Result<usize, String> {
    // 2.1 is the first version with subgroup operations (macOS 10.14), 2.3 (macOS 11) the first
    // with cooperative matrices.
    let lang_version = if kernel.needs_cooperative_matrices() { (2, 3) } else { (2, 1) };
    let options = msl::Options { lang_version, ..msl::Options::default() };
    msl::write_string(&parsed.module, &parsed.info, &options, &msl::PipelineOptions::default())
        .map(|(text, _)| text.len())
        .map_err(|error| error.to_string())
}

fn to_hlsl(parsed: &Parsed) -> Result<usize, String> {
    let options = hlsl::Options {
        // 6.2 is the first version with f16.
        shader_model: hlsl::ShaderModel::V6_2,
        // HLSL cannot read the number of workgroups; wgpu passes it as a constant.
        special_constants_binding: Some(hlsl::BindTarget::default()),
        ..hlsl::Options::default()
    };
    let pipeline = hlsl::PipelineOptions::default();
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &options, &pipeline)
        .write(&parsed.module, &parsed.info, None)
        .map_err(|error| error.to_string())?;
    Ok(text.len())
}
