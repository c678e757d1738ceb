//! The verdict of a GPU's selftest.

use serde::{Deserialize, Serialize};

/// The part of a selftest's result that is cached: which kernels are wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Date of the test: `2026-01-31`.
    pub date: String,
    /// Number of comparisons.
    pub checks: usize,
    /// Number of comparisons that failed.
    pub failures: usize,
    /// Tile classes of the matrix product that are wrong, and `f16` if f16 is wrong. Runs do not
    /// use them.
    #[serde(rename = "barred")]
    pub disabled: Vec<String>,
    /// Ops that are wrong in every variant. No other kernel can replace them.
    pub broken: Vec<String>,
}

/// The part of a selftest result that a run records if it applies the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelftestSummary {
    /// Date of the test: `2026-01-31`.
    pub date: String,
    /// Number of comparisons.
    pub checks: usize,
    /// Number of comparisons that failed.
    pub failures: usize,
    /// Tile classes of the matrix product that were wrong and are disabled.
    #[serde(rename = "without")]
    pub disabled: Vec<String>,
}

impl Verdict {
    /// Whether every comparison passed.
    pub fn is_clean(&self) -> bool {
        self.failures == 0
    }

    /// Returns the verdict in one line.
    pub fn summary(&self) -> String {
        let Verdict { date, checks, failures, disabled, broken } = self;
        match (*failures, broken.is_empty()) {
            (0, _) => format!("selftest passed on {date}, {checks} checks"),
            (failures, true) => format!(
                "selftest on {date}: {failures} of {checks} checks failed; disabled: {}",
                disabled.join(", ")
            ),
            (failures, false) => {
                format!(
                    "selftest on {date}: {failures} of {checks} checks failed; wrong in every variant: {}",
                    broken.join(", ")
                )
            }
        }
    }
}

impl From<Verdict> for SelftestSummary {
    fn from(verdict: Verdict) -> Self {
        let Verdict { date, checks, failures, disabled, .. } = verdict;
        SelftestSummary { date, checks, failures, disabled }
    }
}
