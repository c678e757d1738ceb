//! `shadegrad data`: lists, downloads, verifies and describes data sets.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::picture_flags::PictureArguments;
use super::preview_flags::PreviewArguments;
use super::{output, verification_report};
use crate::data::fetch::{FetchOptions, Origin, fetch, import};
use crate::data::load::{is_of_pictures, load, unknown};
use crate::data::pictures::{self, Wanted};
use crate::data::statistics::{class_counts, moments};
use crate::data::verify::verify;
use crate::data::{Dataset, KnownSet, Search, Split};
use crate::error::{Error, Result};

const EXAMPLES: &str = "Examples:
  shadegrad data list
  shadegrad data fetch cifar10            # into the user's cache, checked
  shadegrad data verify ./flowers         # can every picture be read?
  shadegrad data stats fashion-mnist
  shadegrad data stats cifar10 --preview sheet.png --flip random --crop 4";

/// The arguments of `shadegrad data`.
#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,

    /// Folder to look for data sets in and to download them to, instead of the usual places
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Print a JSON object instead of text
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum DataCommand {
    /// List the known data sets and where they are
    List,
    /// Download a data set into the user's cache, or import files, and check every byte
    Fetch {
        /// Name of the data set, for example cifar10
        name: String,
        /// Import the files from this file or folder instead of downloading them
        #[arg(long, value_name = "FILE|DIR")]
        from: Option<PathBuf>,
    },
    /// Compare a data set's files with the official ones, or check a folder of images
    ///
    /// In a folder, every image is decoded. The classes and splits are shown as training would use
    /// them, with the files that it would skip. The exit code is 3 if an image cannot be read or
    /// training would refuse the folder.
    Verify {
        /// Name of the data set, or a folder of images
        name: String,
    },
    /// Count the images of each class, and compute each channel's mean and standard deviation
    Stats {
        /// Name of the data set, or a folder that contains one or contains images
        name: String,
        #[command(flatten)]
        pictures: PictureArguments,
        #[command(flatten)]
        preview: PreviewArguments,
    },
}

pub(super) fn run(args: &DataArgs) -> Result<()> {
    let search = Search::from_environment(args.data_dir.clone());
    let command = Command { search: &search, json: args.json };
    match &args.command {
        DataCommand::List => command.list(),
        DataCommand::Fetch { name, from } => command.fetch(name, from.as_ref()),
        DataCommand::Verify { name } => command.verify(name),
        DataCommand::Stats { name, pictures, preview } => command.stats(name, &pictures.wanted(), preview),
    }
}

/// The arguments that all subcommands share.
struct Command<'a> {
    search: &'a Search,
    json: bool,
}

