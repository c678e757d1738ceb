//! Suggestions for misspelt words ("did you mean …?").

/// Minimum Jaro-Winkler similarity for a suggestion.
const LEAST_SIMILARITY: f64 = 0.8;

/// Similarity of two words that differ by a single edit: two letters swapped, or one letter wrong,
/// missing or added. Jaro-Winkler rates such edits too low in short words.
const SIMILARITY_OF_A_SLIP: f64 = 0.9;

/// Minimum length of a word for which a single edit counts as a misspelling.
const SHORTEST_WITH_SLIP: usize = 3;

/// Returns the candidate that is most similar to `word`, ignoring case, if any is similar enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    candidates
        .into_iter()
        .map(|candidate| (similarity(&word, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity > LEAST_SIMILARITY)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

fn similarity(word: &str, candidate: &str) -> f64 {
    let similarity = strsim::jaro_winkler(word, candidate);
    let is_long_enough = word.chars().count() >= SHORTEST_WITH_SLIP;
    if is_long_enough && strsim::osa_distance(word, candidate) == 1 {
        similarity.max(SIMILARITY_OF_A_SLIP)
    } else {
        similarity
    }
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
        assert_eq!(nearest("sdg", ["sgd", "adam"]), Some("sgd"));
        assert_eq!(nearest("flowers", words), None);
        assert_eq!(nearest("", words), None);
    }
}
