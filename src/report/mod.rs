//! `report.html`: the report of a run in one self-contained page.
//!
//! A [`Record`] holds the contents of the run's directory, and an [`Examination`] the evaluation of
//! the model on the test images. The latter is stored in the directory as well, so that the page
//! can be written again without the images. `chart`, `curves` and `picture` turn numbers into
//! curves and images. `page` fills the templates in `page/`: HTML, a style sheet and scripts. The
//! page loads nothing, and its Content-Security-Policy enforces that.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use shadegrad::report::{self, Findings, Record, Report};
//!
//! let run = Path::new("runs/mine");
//! let record = Record::read(run)?;
//! let report = Report { record: &record, model: None, findings: Findings::Pending };
//! let path = report::write(run, &record.name, &report.to_body()?)?;
//! # Ok::<(), shadegrad::Error>(())
//! ```

mod chart;
mod contents;
mod curves;
mod examination;
mod examination_view;
mod page;
mod picture;
mod record;

use std::path::{Path, PathBuf};

pub use contents::{Findings, Report};
pub use examination::Examination;
pub use record::{Facts, Record};

use page::PageMode;

use crate::error::Result;
use crate::fs::atomic;

impl Report<'_> {
    /// Renders the contents of the page's `<main>` element.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if a template or an image cannot be
    /// rendered.
    pub fn to_body(&self) -> Result<String> {
        page::body(self)
    }
}

/// File name of the page in the folder of a run.
const NAME: &str = "report.html";

/// Whether the folder `run` has a page with a confusion matrix. Earlier versions stored the
/// evaluation only there.
pub fn shows_findings(run: &Path) -> bool {
    let data = |page: &str| -> Option<serde_json::Value> {
        let (_, rest) = page.split_once(page::DATA_START)?;
        serde_json::from_str(rest.split_once("</script>")?.0).ok()
    };
    let page = std::fs::read_to_string(run.join(NAME)).unwrap_or_default();
    data(&page).is_some_and(|data| data["test"].is_object())
}

/// Writes `report.html` with `body` to `run`, the directory of the run called `name`. Returns the
/// path.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
pub fn write(run: &Path, name: &str, body: &str) -> Result<PathBuf> {
    let path = run.join(NAME);
    atomic::write(&path, page::page(name, body, PageMode::Saved)?.as_bytes())?;
    Ok(path)
}

/// Renders the page for the dashboard. It shows `body`, which has this `version`, and updates
/// itself.
pub(crate) fn live_page(name: &str, body: &str, version: u64) -> Result<String> {
    page::page(name, body, PageMode::Live { version })
}