impl Command<'_> {
    fn list(&self) -> Result<()> {
        let mut text = String::new();
        let mut sets = Vec::new();
        for set in &self.search.catalogue.sets {
            // One unreadable folder must not hide the other data sets.
            let (files, place) = match self.search.locate(set) {
                Ok(Some(files)) => {
                    let paths = files.paths();
                    let place = paths.first().map(|path| path.display().to_string());
                    (json!(paths), place.unwrap_or_default())
                }
                Ok(None) => (Value::Null, format!("not found: shadegrad data fetch {}", set.name)),
                Err(error) => (Value::Null, error.to_string()),
            };
            let images = set.train_images + set.test_images;
            line(
                &mut text,
                format_args!(
                    "{:<14} {:<40} {:>3} classes  {images:>6} images  {place}",
                    set.name, set.title, set.class_count
                ),
            );
            sets.push(json!({
                "name": set.name,
                "title": set.title,
                "classes": set.class_count,
                "train_images": set.train_images,
                "test_images": set.test_images,
                "files": files,
            }));
        }
        self.print(&text, "data-list", &json!({ "sets": sets }))
    }

    fn fetch(&self, name: &str, from: Option<&PathBuf>) -> Result<()> {
        let set = self.known(name)?;
        let folder = self.search.download_folder(set)?;
        let files = match from {
            Some(from) => import(set, from, &folder)?,
            None => fetch(set, &folder, &FetchOptions::default())?,
        };
        let mut text = String::new();
        let mut objects = Vec::new();
        for file in &files {
            let (origin, words) = match file.origin {
                Origin::AlreadyThere => ("already-there", "already present"),
                Origin::Downloaded => ("downloaded", "downloaded"),
                Origin::Imported => ("imported", "imported"),
            };
            line(&mut text, format_args!("{}: {words}, official", file.path.display()));
            objects.push(json!({ "path": file.path, "origin": origin }));
        }
        self.print(&text, "data-fetch", &json!({ "name": set.name, "files": objects }))
    }

    fn verify(&self, name: &str) -> Result<()> {
        let folder = Path::new(name);
        if self.search.catalogue.find(name).is_none() && folder.is_dir() && is_of_pictures(folder)? {
            return self.verify_pictures(folder);
        }
        let set = self.known(name)?;
        let reports = verify(set, &self.search.require(set)?)?;
        let mut text = String::new();
        let mut objects = Vec::new();
        let mut faults = Vec::new();
        for report in &reports {
            let path = report.path.display();
            let verdict = match &report.fault {
                None => format!("{path}: official"),
                Some(fault) => {
                    faults.push(path.to_string());
                    format!("{path}: not the official file: {fault}")
                }
            };
            line(&mut text, verdict);
            objects.push(json!({
                "path": report.path,
                "official": report.fault.is_none(),
                "fault": report.fault,
            }));
        }
        let object = json!({
            "name": set.name,
            "official": faults.is_empty(),
            "files": objects,
        });
        self.print(&text, "data-verify", &object)?;
        if faults.is_empty() {
            return Ok(());
        }
        Err(Error::data(format!("not the official {}: {}", set.name, faults.join(", ")))
            .advise(format!("if this is not intended, download it with `shadegrad data fetch {}`", set.name)))
    }

    /// Checks a folder of images: all must decode completely, and training must accept the folder.
    fn verify_pictures(&self, folder: &Path) -> Result<()> {
        let found = pictures::verify(folder, true)?;
        let (text, object) = verification_report::both(folder, &found);
        self.print(&text, "data-verify", &object)?;
        if let Some(refusal) = found.refusal {
            return Err(refusal);
        }
        match (found.faults.len(), found.pictures) {
            (0, _) => Ok(()),
            (bad, count) => {
                Err(Error::data(format!("{}: {bad} of {count} images cannot be read", folder.display()))
                    .advise("repair or remove them; training skips them"))
            }
        }
    }

    fn stats(&self, name: &str, wanted: &Wanted, preview: &PreviewArguments) -> Result<()> {
        preview.check()?;
        let dataset = load(name, self.search, wanted)?;
        output::print_description(&dataset);
        output::print_warnings(&dataset);
        let preview = preview.draw(&dataset)?;
        let moments = moments(&dataset.train, dataset.shape);
        let classes = dataset.classes.len();
        let train = class_counts(&dataset.train, classes);
        let validation = dataset.validation.as_ref().map(|split| class_counts(split, classes));
        let test = class_counts(&dataset.test, classes);
        let mut text = describe(&dataset);
        let columns = [("train", Some(&train)), ("validation", validation.as_ref()), ("test", Some(&test))];
        let columns = columns.into_iter().filter_map(|(name, counts)| Some((name, counts?)));
        let columns: Vec<_> = columns.collect();
        let heads: String = columns.iter().map(|(name, _)| format!(" {name:>10}")).collect();
        line(&mut text, format_args!("{:<30}{heads}", "class"));
        for (class, name) in dataset.classes.iter().enumerate() {
            let cells: String = columns.iter().map(|(_, counts)| format!(" {:>10}", counts[class])).collect();
            line(&mut text, format_args!("{name:<30}{cells}"));
        }
        line(&mut text, format_args!("mean of pixels/255, each channel: {:.4?}", moments.mean));
        line(&mut text, format_args!("standard deviation:               {:.4?}", moments.std));
        if let Some(path) = preview {
            line(&mut text, format_args!("preview: {}", path.display()));
        }
        let split = |split: &Split, counts| json!({ "images": split.len(), "per_class": counts });
        let object = json!({
            "name": dataset.name,
            "channels": dataset.shape.channels,
            "height": dataset.shape.height,
            "width": dataset.shape.width,
            "classes": dataset.classes,
            "train": split(&dataset.train, train),
            "validation": dataset.validation.as_ref().zip(validation).map(|(part, counts)| split(part, counts)),
            "test": split(&dataset.test, test),
            "mean": moments.mean,
            "std": moments.std,
            "files": dataset.files,
            "preview": preview,
        });
        self.print(&text, "data-stats", &object)
    }

    fn known(&self, name: &str) -> Result<&KnownSet> {
        let set = self.search.catalogue.find(name);
        set.ok_or_else(|| unknown(name, self.search))
    }

    /// Prints either the text or the JSON object.
    fn print(&self, text: &str, name: &str, object: &Value) -> Result<()> {
        if self.json { output::print_json(name, object) } else { output::print(text) }
    }
}

fn line(text: &mut String, line: impl fmt::Display) {
    text.push_str(&format!("{line}\n"));
}

fn describe(dataset: &Dataset) -> String {
    let shape = dataset.shape;
    let validation = dataset.validation.as_ref().map(|split| format!(", {} validation", split.len()));
    format!(
        "{}: {} training{} and {} test images of {}x{}x{} (channels, rows, columns)\n",
        dataset.name,
        dataset.train.len(),
        validation.unwrap_or_default(),
        dataset.test.len(),
        shape.channels,
        shape.height,
        shape.width
    )
}
