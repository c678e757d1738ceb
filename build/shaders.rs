//! Reads the descriptions of the plain kernels (those that are not rendered from templates) from
//! `shaders/`: the files that a kernel is joined from, and the bindings that it expects.
//!
//! The build script generates descriptors from them. `tests/shaders.rs` uses the same code for
//! rendered kernels, and to test that wrong shaders are rejected.

use std::collections::BTreeMap;

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, GlobalVariable, Module, Scalar, ShaderStage, StorageAccess, TypeInner};

/// Texts of the files in `shaders/`, by name without `.wgsl`.
pub type Files = BTreeMap<String, String>;

/// Start of a line that declares a kernel, in the kernel's own file.
const DECLARATION: &str = "// kernel ";

/// The file that comes first in a kernel with an f32 and an f16 version, and its replacement in the
/// f16 version.
const STORED: [&str; 2] = ["stored_f32", "stored_f16"];

/// Half of WebGPU's guaranteed amount, so that two workgroups fit.
const MOST_WORKGROUP_BYTES: u32 = 16 * 1024;
/// The smallest amount of all adapters with cooperative matrices, Apple's.
const MOST_COOPERATIVE_BYTES: u32 = 32 * 1024;
const MOST_INVOCATIONS: u32 = 256;
const MOST_STORAGE_BUFFERS: usize = 8;

/// A kernel as a file declares it: `// kernel NAME = FILE FILE ...`.
#[derive(Debug)]
pub struct Declaration {
    /// The kernel's name.
    pub name: String,
    /// The files that it is joined from, in order.
    pub files: Vec<String>,
}

/// A file's text without the lines that declare kernels.
pub fn text(file: &str) -> &str {
    let lines = file.split_inclusive('\n').take_while(|line| line.starts_with(DECLARATION));
    &file[lines.map(str::len).sum()..]
}

/// All kernels that the files declare.
///
/// # Errors
///
/// If a declaration names a file that does not exist, omits its own file, or enables f16 after
/// other text.
pub fn declarations(files: &Files) -> Result<Vec<Declaration>, String> {
    let mut all = Vec::new();
    for (file, content) in files {
        for line in content.lines().map_while(|line| line.strip_prefix(DECLARATION)) {
            let (name, parts) = line.split_once(" = ").ok_or(format!("{file}: no ` = ` in {line:?}"))?;
            let parts: Vec<String> = parts.split(' ').map(str::to_owned).collect();
            let declaration = Declaration { name: name.to_owned(), files: parts };
            check(file, &declaration, files).map_err(|problem| format!("kernel {name}: {problem}"))?;
            all.push(declaration);
        }
        if text(content).contains(DECLARATION) {
            return Err(format!("{file}: kernels are declared in the first lines of a file"));
        }
    }
    Ok(all)
}

fn check(file: &str, declaration: &Declaration, files: &Files) -> Result<(), String> {
    let parts = &declaration.files;
    if let Some(missing) = parts.iter().find(|part| !files.contains_key(*part)) {
        return Err(format!("there is no shaders/{missing}.wgsl"));
    }
    if !parts.iter().any(|part| part == file) {
        return Err(format!("is declared in {file}, but not joined from it"));
    }
    if parts.iter().skip(1).any(|part| STORED.contains(&part.as_str())) {
        return Err("the file that enables f16 must come first".into());
    }
    Ok(())
}

impl Declaration {
    /// The kernel's text.
    pub fn source(&self, files: &Files) -> String {
        join(self.files.iter().map(String::as_str), files)
    }

    /// The text of the f16 version, if the kernel has one.
    pub fn half_source(&self, files: &Files) -> Option<String> {
        let [full, half] = STORED;
        let rest = self.files.strip_prefix(&[full.to_owned()])?;
        Some(join(std::iter::once(half).chain(rest.iter().map(String::as_str)), files))
    }

    /// The file with the struct of the uniform `params`.
    pub fn params_file(&self, files: &Files) -> Option<&str> {
        self.files.iter().map(String::as_str).find(|&file| has_struct(&files[file], "Params"))
    }
}

fn join<'a>(parts: impl Iterator<Item = &'a str>, files: &Files) -> String {
    let texts: Vec<&str> = parts.map(|part| text(&files[part])).collect();
    texts.join("\n")
}

