//! `report.html`: a run in one page that needs nothing but itself.
//!
//! A [`Record`] is what the run's directory says, an [`Examination`] what the model does with the test
//! images. `chart` and `picture` turn numbers into curves and images, `page` fills the templates in
//! `page/`: HTML, a style sheet and a script, all of which a browser can read as they are. The page
//! fetches nothing, and its Content-Security-Policy has the browser hold it to that.

mod chart;
mod examination;
mod page;
mod picture;
mod record;

use std::path::{Path, PathBuf};

pub use examination::Examination;
pub use record::{Facts, Record};

use page::Occasion;

use crate::atomic;
use crate::error::Result;
use crate::run::SavedModel;

/// Everything that a report shows.
#[derive(Debug)]
pub struct Report<'a> {
    /// What the run's directory says.
    pub record: &'a Record,
    /// The model whose first layer is shown.
    pub model: Option<&'a SavedModel>,
    /// What it does with the test images.
    pub findings: Findings<'a>,
}

/// What is known about the model's answers.
#[derive(Debug)]
pub enum Findings<'a> {
    /// They were looked at.
    Made(Examination<'a>),
    /// They were not, and that is why: a sentence for the reader.
    Missing(String),
}

impl Report<'_> {
    /// All that the page shows: the inside of its `<main>`.
    pub fn to_body(&self) -> Result<String> {
        page::body(self)
    }
}

/// Writes `report.html` with `body` into `run`, the directory of the run called `name`; returns its path.
pub fn write(run: &Path, name: &str, body: &str) -> Result<PathBuf> {
    let path = run.join("report.html");
    atomic::write(&path, page::page(name, body, Occasion::Kept)?.as_bytes())?;
    Ok(path)
}

/// The page that shows `body` and then what the dashboard sends; `version` is the body's.
pub fn live_page(name: &str, body: &str, version: u64) -> Result<String> {
    page::page(name, body, Occasion::Live { version })
}
