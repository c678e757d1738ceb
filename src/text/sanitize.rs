//! Sanitizes text from files and arguments, because a terminal interprets control characters.

/// Returns `text` on one line, with control characters escaped. If there are more than `most`
/// characters, those in the middle are replaced by an ellipsis.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        if character.is_control() {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    let count = plain.chars().count();
    if count <= most {
        return plain;
    }
    let start = most * 2 / 3;
    let end = plain.chars().skip(count - (most - start));
    plain.chars().take(start).chain(['…']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn what_a_terminal_would_obey_is_spelt_out() {
        assert_eq!(one_line("a\u{1b}[31m\r\n\u{7f}é图", 40), "a\\u{1b}[31m\\r\\n\\u{7f}é图");
    }

    #[test]
    fn the_middle_of_long_text_is_left_out() {
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcd…fg");
        assert_eq!(one_line(&"é\n".repeat(500), 6), "é\\né…\\n");
        assert_eq!(one_line("", 0), "");
    }
}