/// One field of a uniform struct.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// `u32` or `f32`.
    pub kind: &'static str,
    /// The comment lines before it.
    pub comment: Vec<String>,
}

/// Whether a file declares a struct of this name.
pub fn has_struct(file: &str, name: &str) -> bool {
    file.contains(&format!("struct {name} {{\n"))
}

/// The fields of a uniform struct that a file declares.
///
/// # Errors
///
/// If the file has no such struct, or if a field is not `u32` or `f32`.
pub fn uniform(file: &str, name: &str) -> Result<Vec<Field>, String> {
    let start = file.find(&format!("struct {name} {{\n")).ok_or(format!("no struct {name}"))?;
    let length = file[start..].find("\n}\n").ok_or(format!("struct {name} has no end"))?;
    let snippet = &file[start..start + length + 2];
    let module = parse(name, snippet)?;
    let found = module.types.iter().find(|(_, found)| found.name.as_deref() == Some(name));
    let (_, found) = found.ok_or(format!("no struct {name}"))?;
    let mut fields = fields(&module, &found.inner)?;
    for field in &mut fields {
        let lines = snippet.lines().map(str::trim);
        let before: Vec<&str> =
            lines.take_while(|line| !line.starts_with(&format!("{}:", field.name))).collect();
        let comment = before.iter().rev().map_while(|line| line.strip_prefix("// "));
        field.comment = comment.map(str::to_owned).collect();
        field.comment.reverse();
    }
    Ok(fields)
}

/// The bindings and properties of a kernel, read from its text.
#[derive(Debug, PartialEq, Eq)]
pub struct Reflection {
    /// Size of a workgroup.
    pub workgroup: [u32; 3],
    /// Storage bindings of group 0, starting at binding 1: their names, and whether the kernel may
    /// write them.
    pub bindings: Vec<(String, bool)>,
    /// Whether the kernel has the uniform `step`.
    pub reads_step: bool,
    /// Whether it uses subgroup operations.
    pub subgroups: bool,
}

/// Reads a kernel's text.
///
/// # Errors
///
/// If the text is not valid WGSL, needs more than WebGPU guarantees, or does not have the layout
/// that dispatches expect. The message is meant for the kernel's developer.
pub fn reflect(name: &str, source: &str) -> Result<Reflection, String> {
    let module = parse(name, source)?;
    let validate = |subgroups| {
        let enables = |extension: &str| {
            let mut enabled = source.lines().map_while(|line| line.strip_prefix("enable "));
            enabled.any(|line| line.strip_suffix(';') == Some(extension))
        };
        let mut capabilities = Capabilities::empty();
        capabilities.set(Capabilities::SUBGROUP, subgroups);
        capabilities.set(Capabilities::SHADER_FLOAT16, enables("f16"));
        capabilities.set(Capabilities::COOPERATIVE_MATRIX, enables("wgpu_cooperative_matrix"));
        let validated = Validator::new(ValidationFlags::all(), capabilities).validate(&module);
        validated.map(drop).map_err(|error| error.emit_to_string_with_path(source, name))
    };
    let subgroups = validate(false).is_err();
    validate(subgroups)?;
    let main = match module.entry_points.as_slice() {
        [main] if main.name == "main" && main.stage == ShaderStage::Compute => main,
        _ => return Err("the only entry point must be the compute shader `main`".into()),
    };
    let mut reflection =
        Reflection { workgroup: main.workgroup_size, bindings: Vec::new(), reads_step: false, subgroups };
    let mut bound: Vec<_> = module
        .global_variables
        .iter()
        .filter_map(|(_, variable)| Some((variable.binding?, variable)))
        .map(|(at, variable)| ([at.group, at.binding], variable))
        .collect();
    bound.sort_by_key(|&(at, _)| at);
    let mut has_params = false;
    for (at @ [group, binding], variable) in bound {
        let name = variable.name.as_deref().unwrap_or("(no name)");
        let inner = &module.types[variable.ty].inner;
        let next = [0, reflection.bindings.len() as u32 + 1];
        match (at, variable.space, name) {
            ([0, 0], AddressSpace::Uniform, "params") => {
                has_params = true;
                fields(&module, inner)?;
            }
            ([1, 0], AddressSpace::Uniform, "step") => reflection.reads_step = true,
            (_, AddressSpace::Storage { access }, _) if at == next => {
                elements(&module, inner).map_err(|problem| format!("{name}: {problem}"))?;
                reflection.bindings.push((name.to_owned(), access.contains(StorageAccess::STORE)));
            }
            _ => return Err(format!("{name} is not expected at binding {binding} of group {group}")),
        }
    }
    if !has_params {
        return Err("binding 0 of group 0 must be the uniform `params`".into());
    }
    expect_little(&module, &reflection)?;
    Ok(reflection)
}

