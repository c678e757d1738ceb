//! Text from files and arguments, made fit for a message: a terminal obeys what is not text.

/// `text` on one line, with its control characters spelt out. Of more than `most` characters, those in the
/// middle are left out: how it begins and how it ends says most.
pub fn one_line(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most && !text.contains(char::is_control) {
        return text.into();
    }
    let start = if count <= most { count } else { most * 2 / 3 };
    let skipped = count.saturating_sub(most);
    let mut line = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == start {
            line.push('…');
        }
        match character {
            _ if (start..start + skipped).contains(&index) => {}
            _ if character.is_control() => line.extend(character.escape_default()),
            _ => line.push(character),
        }
    }
    line
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
        assert_eq!(one_line(&"é\n".repeat(500), 3), "é\\n…\\n");
        assert_eq!(one_line("", 0), "");
    }
}
