//! Which accepted word somebody may have meant.

/// The accepted word nearest to what was written, where one is near enough to be suggested.
pub(super) fn nearest<'a>(written: &str, accepted: &[&'a str]) -> Option<&'a str> {
    let written = as_accepted(written);
    misspelt(&written, accepted).or_else(|| shortened(&written, accepted))
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

/// `BEARER_TOKEN` for `PUSH_TOKEN`, where no other accepted word ends in `_TOKEN`.
pub(super) fn only_one_of_its_kind<'a>(written: &str, accepted: &[&'a str]) -> Option<&'a str> {
    let (_, kind) = written.rsplit_once('_')?;
    let mut same_kind = accepted
        .iter()
        .filter(|word| word.rsplit_once('_').is_some_and(|(_, last)| last == kind));
    let word = same_kind.next()?;
    same_kind.next().is_none().then_some(*word)
}

/// The spelling of accepted words: upper case, single underscores.
fn as_accepted(written: &str) -> String {
    written.to_ascii_uppercase().replace("__", "_")
}

fn misspelt<'a>(written: &str, accepted: &[&'a str]) -> Option<&'a str> {
    accepted
        .iter()
        .map(|word| (strsim::damerau_levenshtein(written, word), *word))
        // A third of the letters may be wrong: more would suggest words that share little.
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// `SECRET` for `CLIENT_SECRET`.
fn shortened<'a>(written: &str, accepted: &[&'a str]) -> Option<&'a str> {
    let has_part = |word: &str| {
        let tail = word.strip_suffix(written).map(|head| head.ends_with('_'));
        let head = word.strip_prefix(written).map(|tail| tail.starts_with('_'));
        tail.or(head).unwrap_or(false)
    };
    accepted.iter().copied().find(|word| has_part(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: [&str; 5] = ["CLIENT_ID", "CLIENT_SECRET", "URL", "API_URL", "PUSH_TOKEN"];

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        for (written, meant) in [
            ("CLIENT_SECRTE", Some("CLIENT_SECRET")),
            ("client_id", Some("CLIENT_ID")),
            ("CLIENTID", Some("CLIENT_ID")),
            ("CLIENT__ID", Some("CLIENT_ID")),
            ("URI", Some("URL")),
            ("SECRET", Some("CLIENT_SECRET")),
            ("PUSH", Some("PUSH_TOKEN")),
            ("BEARER", None),
            ("BEARER_TOKEN", None),
            ("ACME_CLIENT_ID", None),
            ("", None),
            ("\u{1f511}", None),
        ] {
            assert_eq!(nearest(written, &ACCEPTED), meant, "{written}");
        }
    }

    #[test]
    fn a_word_of_the_same_kind_is_found_where_it_is_the_only_one() {
        let only = |written: &str| only_one_of_its_kind(written, &ACCEPTED);

        assert_eq!(only("BEARER_TOKEN"), Some("PUSH_TOKEN"));
        assert_eq!(only("WORKER_ID"), Some("CLIENT_ID"));
        assert_eq!(only("BASE_NAME"), None);
        assert_eq!(only("TOKEN"), None);
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
