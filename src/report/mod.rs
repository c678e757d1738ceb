//! `report.html`: a run in one page that needs nothing but itself.
//!
//! A [`Record`] is what the run's directory says, an [`Examination`] what the model does with the test
//! images; it is kept in the directory, too. So a page can be written again without the images.
//! `chart`, `curves` and `picture` turn numbers into curves and images, `page` fills the templates
//! in `page/`: HTML, a style sheet and a script, all of which a browser can read as they are. The
//! page fetches nothing, and its Content-Security-Policy has the browser hold it to that.

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

use page::Occasion;

use crate::error::Result;
use crate::fs::atomic;

impl Report<'_> {
    /// All that the page shows: the inside of its `<main>`.
    pub fn to_body(&self) -> Result<String> {
        page::body(self)
    }
}

/// The page's name in the folder of a run.
const NAME: &str = "report.html";

/// Whether the folder `run` has a page with a confusion matrix: pages of earlier versions may be
/// all that is left of it.
pub fn shows_findings(run: &Path) -> bool {
    let data = |page: &str| -> Option<serde_json::Value> {
        let (_, rest) = page.split_once(page::DATA_START)?;
        serde_json::from_str(rest.split_once("</script>")?.0).ok()
    };
    let page = std::fs::read_to_string(run.join(NAME)).unwrap_or_default();
    data(&page).is_some_and(|data| data["test"].is_object())
}

/// Writes `report.html` with `body` into `run`, the directory of the run called `name`; returns its path.
pub fn write(run: &Path, name: &str, body: &str) -> Result<PathBuf> {
    let path = run.join(NAME);
    atomic::write(&path, page::page(name, body, Occasion::Kept)?.as_bytes())?;
    Ok(path)
}

/// The page that shows `body` and then what the dashboard sends; `version` is the body's.
pub fn live_page(name: &str, body: &str, version: u64) -> Result<String> {
    page::page(name, body, Occasion::Live { version })
}
