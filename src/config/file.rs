//! Reading a TOML file of settings. Every error is one line with the file name and the line number.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::Key;
use super::kind::{Kind, Written};
use super::settings::{Origin, Settings, shorten};
use crate::error::{Error, Result};
use crate::remedy::Remedy;
use crate::text::suggest::nearest;

/// Maximum size of a configuration file in bytes. It is far above any real configuration, so that a
/// data file given by mistake is not loaded into memory.
const MOST_BYTES: u64 = 1 << 20;

/// The one key that files accept and flags do not: a description for human readers.
const DESCRIPTION: &str = "description";

/// The contents of a TOML file of settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigFile {
    /// The `description` of the file, if it has one.
    pub description: Option<String>,
    /// The values that the file sets.
    pub settings: Settings,
}

impl ConfigFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the file cannot be read or contains a
    /// mistake.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let unreadable =
            |why: String| Error::usage(format!("cannot read {shown}: {why}")).advise(Remedy::GiveConfigFile);
        let about = std::fs::metadata(path).map_err(|cause| unreadable(cause.to_string()))?;
        if about.is_dir() {
            return Err(unreadable("it is a folder".into()));
        }
        if about.len() > MOST_BYTES {
            return Err(unreadable(format!("{} bytes are too many for a configuration", about.len())));
        }
        let bytes = std::fs::read(path).map_err(|cause| unreadable(cause.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".into()))?;
        ConfigFile::parse(&text, |line, column| Origin::File { path: path.to_owned(), line, column })
    }

    /// Parses the text of a file. `origin` maps a line and column to where a value came from.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the text is not TOML, or a key or value is
    /// not allowed.
    pub fn parse(text: &str, origin: impl Fn(usize, usize) -> Origin) -> Result<Self> {
        let origin_at = |span: Range<usize>| {
            let (line, column) = place(text, span.start);
            origin(line, column)
        };
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            invalid(text, &error, span.clone(), &origin_at(span))
        })?;
        let mut file = ConfigFile::default();
        // In order of lines, so that the first of several mistakes is reported.
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in entries {
            let origin = origin_at(value.span());
            if name.get_ref() == DESCRIPTION {
                file.description = Some(description(value, text, &origin)?);
                continue;
            }
            let key =
                Key::named(name.get_ref()).ok_or_else(|| unknown(name.get_ref(), &origin_at(name.span())))?;
            let shown = shorten(text.get(value.span()).unwrap_or_default());
            match value.get_ref() {
                // `FromStr` reads decimal digits only; TOML also has hexadecimal, octal and binary
                // numbers.
                DeValue::Integer(number) if number.radix() != 10 => {
                    let number = u64::from_str_radix(number.as_str(), number.radix());
                    let digits = number.map(|number| number.to_string()).unwrap_or_default();
                    file.settings.set_written(key, Written::Number(&digits), &shown, origin)?;
                }
                value => file.settings.set_written(key, written(value), &shown, origin)?,
            }
        }
        Ok(file)
    }
}

fn written<'a>(value: &'a DeValue<'_>) -> Written<'a> {
    match value {
        DeValue::String(text) => Written::Text(text),
        DeValue::Integer(number) => Written::Number(number.as_str()),
        DeValue::Float(number) => Written::Number(number.as_str()),
        DeValue::Boolean(on) => Written::Switch(*on),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => Written::Other,
    }
}

fn description(value: &Spanned<DeValue<'_>>, text: &str, origin: &Origin) -> Result<String> {
    match value.get_ref() {
        DeValue::String(description) => Ok(description.to_string()),
        _ => {
            let shown = shorten(text.get(value.span()).unwrap_or_default());
            Err(Error::usage(format!("{origin}: {DESCRIPTION} = {shown}: must be text"))
                .advise("put it in double quotes"))
        }
    }
}

fn unknown(name: &str, origin: &Origin) -> Error {
    let names = || Key::ALL.into_iter().map(Key::name);
    let mut message = format!("{origin}: unknown key `{}`", shorten(name));
    let all: Vec<_> = names().collect();
    // People often write the name of the flag, or `learning-rate` in full.
    let turned_off =
        Key::ALL.into_iter().find(|key| matches!(key.kind(), Kind::Switch { off, .. } if off == name));
    let meant = match turned_off {
        Some(key) => Some(format!("{} = false", key.name())),
        None if name.starts_with("learning") => Some(Key::Lr.name().into()),
        None => nearest(name, names()).map(String::from),
    };
    if let Some(meant) = meant {
        message.push_str(&format!("; did you mean `{meant}`?"));
    }
    Error::usage(message).advise(format!("the keys are {}", all.join(", ")))
}

/// Returns the error for text that is not TOML and for a key that occurs twice.
fn invalid(text: &str, error: &toml::de::Error, span: Range<usize>, origin: &Origin) -> Error {
    if error.message().starts_with("duplicate key") {
        let key = shorten(text.get(span).unwrap_or_default());
        return Error::usage(format!("{origin}: duplicate key `{key}`"))
            .advise("keep one of the two lines and delete the other");
    }
    let message = error.message().replace('\n', " ");
    Error::usage(format!("{origin}: not TOML: {message}"))
        .advise("write one `key = value` per line, with text in double quotes")
}

/// Returns the line and column of the byte at `position`, both counted from 1.
fn place(text: &str, position: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(position)];
    let start_of_line = before.rfind('\n').map_or(0, |end| end + 1);
    (1 + before.matches('\n').count(), 1 + before[start_of_line..].chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    fn parse(text: &str) -> Result<ConfigFile> {
        ConfigFile::parse(text, |line, column| Origin::File { path: "a.toml".into(), line, column })
    }

    #[test]
    fn reads_every_kind_of_value_with_its_line() {
        let file = parse("description = \"x\"\n\n# why\nseed = 0x10\nlr = 1\nl2 = 1e-3\nshuffle = false\n");
        let file = file.expect("it is valid");
        assert_eq!(file.description.as_deref(), Some("x"));
        let seed = file.settings.get(Key::Seed).expect("it is set");
        assert_eq!(seed.value, Value::Whole(16));
        assert_eq!(seed.origin, Origin::File { path: "a.toml".into(), line: 4, column: 8 });
        assert_eq!(file.settings.get(Key::Lr).expect("it is set").value, Value::Number(1.0));
        assert_eq!(file.settings.get(Key::L2).expect("it is set").value, Value::Number(1e-3));
        assert_eq!(file.settings.get(Key::Shuffle).expect("it is set").value, Value::Switch(false));
    }

    #[test]
    fn the_first_of_several_mistakes_is_reported() {
        let error = parse("model = 3\nepochs = 0\ndata = 1\n").expect_err("all lines are wrong");
        assert!(error.to_string().starts_with("a.toml:1:9: model = 3: must be non-empty text"), "{error}");
    }
}
