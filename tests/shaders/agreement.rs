//! Whether a shader declares what its kernel's descriptor says, and stays within WebGPU's default
//! limits.

use naga::{AddressSpace, Expression, GlobalVariable, Scalar, StorageAccess, TypeInner};
use shadegrad::kernel::{Access, Field, FieldKind, Kernel, Uniform};
use shadegrad::plan::StepRecord;

use super::parse::Parsed;

/// Half of WebGPU's limit, so that two workgroups fit on the smallest devices.
const MOST_WORKGROUP_BYTES: u32 = 16 * 1024;
/// The smallest limit of adapters with cooperative matrices, Apple's.
const MOST_COOPERATIVE_BYTES: u32 = 32 * 1024;
const MOST_INVOCATIONS: u32 = 256;
const MOST_STORAGE_BUFFERS: usize = 8;

/// Every disagreement, as a message.
pub fn complaints(kernel: &Kernel, parsed: &Parsed) -> Vec<String> {
    let mut complaints = entry_point(kernel, parsed);
    complaints.extend(limits(kernel, parsed));
    let wanted = wanted_bindings(kernel);
    let got = bindings(parsed);
    for binding in wanted.iter().filter(|&binding| !got.contains(binding)) {
        complaints.push(format!("the row has {binding}, the shader has not"));
    }
    for binding in got.iter().filter(|&binding| !wanted.contains(binding)) {
        complaints.push(format!("the shader has {binding}, the row has not"));
    }
    complaints
}

fn entry_point(kernel: &Kernel, parsed: &Parsed) -> Vec<String> {
    let Some(main) = parsed.main() else {
        return vec!["the only entry point must be the compute shader `main`".into()];
    };
    let mut complaints = Vec::new();
    if main.workgroup_size != kernel.workgroup {
        complaints.push(format!(
            "the row has workgroups of {:?}, the shader of {:?}",
            kernel.workgroup, main.workgroup_size
        ));
    }
    complaints
}

fn limits(kernel: &Kernel, parsed: &Parsed) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut limit = |what: &str, number: usize, most: usize| {
        if number > most {
            complaints.push(format!("{number} {what}, but {most} is the most"));
        }
    };
    limit("invocations", kernel.workgroup.iter().product::<u32>() as usize, MOST_INVOCATIONS as usize);
    limit("storage buffers", kernel.bindings.len(), MOST_STORAGE_BUFFERS);
    let workgroup_bytes: u32 = globals(parsed)
        .filter(|variable| variable.space == AddressSpace::WorkGroup)
        .map(|variable| parsed.module.types[variable.ty].inner.size(parsed.module.to_ctx()))
        .sum();
    let cooperative = kernel.needs_cooperative_matrices();
    let most = if cooperative { MOST_COOPERATIVE_BYTES } else { MOST_WORKGROUP_BYTES };
    limit("bytes of workgroup memory", workgroup_bytes as usize, most as usize);
    // wgpu hides a read past the end of a buffer, so a wrong size that came from the buffer itself
    // would never be noticed.
    let functions = parsed.module.functions.iter().map(|(_, function)| function);
    let functions = functions.chain(parsed.module.entry_points.iter().map(|entry| &entry.function));
    for function in functions {
        let mut expressions = function.expressions.iter();
        if expressions.any(|(_, expression)| matches!(expression, Expression::ArrayLength(_))) {
            complaints.push("sizes come from `params`, never from `arrayLength`".into());
        }
    }
    complaints
}

fn globals(parsed: &Parsed) -> impl Iterator<Item = &GlobalVariable> {
    parsed.module.global_variables.iter().map(|(_, variable)| variable)
}

/// One line per binding of the descriptor.
fn wanted_bindings(kernel: &Kernel) -> Vec<String> {
    let mut wanted = vec![format!("0/0 uniform params {}", wanted_struct(kernel.params))];
    for (index, binding) in kernel.bindings.iter().enumerate() {
        let access = match binding.access {
            Access::Read => "read",
            Access::ReadWrite => "read_write",
        };
        wanted.push(format!("0/{} {access} {} of words", index + 1, binding.name));
    }
    if kernel.reads_step {
        wanted.push(format!("1/0 uniform step {}", wanted_struct(StepRecord::FIELDS)));
    }
    wanted
}

fn wanted_struct(fields: &[Field]) -> String {
    let fields = fields.iter().enumerate().map(|(index, field)| {
        let kind = match field.kind {
            FieldKind::U32 => "u32",
            FieldKind::F32 => "f32",
        };
        format!("{}: {kind} at {}", field.name, 4 * index)
    });
    describe_struct(fields.collect())
}

fn describe_struct(fields: Vec<String>) -> String {
    format!("{{ {} }} of {} bytes", fields.join(", "), 4 * fields.len())
}

/// One line per binding of the shader, in the same format.
fn bindings(parsed: &Parsed) -> Vec<String> {
    let described = globals(parsed).filter_map(|variable| {
        let at = variable.binding.as_ref()?;
        let name = variable.name.as_deref().unwrap_or("(no name)");
        let place = format!("{}/{}", at.group, at.binding);
        let inner = &parsed.module.types[variable.ty].inner;
        Some(match variable.space {
            AddressSpace::Uniform => format!("{place} uniform {name} {}", uniform_struct(parsed, inner)),
            AddressSpace::Storage { access } => {
                let writes = access.contains(StorageAccess::STORE);
                let access = if writes { "read_write" } else { "read" };
                format!("{place} {access} {name} of {}", elements(parsed, inner))
            }
            space => format!("{place} {space:?} {name}"),
        })
    });
    described.collect()
}

fn uniform_struct(parsed: &Parsed, inner: &TypeInner) -> String {
    let TypeInner::Struct { members, span } = inner else {
        return format!("that is no struct: {inner:?}");
    };
    let fields = members.iter().map(|member| {
        let name = member.name.as_deref().unwrap_or("(no name)");
        format!("{name}: {} at {}", scalar(&parsed.module.types[member.ty].inner), member.offset)
    });
    let described = describe_struct(fields.collect());
    if *span as usize == 4 * members.len() { described } else { format!("{described}, really {span}") }
}

fn scalar(inner: &TypeInner) -> String {
    match *inner {
        TypeInner::Scalar(Scalar::U32) => "u32".into(),
        TypeInner::Scalar(Scalar::F32) => "f32".into(),
        ref other => format!("{other:?}"),
    }
}

/// Arrays hold 32-bit numbers or f16, alone or in vectors without padding.
fn elements(parsed: &Parsed, inner: &TypeInner) -> String {
    let TypeInner::Array { base, stride, .. } = inner else {
        return format!("what is no array: {inner:?}");
    };
    let bytes = match parsed.module.types[*base].inner {
        TypeInner::Scalar(Scalar::F16) => Some(2),
        TypeInner::Vector { size, scalar: Scalar::F16 } => Some(2 * size as u32),
        TypeInner::Scalar(Scalar::U32 | Scalar::F32) => Some(4),
        TypeInner::Vector { size, scalar: Scalar::U32 | Scalar::F32 } => Some(4 * size as u32),
        _ => None,
    };
    match bytes {
        Some(bytes) if *stride == bytes => "words".into(),
        _ => format!("elements with holes: {stride} bytes apart"),
    }
}
