//! The reason phrase of an answer that fails an invocation: all that the host shows of it.

use std::collections::BTreeSet;

use parking_lot::Mutex;

/// The longest phrase, in bytes.
const LONGEST: usize = 200;
/// The web server takes only phrases that live as long as the process: so many different ones are kept.
const MOST: usize = 256;
/// Stands for every further one.
const OTHER: &str = "the run failed; the log says why";

static PHRASES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The text as a reason phrase: one line of visible ASCII (RFC 9112, 4).
pub fn reason_phrase(text: &str) -> &'static str {
    kept(&mut PHRASES.lock(), &visible_ascii(text))
}

fn visible_ascii(text: &str) -> String {
    let characters = text.chars().take(LONGEST);
    characters
        .map(|character| match character {
            ' '..='~' => character,
            '\t' | '\r' | '\n' => ' ',
            _ => '?',
        })
        .collect()
}

fn kept(phrases: &mut BTreeSet<&'static str>, phrase: &str) -> &'static str {
    if let Some(known) = phrases.get(phrase) {
        return known;
    }
    if phrases.len() >= MOST {
        return OTHER;
    }
    let new: &'static str = Box::leak(phrase.into());
    phrases.insert(new);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_one_short_line_of_visible_ascii() {
        assert_eq!(reason_phrase("a\r\nb: \u{fc}\u{7}"), "a  b: ??");
        assert_eq!(reason_phrase(&"x".repeat(300)).len(), LONGEST);
    }

    #[test]
    fn the_memory_for_phrases_is_bounded() {
        let mut phrases = BTreeSet::new();
        let first = kept(&mut phrases, "0");
        for number in 1..MOST {
            assert_eq!(kept(&mut phrases, &number.to_string()), number.to_string());
        }
        assert_eq!(kept(&mut phrases, "one more"), OTHER);
        assert!(std::ptr::eq(kept(&mut phrases, "0"), first));
    }
}
