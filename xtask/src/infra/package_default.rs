//! The package's address in the portal form: what the form gives counts, not the default of the template.

const ELEMENT: &str = "\"name\": \"packageUri\"";
const DEFAULT: &str = "\"defaultValue\": \"";

/// The form with the address as the default of its element. The rest of the text stays as it was written.
pub fn in_form(form: &str, address: &str) -> Result<String, String> {
    let start = form.find(ELEMENT).and_then(|element| {
        let from_element = form.get(element..)?;
        Some(element + from_element.find(DEFAULT)? + DEFAULT.len())
    });
    let parts = start.and_then(|start| {
        let (before, rest) = form.split_at_checked(start)?;
        let (_, after) = rest.split_once('"')?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or("the form has no packageUri with a default")?;
    Ok(format!("{before}{address}\"{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_default_of_the_package_changes() {
        let form = r#"{"name": "a", "defaultValue": "x"}, {"name": "packageUri", "type": "T", "defaultValue": "old"}, {"defaultValue": "y"}"#;
        let written = in_form(form, "https://x/p.zip").unwrap();
        assert_eq!(written, form.replace("old", "https://x/p.zip"));
        assert_eq!(in_form(&written, "old").unwrap(), form);
    }

    #[test]
    fn a_form_without_the_element_is_refused() {
        assert!(in_form(r#"{"name": "packageUri"}"#, "x").is_err());
    }
}