fn parse(name: &str, source: &str) -> Result<Module, String> {
    naga::front::wgsl::parse_str(source).map_err(|error| error.emit_to_string_with_path(source, name))
}

/// The fields of a uniform struct: 32-bit numbers without padding between them.
fn fields(module: &Module, inner: &TypeInner) -> Result<Vec<Field>, String> {
    let TypeInner::Struct { members, .. } = inner else {
        return Err(format!("a uniform must be a struct, not {inner:?}"));
    };
    let field = |member: &naga::StructMember| {
        let name = member.name.clone().unwrap_or_default();
        let kind = match module.types[member.ty].inner {
            TypeInner::Scalar(Scalar::U32) => "u32",
            TypeInner::Scalar(Scalar::F32) => "f32",
            ref other => return Err(format!("{name} must be u32 or f32, not {other:?}")),
        };
        Ok(Field { name, kind, comment: Vec::new() })
    };
    members.iter().map(field).collect()
}

/// Checks that an array holds 32-bit numbers or f16, as scalars or as vectors without padding.
fn elements(module: &Module, inner: &TypeInner) -> Result<(), String> {
    let TypeInner::Array { base, stride, .. } = *inner else {
        return Err("storage must be an array".into());
    };
    let bytes = match module.types[base].inner {
        TypeInner::Scalar(Scalar::F16) => 2,
        TypeInner::Vector { size, scalar: Scalar::F16 } => 2 * size as u32,
        TypeInner::Scalar(Scalar::U32 | Scalar::F32) => 4,
        TypeInner::Vector { size, scalar: Scalar::U32 | Scalar::F32 } => 4 * size as u32,
        _ => 0,
    };
    if stride == bytes { Ok(()) } else { Err(format!("elements with padding: {stride} bytes apart")) }
}

/// Checks that WebGPU's default limits are enough, and that sizes come from `params`.
fn expect_little(module: &Module, reflection: &Reflection) -> Result<(), String> {
    let is_of_workgroup = |variable: &&GlobalVariable| variable.space == AddressSpace::WorkGroup;
    let globals = module.global_variables.iter().map(|(_, variable)| variable);
    let sizes = globals.filter(is_of_workgroup).map(|variable| {
        let ty = &module.types[variable.ty];
        ty.inner.size(module.to_ctx())
    });
    let is_cooperative = |(_, ty): (_, &naga::Type)| matches!(ty.inner, TypeInner::CooperativeMatrix { .. });
    let cooperative = module.types.iter().any(is_cooperative);
    let most_bytes = if cooperative { MOST_COOPERATIVE_BYTES } else { MOST_WORKGROUP_BYTES };
    for (what, number, most) in [
        ("invocations", reflection.workgroup.iter().product(), MOST_INVOCATIONS),
        ("storage buffers", reflection.bindings.len() as u32, MOST_STORAGE_BUFFERS as u32),
        ("bytes of workgroup memory", sizes.sum(), most_bytes),
    ] {
        if number > most {
            return Err(format!("{number} {what}, but the limit is {most}"));
        }
    }
    // wgpu hides reads past the end of a buffer, so an error in a size that came from the buffer
    // itself would never be found.
    let functions = module.functions.iter().map(|(_, function)| function);
    let functions = functions.chain(module.entry_points.iter().map(|entry| &entry.function));
    for function in functions {
        let mut expressions = function.expressions.iter();
        if expressions.any(|(_, expression)| matches!(expression, Expression::ArrayLength(_))) {
            return Err("sizes come from `params`, never from `arrayLength`".into());
        }
    }
    Ok(())
}
