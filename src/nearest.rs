//! "Did you mean …?": the known word that a misspelt one is closest to.

/// Least Jaro-Winkler similarity at which a word is worth suggesting.
const LEAST_SIMILARITY: f64 = 0.8;

/// The candidate most like `word`, whatever its case, if any is much like it.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity > LEAST_SIMILARITY)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_the_closest_word_or_none() {
        let words = ["batch-size", "epochs", "schedule"];
        assert_eq!(nearest("batchsize", words), Some("batch-size"));
        assert_eq!(nearest("BATCH_SIZE", words), Some("batch-size"));
        assert_eq!(nearest("epoch", words), Some("epochs"));
        assert_eq!(nearest("flowers", words), None);
        assert_eq!(nearest("", words), None);
    }
}
