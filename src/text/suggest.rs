//! "Did you mean …?": the known word that a misspelt one is closest to.

/// Least Jaro-Winkler similarity at which a word is worth suggesting.
const LEAST_SIMILARITY: f64 = 0.8;

/// The similarity of words of which one slip of the keyboard makes the other: two letters swapped, or
/// one wrong, missing or too many. Jaro-Winkler makes too little of that in short words.
const SIMILARITY_OF_A_SLIP: f64 = 0.9;

/// Fewest letters of a word in which a slip can be told from another word.
const SHORTEST_WITH_SLIP: usize = 3;

/// The candidate most like `word`, whatever its case, if any is much like it.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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
