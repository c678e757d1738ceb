//! Which file of the crate uses which.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::Paths;
use super::source::{Module, Source};

/// A use of one file by another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The file that uses, by its position among all.
    pub from: usize,
    /// The file that is used.
    pub to: usize,
    /// Where, for messages: `ops/relu.rs:9: crate::plan::Op`.
    pub place: String,
}

/// All uses between files. What a file only hands on (`pub use`) is used by those who take it there.
pub struct Graph<'a> {
    /// The files.
    pub sources: &'a [Source],
    /// Their uses, at most one for each place.
    pub uses: BTreeSet<Use>,
}

impl<'a> Graph<'a> {
    /// The graph of these files.
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

    /// The circles: groups of files each of which uses every other, directly or not.
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

/// The file that an item of this path is in: that of the deepest module on the way, or where this
/// has it from.
fn resolve(
    path: &[String],
    by_module: &BTreeMap<Module, usize>,
    paths: &[Paths],
    depth: usize,
) -> Option<usize> {
    assert!(depth < 20, "{} is handed on in a circle", path.join("::"));
    let known = (0..=path.len()).rev().find(|&length| by_module.contains_key(&path[..length]))?;
    let file = by_module[&path[..known]];
    let exported = path.get(known).and_then(|item| paths[file].exports.get(item));
    match exported {
        Some(target) => {
            let target = [target, &path[known + 1..]].concat();
            // An outside crate's item is as good as the file's own.
            resolve(&target, by_module, paths, depth + 1).or(Some(file))
        }
        None => Some(file),
    }
}
