//! The regions of PingOne.

use crate::config::InvalidValue;

/// North America.
pub(super) const DEFAULT: &str = "com";

/// The end of PingOne's host names, and what else the region is called: the code in the vendor's console and
/// documentation, and the name that its other tools take.
const REGIONS: [(&str, &[&str]); 6] = [
    (DEFAULT, &["na", "us", "northamerica"]),
    ("ca", &["canada"]),
    ("eu", &["europe"]),
    ("com.au", &["au", "australia"]),
    ("sg", &["singapore"]),
    ("asia", &["ap", "asiapacific"]),
];

/// Accepts a region in any case, by the end of its domain, its code, or its domain.
pub(super) fn accept(text: &str) -> Result<&'static str, InvalidValue> {
    let text = text.to_ascii_lowercase();
    let written = text.strip_prefix("pingone.").unwrap_or(&text);
    let region = REGIONS
        .iter()
        .find(|(region, names)| *region == written || names.contains(&written));
    region.map(|(region, _)| *region).ok_or_else(|| {
        let regions = REGIONS.map(|(region, _)| region).join(", ");
        InvalidValue::new(format!(
            "must be one of {regions}, or NA, CA, EU, AU, SG, AP, or the domain, such as pingone.eu"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_code_and_its_domain_in_any_case() {
        for (region, written) in [
            ("com", "com COM NA na pingone.com PingOne.com NorthAmerica"),
            ("ca", "ca CA pingone.ca Canada"),
            ("eu", "eu EU Eu pingone.eu Europe"),
            ("com.au", "com.au AU au pingone.com.au Australia"),
            ("sg", "sg SG pingone.sg Singapore"),
            ("asia", "asia ASIA AP ap pingone.asia AsiaPacific"),
        ] {
            for written in written.split(' ') {
                assert_eq!(accept(written), Ok(region), "{written}");
            }
        }
        for refused in [
            "",
            "mars",
            "eu-west-1",
            "pingone",
            "pingone.",
            "https://api.pingone.eu",
            "e u",
        ] {
            assert!(accept(refused).is_err(), "{refused}");
        }
    }
}
