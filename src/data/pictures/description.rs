//! The description of an image folder, in a few lines.

use std::path::Path;

use super::Resize;
use super::album::Picture;
use super::name_list::list;
use super::split::{Origins, TestOrigin};
use crate::data::ImageShape;
use crate::data::pictures::album::common_size;
use crate::text::sanitize::one_line;

/// Maximum number of classes that are named.
const MOST_CLASSES: usize = 10;

/// Maximum length of a line in characters.
const MOST: usize = 1000;

/// Number of pictures of each class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the training split.
    pub train: Vec<usize>,
    /// In the validation split, if there is one.
    pub validation: Option<Vec<usize>>,
    /// In the test split.
    pub test: Vec<usize>,
}

/// Describes the classes and their balance, and the splits and their origins.
pub(super) fn describe(folder: &Path, classes: &[String], counts: &Counts, origins: &Origins) -> Vec<String> {
    let lines =
        [format!("{}: {}", folder.display(), of_classes(classes, &counts.train)), of_splits(counts, origins)];
    lines.iter().map(|line| one_line(line, MOST)).collect()
}

fn of_classes(classes: &[String], counts: &[usize]) -> String {
    let number = classes.len();
    let (least, most) = (counts.iter().min().copied(), counts.iter().max().copied());
    let (least, most) = (least.unwrap_or_default(), most.unwrap_or_default());
    if least == most {
        return format!("{number} classes with {} each: {}", pictures(most, "training "), list(classes));
    }
    let named =
        classes.iter().zip(counts).take(MOST_CLASSES).map(|(class, count)| format!("{class} ({count})"));
    let rest = match number.saturating_sub(MOST_CLASSES) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    let ratio = most as f64 / least.max(1) as f64;
    let named = named.collect::<Vec<_>>().join(", ");
    format!("{number} classes with {least} to {most} training pictures (1 : {ratio:.1}): {named}{rest}")
}

fn of_splits(counts: &Counts, origins: &Origins) -> String {
    let [train, test] = [&counts.train, &counts.test].map(|counts| counts.iter().sum::<usize>());
    let mut parts = vec![format!("training: {} in {}", pictures(train, ""), origins.train.display())];
    if let (Some(counts), Some(folder)) = (&counts.validation, &origins.validation) {
        parts.push(format!("validation: {} in {}", counts.iter().sum::<usize>(), folder.display()));
    }
    parts.push(match &origins.test {
        TestOrigin::Test(folder) => format!("testing: {test} in {}", folder.display()),
        TestOrigin::Validation(folder) => {
            format!("testing: {test} in {}, because there is no test folder", folder.display())
        }
        TestOrigin::HeldOut => {
            format!("testing: {test} more, 20 % of each class, held out because there is no test folder")
        }
    });
    parts.join("; ")
}

/// Describes the number of pictures, their sizes, and the size they are resized to (width by
/// height).
pub(super) fn sizes(all: &[&Picture], shape: ImageShape, resize: Resize) -> String {
    let areas = |picture: &&&Picture| picture.outline.height * picture.outline.width;
    let size = |picture: &Picture| format!("{}x{}", picture.outline.width, picture.outline.height);
    let extremes = all.iter().min_by_key(areas).zip(all.iter().max_by_key(areas));
    let sizes = match (common_size(all), extremes) {
        (Some((height, width)), _) => format!(" of {width}x{height}"),
        (None, Some((least, most))) => format!(" of {} to {}", size(least), size(most)),
        (None, None) => String::new(),
    };
    let how = match resize {
        _ if common_size(all) == Some((shape.height, shape.width)) => "kept at",
        Resize::Stretch => "stretched to",
        Resize::Crop | Resize::Refuse => "cropped and scaled to",
    };
    let colours = if shape.channels == 1 { "grey" } else { "RGB" };
    let ImageShape { height, width, .. } = shape;
    format!("{}{sizes}, {how} {width}x{height} {colours}", pictures(all.len(), ""))
}

fn pictures(count: usize, kind: &str) -> String {
    format!("{count} {kind}picture{}", if count == 1 { "" } else { "s" })
}
