//! The graph of which file of the crate uses which.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::Paths;
use super::source::{Module, Source};

/// A use of one file by another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Index of the file that uses the other.
    pub from: usize,
    /// Index of the file that is used.
    pub to: usize,
    /// Location and path for messages: `ops/relu.rs:9: crate::plan::Op`.
    pub place: String,
}

/// All uses between files. An item that a file re-exports (`pub use`) counts as a use of the file
/// that defines it.
pub struct Graph<'a> {
    /// The files.
    pub sources: &'a [Source],
    /// Their uses, at most one for each line and path.
    pub uses: BTreeSet<Use>,
}

impl<'a> Graph<'a> {
    /// Builds the graph of these files.
    pub fn of(sources: &'a [Source]) -> Self {
        let modules: BTreeSet<Module> = sources.iter().map(Source::module).collect();
        let paths: Vec<Paths> = sources.iter().map(|source| Paths::of(source, &modules)).collect();
        let by_module: BTreeMap<Module, usize> =
            sources.iter().enumerate().map(|(index, source)| (source.module(), index)).collect();
        let mut uses = BTreeSet::new();
        for (from, found) in paths.iter().enumerate() {
            for named in &found.inside {
                let to = resolve(&named.parts, &by_module, &paths, 0);
                let place =
                    format!("src/{}:{}: crate::{}", sources[from].path, named.line, named.parts.join("::"));
                if let Some(to) = to.filter(|&to| to != from) {
                    uses.insert(Use { from, to, place });
                }
            }
        }
        Graph { sources, uses }
    }

    /// Returns the cycles: groups of files each of which uses every other, directly or indirectly.
    pub fn circles(&self) -> Vec<Vec<&'a str>> {
        let reach: Vec<BTreeSet<usize>> = (0..self.sources.len()).map(|from| self.reach(from)).collect();
        let mut circles = BTreeSet::new();
        for (from, reached) in reach.iter().enumerate() {
            let circle: Vec<&str> = reached
                .iter()
                .filter(|&&to| reach[to].contains(&from))
                .map(|&to| self.sources[to].path.as_str())
                .collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reach(&self, from: usize) -> BTreeSet<usize> {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            let next = self.uses.iter().filter(|used| used.from == at).map(|used| used.to);
            open.extend(next.filter(|&to| reached.insert(to)));
        }
        reached
    }
}

/// Returns the file that defines the item at this path: that of the deepest module of the path, or
/// the file that it re-exports the item from.
fn resolve(
    path: &[String],
    by_module: &BTreeMap<Module, usize>,
    paths: &[Paths],
    depth: usize,
) -> Option<usize> {
    assert!(depth < 20, "{} is re-exported in a cycle", path.join("::"));
    let known = (0..=path.len()).rev().find(|&length| by_module.contains_key(&path[..length]))?;
    let file = by_module[&path[..known]];
    let exported = path.get(known).and_then(|item| paths[file].exports.get(item));
    match exported {
        Some(target) => {
            let target = [target, &path[known + 1..]].concat();
            // A re-exported item of an outside crate counts as the file's own.
            resolve(&target, by_module, paths, depth + 1).or(Some(file))
        }
        None => Some(file),
    }
}
