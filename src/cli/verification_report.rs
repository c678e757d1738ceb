//! The result of `data verify` on a folder of images, as text and as JSON.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::data::pictures::{Endings, TestOrigin, Verification};

/// Returns the result as lines of text and as a JSON object.
pub(super) fn both(folder: &Path, found: &Verification) -> (String, Value) {
    (text(folder, found), object(folder, found))
}

fn text(folder: &Path, found: &Verification) -> String {
    let mut lines: Vec<_> = found.faults.iter().map(|fault| fault.message.clone()).collect();
    lines.extend(found.warnings.iter().map(|warning| format!("warning: {warning}")));
    if found.others.total() > 0 {
        lines.push(format!("files that are not images: {}", found.others.list()));
    }
    lines.extend(found.description.iter().cloned());
    let (count, bad) = (found.pictures, found.faults.len());
    lines.push(format!("{}: {} of {count} images can be read", folder.display(), count - bad));
    lines.join("\n") + "\n"
}

fn object(folder: &Path, found: &Verification) -> Value {
    let Verification { counts, origins, .. } = found;
    let split = |folder: Option<&Path>, counts: &[usize]| json!({ "folder": folder, "per_class": counts });
    let test_folder = match &origins.test {
        TestOrigin::Test(folder) | TestOrigin::Validation(folder) => Some(folder.as_path()),
        TestOrigin::HeldOut => None,
    };
    let validation = counts.validation.as_ref();
    let faults = found.faults.iter().map(|fault| json!({ "path": fault.path, "fault": fault.message }));
    json!({
        "name": folder,
        "pictures": found.pictures,
        "files": faults.collect::<Vec<_>>(),
        "classes": found.classes,
        "train": split(Some(&origins.train), &counts.train),
        "validation": validation.map(|counts| split(origins.validation.as_deref(), counts)),
        "test": split(test_folder, &counts.test),
        "unread": by_ending(&found.unread),
        "others": by_ending(&found.others),
        "warnings": found.warnings,
        "refusal": found.refusal.as_ref().map(ToString::to_string),
    })
}

/// Returns the number of files with each file name extension.
fn by_ending(endings: &Endings) -> Value {
    let counts = endings.by_count().into_iter().map(|(ending, count)| (ending.to_owned(), count.into()));
    Value::Object(counts.collect::<Map<_, _>>())
}
