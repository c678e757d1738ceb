//! Generates descriptors of the plain kernels and Rust structs of their uniforms from `shaders/`,
//! and the table of presets from `presets/`. The generated files are included by
//! `src/kernel/shaders.rs` and `src/config/preset_list.rs`.

#[path = "build/presets.rs"]
mod presets;
#[path = "build/shaders.rs"]
mod shaders;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use shaders::{Declaration, Field, Files, Reflection};

fn main() {
    println!("cargo::rerun-if-changed=shaders");
    println!("cargo::rerun-if-changed=presets");
    println!("cargo::rerun-if-changed=build");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names the folder"));
    let generated =
        generate(Path::new("shaders"), &out).and_then(|()| presets::generate(Path::new("presets"), &out));
    if let Err(problem) = generated {
        eprintln!("{problem}");
        std::process::exit(1);
    }
}

fn generate(folder: &Path, out: &Path) -> Result<(), String> {
    let files = read(folder)?;
    let mut code = uniforms(&files)?;
    let mut names = Vec::new();
    for declaration in shaders::declarations(&files)? {
        code += &descriptor(&declaration, &files, out)?;
        names.push(format!("{}_", declaration.name.to_uppercase()));
    }
    let kernels: String = names.iter().map(|name| format!("        {name}.variants(),\n")).collect();
    code += &format!(
        "/// Every plain kernel, and its twin for f16 where it has one.\n\
         pub(crate) fn all() -> Vec<Kernel> {{\n    [\n{kernels}    ]\n    .concat()\n}}\n"
    );
    write(&out.join("shaders.rs"), &code)
}

fn read(folder: &Path) -> Result<Files, String> {
    let problem = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).map_err(|error| problem(folder, error))? {
        let path = entry.map_err(|error| problem(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(name) = name.strip_suffix(".wgsl") {
            files.insert(name.into(), std::fs::read_to_string(&path).map_err(|error| problem(&path, error))?);
        }
    }
    Ok(files)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Rust structs for the uniforms `params`, and the fields of `step`.
fn uniforms(files: &Files) -> Result<String, String> {
    let mut code = String::new();
    for (file, text) in files.iter().filter(|(_, text)| shaders::has_struct(text, "Params")) {
        let fields = shaders::uniform(text, "Params").map_err(|problem| format!("{file}.wgsl: {problem}"))?;
        let fields: String = fields.iter().map(field).collect();
        let name = params_name(file);
        write!(
            code,
            "uniform! {{\n    /// The uniform `params` of `{file}.wgsl`.\n    \
             pub(crate) struct {name} {{\n{fields}    }}\n}}\n\n"
        )
        .expect("strings can be written");
    }
    let step = shaders::uniform(files.get("step").ok_or("no step.wgsl")?, "Step")?;
    let step: String = step
        .iter()
        .map(|Field { name, kind, .. }| {
            format!("    Field {{ name: {name:?}, kind: FieldKind::{} }},\n", kind.to_uppercase())
        })
        .collect();
    code += &format!("/// Fields of the uniform `step`.\npub(crate) const STEP: &[Field] = &[\n{step}];\n\n");
    Ok(code)
}

fn field(Field { name, kind, comment }: &Field) -> String {
    let comment: String = comment.iter().map(|line| format!("        /// {line}\n")).collect();
    format!("{comment}        {name}: {kind},\n")
}

/// Name of the Rust struct of a file's uniform: `batch_norm_params` has `BatchNormParams`, `sgd`
/// has `SgdParams`.
fn params_name(file: &str) -> String {
    let words = file.strip_suffix("_params").unwrap_or(file).split('_');
    let capitals = words.map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    capitals.collect::<String>() + "Params"
}

/// A static that describes a kernel, whose texts are written to `out`.
fn descriptor(declaration: &Declaration, files: &Files, out: &Path) -> Result<String, String> {
    let name = &declaration.name;
    let file = declaration.params_file(files).ok_or(format!("kernel {name}: no struct Params"))?;
    let full = kernel(name, &declaration.source(files), out)?;
    let half = match declaration.half_source(files) {
        Some(source) => format!("Some({})", kernel(&format!("{name}_f16"), &source, out)?),
        None => "None".into(),
    };
    let (constant, params) = (name.to_uppercase(), params_name(file));
    let parts = declaration.files.join(".wgsl`, `");
    Ok(format!(
        "const {constant}_: PlainKernel<{params}> = PlainKernel::new({full}, {half});\n\
         /// `{parts}.wgsl`\n\
         pub(crate) static {constant}: PlainKernel<{params}> = {constant}_;\n\n"
    ))
}

fn kernel(name: &str, source: &str, out: &Path) -> Result<String, String> {
    let reflection = shaders::reflect(name, source).map_err(|problem| format!("kernel {name}: {problem}"))?;
    let Reflection { workgroup, bindings, reads_step, subgroups } = reflection;
    let bindings: Vec<String> = bindings
        .iter()
        .map(|(name, writes)| format!("{}({name:?})", if *writes { "write" } else { "read" }))
        .collect();
    let bindings = bindings.join(", ");
    write(&out.join(format!("{name}.wgsl")), source)?;
    Ok(format!(
        "Kernel {{\n    name: Cow::Borrowed({name:?}),\n    source: Cow::Borrowed(include_str!(\"{name}.wgsl\")),\n    \
         workgroup: {workgroup:?},\n    bindings: Cow::Borrowed(&[{bindings}]),\n    \
         reads_step: {reads_step},\n    subgroups: {subgroups},\n}}"
    ))
}
