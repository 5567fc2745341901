//! Which accepted word somebody may have meant.

/// A name without what is most often wrong: capitals and underscores.
pub(super) fn shape(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// How many letters are wrong, missing, too many, or in the wrong order; none where that makes another word.
pub(super) fn slips(written: &str, right: &str) -> Option<usize> {
    let slips = strsim::damerau_levenshtein(written, right);
    (slips <= most_slips(right.len())).then_some(slips)
}

/// How many slips a word of this length may have and still be taken for it.
pub(super) fn most_slips(length: usize) -> usize {
    match length {
        0..=8 => 1,
        9..=17 => 2,
        _ => 3,
    }
}

/// The accepted word that was misspelt, and by how many slips.
pub(super) fn misspelt<'a>(written: &str, accepted: &[&'a str]) -> Option<(usize, &'a str)> {
    let written = shape(written);
    let near = accepted.iter().filter_map(|word| {
        let right = shape(word);
        let slips = slips(&written, &right).or_else(|| has_its_letters(&written, &right).then_some(2))?;
        Some((slips, *word))
    });
    near.min_by_key(|(slips, _)| *slips)
}

/// `TABEL` for `TABLES`: the right letters in the wrong order, up to one that is missing or too many.
fn has_its_letters(written: &str, right: &str) -> bool {
    let count = |text: &str, letter: char| text.chars().filter(|found| *found == letter).count();
    let apart: usize = ('A'..='Z')
        .map(|letter| count(written, letter).abs_diff(count(right, letter)))
        .sum();
    strsim::damerau_levenshtein(written, right) == 2
        && apart <= 1
        && right.len() > 4
        && written.as_bytes().first() == right.as_bytes().first()
}

/// What the last word of a setting says about its value; it is left out most easily.
const KINDS: [&str; 8] = ["ID", "SECRET", "TOKEN", "URL", "ENDPOINT", "BYTES", "ALIASES", "FIELDS"];

/// A word without its first or its last part: `SECRET` for `CLIENT_SECRET`, `RULE` for `RULE_ID`.
pub(super) fn shortened<'a>(written: &str, accepted: &[&'a str]) -> Option<&'a str> {
    let written = written.to_ascii_uppercase();
    let lacks_head = |word: &&&str| word.strip_suffix(&written).is_some_and(|head| head.ends_with('_'));
    let lacks_kind = |word: &&&str| {
        let kind = word.strip_prefix(&written).and_then(|rest| rest.strip_prefix('_'));
        kind.is_some_and(|kind| KINDS.contains(&kind))
    };
    let found = accepted.iter().find(lacks_head);
    found.or_else(|| accepted.iter().find(lacks_kind)).copied()
}

/// The accepted word at the end of what was written, and what stands before it: a single
/// underscore where two belong.
pub(super) fn with_something_before<'a, 'w>(written: &'w str, accepted: &[&'a str]) -> Option<(&'w str, &'a str)> {
    accepted
        .iter()
        .filter_map(|word| {
            let before = written.strip_suffix(word)?.strip_suffix('_')?;
            Some((before.trim_end_matches('_'), *word))
        })
        .max_by_key(|(_, word)| word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: [&str; 5] = ["CLIENT_ID", "CLIENT_SECRET", "URL", "API_URL", "PUSH_TOKEN"];

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        for (written, meant) in [
            ("CLIENT_SECRTE", Some("CLIENT_SECRET")),
            ("client_id", Some("CLIENT_ID")),
            ("CLIENTID", Some("CLIENT_ID")),
            ("CLIENT__ID", Some("CLIENT_ID")),
            ("URI", Some("URL")),
            ("CLEINT_DI", Some("CLIENT_ID")),
            ("PUHS_TOKNE", Some("PUSH_TOKEN")),
            ("PUSH", None),
            ("BEARER", None),
            ("BEARER_TOKEN", None),
            ("ACME_CLIENT_ID", None),
            ("AGENT_ID", None),
            ("APP_ID", None),
            ("", None),
            ("\u{1f511}", None),
        ] {
            assert_eq!(misspelt(written, &ACCEPTED).map(|(_, word)| word), meant, "{written}");
        }
    }

    #[test]
    fn the_right_letters_in_the_wrong_order_are_found_in_short_words_too() {
        let accepted = ["TABLES", "REGION", "URL"];
        for (written, meant) in [
            ("TABEL", Some("TABLES")),
            ("TALBE", Some("TABLES")),
            ("ERGION", Some("REGION")),
            ("STABLE", None),
            ("LEGIONS", None),
            ("RLU", None),
        ] {
            assert_eq!(misspelt(written, &accepted).map(|(_, word)| word), meant, "{written}");
        }
    }

    #[test]
    fn a_word_may_lack_its_head_or_what_its_value_is() {
        for (written, meant) in [
            ("CLIENT", Some("CLIENT_ID")),
            ("client", Some("CLIENT_ID")),
            ("API", Some("API_URL")),
            ("PUSH", Some("PUSH_TOKEN")),
            ("SECRET", Some("CLIENT_SECRET")),
            ("secret", Some("CLIENT_SECRET")),
            ("TOKEN", Some("PUSH_TOKEN")),
            ("URL", Some("API_URL")),
            ("CLIEN", None),
            ("ECRET", None),
            ("", None),
        ] {
            assert_eq!(shortened(written, &ACCEPTED), meant, "{written}");
        }
        assert_eq!(shortened("URL", &["CLIENT_ID", "URL"]), None);
        assert_eq!(shortened("USERS", &["USERS_EVERY"]), None);
    }

    #[test]
    fn a_word_joined_with_one_underscore_is_told_apart() {
        assert_eq!(
            with_something_before("ACME_CLIENT_ID", &ACCEPTED),
            Some(("ACME", "CLIENT_ID"))
        );
        assert_eq!(
            with_something_before("ACME_API_URL", &ACCEPTED),
            Some(("ACME", "API_URL"))
        );
        assert_eq!(with_something_before("ACME", &ACCEPTED), None);
        assert_eq!(with_something_before("CLIENT_ID", &ACCEPTED), None);
    }
}
