//! Lists the presets: every TOML file in `presets/`, by name.

use std::fmt::Write;
use std::path::Path;

/// Writes the table of presets in `folder` to `presets.rs` in `out`.
///
/// # Errors
///
/// If the folder cannot be read or the table cannot be written.
pub fn generate(folder: &Path, out: &Path) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", folder.display());
    let folder = folder.canonicalize().map_err(problem)?;
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(name) = name.strip_suffix(".toml") {
            let path = path.to_str().ok_or("the repository's path is not UTF-8")?;
            rows.push(format!("    Preset {{ name: {name:?}, text: include_str!({path:?}) }},\n"));
        }
    }
    rows.sort();
    let mut code = String::from("/// All presets, by name.\n");
    writeln!(code, "pub const ALL: [Preset; {}] = [", rows.len()).expect("strings can be written");
    code.extend(rows);
    code += "];\n";
    std::fs::write(out.join("presets.rs"), code).map_err(problem)
}
