//! Parts of a page that are written by `cargo xtask infra`, between `<!-- name -->` and `<!-- /name -->`.

/// The page with this text between the markers of that name.
pub fn with_part(page: &str, name: &str, text: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let parts = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("the page has no {begin} ... {end}"))?;
    Ok(format!("{before}{begin}\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_markers_is_replaced_and_nothing_else() {
        let page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
        let written = with_part(page, "x", "new").unwrap();
        assert_eq!(written, "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
        assert_eq!(with_part(&written, "x", "new").unwrap(), written);
        assert!(with_part(page, "y", "new").is_err());
    }
}
